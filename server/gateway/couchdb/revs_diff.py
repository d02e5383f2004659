"""`POST /{db}/_revs_diff`: which revisions a replica should bring."""

from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import bad_request
from server.revisions.branches import missing
from sync.revision import RevisionId, is_revision_id


async def revs_diff(call: Call) -> Answer:
    """Answer what is not here of the revisions that are asked for; documents with nothing missing are left out."""
    asked: dict[str, list[RevisionId]] = {}
    for doc_id, revs in (await call.mapping()).items():
        if not isinstance(revs, list) or not all(isinstance(rev, str) and is_revision_id(rev) for rev in revs):
            raise bad_request("Invalid rev format")
        asked[doc_id] = list(dict.fromkeys(str(rev) for rev in revs))
    async with call.parts.storage.read() as connection:
        found = await missing(connection, call.parts.sql, call.db.name, asked)
    return answer(
        {
            doc_id: {"missing": of.revs}
            | ({"possible_ancestors": of.possible_ancestors} if of.possible_ancestors else {})
            for doc_id, of in found.items()
        }
    )

"""`POST /{db}/_revs_diff`: which revisions a replica should bring.

As at a CouchDB, what is no revision id is refused with all that came beside it: no replica has one. A hash of another
form than ours is only missing; it is refused where it is brought, alone.
"""

from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call, mapping_of
from server.gateway.couchdb.refusals import INVALID_REV, bad_request, too_many
from server.gateway.couchdb.revision_ids import is_rev
from server.journal.store.branches import Missing, missing
from server.platform.json_reader import aside
from server.platform.turns import slices
from sync.revisions.revision_id import RevisionId

#: Documents and revisions; this server asks about half as many at once, CouchDB and PouchDB about some hundred.
MOST = 20_000
#: So many documents are looked up before others get a turn.
AT_ONCE = 1_000


async def revs_diff(call: Call) -> Answer:
    """Answer what is not here of the revisions that are asked for; documents with nothing missing are left out."""
    found = await _missing(call)
    return answer(
        {
            doc_id: {"missing": of.revs}
            | ({"possible_ancestors": of.possible_ancestors} if of.possible_ancestors else {})
            for doc_id, of in found.items()
        }
    )


async def missing_revs(call: Call) -> Answer:
    """Answer the same as CouchDB's older clients ask for it: only what is missing."""
    found = await _missing(call)
    return answer({"missing_revs": {doc_id: of.revs for doc_id, of in found.items()}})


async def _missing(call: Call) -> dict[str, Missing]:
    asked = await aside(_asked, await call.text())
    found: dict[str, Missing] = {}
    async with call.parts.storage.read() as connection:
        for some in slices(asked, AT_ONCE):
            part = {doc_id: asked[doc_id] for doc_id in some}
            found |= await missing(connection, call.parts.sql, call.db.name, part)
    return found


def _asked(body: bytes) -> dict[str, list[RevisionId]]:
    asked: dict[str, list[RevisionId]] = {}
    left = MOST
    for doc_id, revs in mapping_of(body).items():
        if not isinstance(revs, list) or not all(map(is_rev, revs)):
            raise bad_request(INVALID_REV[1])
        left -= max(1, len(revs))
        if left < 0:
            raise too_many(MOST)
        asked[doc_id] = list(dict.fromkeys(str(rev) for rev in revs))
    return asked

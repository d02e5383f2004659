"""`PUT` and `DELETE /{db}/{id}`, and `POST /{db}`: one document."""

from collections.abc import Mapping

from server.gateway.couchdb.admission import admitted
from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.etags import etags
from server.gateway.couchdb.multipart import related
from server.gateway.couchdb.parse_documents import Flaw
from server.gateway.couchdb.refusals import Refusal, bad_request, missing
from server.gateway.couchdb.revision_ids import is_rev
from server.gateway.couchdb.storing import StoredDocument, edit, replicate
from server.journal.store.branches import branches
from server.platform.ids import uuid7
from sync.revisions.canonical import Json
from sync.revisions.revision_id import is_revision_id

STATUSES = {"conflict": 409, "forbidden": 403}


async def put(call: Call) -> Answer:
    """Store the document that the path names."""
    if call.request.headers.get("content-type", "").startswith("multipart/"):
        return await _stored(call, await related(call), call.doc_id)
    return await _stored(call, await call.document(), call.doc_id)


async def post(call: Call) -> Answer:
    """Store a document under its own `_id`, or under a new one."""
    said = await call.document()
    return await _stored(call, said, None if "_id" in said else uuid7(call.parts.clock))


async def delete(call: Call) -> Answer:
    """Put a tombstone over the revision that `rev` names."""
    async with call.parts.storage.read() as connection:
        of = (await branches(connection, call.parts.sql, call.db.name, [call.doc_id])).get(call.doc_id)
    rev = named_rev(call)
    if of is None or (of.is_deleted if rev is None else of.graph.held.get(rev, False)):
        raise missing("missing" if of is None else "deleted")
    tombstone: dict[str, Json] = {"_id": call.doc_id, "_deleted": True, **({} if rev is None else {"_rev": rev})}
    [result] = await edit(call, [await admitted(call, tombstone, new_edits=True)])
    return _answer(result, 200)


async def _stored(call: Call, said: Mapping[str, Json], doc_id: str | None) -> Answer:
    if doc_id is not None and said.get("_id", doc_id) != doc_id:
        raise bad_request("Document ID must match the id of the path.")
    named = named_rev(call)
    if named is not None and said.get("_rev", named) != named:
        raise bad_request("Document rev from request body and query string have different values")
    if named is not None:
        said = {**said, "_rev": named}
    new_edits = call.query.get("new_edits", "true") != "false"
    document = await admitted(call, said, new_edits=new_edits, doc_id=doc_id)
    [result] = await (edit if new_edits else replicate)(call, [document])
    return _answer(result, 201)


def named_rev(call: Call) -> str | None:
    """Return the revision that the query or `If-Match` names; None where neither does. Raise Refusal."""
    named = etags(call.request.headers.getall("if-match", []))
    rev = call.query.get("rev") or (named[0] if named else None)
    if rev is not None and not (is_rev(rev) if call.db.takes_anything else is_revision_id(rev)):
        raise bad_request("Invalid rev format")
    return rev


def _answer(result: StoredDocument | Flaw, status: int) -> Answer:
    if isinstance(result, Flaw):
        raise refusal_of(result)
    return answer({"ok": True, "id": result.doc_id, "rev": result.rev}, status, ETag=f'"{result.rev}"')


def refusal_of(flaw: Flaw) -> Refusal:
    """Return what a request for one document is answered with that can't be taken."""
    return Refusal(STATUSES.get(flaw.error, 400), flaw.error, flaw.reason)

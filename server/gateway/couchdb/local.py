"""`/{db}/_local/{id}`: what a replica keeps here for itself, mostly checkpoints; its person's and device's alone."""

from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.refusals import Refusal, bad_request, conflict, missing
from server.gateway.couchdb.write_documents import document
from server.journal.store import local_documents
from server.journal.store.local_documents import LocalKey
from server.platform.canonical_json import canonical
from sync.revisions.canonical import Json

MAX_ID_CHARACTERS = 200
#: CouchDB's checkpoints hold some fifty sessions, of a few hundred bytes each.
MAX_BYTES = 100_000
#: Of one person on one device in one database. A replica keeps one for each replication that it takes part in.
MOST, MOST_BYTES = 1_000, 5_000_000
#: What is written over and no longer than this fits wherever the one before did, or nearly.
CHECKPOINT_BYTES = 20_000


async def show(call: Call) -> Answer:
    """Return the document."""
    async with call.parts.storage.read() as connection:
        found = await local_documents.find(connection, _key(call, call.doc_id))
    if found is None:
        raise missing()
    return Answer(document(f"_local/{call.doc_id}", found.rev, found.content) + b"\n")


async def write(call: Call) -> Answer:
    """Write the document over the revision that it names."""
    said = await call.mapping()
    if "_rev" not in said and "rev" in call.query:
        said["_rev"] = call.query["rev"]
    rev = await keep(call, call.doc_id, said)
    return answer({"ok": True, "id": f"_local/{call.doc_id}", "rev": rev}, 201)


async def keep(call: Call, doc_id: str, said: Mapping[str, Json]) -> str:
    """Write a document over the revision that it names, and return its new one; raise Refusal."""
    content = canonical({name: value for name, value in said.items() if not name.startswith("_")})
    if len(content) > MAX_BYTES:
        raise Refusal(413, "document_too_large", doc_id)
    rev = said.get("_rev")
    if rev is not None and not isinstance(rev, str):
        raise bad_request("Invalid rev format")
    if said.get("_deleted") is True:
        return await _removed(call, doc_id, rev)
    try:
        async with call.parts.storage.write(is_durable=not _is_checkpoint(said)) as connection:
            key = _key(call, doc_id)
            # Before the document that may be new or longer: what is only written over is most of what replicas do.
            if rev is None or len(content) > CHECKPOINT_BYTES:
                await _require_room(connection, key, len(content))
            written = await local_documents.put(connection, key, rev, content)
    except IntegrityError:
        # Two first writes side by side: one of them stands, and it wasn't this one.
        raise conflict() from None
    if written is None:
        raise conflict()
    return written.rev


async def _require_room(connection: AsyncConnection, key: LocalKey, more_bytes: int) -> None:
    count, size = await local_documents.held(connection, key)
    if count >= MOST or size + more_bytes > MOST_BYTES:
        raise Refusal(
            413, "too_many_local_documents", f"At most {MOST} local documents or {MOST_BYTES} bytes; delete some."
        )


async def remove(call: Call) -> Answer:
    """Delete the document."""
    rev = await _removed(call, call.doc_id, call.query.get("rev"))
    return answer({"ok": True, "id": f"_local/{call.doc_id}", "rev": rev})


async def _removed(call: Call, doc_id: str, rev: str | None) -> str:
    async with call.parts.storage.write() as connection:
        is_removed = await local_documents.remove(connection, _key(call, doc_id), rev)
    if is_removed is None:
        raise missing()
    if not is_removed:
        raise conflict()
    return "0-0"


def _is_checkpoint(said: Mapping[str, Json]) -> bool:
    """Whether this is how far a replication has come, as PouchDB and CouchDB write it down after each batch.

    Such a one need not wait for the disk. It comes after the commit of what it speaks of, which is durable already, and
    the log keeps that order: it is never ahead of what is here (I7). When power takes it back, the replica finds
    another number than the one that it replaces, looks for the last session that both sides know, and goes on from
    there: some revisions are asked about or read twice.
    """
    return isinstance(said.get("history"), list) and isinstance(said.get("session_id"), str)


def _key(call: Call, doc_id: str) -> LocalKey:
    if not 0 < len(doc_id) <= MAX_ID_CHARACTERS or not doc_id.isprintable():
        raise missing()
    return LocalKey(call.db.name, call.person.owner, doc_id)

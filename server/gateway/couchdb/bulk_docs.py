"""`POST /{db}/_bulk_docs`: many documents at once, each with its own outcome.

What CouchDB refuses before it stores anything fails the whole request where anything is taken, as there: clients look
for the error in that place. In scopes it is that document's row alone (rule 10), as it is for JSON that only some can
read. Local documents may stand among the others; they are written last, each by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from server.gateway.couchdb import local as local_documents
from server.gateway.couchdb.admission import admitted
from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.parse_documents import Flaw, Incoming
from server.gateway.couchdb.refusals import Refusal, bad_request, too_many
from server.gateway.couchdb.storing import Result, StoredDocument, edit, replicate
from server.platform.ids import uuid7
from server.platform.json_reader import aside, read_documents
from server.platform.turns import in_turns
from sync.revisions.canonical import Json, MalformedJson, Reading

#: CouchDB sends 500 at once, PouchDB 100, this server its pace of some hundred.
MOST_DOCS = 10_000


@dataclass(frozen=True, slots=True)
class _Local:
    """A local document among the others; `doc_id` is without `_local/`."""

    doc_id: str
    said: Mapping[str, Json]


async def bulk_docs(call: Call) -> Answer:
    """Store documents: as edits with a row for each, or as other replicas' revisions with rows for errors only."""
    try:
        read = partial(_read, keeps_numbers=call.db.takes_anything)
        said, readings = await aside(read, await call.text())
        if not isinstance(said, dict) or not isinstance(said.get("docs"), list):
            raise bad_request("POST body must include `docs` parameter.")
        new_edits = said.get("new_edits", True)
        if not isinstance(new_edits, bool):
            raise bad_request("`new_edits` must be true or false")
        documents = await _documents(call, readings, new_edits=new_edits)
    except MalformedJson as error:
        raise bad_request(f"invalid UTF-8 JSON ({error})") from None
    results = await _stored(call, documents, new_edits=new_edits)
    if new_edits:
        return answer([_row(each) for each in results], 201)
    return answer([_row_of_copy(each) for each in results if isinstance(each, Flaw)], 201)


async def _stored(call: Call, documents: list[Incoming | Flaw | _Local], *, new_edits: bool) -> list[Result]:
    store = edit if new_edits else replicate
    others = [each for each in documents if not isinstance(each, _Local)]
    left = iter(await store(call, others) if others or not documents else [])
    return [await _kept(call, each) if isinstance(each, _Local) else next(left) for each in documents]


async def _kept(call: Call, local: _Local) -> Result:
    try:
        rev = await local_documents.keep(call, local.doc_id, local.said)
    except Refusal as refusal:
        return Flaw(f"_local/{local.doc_id}", refusal.error, refusal.reason)
    return StoredDocument(f"_local/{local.doc_id}", rev)


def _read(body: bytes, *, keeps_numbers: bool) -> tuple[Json, list[Reading]]:
    said, readings = read_documents(body, keeps_numbers=keeps_numbers)
    found = list(islice(readings, MOST_DOCS + 1))
    if len(found) > MOST_DOCS:
        raise too_many(MOST_DOCS)
    return said, found


async def _documents(call: Call, readings: Iterable[Reading], *, new_edits: bool) -> list[Incoming | Flaw | _Local]:
    found: list[Incoming | Flaw | _Local] = []
    async for reading in in_turns(readings):
        value = reading.value
        if reading.flaws:
            doc_id = value.get("_id") if isinstance(value, dict) else None
            found.append(Flaw(str(doc_id or ""), "bad_request", f"invalid JSON ({reading.flaws[0]})"))
        elif (local := _local(value)) is not None:
            found.append(local)
        else:
            # CouchDB, too, names the nameless ones.
            fresh = uuid7(call.parts.clock) if new_edits and isinstance(value, dict) and "_id" not in value else None
            each = await admitted(call, value, new_edits=new_edits, doc_id=fresh)
            if isinstance(each, Flaw) and call.db.takes_anything:
                raise Refusal(400, each.error, each.reason)
            found.append(each)
    return found


def _local(value: Json) -> _Local | None:
    doc_id = value.get("_id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(doc_id, str) or not doc_id.startswith("_local/"):
        return None
    return _Local(doc_id.removeprefix("_local/"), value) if doc_id != "_local/" else None


def _row(result: Result) -> dict[str, object]:
    # Of an edit CouchDB tells no revision that did not come to be: clients take `rev` for success.
    if isinstance(result, Flaw):
        return {"id": result.doc_id, "error": result.error, "reason": result.reason}
    return {"ok": True, "id": result.doc_id, "rev": result.rev}


def _row_of_copy(flaw: Flaw) -> dict[str, object]:
    rev = {} if flaw.rev is None else {"rev": flaw.rev}
    return {"id": flaw.doc_id, **rev, "error": flaw.error, "reason": flaw.reason}

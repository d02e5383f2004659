"""`POST /{db}/_bulk_docs`: many documents at once, each with its own outcome."""

import asyncio
from collections.abc import Iterable
from functools import partial
from itertools import islice

from server.gateway.couchdb.admission import admitted
from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.parse_documents import Flaw, Incoming
from server.gateway.couchdb.refusals import bad_request, too_many
from server.gateway.couchdb.storing import Result, edit, replicate
from server.platform.ids import uuid7
from server.platform.json_reader import aside, read_documents
from sync.revisions.canonical import Json, MalformedJson, Reading

#: CouchDB sends 500 at once, PouchDB 100, this server its pace of some hundred.
MOST_DOCS = 10_000
#: After so many documents others get a turn.
AT_ONCE = 100


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
    if new_edits:
        return answer([_row(each) for each in await edit(call, documents)], 201)
    results = await replicate(call, documents)
    return answer([_row(each) for each in results if isinstance(each, Flaw)], 201)


def _read(body: bytes, *, keeps_numbers: bool) -> tuple[Json, list[Reading]]:
    said, readings = read_documents(body, keeps_numbers=keeps_numbers)
    found = list(islice(readings, MOST_DOCS + 1))
    if len(found) > MOST_DOCS:
        raise too_many(MOST_DOCS)
    return said, found


async def _documents(call: Call, readings: Iterable[Reading], *, new_edits: bool) -> list[Incoming | Flaw]:
    found: list[Incoming | Flaw] = []
    for place, reading in enumerate(readings):
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
        value = reading.value
        if reading.flaws:
            doc_id = value.get("_id") if isinstance(value, dict) else None
            found.append(Flaw(str(doc_id or ""), "bad_request", f"invalid JSON ({reading.flaws[0]})"))
        else:
            # CouchDB, too, names the nameless ones.
            fresh = uuid7(call.parts.clock) if new_edits and isinstance(value, dict) and "_id" not in value else None
            found.append(await admitted(call, value, new_edits=new_edits, doc_id=fresh))
    return found


def _row(result: Result) -> dict[str, object]:
    if isinstance(result, Flaw):
        rev = {} if result.rev is None else {"rev": result.rev}
        return {"id": result.doc_id, **rev, "error": result.error, "reason": result.reason}
    return {"ok": True, "id": result.doc_id, "rev": result.rev}

"""The door itself: an ASGI app mounted at `/db`.

It finds the verb by the raw path, recognises who asks, opens the database for them, and sends what the verb answers:
at once or piece by piece, compressed where the client takes it. What goes wrong leaves as JSON `{"error", "reason"}`.
"""

import asyncio
import uuid
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from litestar import Request, asgi
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send

from server.errors import Problem
from server.gateway.couchdb.answer import Answer, answer
from server.gateway.couchdb.call import Call, CouchParts
from server.gateway.couchdb.caller import COOKIE_HANDLER
from server.gateway.couchdb.database import make
from server.gateway.couchdb.databases import Databases
from server.gateway.couchdb.refusals import Refusal, from_problem, no_database, unauthorized
from server.gateway.couchdb.router import destination
from server.gateway.couchdb.same_origin import require_no_form
from server.journal.model import UnknownDatabase
from server.journal.store.statements import statements
from server.platform.content_coding import accepted_codings
from server.platform.db.error_kinds import AWAY_S, is_away, is_disk_full

MOUNT = "/db"
#: Level 1 takes a seventh of level 6's time over a feed and leaves a third more bytes.
GZIP_LEVEL = 1
GZIP_FROM_BYTES = 1000
#: Pieces are gathered to this many bytes before they are compressed, off the event loop.
BLOCK_BYTES = 128_000

log = structlog.get_logger("nuong.couchdb")


@asgi(MOUNT, is_mount=True, copy_scope=True, own_encoding=True)
async def couchdb_door(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request."""
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    with request.app.state["journal"].open_requests.serving():
        try:
            found = await _answer(request)
        except Exception as error:
            found = failure(request, error)
        if not found.is_live:
            await send_answer(request, found, send)
            return
    await _until_gone(send_answer(request, found, send), receive)


async def _answer(request: Request[Any, Any, Any]) -> Answer:
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0]
    leads = destination(path.removeprefix(MOUNT))
    parts = _parts(request.app.state)
    call = Call(
        parts, request, str(request.method), dict(request.query_params.items()), None, request.app.state.server_id
    )
    if leads.is_open:
        with suppress(Refusal):
            # Here a wrong name is nobody's: PouchDB sends `Authorization: Basic …` to this address whatever it has.
            call = replace(call, caller=await parts.recognition.caller(request))
        return await leads.verb(call.method)(call)
    caller = await parts.recognition.caller(request)
    if caller is None:
        raise unauthorized()
    # An attachment is of any type; no form can send what makes one.
    if caller.handler == COOKIE_HANDLER and not leads.attachment:
        require_no_form(request)
    call = replace(call, caller=caller, doc_id=leads.doc_id, attachment=leads.attachment)
    assert leads.database is not None
    if leads.is_database and call.method == "PUT":
        # The one verb for a database that is not there.
        return await make(call, leads.database)
    call = replace(call, database=await parts.databases.open(leads.database, caller))
    return await leads.verb(call.method)(call)


def _parts(state: State) -> CouchParts:
    """Return what the verbs work with, put together once for an app."""
    found: CouchParts | None = state.get("couchdb")
    if found is None:
        found = state["couchdb"] = CouchParts(
            storage=state["storage"],
            journal=state["journal"],
            areas=state["areas"],
            library=state["library"],
            sessions=state["sessions"],
            pace=state["pace"],
            clock=state["clock"],
            settings=state["settings"],
            sql=statements(is_postgresql=state["storage"].is_postgresql),
            recognition=state["recognition"],
            databases=Databases(state["storage"], state["journal"], state["areas"], state["clock"]),
        )
    return found


def failure(request: Request[Any, Any, Any], error: Exception) -> Answer:
    """Return what goes wrong as an answer in CouchDB's words; what nobody foresaw is logged under an id."""
    if isinstance(error, UnknownDatabase):
        error = no_database()
    if is_disk_full(error):
        log.error("disk_full", path=request.scope["path"])
        error = Problem("disk_full")
    elif is_away(error):
        log.error("database_away", path=request.scope["path"], error=type(error).__name__)
        error = Problem("database_away")
    if isinstance(error, Problem):
        error = from_problem(error)
    if not isinstance(error, Refusal):
        error_id = str(uuid.uuid4())
        log.error("unexpected_error", error_id=error_id, path=request.scope["path"], exc_info=error)
        error = Refusal(500, "internal_server_error", error_id)
    said = {"error": error.error, "reason": error.reason}
    # Bearer and not Basic: a browser asked for Basic puts a window of its own over the page.
    headers = {"WWW_Authenticate": 'Bearer realm="nuong"'} if error.status == 401 else {}
    if error.status == 503:
        headers["Retry_After"] = str(AWAY_S)
    return answer(said, error.status, **headers)


async def send_answer(request: Request[Any, Any, Any], found: Answer, send: Send) -> None:
    """Send an answer, compressed where that is worth it and the client takes it."""
    is_head = request.method == "HEAD"
    takes_gzip = bool(accepted_codings(request, ["gzip"]))
    is_long = found.pieces is not None or len(found.body) >= GZIP_FROM_BYTES
    is_packed = takes_gzip and is_long and found.is_packable and not found.is_live and not is_head
    headers = {
        "Content-Type": found.media_type,
        "Cache-Control": "must-revalidate",
        "Vary": "Accept-Encoding",
        **found.headers,
    }
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    body = found.body
    if found.pieces is None:
        if is_packed:
            body = await asyncio.to_thread(zlib.compress, body, GZIP_LEVEL, 16 + zlib.MAX_WBITS)
        headers["Content-Length"] = str(len(body))
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": found.status, "headers": raw})
    if found.pieces is not None and not is_head:
        pieces = _packed(found.pieces) if is_packed else found.pieces
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": b"" if is_head else body, "more_body": False})


async def _packed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces compressed, block by block."""
    deflater = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    waiting: list[bytes] = []
    size = 0
    async for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= BLOCK_BYTES:
            if packed := await asyncio.to_thread(deflater.compress, b"".join(waiting)):
                yield packed
            waiting, size = [], 0
    yield deflater.compress(b"".join(waiting)) + deflater.flush()


async def _until_gone(sending: Any, receive: Receive) -> None:
    """Send until it is done or the client has gone: a feed that waits would otherwise wait for nobody."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = {asyncio.ensure_future(sending), asyncio.ensure_future(gone())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

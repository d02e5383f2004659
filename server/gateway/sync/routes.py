"""`POST /api/sync`: the door for phones."""

from typing import Any

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency, Provide

from server.areas.areas import Areas
from server.auth.authentication import bearer_token
from server.auth.sessions import Sessions
from server.forms.library import FormLibrary
from server.gateway.sync.exchange import ExchangeParts, exchange
from server.gateway.sync.read_request import read_request
from server.gateway.sync.schemas import ANSWER_BODY, REQUEST_BODY
from server.journal.journal import Journal
from server.platform.api_description.declarations import Described, raises
from server.platform.clock import Clock
from server.platform.content_coding import best_coding
from server.platform.db.engine import Storage
from server.platform.inflate import read_body
from server.platform.json_reader import aside
from server.settings import Settings


async def provide_parts(
    *,
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    sessions: NamedDependency[Sessions],
    areas: NamedDependency[Areas],
    library: NamedDependency[FormLibrary],
    clock: NamedDependency[Clock],
    server_id: NamedDependency[str],
    epoch: NamedDependency[str],
) -> ExchangeParts:
    """Return what an exchange works with on this server."""
    return ExchangeParts(storage, journal, sessions, areas, library, clock, server_id, epoch)


@post(
    "/",
    status_code=200,
    request_max_body_size=None,
    own_encoding=True,
    summary="One exchange of a phone",
    described=Described(body=REQUEST_BODY, answers=ANSWER_BODY),
)
@raises(
    "not_signed_in",
    "enrolment_mismatch",
    "enrolment_revoked",
    "seal_missing",
    "seal_invalid",
    "malformed_json",
    "envelope",
    "app_too_old",
    "server_too_old",
    "unsupported_encoding",
    "body_bomb",
    "body_not_gzip",
    "body_truncated",
)
async def sync(
    request: Request[Any, Any, Any], parts: NamedDependency[ExchangeParts], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take what a phone pushes and answer with acknowledgements and what it lacks, in one round trip.

    The body is a `SyncRequest`, gzipped; the answer is a `SyncAnswer` in brotli or gzip as `Accept-Encoding` allows.
    """
    headers = request.headers
    # The framework's own limit counts bytes on the wire; ours counts them after inflating, and says which it was.
    body = await read_body(
        request.stream(),
        headers.get("content-encoding"),
        limit=settings.request_bytes,
        announced=request.content_length,
    )
    coding = best_coding(request)
    with parts.journal.open_requests.serving():
        answer = await exchange(parts, await aside(read_request, body), bearer_token(request), coding)
    return Response(
        answer,
        media_type="application/json",
        headers={
            "Cache-Control": "no-store",
            "Vary": "Accept-Encoding",
            **({} if coding == "identity" else {"Content-Encoding": coding}),
        },
    )


router = Router("/api/sync", route_handlers=[sync], dependencies={"parts": Provide(provide_parts)}, tags=["sync"])

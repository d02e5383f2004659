"""The doors for whoever operates the server: alive, ready, counters."""

import hmac
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from server.auth.authentication import bearer_token
from server.errors import Problem
from server.platform.db.engine import Storage
from server.platform.health import Folder, check_parts
from server.platform.metrics import CONTENT_TYPE, Metrics
from server.settings import Settings

NO_STORE = {"Cache-Control": "no-store"}
HOME = frozenset({"127.0.0.1", "::1"})


@get("/healthz", include_in_schema=False)
async def alive() -> Response[dict[str, str]]:
    """Say that the process answers, whatever the state of its parts."""
    return Response({"status": "alive"}, headers=NO_STORE)


@get("/readyz", include_in_schema=False)
async def ready(
    storage: NamedDependency[Storage], settings: NamedDependency[Settings], media_folder: NamedDependency[Folder]
) -> Response[dict[str, object]]:
    """Say whether the server can work, part by part: 200, or 503."""
    parts = await check_parts(storage, settings, media_folder)
    is_ready = all(state == "ok" for state in parts.values())
    body: dict[str, object] = {"status": "ready" if is_ready else "not_ready", "parts": parts}
    return Response(body, status_code=200 if is_ready else 503, headers=NO_STORE)


@get("/metrics", include_in_schema=False)
async def metrics_text(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    metrics: NamedDependency[Metrics],
    media_folder: NamedDependency[Folder],
) -> Response[bytes]:
    """Give the counters to Prometheus; to strangers there is nothing here."""
    if not _may_watch(request, settings):
        raise Problem("not_found")
    metrics.tell_disk(await media_folder.use())
    return Response(metrics.render(), headers={**NO_STORE, "Content-Type": CONTENT_TYPE})


def _may_watch(request: Request[Any, Any, Any], settings: Settings) -> bool:
    if settings.metrics_token is None:
        # Behind a proxy every client seems to be at home, unless the proxy says whom it speaks for.
        is_forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for"))
        return request.client is not None and request.client.host in HOME and not is_forwarded
    expected = settings.metrics_token.get_secret_value()
    return hmac.compare_digest((bearer_token(request) or "").encode(), expected.encode())


routes = (alive, ready, metrics_text)

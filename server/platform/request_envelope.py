"""The outermost layer of the app: a request id, one log line, counters and security headers for every answer.

One of the headers says which server answers, by which a phone knows an answer of ours from a captive portal's page.
It wraps the whole app, the router's own 404s and the answers to errors included, which Litestar's middleware and
hooks do not all see. It never touches bodies.
"""

import json
import re
import time
import uuid

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import Problem
from server.platform.metrics import Metrics
from server.platform.problems import MEDIA_TYPE, problem_body

#: What forms.md's engine needs and nothing more: no inline scripts, no inline styles, no other origins.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"permissions-policy", b"geolocation=(self), camera=(self), microphone=(self), payment=(), usb=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"strict-transport-security", b"max-age=31536000"),
)
#: Longer addresses are refused before anything is made of them: the HTTP parser takes megabytes, from anybody.
ADDRESS_BYTES = 64_000
QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

log = structlog.get_logger("nuong.request")


class RequestEnvelope:
    """An ASGI app around another."""

    def __init__(self, app: ASGIApp) -> None:
        """Count into the `metrics` of the app whose request it is."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500
        request_id = _request_id(scope)

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name.lower() for name, _ in message["headers"]}
                added = [header for header in HEADERS if header[0] not in own]
                who = str(scope["litestar_app"].state.get("server_id", "")).encode()
                added += [(b"nuong-server", who), (b"x-request-id", request_id)]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        path, method = scope["path"], str(scope["method"])
        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            try:
                if len(scope["query_string"]) + len(path) > ADDRESS_BYTES:
                    await _refuse(send_with_headers, Problem("too_large", limit=ADDRESS_BYTES))
                else:
                    await self._app(scope, receive, send_with_headers)
            finally:
                took_s = time.perf_counter() - began
                route = str(scope.get("path_template") or "unmatched")
                metrics: Metrics = scope["litestar_app"].state["metrics"]
                metrics.count_request(method, route, status, took_s)
                write = log.debug if path in QUIET_PATHS else log.info
                write("request", method=method, path=path, status=status, ms=round(took_s * 1000, 1))


async def _refuse(send: Send, problem: Problem) -> None:
    body = json.dumps(problem_body(problem)).encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.kind.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(scope: Scope) -> bytes:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()

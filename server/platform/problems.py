"""Errors as `application/problem+json` (RFC 9457), whatever raised them: a stage, the framework, or a bug.

A bug is logged once, here, with an id that the client is shown and can name; nothing of it leaves otherwise.
"""

import json
import uuid
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from server.errors import Problem
from server.platform.db.error_kinds import AWAY_S, is_away, is_disk_full, sqlstate

MEDIA_TYPE = "application/problem+json"
#: What the framework itself refuses, by status; every other 4xx of its own is a malformed request.
FRAMEWORK_CODES = {
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}
RETRY_AFTER_S = 60
#: PostgreSQL's words (SQLSTATE): a NUL in a path or a query reaches it where no body's schema stands before.
NO_SUCH_CHARACTER = "22021"

log = structlog.get_logger("nuong.problems")


def problem_body(problem: Problem) -> dict[str, object]:
    """Return the JSON of a problem."""
    return {
        "type": f"urn:nuong:problem:{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail or problem.kind.title,
        "code": problem.code,
        "params": problem.params,
    }


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Return the HTTP answer for a problem."""
    extra = dict(headers or {})
    if problem.kind.status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if problem.kind.status in (429, 503, 507):
        extra.setdefault("Retry-After", str(problem.params.get("wait_s", RETRY_AFTER_S)))
    extra["Cache-Control"] = "no-store"
    body = json.dumps(problem_body(problem), ensure_ascii=False, default=str).encode()
    return Response(body, status_code=problem.kind.status, media_type=MEDIA_TYPE, headers=extra)


def _from_stage(_request: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    return problem_response(error)


def _from_framework(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= 500:
        return _from_bug(_request, error)
    code = FRAMEWORK_CODES.get(error.status_code, "invalid_request")
    allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    if isinstance(error, ValidationException):
        return problem_response(Problem("invalid_request", fields=_misfits(error)))
    detail = error.detail if code == "invalid_request" else None
    return problem_response(Problem(code, detail), allow)


def _misfits(error: ValidationException) -> list[dict[str, str]]:
    # Only where and why: the framework also repeats the input, which may be a password.
    found = error.extra if isinstance(error.extra, list) else []
    return [{"field": str(item.get("key", "")), "reason": str(item.get("message", ""))} for item in found]


def _from_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    if sqlstate(error) == NO_SUCH_CHARACTER:
        return problem_response(Problem("invalid_request", "a NUL character"))
    if is_disk_full(error):
        log.error("disk_full", method=request.method, path=request.scope["path"])
        return problem_response(Problem("disk_full"))
    if is_away(error):
        log.error("database_away", method=request.method, path=request.scope["path"], error=type(error).__name__)
        return problem_response(Problem("database_away", wait_s=AWAY_S))
    error_id = str(uuid.uuid4())
    log.error("unexpected_error", error_id=error_id, method=request.method, path=request.scope["path"], exc_info=error)
    return problem_response(Problem("internal", error_id=error_id))


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Problem: _from_stage,
    HTTPException: _from_framework,
    Exception: _from_bug,
}

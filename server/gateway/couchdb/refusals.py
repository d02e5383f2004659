"""Refusals in CouchDB's words: a status, an `error` that clients compare, a `reason` for people."""

from typing import Final

from server.errors import Problem


class Refusal(Exception):
    """An answer `{"error", "reason"}`."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        """Keep what the answer says."""
        self.status = status
        self.error = error
        self.reason = reason
        super().__init__(f"{status} {error}: {reason}")


CONFLICT: Final = ("conflict", "Document update conflict.")
INVALID_REV: Final = ("bad_request", "Invalid rev format")


def no_database() -> Refusal:
    """Return what a missing database and a foreign one are answered with alike."""
    return Refusal(404, "not_found", "Database does not exist.")


def missing(reason: str = "missing") -> Refusal:
    """Return what a missing document or path is answered with; `deleted` where only a tombstone stands."""
    return Refusal(404, "not_found", reason)


def conflict() -> Refusal:
    """Return what an edit of something else than a leaf is answered with."""
    return Refusal(409, *CONFLICT)


def bad_request(reason: str) -> Refusal:
    """Return what a request that nobody can understand is answered with."""
    return Refusal(400, "bad_request", reason)


def not_yet(reason: str) -> Refusal:
    """Return what a request is answered with that a CouchDB would take and this server can't: nothing of it is stored.

    For the whole request, never for one document: a replicator counts a row's error and passes over it for good, but
    no checkpoint passes a request that failed.
    """
    return Refusal(503, "service_unavailable", reason)


def too_many(most: int) -> Refusal:
    """Return what a request is answered with that names more than `most`: replicators halve it and send it again."""
    return Refusal(413, "too_large", f"One request may name {most} at most.")


def bad_parameter(name: str) -> Refusal:
    """Return what a query value of the wrong kind is answered with."""
    return Refusal(400, "query_parse_error", f"Invalid value for `{name}`.")


def forbidden(reason: str) -> Refusal:
    """Return what somebody who is known, but may not do this, is answered with."""
    return Refusal(403, "forbidden", reason)


def unauthorized(reason: str = "You are not authorized to access this db.") -> Refusal:
    """Return what somebody who is not known is answered with."""
    return Refusal(401, "unauthorized", reason)


#: Problems of the stages below, as this door says them; what is not here has the name of its status.
_ERRORS: dict[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    415: "bad_content_type",
    423: "forbidden",
    429: "too_many_requests",
    503: "service_unavailable",
    507: "insufficient_storage",
}


def from_problem(problem: Problem) -> Refusal:
    """Return a stage's problem in this door's words."""
    status = problem.kind.status
    # CouchDB has no 423 either: a locked account is forbidden to its owner as well.
    return Refusal(
        403 if status == 423 else status,
        _ERRORS.get(status, "internal_server_error"),
        problem.detail or problem.kind.title,
    )

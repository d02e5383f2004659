"""Every error that a client can meet: one table from code to status and title (RFC 9457 problem details).

Stages raise `Problem("code", parameter=…)`; the app answers `application/problem+json` with the code and the
parameters, and the phone turns these into a sentence in its person's language.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What one code means over HTTP."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "not_signed_in": Kind(401, "Sign in first"),
    "not_allowed": Kind(403, "Your role does not allow this"),
    "not_found": Kind(404, "There is nothing here"),
    "invalid_request": Kind(400, "The request does not have the expected form"),
}


class Problem(Exception):
    """An error for the client; `code` stands in `KINDS`, `params` are what the sentence needs."""

    def __init__(self, code: str, detail: str | None = None, **params: object) -> None:
        """Refuse codes that the table does not hold, so that none reaches a client unexplained."""
        self.kind = KINDS[code]
        self.code = code
        self.detail = detail
        self.params = params
        super().__init__(detail or self.kind.title)

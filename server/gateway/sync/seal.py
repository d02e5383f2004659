"""The seal of one request: the bytes that it signs, and the `seal:` document that keeps it (`sync.contract.seal`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.platform.canonical_json import canonical
from sync.contract.seal import Pushed, sealed_payload


@dataclass(frozen=True, slots=True)
class RequestSeal:
    """A request's signature (None where it has none), and everything that it covers.

    `push` is (database, id, revision) of every pushed document, in order; `said` the digest of what the phone says of
    itself.
    """

    enrolment: str
    exchange: str
    push: Sequence[Pushed]
    said: str
    signature: str | None

    def payload(self) -> bytes:
        """Return the bytes that the signature must be of."""
        return sealed_payload(self.enrolment, self.exchange, self.push, self.said)

    def content(self) -> bytes:
        """Return the content of the `seal:` document, with which anyone can check the signature again."""
        content: dict[str, Any] = {
            "type": "seal",
            "enrolment": self.enrolment,
            "exchange": self.exchange,
            "push": [list(item) for item in self.push],
            "said": self.said,
            "jws": self.signature or "",
        }
        return canonical(content)

"""The seal of a request: the bytes that a phone signs, which any server can check again from the `seal:` document.

    {"enrolment", "exchange", "push": [[database, id, revision], …], "said"}    as canonical JSON

Revision ids are digests, so (database, id, revision) covers all that is pushed. `said` is the SHA-256 of what the
phone says of itself, as canonical JSON with its two counts as text:

    {"discarded", "drafts", "media", "unsent", "verdicts"}

The document keeps that digest alone: however many numbers a phone holds, a seal stays small, and it tells nobody what
they are. The signature is a detached JWS (RFC 7515 F, RFC 7797) by the device's key.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sync.revisions.canonical import canonical

SEAL_PREFIX = "seal:"

#: (database, id, revision) of one pushed document.
Pushed = tuple[str, str, str]


def said_digest(holding: Mapping[str, Any], verdicts: Sequence[str]) -> str:
    """Return the digest of what a phone says that it holds and has been told."""
    said = {
        "discarded": list(holding["discarded"]),
        "drafts": str(holding["drafts"]),
        "media": str(holding["media"]),
        "unsent": list(holding["unsent"]),
        "verdicts": list(verdicts),
    }
    return hashlib.sha256(canonical(said)).hexdigest()


def sealed_payload(enrolment: str, exchange: str, push: Sequence[Pushed], said: str) -> bytes:
    """Return the bytes that a seal signs."""
    items = [list(item) for item in push]
    return canonical({"enrolment": enrolment, "exchange": exchange, "push": items, "said": said})


def payload_of_document(document: Mapping[str, Any], push: Sequence[Pushed]) -> bytes | None:
    """Return what the signature in a `seal:` document must sign; None for one that can't be a seal."""
    enrolment, exchange, said = document.get("enrolment"), document.get("exchange"), document.get("said")
    if not isinstance(enrolment, str):
        return None
    if exchange is None and said is None:
        # Phones of protocol 1 sealed no more than this, and their seals travel between servers for ever.
        return canonical({"enrolment": enrolment, "push": [list(item) for item in push]})
    if not isinstance(exchange, str) or not isinstance(said, str):
        return None
    return sealed_payload(enrolment, exchange, push, said)

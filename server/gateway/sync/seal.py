"""What the seal of a request must sign, and the `seal:` document that keeps it (`sync.contract.seal`)."""

from collections.abc import Sequence
from typing import Any

from server.platform.canonical_json import canonical
from sync.contract.seal import Pushed, said_digest, sealed_payload
from sync.contract.wire import Push, SyncRequest


def pushed_ids(push: Sequence[Push]) -> list[Pushed]:
    """Return (database, id, revision) of every pushed document, in order; blanks where one has no proper ids."""
    return [(item.db, _text(item.doc.get("_id")), _text(item.doc.get("_rev"))) for item in push]


def payload_of_request(request: SyncRequest) -> bytes:
    """Return what the seal of `request` must sign."""
    return sealed_payload(request.enrolment, request.exchange, pushed_ids(request.push), _said(request))


def seal_content(request: SyncRequest) -> bytes:
    """Return the content of the `seal:` document: what was signed and the signature, for anyone to check."""
    content: dict[str, Any] = {
        "type": "seal",
        "enrolment": request.enrolment,
        "exchange": request.exchange,
        "push": [list(item) for item in pushed_ids(request.push)],
        "said": _said(request),
        "jws": request.seal or "",
    }
    return canonical(content)


def _said(request: SyncRequest) -> str:
    holding = request.holding
    counts = {"drafts": holding.drafts, "media": holding.media}
    return said_digest({**counts, "unsent": holding.unsent, "discarded": holding.discarded}, request.verdicts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

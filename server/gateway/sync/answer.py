"""The answer to an exchange, written as bytes: documents go from the journal to the wire without being parsed."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.auth.tokens import IssuedTokens
from server.gateway.compression import compress
from server.gateway.sync.pull import ChangesPage, cut
from server.journal.journal import Journal
from server.journal.model import Outcome
from server.platform.content_coding import Coding
from sync.contract.wire import PROTOCOL

#: From here on compressing is long enough to keep other requests waiting, so a thread does it.
_THREAD_FROM_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class AnswerHeader:
    """All of an answer but its changes; `carry` is None for a phone that only pushed, and so learns no assignment."""

    epoch: str
    server_time: str
    tokens: IssuedTokens | None
    acks: Sequence[Outcome]
    carry: Sequence[str] | None
    safe: int
    highest_number: int
    missing: str
    server: str
    next_s: int


async def write_answer(
    journal: Journal, head: AnswerHeader, pages: Sequence[ChangesPage], max_bytes: int, coding: Coding
) -> bytes:
    """Return the compressed answer, cut until it fits in `max_bytes` or only one document is left."""
    while True:
        plain = await _plain(journal, head, pages)
        if len(plain) >= _THREAD_FROM_BYTES:
            body = await asyncio.to_thread(compress, plain, coding)
        else:
            body = compress(plain, coding)
        # A little more than the surplus goes, so that one more round nearly always suffices.
        if len(body) <= max_bytes or not cut(pages, 1.05 - max_bytes / len(body)):
            return body


async def _plain(journal: Journal, head: AnswerHeader, pages: Sequence[ChangesPage]) -> bytes:
    tokens = head.tokens
    fields: dict[str, Any] = {
        "protocol": PROTOCOL,
        "epoch": head.epoch,
        "server_time": head.server_time,
        "tokens": None
        if tokens is None
        else {
            "access_token": tokens.access_token,
            "expires_in": tokens.expires_in,
            "refresh_token": tokens.refresh_token,
        },
        "acks": [
            {"number": ack.number, "rev": ack.rev, "outcome": ack.outcome, "reason": ack.reason} for ack in head.acks
        ],
        "carry": None if head.carry is None else list(head.carry),
        "safe": str(head.safe),
        "highest_number": str(head.highest_number),
        **({"missing": head.missing} if head.missing else {}),
        "server": head.server,
        "next_s": head.next_s,
    }
    parts = [_json(fields)[:-1], b',"changes":{']
    for position, page in enumerate(pages):
        since = page.end.since if page.end else await journal.since_text(page.database, page.position)
        about: dict[str, Any] = {"since": since, "more": page.more}
        if page.end:
            about["digest"] = page.end.digest
        if lines := {doc_id: page.by[doc_id] for doc_id, _ in page.named if doc_id in page.by}:
            about["by"] = lines
        parts += [b"," if position else b"", _json(page.database), b":", _json(about)[:-1], b',"docs":[']
        parts += [b",".join(document for _, document in page.rows), b"]}"]
    parts.append(b"}}")
    return b"".join(parts)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

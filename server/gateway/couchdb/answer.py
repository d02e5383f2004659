"""The answer of a verb: a status with bytes at once, or with pieces as they come."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from server.gateway.couchdb.write_documents import dumps

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `pieces` takes the place of `body` where it is long, and `is_live` where each must leave at once.

    `is_packable` is off for bytes that have a coding of their own or are asked for by stretches.
    """

    body: bytes = b""
    status: int = 200
    pieces: AsyncIterator[bytes] | None = None
    is_live: bool = False
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    is_packable: bool = True


def answer(value: object, status: int = 200, **headers: str) -> Answer:
    """Return a short answer in JSON; names of headers are written with `_` for `-`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(dumps(value) + b"\n", status, headers=named)

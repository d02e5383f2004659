"""The wire of `POST /api/sync`: what a phone sends and what it gets.

A change here is a change of `PROTOCOL`: a test holds a frozen hash of both schemas. The answer is written byte by byte
on the hot path (`answer.py`); its model here is the contract, and tests read every answer through it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from server.platform.body_types import StrictBody
from sync.contract.wire import NUMBER_PATTERN

Number = Annotated[str, Field(pattern=NUMBER_PATTERN)]
RevisionId = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}-[0-9a-f]{32}$")]
DatabaseName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,99}$")]
#: The greatest number that every JSON reader keeps.
MOST_BYTES = 2**53 - 1
Since = Annotated[str, Field(max_length=80)]


class Push(StrictBody):
    """One revision of one document; `ancestors` parent first, back to the last that the server acknowledged."""

    db: DatabaseName
    doc: dict[str, Any]
    ancestors: Annotated[list[RevisionId], Field(max_length=1000)] = []


class Holding(StrictBody):
    """What stays on the phone after this request."""

    unsent: Annotated[list[Number], Field(max_length=20_000)] = []
    discarded: Annotated[list[Number], Field(max_length=20_000)] = []
    drafts: Annotated[int, Field(ge=0)] = 0
    media: Annotated[int, Field(ge=0)] = 0


class Device(StrictBody):
    """What administrators see of a phone; null where its browser doesn't say."""

    app: Annotated[str, Field(max_length=60)]
    free_bytes: Annotated[int, Field(ge=0, le=MOST_BYTES)] | None = None
    persistent: bool | None = None


class SyncRequest(StrictBody):
    """A whole exchange of one enrolment."""

    protocol: Literal[2]
    enrolment: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
    #: The phone's own count of its requests: what one says of itself counts once, and never after a later one.
    exchange: Number
    refresh: Annotated[str, Field(max_length=4096)] | None = None
    since: Annotated[dict[DatabaseName, Since], Field(max_length=500)] = {}
    push: Annotated[list[Push], Field(max_length=10_000)] = []
    seal: Annotated[str, Field(max_length=4096)] | None = None
    holding: Holding = Holding()
    verdicts: Annotated[list[Number], Field(max_length=20_000)] = []
    device: Device | None = None
    max_bytes: Annotated[int, Field(ge=1, le=16_000_000)] = 250_000


class Tokens(StrictBody):
    """New credentials in place of those that ran out."""

    access_token: str
    expires_in: int
    refresh_token: str


class Ack(StrictBody):
    """What became of one revision; `number` is null for a document that carries none."""

    number: Number | None
    rev: str
    outcome: Literal["stored", "duplicate", "quarantined", "refused"]
    reason: str | None


class Contribution(StrictBody):
    """What somebody did to a record: edited it, or decided about some of its fields."""

    name: str
    decided: list[str] = []
    comment: str = ""


class DatabaseChanges(StrictBody):
    """The winners that changed after the phone's `since`, in the order of the feed."""

    docs: list[dict[str, Any]]
    since: Since
    more: bool
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    #: What others have done to records since this person's last edit, by the record's id; the oldest first.
    by: dict[str, list[Contribution]] = {}


class SyncAnswer(StrictBody):
    """The answer to a `SyncRequest`; databases without changes are left out."""

    protocol: Literal[2]
    #: Another one than before says that this server was restored from a backup and may lack what it acknowledged.
    epoch: str
    server_time: str
    tokens: Tokens | None
    acks: list[Ack]
    changes: dict[DatabaseName, DatabaseChanges]
    carry: list[DatabaseName] | None
    safe: str
    highest_number: str
    #: Numbers that neither arrived nor are said to be held or discarded, `2,5-7`: the phone sends again what it has.
    missing: str = ""
    server: str
    next_s: int

"""The wire of `POST /api/sync`, member by member: what a phone sends and what it gets.

Everything else that describes the wire is made from here: what the server reads and its API's description
(`server/gateway/sync/schemas.py`), the app's types (`make api-types`) and `docs/reference/wire.md` (`make reference`).
Tests fail where one of them differs, and one holds a frozen hash: a change here is a change of `PROTOCOL`.

A member's annotation says its type, its `ValueLimits`, and in words what it means.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from sync.contract.reasons import OutcomeName

#: A phone and a server understand each other when theirs is the same; what it means stands in `sync/README.md`.
PROTOCOL = 2

#: The number that an enrolment gives to a save or an exchange, as text: it counts from 1 and never again from there.
NUMBER_PATTERN = r"^[1-9][0-9]{0,14}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLimits:
    """Limits of a value beyond its type; `title` is the app's name for its type."""

    pattern: str | None = None
    #: Of a text in characters, of a list or an object in members.
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    title: str | None = None


Number = Annotated[str, ValueLimits(pattern=NUMBER_PATTERN)]
RevisionId = Annotated[str, ValueLimits(pattern=r"^[1-9][0-9]{0,8}-[0-9a-f]{32}$")]
DatabaseName = Annotated[str, ValueLimits(pattern=r"^[a-z][a-z0-9_-]{0,99}$")]
EnrolmentId = Annotated[str, ValueLimits(pattern=r"^[A-Za-z0-9_-]{43}$")]
Digest = Annotated[str, ValueLimits(pattern=r"^[0-9a-f]{32}$")]
Since = Annotated[str, ValueLimits(max_length=80)]
Count = Annotated[int, ValueLimits(minimum=0)]
#: The greatest number that every JSON reader keeps.
Bytes = Annotated[int, ValueLimits(minimum=0, maximum=2**53 - 1)]
Numbers = Annotated[list[Number], ValueLimits(max_length=20_000)]
#: As long as any token or seal may be.
Credential = Annotated[str, ValueLimits(max_length=4096)]
#: A whole document, with `_id` and `_rev`.
Document = Annotated[dict[str, Any], ValueLimits(title="Document")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One revision of one document."""

    db: DatabaseName
    doc: Document
    ancestors: Annotated[
        list[RevisionId], ValueLimits(max_length=1000), "Parent first, back to the last that the server acknowledged."
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Work that stays on the phone after this request."""

    unsent: Annotated[Numbers, "Saves that the server lacks and this request doesn't bring."] = field(
        default_factory=list
    )
    discarded: Annotated[Numbers, "Saves that will never come: given up, or erased."] = field(default_factory=list)
    drafts: Annotated[Count, "How many."] = 0
    media: Annotated[Count, "How many files have not arrived."] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Facts about a phone for administrators; null where its browser doesn't say."""

    app: Annotated[str, ValueLimits(max_length=60), "The app's version."]
    free_bytes: Bytes | None = None
    persistent: Annotated[bool | None, "Whether the browser promised to keep the app's store."] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """A whole exchange of one enrolment."""

    protocol: Literal[2]
    enrolment: EnrolmentId
    exchange: Annotated[
        Number,
        "The phone's own count of its requests, one more each time. What a request says of its phone counts once, and "
        "never after a later one's.",
    ]
    refresh: Annotated[Credential | None, "The refresh token, where the access token has run out."] = None
    since: Annotated[
        dict[DatabaseName, Since],
        ValueLimits(max_length=500),
        "How far the phone has read each database that it carries.",
    ] = field(default_factory=dict)
    push: Annotated[list[Push], ValueLimits(max_length=10_000), "Parents stand before their children."] = field(
        default_factory=list
    )
    seal: Annotated[Credential | None, "A detached JWS by the device's key: `sync/contract/seal.py`."] = None
    holding: Holding = Holding()
    verdicts: Annotated[Numbers, "Saves whose final outcome the phone has stored."] = field(default_factory=list)
    device: Device | None = None
    max_bytes: Annotated[
        int,
        ValueLimits(minimum=1, maximum=16_000_000),
        "How large the answer may be, compressed; one document always fits.",
    ] = 250_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """New credentials in place of those that ran out."""

    access_token: str
    expires_in: Annotated[int, "Seconds."]
    refresh_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The outcome of one revision."""

    number: Annotated[Number | None, "Null for a document that carries none."]
    rev: str
    outcome: OutcomeName
    reason: Annotated[str | None, "Why it is not stored: `sync/contract/reasons.py`."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A person's act on a record: an edit, or a decision about some of its fields."""

    name: str
    decided: Annotated[list[str], "Paths of fields."] = field(default_factory=list)
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseChanges:
    """The winners that changed after the phone's `since`, in the order of the feed."""

    docs: list[Document]
    since: Annotated[Since, "How far the phone has read with these."]
    more: Annotated[bool, "Whether another exchange would bring more."]
    digest: Annotated[
        Digest | None, "Of all that the phone then holds, without order; only at the end of the feed."
    ] = None
    by: Annotated[
        dict[str, list[Contribution]],
        "What others did to records since this person's last edit, by the record's id; the oldest first.",
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncAnswer:
    """The answer to a `SyncRequest`."""

    protocol: Literal[2]
    epoch: Annotated[
        str,
        "Another one than before says that this server was restored from a backup and may lack what it acknowledged.",
    ]
    server_time: str
    tokens: Tokens | None
    acks: Annotated[list[Ack], "One for each pushed revision, and final outcomes of what was quarantined."]
    changes: Annotated[dict[DatabaseName, DatabaseChanges], "Databases without changes are left out."]
    carry: Annotated[list[DatabaseName] | None, "What the phone is assigned; null where it showed no token."]
    safe: Annotated[str, "The save up to which a verified backup has everything, where backups are made."]
    highest_number: Annotated[str, "The greatest number that has reached the server."]
    missing: Annotated[
        str,
        "Numbers that neither arrived nor are said to be held or discarded, `2,5-7`: to be sent again, where there.",
    ] = ""
    server: Annotated[str, "The server's id."]
    next_s: Annotated[int, "After how many seconds the phone should ask again."]

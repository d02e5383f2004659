"""The rows of the four tables that every write fills, as tuples in the order of their columns.

A hundred of them go to the driver in one call and as they are: building a dictionary for each and having SQLAlchemy
take it apart again would cost more than SQLite takes to write them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sync.revisions.revision_id import RevisionId

#: A row that names its columns.
Row: TypeAlias = dict[str, Any]


class HeadRow(NamedTuple):
    """The new values of a row of `databases`, and last the name of that row."""

    seq: int
    chain: bytes
    digest: str
    documents: int
    deleted: int
    name: str


class RevisionRow(NamedTuple):
    """A row of `revisions`; the store turns `received_at` into what the driver takes."""

    database: str
    doc_id: str
    rev: RevisionId
    parent: RevisionId | None
    deleted: bool
    fingerprint: bytes
    seq: int
    person: str | None
    enrolment: str | None
    number: str | None
    received_at: datetime


class BodyRow(NamedTuple):
    """A row of `bodies`."""

    database: str
    doc_id: str
    rev: RevisionId
    content: bytes


class EntryRow(NamedTuple):
    """A row of `entries`."""

    database: str
    seq: int
    doc_id: str
    rev: RevisionId
    chain: bytes


class DocumentRow(NamedTuple):
    """A row of `documents`."""

    database: str
    doc_id: str
    seq: int
    winner: RevisionId
    deleted: bool
    leaves: str


@dataclass(frozen=True, slots=True)
class FeedEnd:
    """The end of a database's feed, and the sums over its documents."""

    name: str
    seq: int
    chain: bytes
    digest: str
    documents: int
    deleted: int
    takes_anything: bool = False


@dataclass(frozen=True, slots=True)
class BatchRows:
    """The rows that a batch writes, by table; `head` is where the feed ends afterwards."""

    head: FeedEnd
    revisions: Sequence[RevisionRow]
    bodies: Sequence[BodyRow]
    entries: Sequence[EntryRow]
    documents: Sequence[DocumentRow]
    named: Sequence[Row]
    edges: Sequence[Row]
    quarantine: Sequence[Row]
    released: Sequence[Row]
    reasons: Sequence[Row]

"""Bodies of the quarantine's desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from litestar.params import QueryParameter
from pydantic import Field

from server.platform.body_types import Document, StrictBody

# PostgreSQL keeps no NUL in text.
Name = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
WhyNot = Literal["parent_waits", "not_acceptable"]


@dataclass(frozen=True, slots=True)
class QuarantineSearch:
    """How a request narrows the queue; `seen` tells what somebody has looked at."""

    # `scope` itself means something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None
    reason: Annotated[str | None, QueryParameter(max_length=60, pattern=r"^[a-z_]+$")] = None
    seen: Annotated[bool | None, QueryParameter()] = None


class EntryKey(StrictBody):
    """Names one entry of the queue: the same id can wait with several contents, so its fingerprint belongs to it."""

    database: Name
    id: Name
    rev: Name
    fingerprint: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,64}$")]


class NewNote(EntryKey):
    """That somebody has seen an entry, and what they made of it."""

    comment: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]


class Accepted(StrictBody):
    """The result of an acceptance: the revision itself, and how many that had waited only for it."""

    rev: str
    followers: int


class Note(StrictBody):
    """A person's note on an entry that they have seen."""

    by_name: str
    at: datetime
    comment: str


class MisfitEntry(StrictBody):
    """One answer that its form cannot hold: where (JSON Pointer from the document), why, what came, what was asked."""

    path: str
    reason: str
    came: str
    labels: dict[str, str]


class Present(StrictBody):
    """The document that the database has under the same id: the winner."""

    rev: str
    by_name: str
    received_at: datetime
    is_deleted: bool
    doc: Document


class QuarantineEntry(EntryKey):
    """A revision that is kept aside: what came, why it waits, what stands, and where the two differ.

    `differs` are JSON Pointers into the documents. `is_form_known` is false where nobody can tell whether answers fit.
    """

    reason: str
    project: str
    unit: str
    unit_name: str
    by_name: str
    recorded_at: str
    received_at: datetime
    form: str
    form_version: str
    form_title: dict[str, str]
    is_form_known: bool
    title: str
    is_deleted: bool
    doc: Document
    present: Present | None
    differs: list[str]
    misfits: list[MisfitEntry]
    notes: list[Note]
    may_accept: bool
    why_not: WhyNot | None


class Counts(StrictBody):
    """How many entries nobody has looked at yet, and how many wait although somebody has."""

    unseen: int
    seen: int


class QuarantineQueue(StrictBody):
    """A page of the queue, the newest first; `counts` are under the filters other than `seen`."""

    entries: list[QuarantineEntry]
    next: str | None
    counts: Counts

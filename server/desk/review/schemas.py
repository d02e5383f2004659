"""Bodies of the review routes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from litestar.params import QueryParameter
from pydantic import Field, field_validator

from server.platform.body_types import WITHOUT_NUL, Document, StrictBody
from sync.review import State, Verdict
from sync.revisions.authorship import Act

# PostgreSQL keeps no NUL in JSON.
Text = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]
Pointer = Annotated[str, Field(pattern=r"^/answers(/[^/\x00]{1,200})+$", max_length=1000)]


Flag = Literal[
    "outside_area",
    "poor_gps",
    "clock_suspect",
    "missing_media",
    "unreadable_media",
    "conflict",
    "constraint_broken",
    "calculation_unfit",
]


MOST_COMMENTS = 500


@dataclass(frozen=True, slots=True)
class RecordSearch:
    """How a request narrows the queue; `state` may stand several times."""

    # `scope` and `state` themselves mean something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None
    form: Annotated[str | None, QueryParameter(max_length=200, pattern=WITHOUT_NUL)] = None
    states: Annotated[list[State] | None, QueryParameter(name="state")] = None
    q: Annotated[str | None, QueryParameter(max_length=200)] = None


class NewReview(StrictBody):
    """A supervisor's decision about exactly `rev`; `comments` are pinned to answers by JSON Pointer.

    `follows` are the review documents that the person saw; without it, all that the server knows.
    """

    rev: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}-[0-9a-f]{32}$")]
    decision: Verdict
    comment: Text = ""
    comments: dict[Pointer, Text] = Field(default_factory=dict)
    follows: Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=500)] | None = None

    @field_validator("comments")
    @classmethod
    def _few(cls, value: dict[str, str]) -> dict[str, str]:
        # A `max_length` on the field would make OpenAPI describe a list.
        if len(value) > MOST_COMMENTS:
            raise ValueError(f"at most {MOST_COMMENTS} comments")
        return value


class Decided(StrictBody):
    """The state of a record after a decision."""

    id: str
    state: State


class _Line(StrictBody):
    """A record as lists show it.

    `by_name` is the worker who last captured or edited it, `decided_by_name` the data manager who has decided about it
    since (empty: not known here; null: nobody). `received_at` is when the latest of it all came.
    """

    database: str
    id: str
    rev: str
    form: str
    form_version: str
    title: str
    state: State
    by_name: str
    decided_by_name: str | None
    recorded_at: str
    received_at: datetime
    unit: str
    unit_name: str
    project: str
    flags: list[Flag]
    is_corrected: bool
    is_deleted: bool


class RecordLine(_Line):
    """A record in the queue; `branches` counts its live leaves."""

    branches: int


class Queue(StrictBody):
    """A page of the queue; `next` goes on where it ends; `counts` are under the filters other than `state`."""

    records: list[RecordLine]
    next: str | None
    counts: dict[State, int]


class HistoryEntry(StrictBody):
    """A revision of a record: what kind of act it is, whose, and when it came."""

    kind: Act
    rev: str
    parent: str | None
    by_person: str | None
    by_name: str
    recorded_at: str
    received_at: datetime
    is_deleted: bool
    is_winner: bool
    is_branch: bool
    is_published: bool


class ReviewEntry(StrictBody):
    """A decision as it was written; `stands` while no later one about the same revision answers it."""

    id: str
    rev: str
    decision: Verdict
    comment: str
    comments: dict[str, str]
    by: str
    by_name: str
    at: str
    follows: list[str]
    stands: bool


class Branch(StrictBody):
    """Another leaf of the record, kept beside the winner."""

    rev: str
    by_name: str
    received_at: datetime
    doc: Document


class Place(StrictBody):
    """The commune's representative point, in degrees (WGS 84)."""

    longitude: float
    latitude: float


class RecordPage(_Line):
    """One record with all that a reviewer decides on; `returned` is the revision that this one corrects.

    `sent_at` is when the worker's edit came that it is shown as, `received_at` when what a desk made of it did.
    """

    sent_at: datetime
    doc: Document
    published_rev: str | None
    area: Place | None
    history: list[HistoryEntry]
    reviews: list[ReviewEntry]
    branches: list[Branch]
    returned: Document | None
    may_decide: bool
    may_approve: bool
    why_not: Literal["not_supervisor", "own_work"] | None

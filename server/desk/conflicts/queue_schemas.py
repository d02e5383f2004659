"""Bodies of the queue of conflicts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from litestar.params import FromQuery, QueryParameter

from server.platform.body_types import WITHOUT_NUL, StrictBody

#: Why a person is asked; each is told apart in the queue, and decided in its own way.
Cause = Literal[
    "value",
    "delete",
    "row",
    "exclusive",
    "asked",
    "parent_unknown",
    "form_version",
    "constraint",
    "place",
    "after_approval",
    "moved",
]
Order = Literal["oldest", "newest"]
#: A text by language; empty where the form has none.
Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class ConflictSearch:
    """How a request narrows and orders the queue; `path` is a question as `groups` name it, with `*` for any row."""

    # `scope` itself means something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None
    project: Annotated[str, QueryParameter(max_length=40, pattern=WITHOUT_NUL)] = ""
    unit: Annotated[list[str] | None, QueryParameter(max_items=200)] = None
    form: Annotated[str, QueryParameter(max_length=200, pattern=WITHOUT_NUL)] = ""
    kind: FromQuery[list[Cause] | None] = None
    person: Annotated[str, QueryParameter(max_length=60, pattern=WITHOUT_NUL)] = ""
    path: Annotated[str | None, QueryParameter(max_length=1000, pattern=WITHOUT_NUL)] = None
    # Not `ge=0`: the framework describes no least of 0 where nothing may be said.
    waiting_days: Annotated[int | None, QueryParameter(gt=-1, le=3650)] = None
    newest_days: Annotated[int | None, QueryParameter(gt=-1, le=3650)] = None
    q: Annotated[str, QueryParameter(max_length=200)] = ""
    order: FromQuery[Order] = "oldest"


class PersonName(StrictBody):
    """Somebody, by id and name."""

    id: str
    name: str


class Claim(StrictBody):
    """Somebody has the conflict open, and will be taken to have left it at `until`."""

    person: str
    name: str
    until: datetime
    is_me: bool


class QuestionLine(StrictBody):
    """One field of a record that people disagree about; `row` tells whether it lies in a row of a repeat."""

    path: str
    kind: Cause
    label: Labels
    in_row: bool


class ConflictLine(StrictBody):
    """A record with open questions; `since` is when the one that has waited longest came up."""

    database: str
    record: str
    form: str
    form_title: Labels
    title: str
    project: str
    unit: str
    unit_name: str
    since: datetime
    people: list[PersonName]
    questions: list[QuestionLine]
    claims: list[Claim]


class ConflictGroup(StrictBody):
    """Questions alike: of one cause about one question of one form, in whatever record and row (`*` in the path).

    A record counts once, however many of its rows are asked about.
    """

    kind: Cause
    form: str
    form_title: Labels
    path: str
    label: Labels
    questions: int
    records: int


class ConflictQueue(StrictBody):
    """A page of the queue; `counts` are records by cause under the filters other than `kind`, `groups` biggest first.

    `groups` come with the first page only.
    """

    conflicts: list[ConflictLine]
    next: str | None
    total: int
    counts: dict[Cause, int]
    groups: list[ConflictGroup]


class UnitCount(StrictBody):
    """How many records of a unit wait."""

    unit: str
    unit_name: str
    records: int


class ProjectCount(StrictBody):
    """How many records of a project wait."""

    project: str
    records: int


class FormCount(StrictBody):
    """How many records of a form wait."""

    form: str
    title: Labels
    records: int


class PersonCount(StrictBody):
    """How many records wait about which this person said something."""

    id: str
    name: str
    records: int


class QueueFilters(StrictBody):
    """Filters that the queue offers now, each with the number of records; none that would be empty."""

    units: list[UnitCount]
    projects: list[ProjectCount]
    forms: list[FormCount]
    people: list[PersonCount]
    kinds: dict[Cause, int]

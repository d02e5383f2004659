"""Bodies of the desk of duplicates: pairs of records that may be of one household."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from litestar.params import FromQuery, QueryParameter
from pydantic import AwareDatetime, Field

from server.desk.conflicts.page_schemas import ChoiceLabel, MediaFile, ShownValue
from server.desk.conflicts.queue_schemas import Labels
from server.platform.body_types import WITHOUT_NUL, Document, StrictBody
from sync.contract.scope import Scope
from sync.matching.duplicates import Agreement, Identifier

Verdict = Literal["open", "unsure", "same", "different"]
#: PostgreSQL keeps no NUL in text.
Text = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Id = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class PairSearch:
    """How a request narrows the queue."""

    # `scope` itself means something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None
    project: Annotated[str, QueryParameter(max_length=40, pattern=WITHOUT_NUL)] = ""
    unit: Annotated[list[str] | None, QueryParameter(max_items=200)] = None
    form: Annotated[str, QueryParameter(max_length=200, pattern=WITHOUT_NUL)] = ""
    verdict: FromQuery[Verdict] = "open"

    def admits(self, scope: str) -> bool:
        """Whether the scope's project and unit are asked for."""
        project, unit = Scope.of(scope)
        return self.project in {"", project} and (not self.unit or unit in self.unit)


class ParticularAgreement(StrictBody):
    """How one particular of two records compares; `values` by record, on the page of a pair only."""

    particular: Identifier
    agreement: Agreement
    values: dict[str, str]


class PairRecord(StrictBody):
    """One of the two records."""

    record: str
    rev: str
    title: str
    by_name: str
    received_at: datetime
    state: str
    is_published: bool


class Pair(StrictBody):
    """Two records that may be of one household, the older first, and what people made of it.

    `survivor` is the one that stays, where they are the same.
    """

    database: str
    one: str
    other: str
    form: str
    form_title: Labels
    project: str
    unit: str
    unit_name: str
    score: float
    verdict: Verdict
    survivor: str | None
    by_name: str
    at: datetime | None
    comment: str
    agreements: list[ParticularAgreement]
    records: list[PairRecord]


class PairQueue(StrictBody):
    """A page of pairs, most alike first; `counts` by verdict under the other filters."""

    pairs: list[Pair]
    next: str | None
    counts: dict[Verdict, int]


class PairField(StrictBody):
    """One field that either record tells; `is_taken` proposes that it comes from the record that goes."""

    path: str
    label: Labels
    row: str | None
    parents: list[Labels]
    type: str
    choices: list[ChoiceLabel]
    values: dict[str, ShownValue]
    is_same: bool
    is_taken: bool


class PairPage(Pair):
    """A pair as it is decided: both records whole, and field by field in the words of the one suggested to stay.

    `can_join` is false while one of them waits for something, or where there is no way between their form versions.
    """

    may_decide: bool
    suggested: str
    can_join: bool
    fields: list[PairField]
    docs: dict[str, Document]
    media: dict[str, MediaFile]


class NewVerdict(StrictBody):
    """A verdict on a pair, by somebody who has seen these revisions; `survivor` and `take` go with *same*.

    `saw` is the `at` of the page that was looked at: None where nobody had said anything about the pair.
    """

    verdict: Verdict
    revs: dict[Id, Id]
    saw: AwareDatetime | None = None
    survivor: Id | None = None
    take: Annotated[list[Text], Field(max_length=2000)] = Field(default_factory=list)
    comment: Text = ""


class Parting(StrictBody):
    """That a record stands for itself again."""

    revs: dict[Id, Id]
    comment: Text = ""

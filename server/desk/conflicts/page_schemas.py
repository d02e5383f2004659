"""Bodies of the page of one conflict, and of decisions about it.

A `Value` is what a field says: `is_absent` where it is not relevant, or a row, choice or file is not there; a value of
null that is not absent is blank. Paths are JSON Pointers from the document's root, rows of repeats by their `_rid`,
choices of several by their code.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from server.desk.conflicts.queue_schemas import Cause, Claim, Labels, PersonName
from server.platform.body_types import Answers, Document, StrictBody
from sync.revisions.authorship import Act

Rev = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,14}-[0-9a-f]{32}$")]
PathText = Annotated[str, Field(max_length=100_000, pattern=r"^((/[^\x00]*)?)$")]
Comment = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Way = Literal["candidate", "value", "confirm", "delete", "keep", "stay"]


class ShownValue(StrictBody):
    """The value of a field, as it is shown."""

    value: Any
    is_absent: bool


class ChoiceLabel(StrictBody):
    """One of the answers that a question offers."""

    value: str
    label: Labels


class ChangedField(StrictBody):
    """A field that a revision changed, or in which two sides differ."""

    path: str
    label: Labels
    row: str | None
    before: ShownValue
    after: ShownValue


class CandidateValue(StrictBody):
    """The value that one revision gives the field, and its author; `device` is the phone's label.

    `is_decision`: somebody decided it. `recorded_at` is the phone's clock, `received_at` the server's. `changed` are
    the answers that differ from what they were before, where the answers are chosen between as a whole.
    """

    rev: str
    value: ShownValue
    is_decision: bool
    is_deleted: bool
    is_after_approval: bool
    is_parent_unknown: bool
    by_person: str | None
    by_name: str
    device: str
    recorded_at: str
    received_at: datetime
    changed: list[ChangedField]


class Proposal(StrictBody):
    """A proposal: the value that stands meanwhile, or the more accurate point; nothing is decided by it."""

    rev: str | None
    value: ShownValue
    why: Literal["stands", "more_accurate"]


class GeoJson(StrictBody):
    """A place as RFC 7946 has it."""

    type: Literal["Point", "LineString", "Polygon"]
    coordinates: list[Any]


class DrawnShape(StrictBody):
    """A place as one revision (None: the base) recorded it; changes are against the base.

    `geojson` is None where it cannot be read. Areas are the ellipsoid's, to 0.001 %.
    """

    rev: str | None
    geojson: GeoJson | None
    area_m2: float | None
    length_m: float | None
    accuracy_m: float | None
    change_m2: float | None
    change_percent: float | None
    vertices: int
    is_valid: bool


class ShapePair(StrictBody):
    """How two of the places lie to each other; `overlap_percent` is the shared part of both together."""

    a: str | None
    b: str
    overlap_m2: float | None
    overlap_percent: float | None
    only_a_m2: float | None
    only_b_m2: float | None
    union_m2: float | None
    distance_m: float


class PlaceComparison(StrictBody):
    """All that is known of a place that people recorded differently."""

    kind: Literal["point", "line", "outline"]
    shapes: list[DrawnShape]
    pairs: list[ShapePair]


class ReplyShown(StrictBody):
    """Somebody's reply; `value` may be chosen as it is. `was_asked`: the question was sent to them."""

    id: str
    by_person: str | None
    by_name: str
    at: datetime
    has_value: bool
    value: ShownValue
    text: str
    was_asked: bool


class AskedShown(StrictBody):
    """A question that was sent to those who know, with what came back so far."""

    id: str
    text: str
    by_name: str
    at: datetime
    to: list[PersonName]
    replies: list[ReplyShown]


class OpenQuestion(StrictBody):
    """A field that people disagree about. Candidates are the greatest first; the first one stands meanwhile.

    `row` is what the row is called that the field lies in, `base` what the field was before all of them. `kept` is a
    row that somebody took out as all edits have it: what `keep` chooses.
    """

    path: str
    kind: Cause
    label: Labels
    row: str | None
    parents: list[Labels]
    type: str
    choices: list[ChoiceLabel]
    list_file: str | None
    base: ShownValue
    candidates: list[CandidateValue]
    proposal: Proposal
    geometry: PlaceComparison | None
    broken: Labels
    asked: list[AskedShown]
    kept: ShownValue | None
    may: list[Way]


class MergedField(StrictBody):
    """A field that was brought together without asking, and does not come from the winner's own line."""

    path: str
    label: Labels
    row: str | None
    value: ShownValue
    how: Literal["only", "alike", "policy", "stands", "recomputed"]
    rev: str | None
    by_name: str


class HistoryLine(StrictBody):
    """A revision: who, when, what changed. `merge` and `resolved` are the machine's, the rest somebody's."""

    rev: str
    parent: str | None
    merged: list[str]
    kind: Act
    by_person: str | None
    by_name: str
    device: str
    recorded_at: str
    received_at: datetime
    is_deleted: bool
    is_winner: bool
    is_branch: bool
    changed: list[ChangedField]
    comment: str
    decided: list[str]
    undoes: list[str]


class DecisionLine(StrictBody):
    """A decision that was made, the newest first; `may_undo` while nobody has decided the same fields after it.

    `stays` is the name of the area in which the record was to stay, of a decision about its place: it is taken back
    wherever it was written.
    """

    rev: str
    by_person: str | None
    by_name: str
    at: datetime
    paths: list[str]
    comment: str
    may_undo: bool
    is_undone: bool
    stays: str | None


class Elsewhere(StrictBody):
    """The same record in another area; who decides where it stays names `rev` and `leaves`.

    `changed` are the answers in which it differs: before as the page's own area has them, after as this one.
    """

    database: str
    unit: str
    unit_name: str
    project: str
    rev: str
    leaves: list[str]
    title: str
    by_name: str
    received_at: datetime
    doc: Document
    changed: list[ChangedField]
    may_decide: bool


class MediaFile(StrictBody):
    """Where a file can be fetched that some side of the conflict names."""

    url: str
    thumb: str
    type: str
    name: str


class WaitingFor(StrictBody):
    """Why the branches stand apart: form versions or revisions that have not come to this server."""

    reason: Literal["form_version", "inputs"]
    names: list[str]


class ConflictPage(StrictBody):
    """One record with all that a person needs to decide about it; `doc` is what stands, to be opened in the form.

    A decision names `rev` and `leaves`, so that nothing that came meanwhile is overwritten.
    """

    database: str
    record: str
    rev: str
    leaves: list[str]
    form: str
    form_version: str
    form_title: Labels
    title: str
    project: str
    unit: str
    unit_name: str
    languages: list[str]
    waiting: WaitingFor | None
    may_decide: bool
    doc: Document
    questions: list[OpenQuestion]
    merged: list[MergedField]
    history: list[HistoryLine]
    decisions: list[DecisionLine]
    claims: list[Claim]
    elsewhere: list[Elsewhere]
    media: dict[str, MediaFile]


class Choice(StrictBody):
    """The decision about one field: exactly one member beside `path`.

    `candidate` takes what that revision says, `reply` what that reply says, `value` what was typed (null: blank),
    `remove` leaves the answer, row, choice or file out, `confirm` keeps what stands; `keep` leaves a row in, with what
    all edits say of it. Of the whole record (path ""): `keep` lets it live, `delete` deletes it, `stay` leaves it in
    that database and takes it out of the others.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 2, "maxProperties": 2})

    path: PathText
    candidate: Rev | None = None
    reply: Annotated[str, Field(max_length=300, pattern=r"^reply:[^\x00]+$")] | None = None
    value: Any = None
    remove: Literal[True] | None = None
    confirm: Literal[True] | None = None
    keep: Literal[True] | None = None
    delete: Literal[True] | None = None
    stay: Annotated[str, Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Choice":
        if len(self.model_fields_set - {"path"}) != 1:
            raise ValueError("exactly one way to choose")
        return self


class SeenElsewhere(StrictBody):
    """The record in another area as the page showed it."""

    database: Annotated[str, Field(max_length=100)]
    rev: Rev
    leaves: Annotated[list[Rev], Field(max_length=50)] = Field(default_factory=list)


class NewDecision(StrictBody):
    """A manager's decision on the record as it stood at `rev`, with the branches (`leaves`) that the page showed.

    Where a record is to `stay`, `elsewhere` says which revisions of it the page showed in each other area.

    `answers` are the whole answers as the form left them after the choices were opened in it; what they change beside
    the choices is decided too. With `dry_run` nothing is written, and the answer tells which constraints would break.
    """

    rev: Rev
    leaves: Annotated[list[Rev], Field(max_length=50)] = Field(default_factory=list)
    elsewhere: Annotated[list[SeenElsewhere], Field(max_length=50)] = Field(default_factory=list)
    choices: Annotated[list[Choice], Field(max_length=500)]
    answers: Answers | None = None
    form_version: Annotated[str, Field(max_length=200)] | None = None
    comment: Comment = ""
    dry_run: bool = False


class Undo(StrictBody):
    """Takes a decision back: what it settled is open again."""

    rev: Rev
    leaves: Annotated[list[Rev], Field(max_length=50)] = Field(default_factory=list)
    decision: Rev
    comment: Comment = ""


class BrokenConstraint(StrictBody):
    """A constraint of the form that the answers would break; `message` is the form's own, empty where it has none."""

    path: str
    label: Labels
    row: str | None
    message: Labels


class DecisionMade(StrictBody):
    """The result of a decision: its revision, fields to look at again, and the page as it is now.

    `rev` is None in a dry run. Where nothing was written to this record but only to the same one elsewhere, it is the
    revision there.
    """

    rev: str | None
    warnings: list[BrokenConstraint]
    page: ConflictPage


class NewClaim(StrictBody):
    """Says that one has the conflict open, or with `leave` that one has left it."""

    leave: bool = False


class ClaimsShown(StrictBody):
    """People who have the conflict open; a claim ends after `expires_s` seconds unless it is renewed."""

    claims: list[Claim]
    expires_s: int


class NewQuestion(StrictBody):
    """Asks those who know about one field; `to` are the authors of its candidates where it is left out."""

    path: PathText
    text: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""
    to: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] | None = None


class QuestionSent(StrictBody):
    """The question as it goes to phones."""

    id: str
    to: list[PersonName]
    page: ConflictPage

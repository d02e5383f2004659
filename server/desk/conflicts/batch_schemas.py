"""Bodies of the routes that decide many conflicts at once."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from server.desk.conflicts.page_schemas import Comment, PathText, ShownValue
from server.desk.conflicts.queue_schemas import Cause
from server.platform.body_types import StrictBody

Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


#: What `Rule` says for itself, in JSON Schema.
WHOLE: JsonDict = {
    "if": {"properties": {"take": {"const": "person"}}},
    "then": {"properties": {"person": {"type": "string"}, "value": False}, "required": ["person"]},
    "else": {
        "properties": {"person": {"type": "null"}},
        "if": {"properties": {"take": {"const": "value"}}},
        "then": {"required": ["value"]},
        "else": {"properties": {"value": False}},
    },
}


class Rule(StrictBody):
    """How each of them is decided: the candidate that was received later or earlier, the one by a person, a value,
    what stands; or of whole records, that they are deleted or kept.
    """

    model_config = ConfigDict(json_schema_extra=WHOLE)

    take: Literal["later", "earlier", "person", "value", "confirm", "delete", "keep"]
    person: Name | None = None
    value: Any = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Rule":
        if (self.take == "person") != (self.person is not None):
            raise ValueError("a person belongs to taking a person's, and to nothing else")
        if (self.take == "value") != ("value" in self.model_fields_set):
            raise ValueError("a value belongs to taking a value, and to nothing else")
        return self


class BatchFilters(StrictBody):
    """Further filters beside form, question and cause; as in the queue."""

    scope: Name | None = None
    project: Name = ""
    unit: Annotated[list[Name], Field(max_length=200)] = Field(default_factory=list)
    person: Name = ""
    waiting_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    newest_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    q: Name = ""


ASKED = ("form", "path", "kind", "rule")
#: What `NewBatch` says for itself, in JSON Schema.
EITHER: JsonDict = {
    "if": {"properties": {"dry_run": {"const": True}}},
    "then": {
        "properties": {"token": {"type": "null"}, **{name: {"not": {"type": "null"}} for name in ASKED}},
        "required": [*ASKED],
    },
    "else": {
        "properties": {"token": {"type": "string"}, **{name: {"type": "null"} for name in ASKED}},
        "required": ["token"],
    },
}


class NewBatch(StrictBody):
    """A dry run (`form`, `path`, `kind` and `rule`), or what applies one that was seen (`token`), and nothing else.

    `path` is a question as the queue's groups name it, with `*` for any row.
    """

    model_config = ConfigDict(json_schema_extra=EITHER)

    dry_run: bool
    form: Name | None = None
    path: PathText | None = None
    kind: Cause | None = None
    rule: Rule | None = None
    filters: BatchFilters = BatchFilters()
    token: Name | None = None
    comment: Comment = ""

    @model_validator(mode="after")
    def _is_either(self) -> "NewBatch":
        asked = (self.form, self.path, self.kind, self.rule)
        if self.dry_run and (self.token is not None or any(each is None for each in asked)):
            raise ValueError("a dry run names form, path, kind and rule")
        if not self.dry_run and (self.token is None or any(each is not None for each in asked)):
            raise ValueError("what is applied is named by its token alone")
        return self


class SampleCandidate(StrictBody):
    """One side of a conflict that would be decided."""

    rev: str
    value: ShownValue
    by_name: str
    received_at: datetime


class BatchSample(StrictBody):
    """One of the conflicts as it would be decided."""

    database: str
    record: str
    title: str
    unit_name: str
    path: str
    row: str | None
    candidates: list[SampleCandidate]
    result: ShownValue
    warnings: list[str]


class BatchSkipped(StrictBody):
    """Why some would not be decided: no such candidate, a value that doesn't fit, something that has not come yet,
    no open question any more, or more than one batch takes.
    """

    no_such_candidate: int
    misfit: int
    waiting: int
    nothing_to_decide: int
    over_limit: int


class BatchShown(StrictBody):
    """The result of a dry run. Applying `token` before `expires_at` decides exactly these, and none that came since."""

    token: str
    expires_at: datetime
    matching: int
    will_decide: int
    skipped: BatchSkipped
    warnings: int
    samples: list[BatchSample]


class BatchDone(StrictBody):
    """The result of a batch: `moved` were left alone since somebody was faster. `batch` takes it back."""

    batch: str
    decided: int
    moved: int
    failed: int


class BatchUndo(StrictBody):
    """Takes back what a batch decided."""

    batch: Name
    comment: Comment = ""


class BatchUndone(StrictBody):
    """How much was taken back; of the rest somebody has said something new since."""

    undone: int
    too_late: int

"""Bodies of the routes of forms."""

from datetime import datetime
from typing import Annotated, Literal

from litestar.datastructures import UploadFile
from pydantic import ConfigDict, Field

from server.forms.versions.difference import DifferenceKind
from server.platform.body_types import StrictBody


class UploadBody(StrictBody):
    """A spreadsheet with the files of its lists and labels, for a project."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    project: Annotated[str, Field(min_length=1, max_length=40)]
    file: UploadFile
    lists: Annotated[list[UploadFile], Field(max_length=90)] = []
    #: The keys of the proposals that the author accepts; "*" for all. A form in a request has a thousand parts at most.
    accept: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=900)] = []


class ChangeAnswer(StrictBody):
    """One cell that would be, or has been, written otherwise; row 1 has the headers."""

    sheet: str
    row: int
    column: str
    before: str
    after: str


class ProposalAnswer(StrictBody):
    """What would be written instead, accepted by its key; without changes the file itself is taken as it is."""

    key: str
    changes: list[ChangeAnswer]


class FindingAnswer(StrictBody):
    """One thing that is wrong, where the author finds it."""

    code: str
    sheet: str | None
    row: int | None
    message: str
    params: dict[str, str]
    proposal: ProposalAnswer | None


class QuestionDifferenceAnswer(StrictBody):
    """One thing that differs from the version that is live; `path` is the old version's where the question is gone."""

    kind: DifferenceKind
    path: str
    before: str
    after: str


class DifferenceAnswer(StrictBody):
    """What a form asks otherwise than the version of it that is live."""

    version: str
    questions: list[QuestionDifferenceAnswer]


class CheckedAnswer(StrictBody):
    """The check of an upload; without an `id` it cannot be published."""

    id: str | None
    project: str
    form: str | None
    version: str | None
    title: dict[str, str]
    languages: list[str]
    errors: list[FindingAnswer]
    warnings: list[FindingAnswer]
    accepted: list[ProposalAnswer]
    difference: DifferenceAnswer | None
    xform: str | None
    lists: dict[str, str]


class PublishBody(StrictBody):
    """The author's browser has loaded the form: in which languages it could show it."""

    loaded: Literal[True]
    languages: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=20)]


class FormAnswer(StrictBody):
    """A published version."""

    form: str
    version: str
    project: str
    title: dict[str, str]
    languages: list[str]
    status: Literal["live", "retired"]
    loaded_in_browser: bool
    published_at: datetime
    xform: str
    lists: dict[str, str]


class FormsAnswer(StrictBody):
    """The published versions of the projects that the person works in."""

    forms: list[FormAnswer]


class StatusBody(StrictBody):
    """Whether new records may be begun with a version."""

    status: Literal["live", "retired"]

"""What is asked and answered about forms on trial."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from server.platform.body_types import WITHOUT_NUL, StrictBody

PersonId = Annotated[str, Field(min_length=1, max_length=36, pattern=WITHOUT_NUL)]


class TrialBody(StrictBody):
    """Who tries a form from now on; nobody ends its trial."""

    people: Annotated[list[PersonId], Field(max_length=100)]


class TesterAnswer(StrictBody):
    """Somebody who tries a form."""

    id: str
    name: str


class TrialAnswer(StrictBody):
    """A form on trial; only who publishes it is told who tries it."""

    id: str
    form: str
    version: str
    project: str
    title: dict[str, str]
    languages: list[str]
    xform: str
    lists: dict[str, str]
    begun_at: datetime
    ends_at: datetime
    #: Whether whoever asks takes part.
    is_mine: bool
    people: list[TesterAnswer]


class TrialsAnswer(StrictBody):
    """The forms that somebody tries, and those of the projects in which they publish."""

    trials: list[TrialAnswer]

"""Types that the bodies of several stages share.

A title is what the app's types call the part (`pwa/scripts/api-types.mjs`).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

#: PostgreSQL keeps no NUL in text and takes none in a question.
WITHOUT_NUL = r"^[^\x00]*$"
#: A whole document, with `_id` and `_rev`.
Document = Annotated[dict[str, Any], Field(title="Document")]
#: A form's answers.
Answers = Annotated[dict[str, Any], Field(title="Answers")]


class StrictBody(BaseModel):
    """A body or a part of one: it can't be changed, and a member that it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

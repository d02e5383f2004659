"""Types that the bodies of several stages share.

A title is what the app's types call the part (`pwa/scripts/api-types.mjs`).
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

#: PostgreSQL keeps no NUL in text and takes none in a question.
WITHOUT_NUL = r"^[^\x00]*$"
#: A whole document, with `_id` and `_rev`.
Document = Annotated[dict[str, Any], Field(title="Document")]
#: A form's answers.
Answers = Annotated[dict[str, Any], Field(title="Answers")]


def _truth_value(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("no number")
    return value


#: Litestar has pydantic take 0 for false and "1990" for 1990, even where a field is strict; the API says neither.
IS_TRUTH_VALUE = BeforeValidator(_truth_value)
IS_NUMBER = BeforeValidator(_number)


class StrictBody(BaseModel):
    """A body or a part of one: it can't be changed, and a member that it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

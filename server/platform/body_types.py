"""Parts of bodies that several stages take or give.

A title is what the app's types call the part (`pwa/scripts/api-types.mjs`).
"""

from typing import Annotated, Any

from pydantic import Field

#: A whole document, with `_id` and `_rev`.
Document = Annotated[dict[str, Any], Field(title="Document")]
#: A form's answers.
Answers = Annotated[dict[str, Any], Field(title="Answers")]

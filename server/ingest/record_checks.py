"""Whether a record is one that the scope's forms describe, and a reply one: asked of whatever door it came by.

form version unknown in the scope's project        unknown_form
answers or files that don't have their types       misfit_answers
"""

from collections.abc import Mapping
from typing import Any

from server.forms.answers import check
from server.forms.library import FormLibrary
from sync.contract.scope import Scope

#: What `misfit` finds: said only where nothing worse is.
MISFITS = ("unknown_form", "misfit_answers")
#: As much as a person writes about one question.
REPLY_CHARACTERS = 4000


async def misfit(library: FormLibrary, database: str, document: Mapping[str, Any]) -> str | None:
    """Return the reason for which a person must look at the record first; None when it fits."""
    form, version = document.get("form"), document.get("form_version")
    if not isinstance(form, str) or not isinstance(version, str):
        return "unknown_form"
    published = await library.get(form, version)
    if published is None or published.project != Scope.of(database).project:
        return "unknown_form"
    is_fit = not check(published.schema, document.get("answers")) and _is_media(document.get("media", {}))
    return None if is_fit else "misfit_answers"


def is_reply(document: Mapping[str, Any]) -> bool:
    """Whether a document is an answer to a question about a record: said once, never edited or deleted."""
    doc_id, record, question = (document.get(member) for member in ("_id", "record", "question"))
    if not isinstance(doc_id, str) or not isinstance(record, str) or not isinstance(question, str):
        return False
    text = document.get("text", "")
    return (
        document.get("_deleted") is not True
        and record != ""
        and ":" not in record
        and doc_id.startswith(f"reply:{record}:")
        and question.startswith(f"question:{record}:")
        and isinstance(text, str)
        and len(text) <= REPLY_CHARACTERS
    )


def _is_media(media: object) -> bool:
    return isinstance(media, dict) and all(
        isinstance(file, dict) and all(isinstance(file.get(member), str) for member in ("sha256", "bytes", "type"))
        for file in media.values()
    )

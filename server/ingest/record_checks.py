"""Whether a record is one that the scope's forms describe, and a reply one: asked of whatever door it came by."""

from collections.abc import Mapping
from typing import Any, Literal

from server.forms.answers import check
from server.forms.library import FormLibrary
from sync.contract.scope import Scope

#: As much as a person writes about one question.
REPLY_CHARACTERS = 4000


async def form_finding(
    library: FormLibrary, database: str, content: Mapping[str, Any]
) -> Literal["unknown_form", "misfit"] | None:
    """Return what is the matter with a record's form version, its answers or its files; None when they fit."""
    form, version = content.get("form"), content.get("form_version")
    if content.get("erased") is True and "form" not in content:
        return None
    if not isinstance(form, str) or not isinstance(version, str):
        return "unknown_form"
    published = await library.get(form, version)
    if published is None or published.project != Scope.of(database).project:
        return "unknown_form"
    is_fit = not check(published.schema, content.get("answers")) and _is_media(content.get("media", {}))
    return None if is_fit else "misfit"


def is_reply(doc_id: str, content: Mapping[str, Any]) -> bool:
    """Whether a document is an answer to a question about a record."""
    record, question, text = content.get("record"), content.get("question"), content.get("text", "")
    if not isinstance(record, str) or not isinstance(question, str):
        return False
    return (
        record != ""
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

"""The follower that writes `question:` and `reply:` documents of a record as rows.

Both name their record in their id, are never edited, and may arrive in any order and before the record. We trust a
question's `by`; a reply's author is its sender. Any worker of the area may
answer, not only those who were asked: whoever stood in the field knows; the desk shows who was asked and who answered.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.journal.followers.follower import Effects
from server.journal.journal import Journal
from server.journal.model import Change, StoredRevision
from server.platform.db.upsert import put
from server.read_model.record_tables import questions

NAME = "questions"
KINDS = ("question", "reply")


class WorkerQuestionsProjection:
    """Keeps the rows of `questions`; a `Projection` of the follower."""

    name = NAME
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ()

    def __init__(self, journal: Journal, areas: Areas) -> None:
        """Read nothing yet."""
        self._journal = journal
        self._areas = areas

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return the rows that the changes of one database bring."""
        named = [each.doc_id for each in changes if not each.deleted and each.doc_id.partition(":")[0] in KINDS]
        if not named or not (await self._areas.atlas()).has_scope(database):
            return _nothing
        stored = await self._journal.documents(database, named)
        rows = [row for name in named if name in stored and (row := row_of(stored[name])) is not None]

        async def apply(connection: AsyncConnection) -> None:
            await put(connection, questions, rows)

        return apply


def row_of(stored: StoredRevision) -> dict[str, Any] | None:
    """Return the row of a question or reply; None of a document that is neither, or says what it may not."""
    kind, _, rest = stored.doc_id.partition(":")
    record = rest.rpartition(":")[0]
    content = json.loads(stored.content)
    if stored.deleted or content.get("type") != kind or not record or content.get("record") != record:
        return None
    if not (_is_question(content, stored) if kind == "question" else _is_reply(content, record)):
        return None
    return {
        "database": stored.database,
        "record": record,
        "id": stored.doc_id,
        "type": kind,
        "person": stored.person,
        "received_at": stored.received_at,
        "content": content,
    }


def _is_question(content: Mapping[str, Any], stored: StoredRevision) -> bool:
    return isinstance(content.get("path"), str) and content.get("by") == stored.person


def _is_reply(content: Mapping[str, Any], record: str) -> bool:
    question = content.get("question")
    return isinstance(question, str) and question.startswith(f"question:{record}:")


async def _nothing(_connection: AsyncConnection) -> None:
    """Have no effect."""

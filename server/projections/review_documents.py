"""Review documents as followers read them: the valid ones of a page of changes, and those known before."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.journal import Journal
from server.journal.model import Change
from server.platform.db.value_lists import is_one_of
from server.read_model.record_tables import decisions
from sync.review import ReviewDecision, decision_of

REVIEW_PREFIX = "review:"

#: A row of `decisions`.
Row = Mapping[str, Any]


def is_record(document: str) -> bool:
    """Whether a document of a scope is a record rather than one about a record."""
    return ":" not in document and not document.startswith("_")


def brought(database: str, changes: Sequence[Change]) -> list[Row]:
    """Return the decisions that changes bring, as they say themselves."""
    rows: list[Row] = []
    for change in changes:
        if change.deleted or not change.doc_id.startswith(REVIEW_PREFIX):
            continue
        record = change.doc_id.removeprefix(REVIEW_PREFIX).rpartition(":")[0]
        content = json.loads(change.content or b"{}")
        # The record stands in the id; a document whose content names another one is not about either.
        if content.get("record") == record and decision_of(change.doc_id, content):
            rows.append({"database": database, "record": record, "id": change.doc_id, "content": content})
    return rows


async def credible(journal: Journal, database: str, rows: Sequence[Row]) -> list[Row]:
    """Return those that were brought in by who they say decided."""
    if not rows:
        return []
    stored = await journal.documents(database, [each["id"] for each in rows])
    return [each for each in rows if stored[each["id"]].person == each["content"]["by"]]


async def decisions_of(
    connection: AsyncConnection, database: str, ids: Collection[str], new: Sequence[Row]
) -> dict[str, list[ReviewDecision]]:
    """Return the decisions about these records, known before or `new`, by record."""
    here = (decisions.c.database == database) & is_one_of(connection, decisions.c.record, ids)
    contents = {(row.record, row.id): row.content for row in await connection.execute(select(decisions).where(here))}
    contents |= {(each["record"], each["id"]): each["content"] for each in new}
    found: dict[str, list[ReviewDecision]] = {}
    for (record, document), content in contents.items():
        if decision := decision_of(document, content):
            found.setdefault(record, []).append(decision)
    return found

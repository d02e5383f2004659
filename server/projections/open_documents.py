"""A record's fields that wait for a person, in a document beside it, `open:<record>`: for replicas with winners alone.

A merge names them in its own `open`, but whoever then corrects another field says nothing of them, and a phone keeps
what stands, not what stood before. So they are told apart from the record: in a document that is written when they
change, and that names none once all is settled. Plain edits leave it as it is, however long a phone is away.

It says what `open_questions` says and nothing of when or where, so that servers which know the same revisions write
the same; where they don't yet, each goes on to tell the truth that it knows, and they end at one once they have met.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.journal.followers.follower import Effects
from server.journal.journal import Journal
from server.journal.model import Change, NewRevision, Origin, StoredRevision
from server.platform.db.engine import Storage
from server.projections.open_questions import FORM_VERSION, MOVED
from server.read_model.record_tables import open_questions
from sync.revisions.canonical import Json

NAME = "open_documents"
#: Only its rows say what is open.
FOLLOWED = "branches"
PREFIX = "open:"


class OpenDocumentsProjection:
    """Keeps the documents; a `Projection` of the follower, after the one that closes branches."""

    name = NAME
    after: tuple[str, ...] = (FOLLOWED,)
    writes_back: tuple[str, ...] = ("open",)

    def __init__(self, storage: Storage, journal: Journal, areas: Areas) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._areas = areas

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return the documents that no longer say what is open in the changed records."""
        ids = sorted({record for each in changes if (record := _record_of(each)) is not None})
        if not ids or not (await self._areas.atlas()).has_scope(database):
            return _nothing
        here = (open_questions.c.database == database) & open_questions.c.record.in_(ids)
        query = select(open_questions.c.record, open_questions.c.path, open_questions.c.cause).where(here)
        asked: dict[str, dict[str, str]] = {record: {} for record in ids}
        async with self._storage.read() as connection:
            for row in await connection.execute(query):
                asked[row.record][row.path] = row.cause
        told = await self._journal.documents(database, [PREFIX + record for record in ids])
        due = [new for record in ids if (new := _due(record, asked[record], told.get(PREFIX + record))) is not None]
        return partial(self._apply, database=database, due=due) if due else _nothing

    async def _apply(self, connection: AsyncConnection, *, database: str, due: Sequence[NewRevision]) -> None:
        await self._journal.write_within(connection, database, due, Origin())


def _record_of(change: Change) -> str | None:
    """Return the record that a change may open or settle something of."""
    if change.doc_id.startswith(PREFIX):
        return change.doc_id.removeprefix(PREFIX)
    # One leaf is a line of edits, each of which knew all before it; the ends of closed branches stay leaves.
    return change.doc_id if ":" not in change.doc_id and len(change.leaves) > 1 else None


def _due(record: str, asked: Mapping[str, str], told: StoredRevision | None) -> NewRevision | None:
    """Return the document as it should stand; None where it does."""
    if FORM_VERSION in asked.values():
        # Nobody can tell before the form version comes.
        return None
    # Whether a record stands in two areas is no field's question, and nothing that its own revisions say.
    paths: list[Json] = [*sorted(path for path, cause in asked.items() if cause != MOVED)]
    if told is None and not paths:
        return None
    content: dict[str, Json] = {"type": "open", "record": record, "paths": paths}
    if told is not None and not told.deleted and json.loads(told.content) == content:
        return None
    return NewRevision.following(PREFIX + record, content, None if told is None else told.rev)


async def _nothing(_connection: AsyncConnection) -> None:
    """Have no effect."""

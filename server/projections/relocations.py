"""Records that stand in two scopes at once: somebody took one to another area while somebody else went on where it was.

A scope is a database of its own, so no graph shows it. Whenever a row of `records` is written, rows of the same id
elsewhere are looked for; where more than one of them lives, a question is open in each, until all but one are deleted.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.names import names_of
from server.platform.db.insert_missing import insert_missing
from server.platform.db.value_lists import is_one_of
from server.projections.open_questions import DOCUMENT, MOVED
from server.read_model.record_tables import open_questions, records
from sync.matching.text_normalisation import fold

CONFLICT = "conflict"


async def ask_where(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Bring questions about the places of these records up to what `records` says, in the transaction that wrote it."""
    if not ids:
        return
    several = (
        select(records.c.id)
        .where(is_one_of(connection, records.c.id, ids))
        .group_by(records.c.id)
        .having(func.count() > 1)
    )
    twins = (await connection.execute(select(records).where(records.c.id.in_(several)))).all()
    by_id: dict[str, list[Row[tuple[object, ...]]]] = {}
    for row in twins:
        by_id.setdefault(row.id, []).append(row)
    for record, rows in by_id.items():
        here = (open_questions.c.record == record) & open_questions.c.database.in_([row.database for row in rows])
        await connection.execute(delete(open_questions).where(here, open_questions.c.cause == MOVED))
        live = [row for row in rows if not row.is_deleted]
        if len(live) > 1:
            await insert_missing(connection, open_questions, await _questions(connection, live))
        asked = set((await connection.execute(select(open_questions.c.database).where(here).distinct())).scalars())
        for row in rows:
            await _flag(connection, row, is_asked=row.database in asked)


async def _questions(connection: AsyncConnection, live: Sequence[Row[tuple[object, ...]]]) -> list[dict[str, object]]:
    names = await names_of(connection, {str(row.by_person) for row in live if row.by_person})
    return [
        {
            "database": row.database,
            "record": row.id,
            "path": DOCUMENT,
            "cause": MOVED,
            "candidates": [each.rev for each in live],
            # Who was at work in one area is nothing that those of another may read.
            "people": [row.by_person] if row.by_person else [],
            "form": row.form,
            "project": row.project,
            "unit": row.unit,
            "title": row.title,
            "since": max(each.received_at for each in live),
            "folded": fold(f"{row.title}\n{names.get(str(row.by_person), '')}"),
        }
        for row in live
    ]


async def _flag(connection: AsyncConnection, row: Row[tuple[object, ...]], *, is_asked: bool) -> None:
    flags = sorted({*row.flags} - {CONFLICT} | ({CONFLICT} if is_asked else set()))
    if flags != row.flags:
        here = (records.c.database == row.database) & (records.c.id == row.id)
        await connection.execute(update(records).where(here).values(flags=flags, urgency=len(flags)))

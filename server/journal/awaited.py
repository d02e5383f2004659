"""Revisions quarantined until something outside the journal arrives (a form version); they are judged again then.

A door says what in words of its own (`NewRevision.awaits`), asks for it here, and brings its new verdict.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import Origin, QuarantinedRevision, Receipt
from server.journal.quarantine import AT_ONCE, as_it_came, is_row_of, quarantined_of
from server.journal.store import write
from server.journal.store.batch import Batch
from server.journal.store.statements import Statements
from server.journal.store.tables import quarantine
from server.platform.db.value_lists import is_one_of
from sync.revisions.admission import JUDGED_BY_DOORS

_WAITS = quarantine.c.accepted_at.is_(None) & quarantine.c.reason.in_(sorted(JUDGED_BY_DOORS))


def waits_for(connection: AsyncConnection, names: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that something waits only for one of these, in the doors' words."""
    return _WAITS & is_one_of(connection, quarantine.c.awaits, names)


async def awaiting(connection: AsyncConnection, names: Collection[str]) -> list[QuarantinedRevision]:
    """Return some of what waits only for one of these, all of one database; none where nothing does.

    Asked by what is here: that is little, while whoever sends may make up any number of names to wait for.
    """
    waits = waits_for(connection, names)
    database = await connection.scalar(select(quarantine.c.database).where(waits).limit(1))
    if database is None:
        return []
    wanted = select(quarantine).where(waits, quarantine.c.database == database).limit(AT_ONCE)
    return [quarantined_of(row) for row in (await connection.execute(wanted)).mappings()]


async def judge_again(
    connection: AsyncConnection,
    sql: Statements,
    held: Sequence[QuarantinedRevision],
    reasons: Sequence[str | None],
    now: datetime,
) -> Batch:
    """Return a batch in which what waited in one database has come in, or waits for another reason."""
    head = await write.lock(connection, sql, held[0].database)
    revisions = [replace(as_it_came(one), quarantine=reason) for one, reason in zip(held, reasons, strict=True)]
    batch = await write.begin(connection, sql, head, revisions, Receipt(Origin(), now))
    for one, revision in zip(held, revisions, strict=True):
        batch.judge_again(revision, one.reason, Receipt(Origin(one.person, one.enrolment), one.received_at))
        # Whatever it waits for now, this has come.
        await connection.execute(update(quarantine).where(is_row_of(one)).values(awaits=None))
    await write.release(connection, sql, batch)
    return batch

"""Revisions quarantined until something outside the journal arrives (a form version); they are judged again then.

A door says what in words of its own (`NewRevision.awaits`), asks for it here, and brings its new verdict. So are edits
that earlier releases quarantined because their parent waited: these wait for nothing else.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import NewRevision, Origin, QuarantinedRevision, Receipt
from server.journal.quarantine import AT_ONCE, is_row_of, quarantined_of
from server.journal.store import write
from server.journal.store.batch import Batch
from server.journal.store.statements import Statements
from server.journal.store.tables import quarantine
from server.platform.db.value_lists import is_one_of
from sync.revisions.admission import JUDGED_BY_DOORS, PARENT_QUARANTINED

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


async def behind_waiting_parents(connection: AsyncConnection) -> list[QuarantinedRevision]:
    """Return some of what waits only because its parent did, all of one database; none where nothing does."""
    waits = quarantine.c.accepted_at.is_(None) & (quarantine.c.reason == PARENT_QUARANTINED)
    database = await connection.scalar(select(quarantine.c.database).where(waits).limit(1))
    wanted = select(quarantine).where(waits, quarantine.c.database == database).order_by(quarantine.c.received_at)
    return [quarantined_of(row) for row in (await connection.execute(wanted.limit(AT_ONCE))).mappings()]


async def judge_again(
    connection: AsyncConnection,
    sql: Statements,
    held: Sequence[QuarantinedRevision],
    revisions: Sequence[NewRevision],
    now: datetime,
) -> Batch:
    """Return a batch in which what waited in one database has come in, or waits for what its door says now."""
    head = await write.lock(connection, sql, held[0].database)
    batch = await write.begin(connection, sql, head, revisions, Receipt(Origin(), now))
    for one, revision in zip(held, revisions, strict=True):
        batch.judge_again(revision, one.reason, Receipt(Origin(one.person, one.enrolment), one.received_at))
        overstep = revision.overstep
        waits_for = {
            "awaits": revision.awaits,
            "door": None if overstep is None else overstep.door,
            "besides": None if overstep is None else overstep.besides,
        }
        await connection.execute(update(quarantine).where(is_row_of(one)).values(waits_for))
    await write.release(connection, sql, batch)
    return batch

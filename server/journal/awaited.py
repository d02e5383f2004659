"""Revisions quarantined until something outside the journal arrives (a form version); they are judged again then.

A door says what in words of its own (`NewRevision.awaits`), asks for it here, and brings its new verdict.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import Origin, QuarantinedRevision, Receipt
from server.journal.quarantine import AT_ONCE, as_it_came, is_row_of, quarantined_of
from server.journal.store import write
from server.journal.store.batch import Batch
from server.journal.store.statements import Statements
from server.journal.store.tables import quarantine
from sync.revisions.admission import JUDGED_BY_DOORS

_WAITS = quarantine.c.accepted_at.is_(None) & quarantine.c.reason.in_(sorted(JUDGED_BY_DOORS))


async def awaited(connection: AsyncConnection) -> list[str]:
    """Return what the doors wait for, each once, in their words."""
    wanted = select(quarantine.c.awaits).distinct().where(_WAITS, quarantine.c.awaits.is_not(None))
    return sorted(await connection.scalars(wanted))


async def awaiting(connection: AsyncConnection, what: str) -> list[QuarantinedRevision]:
    """Return some of what waits only for this, all of one database; none where nothing does."""
    wanted = select(quarantine).where(_WAITS, quarantine.c.awaits == what).order_by(quarantine.c.database)
    rows = (await connection.execute(wanted.limit(AT_ONCE))).mappings()
    found = [quarantined_of(row) for row in rows]
    return [one for one in found if one.database == found[0].database]


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

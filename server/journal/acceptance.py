"""Letting quarantined revisions in: what a person has decided about one, and what earlier releases held back."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal import quarantine
from server.journal.model import Origin, Outcome, Receipt
from server.journal.store import write
from server.journal.store.batch import Batch
from server.journal.store.statements import Statements
from sync.revisions.admission import FORGED
from sync.revisions.revision_id import RevisionId


async def accept(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    doc_id: str,
    rev: RevisionId,
    *,
    by: Receipt,
    fingerprint: bytes | None,
    past: Collection[RevisionId],
) -> tuple[Batch, list[Outcome]]:
    """Return a batch in which a revision has come in with those that waited only for it, and what became of each.

    `by` is who decided and when. Raise NotWaiting.
    """
    head = await write.lock(connection, sql, database)
    beside = await quarantine.waiting(connection, database, doc_id)
    moving = quarantine.moving_with(rev, beside, fingerprint, past)
    revisions = [quarantine.as_new(one) for one in moving]
    batch = await write.begin(connection, sql, head, revisions, by)
    if moving[0].reason != FORGED and batch.is_forged(revisions[0]):
        await quarantine.name_forged(connection, moving[0])
        return batch, [Outcome(doc_id, rev, moving[0].number, "quarantined", FORGED)]
    for one, revision in zip(moving, revisions, strict=True):
        batch.admit(revision, Receipt(Origin(one.person, one.enrolment), one.received_at))
    let_in = await write.release(connection, sql, batch)
    await quarantine.mark_accepted(connection, moving, by.origin.person, by.received_at)
    moved = [*moving, *(one for one in beside if (one.doc_id, one.rev) in let_in and one not in moving)]
    return batch, [Outcome(one.doc_id, one.rev, one.number, "stored", None) for one in moved]


async def let_some_in(connection: AsyncConnection, sql: Statements, database: str, now: datetime) -> tuple[Batch, int]:
    """Return a batch in which some of what waits where anything is taken has come in, and how many waited."""
    head = await write.lock(connection, sql, database)
    held = await quarantine.some_quarantined(connection, database)
    revisions = [quarantine.as_it_came(one) for one in held]
    batch = await write.begin(connection, sql, head, revisions, Receipt(Origin(), now))
    for one, revision in zip(held, revisions, strict=True):
        batch.admit(revision, Receipt(Origin(one.person, one.enrolment), one.received_at))
    await quarantine.mark_accepted(connection, held, None, now)
    return batch, len(held)

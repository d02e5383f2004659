"""Outcomes that a phone must still hear: what went to quarantine, from its first acknowledgement to the final word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.sync.tables import sync_outcomes
from server.journal.journal import Journal
from server.journal.model import Outcome
from server.platform.db.insert_missing import insert_missing

_OF = select(sync_outcomes).where(sync_outcomes.c.enrolment == bindparam("of"))


@dataclass(frozen=True, slots=True)
class UnconfirmedOutcome:
    """A revision that went to quarantine and whose final outcome the phone has not confirmed."""

    database: str
    doc_id: str
    rev: str
    number: str | None


async def load_waiting(connection: AsyncConnection, enrolment: str) -> tuple[UnconfirmedOutcome, ...]:
    """Return the enrolment's unconfirmed outcomes, in the order of their numbers."""
    found = await connection.execute(_OF, {"of": enrolment})
    rows = [UnconfirmedOutcome(row.database, row.doc_id, row.rev, row.number) for row in found]
    return tuple(sorted(rows, key=lambda row: (int(row.number or 0), row.database, row.doc_id, row.rev)))


async def note_quarantined(
    connection: AsyncConnection, enrolment: str, database: str, outcomes: Iterable[Outcome]
) -> None:
    """Remember, in the transaction that stores them, which revisions went to quarantine."""
    rows = [
        {"enrolment": enrolment, "database": database, "doc_id": o.doc_id, "rev": o.rev, "number": o.number}
        for o in outcomes
        if o.outcome == "quarantined"
    ]
    await insert_missing(connection, sync_outcomes, rows)


async def decided(journal: Journal, waiting: Sequence[UnconfirmedOutcome]) -> list[UnconfirmedOutcome]:
    """Return those that a person has accepted since."""
    undecided = {
        database: await journal.quarantined_in(database, {row.doc_id for row in waiting if row.database == database})
        for database in {row.database for row in waiting}
    }
    return [row for row in waiting if (row.doc_id, row.rev) not in undecided[row.database]]


async def forget_confirmed(
    connection: AsyncConnection, enrolment: str, confirmed: Sequence[UnconfirmedOutcome]
) -> None:
    """Drop outcomes that the phone has stored."""
    for row in confirmed:
        await connection.execute(
            delete(sync_outcomes).where(
                sync_outcomes.c.enrolment == enrolment,
                sync_outcomes.c.database == row.database,
                sync_outcomes.c.doc_id == row.doc_id,
                sync_outcomes.c.rev == row.rev,
            )
        )

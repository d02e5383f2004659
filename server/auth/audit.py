"""The trail of administrative acts and sign-ins: who did what to whom, and when. Rows are only ever added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.tables import audit
from server.platform.clock import Clock
from server.platform.ids import uuid7
from sync.contract.members import TELLING_OF_PEOPLE


@dataclass(frozen=True, slots=True)
class Act:
    """One entry; `person` is None for what the server or its console did."""

    at: datetime
    person: str | None
    action: str
    subject: str
    details: Mapping[str, object]


async def note(
    connection: AsyncConnection, clock: Clock, person: str | None, action: str, subject: str, **details: object
) -> None:
    """Add an entry in the transaction of what it tells of; `details` never hold passwords or tokens.

    Raise ValueError for a member of a record that tells of people: an erasure empties records, and no trail.
    """
    if telling := TELLING_OF_PEOPLE.intersection(details):
        raise ValueError(f"the audit takes no {', '.join(sorted(telling))}")
    row = {"id": uuid7(clock), "at": clock(), "person": person, "action": action, "subject": subject}
    await connection.execute(audit.insert().values(**row, details=details))


async def acts_on(connection: AsyncConnection, subject: str, limit: int = 100) -> list[Act]:
    """Return the latest entries about `subject`, newest first."""
    query = select(audit).where(audit.c.subject == subject).order_by(audit.c.id.desc()).limit(limit)
    return [Act(row.at, row.person, row.action, row.subject, row.details) for row in await connection.execute(query)]

"""Presence: people who look at a conflict now, shown to others, so that two don't do the same work; nobody is kept out.

A claim ends by itself when the page that made it stops renewing it: a browser that was closed holds up nobody.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.desk.conflicts.tables import conflict_claims
from server.platform.db.upsert import put

#: Twice what a page lets pass between two renewals.
LASTS = timedelta(seconds=120)

Held = dict[tuple[str, str], list[tuple[str, datetime]]]


async def claim(connection: AsyncConnection, database: str, record: str, person: str, now: datetime) -> None:
    """Say that `person` has the conflict open, from now for as long as a claim lasts."""
    await connection.execute(delete(conflict_claims).where(conflict_claims.c.until <= now))
    row = {"database": database, "record": record, "person": person, "until": now + LASTS}
    await put(connection, conflict_claims, [row])


async def leave(connection: AsyncConnection, database: str, record: str, person: str) -> None:
    """Say that `person` has left it."""
    here = (conflict_claims.c.database == database) & (conflict_claims.c.record == record)
    await connection.execute(delete(conflict_claims).where(here, conflict_claims.c.person == person))


async def claims_on(connection: AsyncConnection, conflicts: Collection[tuple[str, str]], now: datetime) -> Held:
    """Return who has each of these records (database, id) open and until when, the first to leave first."""
    if not conflicts:
        return {}
    wanted = tuple_(conflict_claims.c.database, conflict_claims.c.record).in_(sorted(conflicts))
    query = select(conflict_claims).where(wanted, conflict_claims.c.until > now).order_by(conflict_claims.c.until)
    found: Held = {}
    for row in await connection.execute(query):
        found.setdefault((row.database, row.record), []).append((row.person, row.until))
    return found

"""Repeated wrong passwords lock a name for a while that doubles each time, whether anybody has that name or not.

An attempt is counted before its password is looked at and taken back when it was right: guesses sent side by side
count like guesses one after another.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.people import folded
from server.auth.tables import login_failures as table
from server.db.upsert import insert_missing

#: After a day without a wrong password a name starts afresh.
FORGIVEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LockRule:
    """From the `attempts`-th wrong password on, a lock of `first`, doubling up to `longest`."""

    attempts: int
    first: timedelta
    longest: timedelta

    def lock(self, failures: int) -> timedelta | None:
        """Return how long the name is locked after that many failures."""
        if failures < self.attempts:
            return None
        doublings = min(failures - self.attempts, 30)
        return min(self.first * (1 << doublings), self.longest)


async def count_attempt(connection: AsyncConnection, username: str, rule: LockRule, at: datetime) -> datetime | None:
    """Count an attempt on `username`; return until when the name is locked if this attempt may not be tried."""
    name = _digest(username)
    await connection.execute(table.delete().where(table.c.failed_at < at - FORGIVEN))
    await insert_missing(connection, table, [{"name_digest": name, "failures": 0, "failed_at": at}])
    row = (await connection.execute(select(table).where(table.c.name_digest == name).with_for_update())).one()
    if row.locked_until is not None and row.locked_until > at:
        return row.locked_until  # type: ignore[no-any-return]
    failures = row.failures + 1
    lock = rule.lock(failures)
    changed = {"failures": failures, "failed_at": at, "locked_until": at + lock if lock else None}
    await connection.execute(table.update().where(table.c.name_digest == name).values(**changed))
    return None


async def clear(connection: AsyncConnection, username: str) -> None:
    """Forget the failures of a name."""
    await connection.execute(table.delete().where(table.c.name_digest == _digest(username)))


def _digest(username: str) -> str:
    return hashlib.sha256(folded(username).encode()).hexdigest()

"""Wrong passwords make whoever guesses wait, not the person whose name it is.

Three counters: of a name at one address, of an address over all names, of a name over all addresses. Each that is
full locks for a while that doubles with every further wrong password. Where the name has signed in from that address
before, only the first counts, so that no stranger's guesses elsewhere lock its owner out. Names that nobody has are
counted alike.

An attempt is counted before its password is looked at and taken back when it was right: guesses sent side by side
count like guesses one after another.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.people import folded
from server.auth.tables import known_places, login_failures
from server.platform.db.insert_missing import insert_missing
from server.platform.db.upsert import put

#: After a day without a wrong password a counter starts afresh.
FORGIVEN = timedelta(days=1)
#: An address from which a name has not signed in for so long is a stranger's again.
KNOWN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class LockRule:
    """From a counter's last allowed wrong password on, a lock of `first`, doubling up to `longest`.

    `attempts` are allowed for a name at one address, `widely` for an address or a name altogether.
    """

    attempts: int
    widely: int
    first: timedelta
    longest: timedelta

    def lock(self, failures: int, allowed: int) -> timedelta | None:
        """Return how long a counter that stands at `failures` is locked."""
        if failures < allowed:
            return None
        doublings = min(failures - allowed, 30)
        return min(self.first * (1 << doublings), self.longest)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A name as it was typed, at a client's address."""

    username: str
    address: str

    @property
    def pair(self) -> str:
        """Return the counter of this name at this address."""
        return _digest("pair", folded(self.username), self.address)

    @property
    def wide(self) -> tuple[str, str]:
        """Return the counters of the address and of the name."""
        return _digest("address", self.address), _digest("name", folded(self.username))


async def count_attempt(connection: AsyncConnection, attempt: Attempt, rule: LockRule, at: datetime) -> datetime | None:
    """Count an attempt; return until when it is locked if this one may not be tried."""
    allowed = {attempt.pair: rule.attempts}
    if not await _is_known(connection, attempt, at):
        allowed |= dict.fromkeys(attempt.wide, rule.widely)
    fresh = [{"counter": each, "failures": 0, "failed_at": at} for each in sorted(allowed)]
    await insert_missing(connection, login_failures, fresh)
    rows = await _held(connection, allowed)
    locks: list[datetime] = [row.locked_until for row in rows if row.locked_until is not None and row.locked_until > at]
    if locks:
        return max(locks)
    for row in rows:
        is_forgiven = row.failed_at < at - FORGIVEN
        failures = 1 if is_forgiven else row.failures + 1
        lock = rule.lock(failures, allowed[row.counter])
        changed = {"failures": failures, "locked_until": at + lock if lock else None}
        # Else only a wrong password keeps it: an office in which somebody signs in every day forgets all the same.
        changed |= {"failed_at": at} if is_forgiven else {}
        await connection.execute(login_failures.update().where(login_failures.c.counter == row.counter).values(changed))
    await _forget_old(connection, at)
    return None


async def note_wrong(connection: AsyncConnection, attempt: Attempt, at: datetime) -> None:
    """Note when the last wrong password came: from then on a counter is kept for a day."""
    counters = (attempt.pair,) if await _is_known(connection, attempt, at) else (attempt.pair, *attempt.wide)
    await _held(connection, counters)
    here = login_failures.c.counter.in_(counters)
    await connection.execute(login_failures.update().where(here).values(failed_at=at))


async def take_back(connection: AsyncConnection, attempt: Attempt, at: datetime) -> None:
    """Take a counted attempt back from what strangers share: what it was refused for is no guess of a password."""
    await _held(connection, (attempt.pair, *attempt.wide))
    if not await _is_known(connection, attempt, at):
        # Past a full counter goes one attempt at a time: a lock that stands now is this attempt's own.
        failures = login_failures.c.failures
        back = login_failures.update().where(login_failures.c.counter.in_(attempt.wide), failures > 0)
        await connection.execute(back.values(failures=failures - 1, locked_until=null()))


async def note_right(connection: AsyncConnection, attempt: Attempt, at: datetime) -> None:
    """Take a counted attempt back whose password was right: the name is known at this address from now on.

    What others guessed stays counted: who has an account of their own clears nothing by signing in to it.
    """
    await take_back(connection, attempt, at)
    await connection.execute(login_failures.delete().where(login_failures.c.counter == attempt.pair))
    await connection.execute(known_places.delete().where(known_places.c.signed_in_at < at - KNOWN))
    await put(connection, known_places, [{"pair": attempt.pair, "signed_in_at": at}])


async def _held(connection: AsyncConnection, counters: Iterable[str]) -> Sequence[Row[Any]]:
    """Return these counters, locked in one order: who shares some of them must not wait for each other for ever."""
    query = select(login_failures).where(login_failures.c.counter.in_(list(counters)))
    return (await connection.execute(query.order_by(login_failures.c.counter).with_for_update())).all()


async def _forget_old(connection: AsyncConnection, at: datetime) -> None:
    # Last, and past what somebody holds: it waits for nobody.
    old = select(login_failures.c.counter).where(login_failures.c.failed_at < at - FORGIVEN)
    await connection.execute(
        login_failures.delete().where(login_failures.c.counter.in_(old.with_for_update(skip_locked=True)))
    )


async def _is_known(connection: AsyncConnection, attempt: Attempt, at: datetime) -> bool:
    query = select(known_places.c.pair).where(
        known_places.c.pair == attempt.pair, known_places.c.signed_in_at >= at - KNOWN
    )
    return await connection.scalar(query) is not None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

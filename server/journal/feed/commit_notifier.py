"""Wakes whoever waits for a database to move, at the cost of the waiting alone: no reading, no turn of the others'.

Rings are counted, so that nobody can miss one: who asks for the count, reads the feed and then waits with that count is
told at once of everything that was committed since.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress


class CommitNotifier:
    """Counts the commits that it was told of, and keeps who waits for which database."""

    def __init__(self) -> None:
        """Begin silent."""
        self.rings = 0
        self.is_stopping = False
        self._last: dict[str, int] = {}
        self._reached: dict[str, int] = {}
        self._waiting: dict[str | None, set[asyncio.Future[None]]] = {}

    def ring(self, database: str, seq: int) -> None:
        """Wake who waits for `database`, which has come to `seq`; nobody where that was said before."""
        if self._reached.get(database) == seq:
            return
        self._reached[database] = seq
        self._wake(database)

    def forget(self, database: str) -> None:
        """Wake who waits for `database`, which is gone; one that is made anew under its name begins from nothing."""
        self._reached.pop(database, None)
        self._wake(database)

    def stop(self) -> None:
        """Wake everybody who waits, once: the process is about to end."""
        self.is_stopping = True
        for waiting in self._waiting.values():
            for woken in waiting:
                if not woken.done():
                    woken.set_result(None)

    @property
    def databases(self) -> frozenset[str]:
        """Return the databases that have rung and are not known to be gone."""
        return frozenset(self._reached)

    async def wait(self, heard: int, timeout_s: float, among: Collection[str] | None = None) -> int:
        """Return the count at the last ring `among` these once it exceeds `heard`; `heard` after the timeout."""
        last = self._count(among)
        if last > heard:
            return last
        woken = asyncio.get_running_loop().create_future()
        keys: tuple[str | None, ...] = (None,) if among is None else tuple(among)
        for key in keys:
            self._waiting.setdefault(key, set()).add(woken)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await woken
        finally:
            for key in keys:
                self._leave(key, woken)
        return max(heard, self._count(among))

    def _wake(self, database: str) -> None:
        self.rings += 1
        self._last[database] = self.rings
        for key in (database, None):
            for woken in self._waiting.get(key, ()):
                if not woken.done():
                    woken.set_result(None)

    def _count(self, among: Collection[str] | None) -> int:
        return self.rings if among is None else max((self._last.get(name, 0) for name in among), default=0)

    def _leave(self, key: str | None, woken: asyncio.Future[None]) -> None:
        waiting = self._waiting[key]
        waiting.discard(woken)
        if not waiting:
            del self._waiting[key]

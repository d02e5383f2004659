"""Keeps followers going beside the requests: woken by every commit, looking by themselves every few seconds.

On PostgreSQL only the process that leads follows; another takes over when it stops. A database that fails is waited
for, longer each time; nothing is skipped meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from server.journal.followers.follower import Follower
from server.journal.journal import Journal
from server.platform.background_task import running_beside
from server.platform.db.advisory_locks import AdvisoryLock
from server.platform.db.engine import Storage
from server.platform.db.leader_lock import Lead, lead

IDLE_S = 1.0
#: Commits come in bursts: phones in the evening, a replica's batches a tenth of a second apart. One look after a
#: moment's quiet takes them all and leaves the doors their time: phones wait for acknowledgements, lists can show a
#: record a little later.
GATHER_S = 0.25
MAX_GATHER_S = 3.0
LOOK_S = 5.0
RETRY_S = 600.0
MAX_PAUSE_S = 30.0

Look = Callable[[], Awaitable[object]]

log = structlog.get_logger(__name__)


class Runner:
    """Runs `followers` in their order, and `looks` every few seconds: questions that no feed answers."""

    def __init__(
        self,
        storage: Storage,
        journal: Journal,
        followers: Sequence[Follower],
        looks: Sequence[Look] = (),
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Start nothing yet."""
        self._storage = storage
        self._journal = journal
        self.followers = followers
        self.looks = looks
        self._sleep = sleep
        self._pause_s = IDLE_S

    async def once(self) -> None:
        """Take everything that stands."""
        for follower in self.followers:
            await follower.follow_once()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                async with lead(self._storage, AdvisoryLock.FOLLOWERS) as held:
                    if held is not None:
                        await self._serve(held)
            except Exception as error:
                log.warning("following_paused", error=type(error).__name__, pause_s=self._pause_s, exc_info=True)
                self._pause_s = min(self._pause_s * 2, MAX_PAUSE_S)
            else:
                self._pause_s = IDLE_S
            await self._sleep(self._pause_s)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow in a task of its own until the block ends."""
        async with running_beside(self.run(), "followers"):
            yield

    async def _serve(self, held: Lead) -> None:
        now = asyncio.get_running_loop().time
        look_at = retry_at = now()
        heard = 0
        while True:
            await held.confirm()
            await self.once()
            # Whatever failed before is over: the next failure, days later, is a first one again.
            self._pause_s = IDLE_S
            if now() >= look_at:
                for look in self.looks:
                    await look()
                look_at = now() + LOOK_S
            if now() >= retry_at:
                for follower in self.followers:
                    await follower.retry_dead_letters()
                retry_at = now() + RETRY_S
            before = heard
            heard = await self._journal.wait(heard, LOOK_S)
            if heard > before:
                heard = await self._gathered(heard)

    async def _gathered(self, heard: int) -> int:
        """Return the count of writes once none has come for a moment, or after a second of them."""
        now = asyncio.get_running_loop().time
        deadline = now() + MAX_GATHER_S
        while now() < deadline:
            before, heard = heard, await self._journal.wait(heard, GATHER_S)
            if heard == before:
                break
        return heard

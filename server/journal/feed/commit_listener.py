"""Hears of commits by other processes: at once where they share a PostgreSQL, within a second everywhere.

A notice says which database has come how far, or that it is gone. It may be lost, and a command on the same SQLite
file sends none; so the process also looks at the ends of all feeds each second, once for everyone who waits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from server.journal.feed import changes
from server.journal.feed.commit_notifier import CommitNotifier
from server.platform.background_task import running_beside
from server.platform.db.engine import Storage
from server.platform.db.notifications import Notices
from sync.contract.counts import read_count

CHANNEL = "nuong_journal"
#: Stands in the place of a sequence where a database was removed.
GONE = "gone"
LOOK_S = 1.0

log = structlog.get_logger(__name__)


class Listening:
    """Rings `bell` for what others commit, and tells them what this process does."""

    def __init__(self, storage: Storage, bell: CommitNotifier) -> None:
        """Hear nothing yet."""
        self._storage = storage
        self._bell = bell
        self._notices = Notices(storage, CHANNEL, self._hear)

    def committed(self, database: str, seq: int) -> None:
        """Tell everyone that `database` has come to `seq`."""
        self._bell.ring(database, seq)
        self._notices.send(f"{seq} {database}")

    def removed(self, database: str) -> None:
        """Tell everyone that `database` is gone."""
        self._bell.forget(database)
        self._notices.send(f"{GONE} {database}")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear others until the block ends."""
        async with (
            running_beside(self._notices.run(), "journal notices"),
            running_beside(self._look(), "journal look-out"),
        ):
            yield

    def _hear(self, word: str) -> None:
        said, _, database = word.partition(" ")
        # Anyone who may connect may notify: what is no word of ours says nothing.
        seq = read_count(said, 18)
        if seq is not None and database:
            self._bell.ring(database, seq)
        elif said == GONE and database in self._bell.databases:
            self._bell.forget(database)

    async def _look(self) -> None:
        is_failing = False
        while True:
            try:
                async with self._storage.read() as connection:
                    ends = await changes.ends(connection)
            except Exception as error:
                # Followers and doors meet the same fault and say more about it; one line for an outage is enough.
                if not is_failing:
                    log.warning("journal_out_of_sight", error=type(error).__name__)
                is_failing = True
            else:
                is_failing = False
                for name in self._bell.databases - ends.keys():
                    self._bell.forget(name)
                for name, seq in ends.items():
                    self._bell.ring(name, seq)
            await asyncio.sleep(LOOK_S)

"""A follower: reads the feed of every database from a durable checkpoint and applies what a projection makes of it.

The checkpoint moves in the transaction of the effects (I7): after a crash a page is taken again or not at all, and
projections are idempotent, so that nothing is skipped and nothing counts twice. A document whose effects fail is tried
alone a few times and then set aside in a table, with its error, so that it never blocks those behind it; it is tried
again when it changes and by `retry_dead_letters`. Failures of the database itself are nobody's poison: they are raised,
and the whole page waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import structlog
from sqlalchemy import Delete, bindparam, delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.followers.tables import checkpoints, dead_letters
from server.journal.journal import Journal
from server.journal.model import Change
from server.journal.store.statements import statements
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.upsert import put

Effects = Callable[[AsyncConnection], Awaitable[None]]

CATALOG = "catalog"
PAGE = 200
#: While somebody waits at a door: nobody is answered while a page is taken.
SHORT_PAGE = 50
ATTEMPTS = 3
ERROR_CHARACTERS = 2000
#: SQLSTATE classes that speak of the server or of other transactions, not of a document.
TRANSIENT_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})
TRANSIENT_WORDS = ("locked", "busy", "disk", "full", "unable to open", "readonly", "i/o")

log = structlog.get_logger(__name__)


class LostLead(Exception):
    """Another process has taken this database further meanwhile."""


@dataclass(frozen=True, slots=True)
class _Step:
    """From which checkpoint to which a transaction goes."""

    since: int
    to: int


class Declared(Protocol):
    """A projection's declaration; the runner sorts followers by it."""

    @property
    def name(self) -> str:
        """Return the name under which checkpoints are kept."""

    @property
    def after(self) -> tuple[str, ...]:
        """Return the names of those whose work it reads: it goes no further through a feed than they have gone."""

    @property
    def writes_back(self) -> tuple[str, ...]:
        """Return the types of documents that it writes into the journal."""


class Projection(Declared, Protocol):
    """A function of changes: it first reads, then its effects run inside the follower's transaction."""

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return what to do in the transaction; it may run again with the same changes."""


class Follower:
    """One projection's way through all feeds."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock, projection: Projection) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._projection = projection
        self._sql = statements(is_postgresql=storage.is_postgresql)
        self._taken = _taken(is_postgresql=storage.is_postgresql)

    @property
    def name(self) -> str:
        """Return the name under which its checkpoints are kept."""
        return self._projection.name

    async def follow_once(self) -> int:
        """Take every change that stands in any database; return how many documents that were."""
        reached = await self.checkpoints()
        taken = 0
        # The catalog first: records speak of forms that came before them.
        ends = await self._journal.ends()
        for database in sorted(ends, key=lambda name: (name != CATALOG, name)):
            if ends[database] > reached.get(database, 0):
                taken += await self._follow(database, reached.get(database, 0))
        return taken

    async def checkpoints(self) -> dict[str, int]:
        """Return how far every database has been taken."""
        query = select(checkpoints.c.database, checkpoints.c.seq).where(checkpoints.c.follower == self._projection.name)
        async with self._storage.read() as connection:
            return {row.database: row.seq for row in await connection.execute(query)}

    async def retry_dead_letters(self) -> int:
        """Try every document that was set aside once more; return how many could be taken."""
        here = dead_letters.c.follower == self.name
        async with self._storage.read() as connection:
            waiting = (
                await connection.execute(select(dead_letters).where(here).order_by(dead_letters.c.last_at))
            ).all()
        return sum([await self._take_again(row.database, row.doc_id) for row in waiting])

    async def retry(self, database: str, document: str) -> bool:
        """Try one document that was set aside once more; whether it could be taken, or is not set aside at all."""
        here = (dead_letters.c.follower == self.name) & (dead_letters.c.database == database)
        async with self._storage.read() as connection:
            is_aside = await connection.scalar(
                select(dead_letters.c.doc_id).where(here, dead_letters.c.doc_id == document)
            )
        return is_aside is None or await self._take_again(database, document)

    async def take_again(self, database: str, ids: Sequence[str]) -> None:
        """Take these documents as they stand now, wherever the checkpoint is: something else has changed for them."""
        for start in range(0, len(ids), PAGE):
            changes = await self._journal.changes_of(database, ids[start : start + PAGE])
            await self._take(database, changes, None)

    async def _take_again(self, database: str, document: str) -> bool:
        changes = await self._journal.changes_of(database, [document])
        if not changes:
            # A journal that was restored from a backup may lack it; whoever brings it again brings a change.
            async with self._storage.write() as connection:
                here = (dead_letters.c.follower == self.name) & (dead_letters.c.database == database)
                await connection.execute(delete(dead_letters).where(here, dead_letters.c.doc_id == document))
        return all([await self._take_alone(database, change, 1, None) for change in changes])

    async def _horizon(self, database: str) -> int | None:
        """Return the sequence up to which the projection may read now; None for everything."""
        after = self._projection.after
        if not after:
            return None
        here = (checkpoints.c.database == database) & checkpoints.c.follower.in_(after)
        async with self._storage.read() as connection:
            gone = [row.seq for row in await connection.execute(select(checkpoints.c.seq).where(here))]
        return min(gone) if len(gone) == len(after) else 0

    async def _follow(self, database: str, since: int) -> int:
        taken = 0
        doors = self._journal.open_requests
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            horizon = await self._horizon(database)
            if horizon is not None and horizon <= since:
                return taken
            page = await self._journal.changes(
                database,
                since,
                limit=SHORT_PAGE if doors.are_busy else PAGE,
                include_docs=True,
                up_to=horizon,
                counts_pending=False,
            )
            if not page.rows:
                return taken
            await self._take(database, page.rows, _Step(since, page.last_seq))
            taken += len(page.rows)
            since = page.last_seq
            await doors.give_way(now() - began)

    async def _take(self, database: str, changes: Sequence[Change], step: _Step | None) -> None:
        """Take a page in one transaction, or each document of it alone; `step` None moves no checkpoint."""
        try:
            effects = await self._projection.effects(database, changes)
            await self._apply(database, changes, effects, step)
        except Exception as error:
            if is_transient(error):
                raise
            since = None if step is None else step.since
            for change in changes:
                alone = None if since is None else _Step(since, change.seq)
                await self._take_alone(database, change, ATTEMPTS, alone)
                since = None if since is None else change.seq

    async def _take_alone(self, database: str, change: Change, attempts: int, step: _Step | None) -> bool:
        failure: Exception | None = None
        for _ in range(attempts):
            try:
                effects = await self._projection.effects(database, [change])
                await self._apply(database, [change], effects, step)
            except Exception as error:
                if is_transient(error):
                    raise
                failure = error
            else:
                return True
        log.error(
            "document_set_aside",
            follower=self._projection.name,
            database=database,
            document=change.doc_id,
            error=type(failure).__name__,
        )
        await self._set_aside(database, change, failure, attempts, step)
        return False

    async def _apply(self, database: str, changes: Sequence[Change], effects: Effects, step: _Step | None) -> None:
        ids = self._sql.ids([change.doc_id for change in changes])
        async with self._storage.write() as connection:
            await effects(connection)
            await connection.execute(
                self._taken, {"of_follower": self._projection.name, "of_database": database, "ids": ids}
            )
            await self._advance(connection, database, step)

    async def _set_aside(
        self, database: str, change: Change, failure: Exception | None, attempts: int, step: _Step | None
    ) -> None:
        now = self._clock()
        # The class and the place say enough; a message could repeat answers.
        row: dict[str, object] = {
            "follower": self._projection.name,
            "database": database,
            "doc_id": change.doc_id,
            "seq": change.seq,
            "error": describe(failure),
            "attempts": attempts,
            "first_at": now,
            "last_at": now,
        }
        async with self._storage.write() as connection:
            known = select(dead_letters.c.attempts).where(
                dead_letters.c.follower == self._projection.name,
                dead_letters.c.database == database,
                dead_letters.c.doc_id == change.doc_id,
            )
            row["attempts"] = attempts + (await connection.scalar(known) or 0)
            await put(connection, dead_letters, [row], keep=["first_at"])
            await self._advance(connection, database, step)

    async def _advance(self, connection: AsyncConnection, database: str, step: _Step | None) -> None:
        if step is None:
            return
        mine = (checkpoints.c.follower == self._projection.name) & (checkpoints.c.database == database)
        stands = await connection.scalar(select(checkpoints.c.seq).where(mine).with_for_update())
        if (stands or 0) != step.since:
            # Two processes believed that they lead: the one that is behind must not overwrite newer rows.
            raise LostLead(database)
        await put(connection, checkpoints, [{"follower": self._projection.name, "database": database, "seq": step.to}])


@cache
def _taken(*, is_postgresql: bool) -> Delete:
    # Built once: a server has seven followers, and a command or a test as many for each round.
    return delete(dead_letters).where(
        dead_letters.c.follower == bindparam("of_follower"),
        dead_letters.c.database == bindparam("of_database"),
        statements(is_postgresql=is_postgresql).is_one_of(dead_letters.c.doc_id),
    )


def is_transient(error: Exception) -> bool:
    """Whether the database failed rather than the document: the connection, the disk, or another transaction."""
    if isinstance(error, (OSError, PoolTimeout, LostLead)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in TRANSIENT_CLASSES
    return any(word in str(error.orig).lower() for word in TRANSIENT_WORDS)


def describe(error: Exception | None) -> str:
    """Return the class and place of an error, without its message, which could repeat answers."""
    trace = error.__traceback__ if error is not None else None
    place = ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"[:ERROR_CHARACTERS]

"""The storage under every stage: SQLite for one machine, PostgreSQL for a province.

`Storage.write` is one transaction that is durable when its block ends; `Storage.read` sees one consistent
state. On SQLite writers queue in the process (it has one writer anyway, and waiting here costs no busy loop) and
share commits; on PostgreSQL they run side by side, and PostgreSQL lets their commits share the disk's time.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.platform.db.sqlite_driver import connecting, of_driver
from server.platform.db.sqlite_group_commit import Writers
from server.platform.db.types import json_text

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class Storage:
    """An open database, by URL: `sqlite:///path` or `postgresql://…`."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Open lazily: nothing connects before the first block."""
        parsed = make_url(url)
        parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
        self.is_postgresql = parsed.get_backend_name() == "postgresql"
        options = {} if self.is_postgresql else {"async_creator": connecting(parsed)}
        self.engine: AsyncEngine = create_async_engine(
            # What fails is logged, and parameters are people's answers.
            parsed,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,
            json_serializer=json_text,
            **options,
        )
        # On SQLite how durable a commit is belongs to the connection: none that may be less is ever lent for another.
        self._relaxed = self.engine
        if not self.is_postgresql:
            self._relaxed = create_async_engine(parsed, pool_size=1, max_overflow=0, **options)
            event.listen(self._relaxed.sync_engine, "connect", _prepare_relaxed_sqlite)
        self._writers = Writers(self.engine, self._relaxed)
        #: What the block that holds a connection wants done when it has committed.
        self._afterwards: dict[AsyncConnection, list[Callable[[], None]]] = {}
        if not self.is_postgresql:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in one snapshot; nothing that it writes is kept."""
        if self.is_postgresql:
            async with self.engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection
            return
        connection = await self.engine.connect()
        try:
            of_driver(connection).read_snapshot()
            yield connection
        except BaseException:
            await asyncio.shield(connection.close())
            raise
        # This waits for nothing, so that nobody can be cancelled in it, and needs no task to be safe in.
        await connection.close()

    @asynccontextmanager
    async def write(self, *, is_durable: bool = True) -> AsyncIterator[AsyncConnection]:
        """Give a connection in one transaction: durable when the block ends, undone when it raises.

        One that need not be durable is there for everyone when the block ends, and waits for no disk: power that fails
        may take it back, alone or with others like it, never with anything that was durable, and never out of order.
        """
        afterwards: list[Callable[[], None]] = []
        async with self._transaction(is_durable=is_durable) as connection:
            self._afterwards[connection] = afterwards
            try:
                yield connection
            finally:
                # On SQLite others may go on with this connection before the commit that they share.
                del self._afterwards[connection]
        for call in afterwards:
            call()

    def after_commit(self, connection: AsyncConnection, call: Callable[[], None]) -> None:
        """Have `call` made once the `write` block that gave `connection` is durable; never when it is undone."""
        self._afterwards[connection].append(call)

    async def ready(self) -> None:
        """Return when the database answers; raise what the driver says when it does not."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self._relaxed.dispose()

    @asynccontextmanager
    async def _transaction(self, *, is_durable: bool) -> AsyncIterator[AsyncConnection]:
        if not self.is_postgresql:
            async with self._writers.write(is_durable=is_durable) as connection:
                yield connection
            return
        async with self.engine.connect() as connection:
            try:
                if not is_durable:
                    await connection.execute(text("SET LOCAL synchronous_commit = off"))
                yield connection
            except BaseException:
                await connection.rollback()
                raise
            await connection.commit()


def _prepare_relaxed_sqlite(connection: Any, record: object) -> None:
    _prepare_sqlite(connection, record)
    # The log keeps its order and is whole up to where the disk has it.
    cursor: sqlite3.Cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: `write` needs BEGIN IMMEDIATE, or two writers that both
    # began as readers fail with SQLITE_BUSY whatever the timeout.
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=10000",
        "foreign_keys=ON",
        "cache_size=-32000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

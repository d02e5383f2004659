"""A server's disk: a real SQLite file behind the real engine, driven in this thread, that can fail between operations.

SQLAlchemy's asyncio dialect expects a driver with a thread of its own. This one answers at once, so that nothing but
the seed decides what happens in which order; at every operation it may let other requests go first, or die. Death
closes the process's connections as a kill does: what was committed stays, a transaction under way is gone.
"""

import asyncio
import sqlite3
from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar
from unittest.mock import patch

from sqlalchemy.ext.asyncio import create_async_engine

from server.db.engine import Storage

T = TypeVar("T")


class Killed(BaseException):
    """The process that was at work is dead; no error handler of the product may take it for an error."""


@dataclass(slots=True)
class _Process:
    """A run of the server: whatever still holds on to a dead one can do nothing any more."""

    is_dead: bool = False
    connections: list[sqlite3.Connection] = field(default_factory=list)


class Disk:
    """One machine's file. The engine outlives processes and seeds, as its compiled statements may."""

    def __init__(self, path: Path) -> None:
        """Stand at a path where `install` will put a file."""
        self.path = path
        self.engine = create_async_engine(
            f"sqlite+aiosqlite:///{path}", async_creator=self._connect, pool_size=40, max_overflow=0
        )
        self.random = Random(0)
        self.is_shared = False
        self._process = _Process()
        self._dies_in: int | None = None
        self._dies_after = False

    def install(self, image: bytes, random: Random) -> None:
        """Put a file here in place of the one that was."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self.path.write_bytes(image)
        self.random = random
        self.is_shared = False

    def start(self) -> Storage:
        """Return the storage of a new process."""
        self._process, self._dies_in = _Process(), None
        with patch("server.db.engine.create_async_engine", lambda *_, **__: self.engine):
            return Storage(f"sqlite:///{self.path}")

    def schedule_death(self, operations: int, *, after: bool) -> None:
        """Let the process die at that operation from now on, before or right after it is done."""
        self._dies_in, self._dies_after = operations, after

    def call_off_death(self) -> None:
        """Let the process live on."""
        self._dies_in = None

    @property
    def is_dead(self) -> bool:
        """Tell whether the process has died."""
        return self._process.is_dead

    async def stop(self) -> None:
        """End the process: nothing of it reaches the file any more."""
        self._die()
        await self.engine.dispose()

    def image(self) -> bytes:
        """Return what is durable, as a file."""
        with sqlite3.connect(self.path) as reader:
            found = reader.serialize()
        reader.close()
        return found

    async def operation(self, process: "_Process", work: Callable[[], T]) -> T:
        """Return what `work` does to the file, unless the process dies here or is dead."""
        if self.is_shared:
            for _ in range(self.random.randrange(3)):
                await asyncio.sleep(0)
        if process.is_dead:
            raise Killed
        if self._dies_in is not None:
            self._dies_in -= 1
            if self._dies_in <= 0:
                if self._dies_after:
                    work()
                self._die()
                raise Killed
        return work()

    def _die(self) -> None:
        self._process.is_dead = True
        for connection in self._process.connections:
            connection.close()

    async def _connect(self, *_: object, **__: object) -> "_Connection":
        raw = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._process.connections.append(raw)
        return _Connection(self, self._process, raw)


class _Connection:
    """What the dialect wants of a driver's connection."""

    def __init__(self, disk: Disk, process: _Process, raw: sqlite3.Connection) -> None:
        self._disk = disk
        self._process = process
        self._conn = self._connection = raw
        self._tx = self
        self.isolation_level: str | None = None

    def put_nowait(self, job: "tuple[Future[object], Callable[[], object]]") -> None:
        job[0].set_result(job[1]())

    def cursor(self) -> "_Cursor":
        return _Cursor(self._disk, self._process, self._conn)

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        cursor = self.cursor()
        await cursor.execute(sql, parameters)
        return cursor

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self._conn.create_function(*arguments, **options)

    async def commit(self) -> None:
        if self._process.is_dead or self._conn.in_transaction:
            await self._disk.operation(self._process, self._conn.commit)

    async def rollback(self) -> None:
        # No operation of its own: a dead process undoes nothing, its death has.
        if not self._process.is_dead:
            self._conn.rollback()

    async def close(self) -> None:
        self._conn.close()

    def stop(self) -> None:
        self._conn.close()


class _Cursor:
    """What the dialect wants of a driver's cursor."""

    def __init__(self, disk: Disk, process: _Process, raw: sqlite3.Connection) -> None:
        self._disk = disk
        self._process = process
        self._raw = raw
        self._cursor: sqlite3.Cursor | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        self._cursor = await self._disk.operation(self._process, lambda: self._raw.execute(sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        self._cursor = await self._disk.operation(self._process, lambda: self._raw.executemany(sql, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall() if self._cursor else []

    async def fetchmany(self, size: int = 100) -> list[Any]:
        return self._cursor.fetchmany(size) if self._cursor else []

    async def fetchone(self) -> Any:
        return self._cursor.fetchone() if self._cursor else None

    async def close(self) -> None:
        if self._cursor is not None and not self._process.is_dead:
            self._cursor.close()

    @property
    def description(self) -> Any:
        return self._cursor.description if self._cursor else None

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount if self._cursor else -1

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid if self._cursor else None

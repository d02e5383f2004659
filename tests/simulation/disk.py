"""A server's disk: a real SQLite file behind the real engine, driven in this thread, that can fail between operations.

The product's driver has a thread for each connection. Here its work is done at once, so that nothing but the seed
decides what happens in which order; at every operation it may let other requests go first, or die. Death closes the
process's connections as a kill does: what was committed stays, a transaction under way is gone.
"""

import asyncio
import sqlite3
from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

from sqlalchemy.ext.asyncio import create_async_engine

from server.platform.db.engine import Storage
from server.platform.db.sqlite_driver import Connection

T = TypeVar("T")


class Killed(BaseException):
    """The process that was at work is dead; no error handler of the product may take it for an error."""


@dataclass(slots=True)
class _Process:
    """A run of the server: whatever still holds on to a dead one can do nothing any more."""

    is_dead: bool = False
    connections: list[sqlite3.Connection] = field(default_factory=list)
    own: sqlite3.Connection | None = None


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
        with patch("server.platform.db.engine.create_async_engine", lambda *_, **__: self.engine):
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

    async def put(self, sql: str, parameters: Sequence[Any]) -> None:
        """Run a statement of the harness's own, durable when it returns; the process may die at it as at any other."""
        if self._process.own is None:
            self._process.own = sqlite3.connect(self.path, isolation_level=None)
            self._process.connections.append(self._process.own)
        own = self._process.own
        await self.operation(self._process, lambda: own.execute(sql, parameters))

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


class _Connection(Connection):
    """The product's connection without its thread: what it would do there is done here, as an operation of the disk."""

    def __init__(self, disk: Disk, process: _Process, raw: sqlite3.Connection) -> None:
        super().__init__(lambda: raw)
        self._disk = disk
        self._process = process
        self._connection = raw
        self._tx: Any = self

    def put_nowait(self, job: "tuple[Future[object] | None, Callable[[], object]]") -> None:
        ended, work = job
        result = work()
        if ended is not None:
            ended.set_result(result)

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._disk.operation(self._process, lambda: fn(*args, **kwargs))

    async def commit(self) -> None:
        if self._process.is_dead or self.raw.in_transaction:
            await self._disk.operation(self._process, self.raw.commit)

    async def rollback(self) -> None:
        # No operation of its own: a dead process undoes nothing, its death has.
        if not self._process.is_dead:
            self._is_due = self._is_snapshot = False
            self.raw.rollback()

    async def close(self) -> None:
        self.raw.close()

    def stop(self) -> None:
        self.raw.close()

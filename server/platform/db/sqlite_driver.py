"""SQLite's driver with one hop to its thread for each statement, where aiosqlite makes four.

aiosqlite runs each call of a connection in a thread of its own: opening a cursor, executing, fetching and closing are a
hop each, and a hop costs more than most statements. Here all of them happen in the hop that executes. Long results are
the exception: what goes beyond the first rows stays with SQLite until it is asked for. A snapshot begins in the hop of
its first statement, and nobody waits for its end: what is asked of the connection next stands behind it in the line.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

#: As many rows come along with the hop that executes.
FIRST_ROWS = 2000
#: How SQL begins that is several statements, and what stands between them: see `as_one_statement`.
SEVERAL = "-- several statements, each with its own rows\n"
NEXT = "\n;\n"

Result = TypeVar("Result")


class Cursor:
    """A statement and its rows, as SQLAlchemy uses a cursor of aiosqlite."""

    def __init__(self, connection: "Connection") -> None:
        """Nothing is executed yet."""
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> "Cursor":
        """Cost nothing."""
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        """Execute, and fetch the first rows."""
        begins = self._connection.takes_beginning()
        await self._connection.hop(lambda: self._run(lambda raw: raw.execute(sql, parameters), begins=begins))

    async def executemany(self, sql: str, parameters: Any) -> None:
        """Execute for each of many parameters, or several statements for theirs."""
        begins = self._connection.takes_beginning()
        steps = [(sql, parameters)]
        if sql.startswith(SEVERAL):
            steps = [(each, rows) for each, (rows,) in zip(sql.split(NEXT), parameters, strict=True)]

        def execute(raw: sqlite3.Cursor) -> None:
            for statement, rows in steps:
                raw.executemany(statement, rows)

        await self._connection.hop(lambda: self._run(execute, begins=begins))

    async def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """Return up to so many further rows."""
        wanted = size or self.arraysize
        if self._open is not None and len(self._rows) < wanted:
            await self._connection.hop(lambda: self._fetch(max(wanted, FIRST_ROWS)))
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> Sequence[Any]:
        """Return all further rows."""
        if self._open is not None:
            await self._connection.hop(lambda: self._fetch(None))
        rows, self._rows = self._rows, deque()
        return rows

    async def close(self) -> None:
        """Give up what was not fetched."""
        self._rows.clear()
        if self._open is not None:
            await self._connection.hop(self._end)

    def _run(self, execute: Callable[[sqlite3.Cursor], object], *, begins: bool) -> None:
        self._end()
        self._rows.clear()
        self._open = self._connection.raw.cursor()
        try:
            if begins:
                self._open.execute("BEGIN")
            execute(self._open)
        except BaseException:
            self._end()
            raise
        self.description, self.rowcount, self.lastrowid = (
            self._open.description,
            self._open.rowcount,
            self._open.lastrowid,
        )
        if self.description is None:
            self._end()
        else:
            self._fetch(FIRST_ROWS)

    def _fetch(self, count: int | None) -> None:
        assert self._open is not None
        rows = self._open.fetchall() if count is None else self._open.fetchmany(count)
        # A statement that changes rows and returns some has counted them all only at its end.
        self.rowcount = self._open.rowcount
        self._rows.extend(rows)
        if count is None or len(rows) < count:
            self._end()

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose statements hop once, and that does not hop to end what never began."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        """Open nothing before it is awaited."""
        super().__init__(connector, iter_chunk_size=64)
        # A process ends without waiting for it, as with aiosqlite under SQLAlchemy.
        self._thread.daemon = True
        # Two counters, because each has one thread that moves it.
        self._asked = self._done = 0
        # Both are the event loop's alone: whether the next statement begins a snapshot, and whether one stands open.
        self._is_due = self._is_snapshot = False

    @property
    def raw(self) -> sqlite3.Connection:
        """Return SQLite's own connection; to be used in its thread."""
        return self._conn

    async def hop(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns in the connection's thread."""

        def counted() -> Result:
            try:
                return work()
            finally:
                self._done += 1

        self._asked += 1
        result: Result = await self._execute(counted)  # type: ignore[no-untyped-call]
        return result

    def read_snapshot(self) -> None:
        """Let the next statement begin a transaction that reads one state; `rollback` ends it."""
        self._is_due = True

    def takes_beginning(self) -> bool:
        """Whether the statement that asks is the one that begins a snapshot; asked once for each."""
        is_due, self._is_due = self._is_due, False
        self._is_snapshot |= is_due
        return is_due

    def cursor(self) -> Cursor:  # type: ignore[override]
        """Return a cursor; SQLAlchemy enters it at once."""
        return Cursor(self)

    async def commit(self) -> None:
        """Make the transaction durable, if there is one."""
        if not self._is_idle:
            await super().commit()

    async def rollback(self) -> None:
        """Undo the transaction, if there is one: the pool asks for this after every use."""
        self._is_due = False
        if self._is_snapshot:
            self._is_snapshot = False
            # Nothing hangs on when a snapshot ends, and nothing can go wrong with it.
            self._tx.put_nowait((None, self._end_snapshot))
        elif not self._is_idle:
            await super().rollback()

    def _end_snapshot(self) -> None:
        if self.raw.in_transaction:
            self.raw.rollback()

    @property
    def _is_idle(self) -> bool:
        # A statement whose caller was cancelled may still be running, and be the one that begins a transaction.
        return self._asked == self._done and not self._conn.in_transaction


def as_one_statement(statements: Sequence[str]) -> str:
    """Return the SQL of two or more statements for one hop; its parameters are a tuple for each that holds its rows."""
    return SEVERAL + NEXT.join(statements)


def connecting(url: URL) -> Callable[[], Connection]:
    """Return what makes a connection to the file of `url`, still to be awaited."""
    (path,), options = url.get_dialect()().create_connect_args(url)

    return lambda: Connection(lambda: sqlite3.connect(path, **options))


def of_driver(connection: AsyncConnection) -> Connection:
    """Return the connection of this module under one of SQLAlchemy's that is in use."""
    assert connection.sync_connection is not None
    found = connection.sync_connection.connection.driver_connection
    assert isinstance(found, Connection)
    return found

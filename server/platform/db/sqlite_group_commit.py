"""The writers of one SQLite file: they work one at a time, and those who meet in the line share one durable commit.

A commit waits for the disk, work on rows hardly does. So the first of a line goes back to its end when its work is
done, and commits there for everyone who worked in between; nobody's block ends before that commit. A block that raises
is undone to its own savepoint and takes nobody along. Only when SQLite itself gives up the transaction, for instance
because the disk is full, do all who shared it fail, and none of them was told otherwise. A writer that meets nobody
begins, works and commits as if there were no line.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@dataclass(slots=True)
class _Group:
    """Those who share a commit; `error` is why there will be none, for all of them."""

    connection: AsyncConnection
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None


class Writers:
    """The line of writers."""

    def __init__(self, engine: AsyncEngine, relaxed: AsyncEngine) -> None:
        """Begin with nobody in it; a commit of a connection of `relaxed` does not wait for the disk."""
        self._engine = engine
        self._relaxed = relaxed
        # It hands its turns out in the order in which they were asked for: the commit comes after all who wait for it.
        self._turn = asyncio.Lock()
        self._in_line = 0
        self._group: _Group | None = None

    @asynccontextmanager
    async def write(self, *, is_durable: bool = True) -> AsyncIterator[AsyncConnection]:
        """Give a connection in its turn; what is done with it is durable when the block ends, undone when it raises.

        Who need not be durable joins a commit where one is due anyway, and else waits for no disk.
        """
        self._in_line += 1
        try:
            await self._turn.acquire()
        finally:
            self._in_line -= 1
        group = self._group
        turn: AbstractAsyncContextManager[AsyncConnection]
        if group is not None:
            turn = self._joining(group)
        elif is_durable:
            turn = self._first()
        else:
            turn = self._alone()
        async with turn as connection:
            yield connection

    @asynccontextmanager
    async def _first(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            stack.callback(self._turn.release)
            connection = await stack.enter_async_context(self._engine.connect())
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                await connection.rollback()
                raise
            held = stack.pop_all()
        # Others' work may hang on this commit by now: it comes even when this writer is no longer there to see it.
        await asyncio.shield(self._commit(_Group(connection), held))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        # Nobody joins: they would have to be durable.
        async with AsyncExitStack() as stack:
            stack.callback(self._turn.release)
            connection = await stack.enter_async_context(self._relaxed.connect())
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                await connection.commit()
            except BaseException:
                await connection.rollback()
                raise

    async def _commit(self, group: _Group, held: AsyncExitStack) -> None:
        async with held:
            if self._in_line:
                self._group = group
                self._turn.release()
                await self._turn.acquire()
                if self._group is group:
                    self._group = None
            try:
                if group.error is not None:
                    raise group.error
                await group.connection.commit()
            except Exception as error:
                group.error = error
                await group.connection.rollback()
                raise
            finally:
                group.ended.set()

    @asynccontextmanager
    async def _joining(self, group: _Group) -> AsyncIterator[AsyncConnection]:
        try:
            await group.connection.exec_driver_sql("SAVEPOINT writer")
            try:
                yield group.connection
                await group.connection.exec_driver_sql("RELEASE writer")
            except BaseException as error:
                await self._undo(group, error)
                raise
        finally:
            self._turn.release()
        await group.ended.wait()
        if group.error is not None:
            raise group.error

    async def _undo(self, group: _Group, because: BaseException) -> None:
        try:
            await group.connection.exec_driver_sql("ROLLBACK TO writer")
            await group.connection.exec_driver_sql("RELEASE writer")
        except SQLAlchemyError as error:
            # There is no transaction any more: SQLite has given it up, or a statement that was cancelled took the
            # connection along. Who comes next begins another.
            group.error = because if isinstance(because, Exception) else error
            self._group = None
            with suppress(SQLAlchemyError):
                await group.connection.rollback()

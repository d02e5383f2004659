"""One process at a time: a lead that several servers on one PostgreSQL hand to each other.

The lead is a session's advisory lock: it ends with the connection, so that a process that dies never keeps it. On
SQLite there is one process, which always leads.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.advisory_locks import AdvisoryLock
from server.platform.db.engine import Storage


class Lead:
    """The lead while it is held."""

    def __init__(self, connection: AsyncConnection | None) -> None:
        self._connection = connection

    async def confirm(self) -> None:
        """Return while the lead still holds; raises what the driver says once its connection is gone."""
        if self._connection is not None:
            await self._connection.execute(text("SELECT 1"))


@asynccontextmanager
async def lead(storage: Storage, key: AdvisoryLock) -> AsyncIterator[Lead | None]:
    """Give the lead called `key`, None where another process has it."""
    if not storage.is_postgresql:
        yield Lead(None)
        return
    async with storage.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        if not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            yield None
            return
        try:
            yield Lead(connection)
        finally:
            # The pool would keep the session, and with it the lock.
            await connection.invalidate()

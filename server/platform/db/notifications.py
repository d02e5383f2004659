"""Short words that processes on one PostgreSQL call out to each other: LISTEN and NOTIFY on a connection of their own.

A word can be lost, for instance while the connection is made again: whoever listens must also look for itself now and
then. Words are sent after the commits that they tell of and not by them: PostgreSQL lets transactions that notify
commit one after the other only, each with its own wait for the disk. On SQLite there is nobody to call.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from server.platform.db.engine import Storage

ALIVE_S = 15.0
PATIENCE_S = 10.0
RETRY_S = 1.0

_NOTIFY = "SELECT pg_notify($1, word) FROM unnest($2::text[]) AS word"

log = structlog.get_logger(__name__)


class Notices:
    """One channel: what others say is handed to `hear`, one's own words are not."""

    def __init__(self, storage: Storage, channel: str, hear: Callable[[str], None]) -> None:
        """Connect to nothing yet."""
        self._storage = storage
        self._channel = channel
        self._hear = hear
        self._unsent: set[str] = set()
        self._due = asyncio.Event()
        self._is_running = False

    def send(self, word: str) -> None:
        """Send a word soon, together with others; it is dropped where nothing listens in this process."""
        if self._is_running:
            self._unsent.add(word)
            self._due.set()

    async def run(self) -> None:
        """Listen and send until cancelled, connecting again however often that takes."""
        if not self._storage.is_postgresql:
            return
        # The pool's connections belong to transactions; this one is held for as long as the process lives.
        engine = create_async_engine(self._storage.engine.url, poolclass=NullPool)
        self._is_running = True
        try:
            while True:
                try:
                    async with engine.connect() as connection:
                        raw = await connection.get_raw_connection()
                        await self._serve(raw.driver_connection)
                # The driver has errors of many families for a connection that goes, its internal ones among them.
                except Exception as error:
                    log.warning("notices_interrupted", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
        finally:
            self._is_running = False

    async def _serve(self, connection: Any) -> None:
        own = connection.get_server_pid()

        def heard(_connection: object, sender: int, _channel: str, word: str) -> None:
            if sender != own:
                self._hear(word)

        connection.add_termination_listener(lambda _connection: self._due.set())
        await connection.add_listener(self._channel, heard)
        # Nothing is lost with a word, so sending one need not wait for the disk.
        await connection.execute("SET synchronous_commit TO off")
        while True:
            words, self._unsent = sorted(self._unsent), set()
            self._due.clear()
            # Without words it is a sign of life: a connection that has died silently is found out by it.
            await connection.execute(_NOTIFY, self._channel, words, timeout=PATIENCE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(ALIVE_S):
                    await self._due.wait()

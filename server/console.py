"""The parts that commands use: the settings of this environment, an open storage and its journal.

A stage's `commands.py` holds `commands: tuple[click.Command, ...]`, each of which hands a coroutine to `run`;
`server.cli` registers them. Errors leave as one sentence (`Failure`), never as a traceback.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import make_url

from server.journal.journal import Journal
from server.platform.clock import Clock, system_clock
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.settings import Settings, SettingsError, load_settings

Result = TypeVar("Result")


class Failure(Exception):
    """A command could not do its work; the message is a sentence for the person at the console."""


@dataclass(frozen=True, slots=True)
class Console:
    """The parts that commands work with."""

    settings: Settings
    storage: Storage
    journal: Journal
    clock: Clock


@asynccontextmanager
async def open_console(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Console]:
    """Give a console over the migrated database of `settings`, and close it."""
    storage = open_storage(settings)
    try:
        await migrate(storage)
        yield Console(settings, storage, Journal(storage, clock), clock)
    finally:
        await storage.close()


def open_storage(settings: Settings) -> Storage:
    """Return the storage of `settings`, with the folder that an SQLite file needs."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(f"NUONG_DATABASE_URL: the folder of {url.database} can't be made ({reason})") from None
    return Storage(settings.database_url, pool_size=settings.database_pool)


def run(work: Callable[[Console], Awaitable[Result]]) -> Result:
    """Return what `work` returns over this environment's console."""

    async def over_console() -> Result:
        async with open_console(load_settings()) as console:
            return await work(console)

    return asyncio.run(over_console())

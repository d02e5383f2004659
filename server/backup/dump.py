"""The database as one moment saw it, copied while phones go on writing.

SQLite writes the copy itself (`VACUUM INTO`). On PostgreSQL one snapshot is read, table by table, in its COPY format;
no client program is needed, and any later PostgreSQL reads it. Views are left out: what makes them is in the tables.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from server.backup.coverage import NUMBERS, SAVES, NamedFiles
from server.backup.manifest import DATABASE, Part, TableCount, part_of
from server.console import Failure
from server.platform.db.engine import Storage

#: Its row says which schema the tables have; the manifest says that.
VERSIONS = "alembic_version"
SQLITE_FILE = f"{DATABASE}/nuong.sqlite"


@dataclass(slots=True)
class Copied:
    """Facts about a copied database."""

    schema: str
    tables: list[TableCount] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    media: dict[str, int] = field(default_factory=dict)
    numbers: list[tuple[str, str, str]] = field(default_factory=list)
    saves: NamedFiles = field(default_factory=NamedFiles)
    accounts: dict[bool, int] = field(default_factory=dict)


async def copy_database(storage: Storage, folder: Path) -> Copied:
    """Copy the database of `storage` into a backup's folder; raises `Failure` for one that no server has used."""
    (folder / DATABASE).mkdir()
    if storage.is_postgresql:
        async with _snapshot(storage) as connection:
            return await _copy_postgresql(connection, folder)
    return await asyncio.to_thread(_copy_sqlite, str(make_url(str(storage.engine.url)).database), folder)


def sqlite_counts(path: Path) -> dict[str, int]:
    """Return the rows of every table in a file of SQLite; raises `Failure` where the file is damaged."""
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True) as opened:
        try:
            (said,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            if said != "ok":
                raise Failure(f"{path} is damaged: {said}.")
            names = [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            # The names are the file's own.
            count = 'SELECT count(*) FROM "{}"'
            return {name: opened.execute(count.format(name)).fetchone()[0] for name in names}
        except sqlite3.DatabaseError as error:
            raise Failure(f"{path} is damaged: {error}.") from None


def _copy_sqlite(source: str, folder: Path) -> Copied:
    target = folder / SQLITE_FILE
    with sqlite3.connect(source, timeout=60) as opened:
        try:
            opened.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.OperationalError as error:
            raise Failure(f"The database can't be copied: {error}.") from None
    counts = sqlite_counts(target)
    with sqlite3.connect(f"{target.absolute().as_uri()}?mode=ro&immutable=1", uri=True) as copy:
        copied = Copied(_known_schema(copy.execute("SELECT version_num FROM alembic_version") if counts else ()))
        copied.tables = [TableCount(name, (), rows) for name, rows in sorted(counts.items()) if name != VERSIONS]
        copied.media = dict(copy.execute("SELECT sha256, bytes FROM media"))
        copied.numbers = list(copy.execute(NUMBERS))
        copied.accounts = {bool(flag): count for flag, count in copy.execute(ACCOUNTS)}
        for row in copy.execute(SAVES):
            copied.saves.note(*row)
    copied.parts = [part_of(folder, SQLITE_FILE)]
    return copied


ACCOUNTS = "SELECT is_active, count(*) FROM people GROUP BY is_active"


@asynccontextmanager
async def _snapshot(storage: Storage) -> AsyncIterator[AsyncConnection]:
    async with storage.read() as connection:
        # The driver begins the transaction with the first statement, and COPY goes past SQLAlchemy.
        await connection.execute(text("SELECT 1"))
        yield connection


async def _copy_postgresql(connection: AsyncConnection, folder: Path) -> Copied:
    heads = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_heads())
    copied = Copied(_known_schema([(head,) for head in heads]))
    columns = await connection.run_sync(_columns)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    for name, names in columns.items():
        path = f"{DATABASE}/{name}.copy"
        status = await driver.copy_from_table(name, columns=names, output=folder / path, format="text")
        copied.tables.append(TableCount(name, tuple(names), int(status.split()[-1])))
        copied.parts.append(await asyncio.to_thread(part_of, folder, path))
    copied.media = {row[0]: row[1] for row in await connection.execute(text("SELECT sha256, bytes FROM media"))}
    copied.numbers = [(row[0], row[1], row[2]) for row in await connection.execute(text(NUMBERS))]
    copied.accounts = {bool(row[0]): row[1] for row in await connection.execute(text(ACCOUNTS))}
    async for row in await connection.stream(text(SAVES)):
        copied.saves.note(row[0], row[1], row[2])
    return copied


def _columns(connection: Any) -> dict[str, list[str]]:
    look = inspect(connection)
    names = sorted(name for name in look.get_table_names() if name != VERSIONS)
    return {name: [column["name"] for column in look.get_columns(name)] for name in names}


def _known_schema(versions: Any) -> str:
    found = [row[0] for row in versions]
    if len(found) != 1:
        raise Failure("There is nothing to keep: no server has used this database.")
    return str(found[0])

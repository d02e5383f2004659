"""A backup's database brought into an empty one: the schema that it had, its rows, its views, then today's schema.

All of it is one transaction on PostgreSQL. On SQLite it is done in a file beside the database's place, which takes that
name when it is whole and on the disk. Either way a restore that fails, or dies, leaves the empty database empty.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, delete, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from server.backup.dump import SQLITE_FILE, VERSIONS
from server.backup.manifest import DATABASE, Manifest
from server.console import Failure
from server.platform.db.engine import Storage
from server.platform.db.migrate import MIGRATIONS, configuration, migrate, upgrade

#: Done in the restored database before anybody sees it.
Settle = Callable[[AsyncConnection], Awaitable[None]]


def check_schema(manifest: Manifest) -> None:
    """Raise `Failure` where this program doesn't know the schema of the backup."""
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if manifest.schema not in known:
        raise Failure(f"The backup has the schema {manifest.schema}, which is newer than this program: upgrade first.")


async def check_empty(storage: Storage, manifest: Manifest) -> None:
    """Raise `Failure` where the database is of another kind than the backup's, or not empty."""
    kind = "postgresql" if storage.is_postgresql else "sqlite"
    if kind != manifest.kind:
        raise Failure(f"NUONG_DATABASE_URL: the backup is of {manifest.kind}, this database is {kind}.")
    if not storage.is_postgresql and not sqlite_path(storage).exists():
        return
    async with storage.read() as connection:
        found = await connection.run_sync(_relations)
    if found:
        raise Failure(
            "NUONG_DATABASE_URL: this database is not empty, and a restore overwrites nothing. "
            "Stop the server, keep what is there under another name, and restore into a new, empty one."
        )


async def restore_database(storage: Storage, folder: Path, manifest: Manifest, settle: Settle) -> None:
    """Bring the backup's database into the empty one of `storage`."""
    if storage.is_postgresql:
        async with storage.write() as connection:
            await _load_postgresql(connection, folder, manifest)
            await settle(connection)
        return
    target = sqlite_path(storage)
    draft = target.with_name(f"{target.name}.restoring")
    await asyncio.to_thread(shutil.copyfile, folder / SQLITE_FILE, draft)
    beside = Storage(f"sqlite:///{draft}")
    try:
        await migrate(beside)
        async with beside.write() as connection:
            await settle(connection)
    finally:
        await beside.close()
    await storage.close()
    await asyncio.to_thread(_take_name, draft, target)


def sqlite_path(storage: Storage) -> Path:
    """Return the file of a database of SQLite."""
    return Path(str(make_url(str(storage.engine.url)).database))


def _relations(connection: Connection) -> list[str]:
    look = inspect(connection)
    return [*look.get_table_names(), *look.get_view_names()]


async def _load_postgresql(connection: AsyncConnection, folder: Path, manifest: Manifest) -> None:
    await connection.run_sync(lambda sync: command.upgrade(configuration(sync), manifest.schema))
    tables = await connection.run_sync(_parents_first)
    order = [table.name for table in tables]
    told = {table.name: table for table in manifest.tables}
    if set(order) != set(told):
        strangers = ", ".join(sorted(set(order) ^ set(told)))
        raise Failure(f"The backup does not have the tables of its schema {manifest.schema}: {strangers}.")
    driver: Any = (await connection.get_raw_connection()).driver_connection
    # What migrations put into new tables is in the backup as it was then.
    for table in reversed(tables):
        await connection.execute(delete(table))
    for name in order:
        source, columns = folder / DATABASE / f"{name}.copy", list(told[name].columns)
        status = await driver.copy_to_table(name, columns=columns, source=source, format="text")
        if int(status.split()[-1]) != told[name].rows:
            raise Failure(f"The backup's table {name} has not as many rows as it had: {told[name].rows}.")
    rows = await connection.execute(text("SELECT name, definition FROM publication_views ORDER BY name"))
    for row in rows.all():
        quoted = row.name.replace('"', '""')
        await connection.exec_driver_sql(f'CREATE VIEW "{quoted}" AS {row.definition}')
    await connection.run_sync(upgrade)


def _parents_first(connection: Connection) -> list[Table]:
    tables = MetaData()
    tables.reflect(connection)
    return [table for table in tables.sorted_tables if table.name != VERSIONS]


def _take_name(draft: Path, target: Path) -> None:
    with sqlite3.connect(draft) as opened:
        # What the log still holds goes into the file, so that the file alone is the database.
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        opened.execute("PRAGMA journal_mode=DELETE")
    opened.close()
    fd = os.open(draft, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    # A file that was here was empty; what it left beside it is not of the one that comes.
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    draft.replace(target)
    fd = os.open(target.parent, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)

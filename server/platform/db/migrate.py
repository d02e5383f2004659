"""Bring a database to the present schema, and tell whether it is there.

Every migration runs in one transaction: a schema is old or new, never between. Processes that start together queue,
and the later ones find nothing to do; where the schema is current nobody waits. There is no way back down: a backup is.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from server.platform.db.advisory_locks import AdvisoryLock
from server.platform.db.engine import Storage

MIGRATIONS = Path(__file__).parent / "migrations"


async def migrate(storage: Storage) -> None:
    """Run the migrations that the database lacks."""
    # A command beside a running server must not wait for anything: mostly there is nothing to do.
    if await is_current(storage):
        return
    async with storage.write() as connection:
        if storage.is_postgresql:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AdvisoryLock.MIGRATION})
        await connection.run_sync(upgrade)


async def is_current(storage: Storage) -> bool:
    """Whether the database has the schema that this server's code expects."""
    async with storage.read() as connection:
        present = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_heads())
    return set(present) == set(ScriptDirectory(str(MIGRATIONS)).get_heads())


def configuration(connection: Connection) -> Config:
    """Return what Alembic needs to work on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Run the missing migrations on `connection`, whose transaction is the caller's."""
    command.upgrade(configuration(connection), "head")

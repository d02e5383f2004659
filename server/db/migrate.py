"""Bring a database to the present schema."""

from sqlalchemy import inspect

from server.db.engine import Storage
from server.db.metadata import metadata


async def migrate(storage: Storage) -> None:
    """Create what is missing."""
    async with storage.write() as connection:
        await connection.run_sync(metadata.create_all)


async def is_current(storage: Storage) -> bool:
    """Whether the database has all that this server's code expects."""
    async with storage.read() as connection:
        present = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    return set(metadata.tables) <= present

"""Bring a database to the present schema."""

from server.db.engine import Storage
from server.db.metadata import metadata


async def migrate(storage: Storage) -> None:
    """Create what is missing."""
    async with storage.write() as connection:
        await connection.run_sync(metadata.create_all)

"""The migrations build exactly what the code's tables say."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

import server.app  # noqa: F401  (registers every stage's tables)
from server.db.engine import Storage
from server.db.metadata import metadata
from server.db.migrate import migrate


def differences(connection: Connection) -> list[object]:
    # Compared without types, which SQLite reports in its own words; names, columns, indexes and keys it tells exactly.
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    # A tool's own bookkeeping table is no table of ours.
    return [change for change in compare_metadata(context, metadata) if "alembic_version" not in str(change)]


async def test_a_migrated_database_has_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    await migrate(storage)
    async with storage.read() as connection:
        found = await connection.run_sync(differences)
    await storage.close()
    assert found == []

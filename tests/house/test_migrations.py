"""The migrations build exactly what the code's tables say."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

import server.app  # noqa: F401  (registers every stage's tables)
from server.db.engine import Storage
from server.db.metadata import metadata
from server.db.migrate import is_current, migrate


def differences(connection: Connection) -> list[object]:
    # Compared without types, which SQLite reports in its own words; names, columns, indexes and keys it tells exactly.
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


async def test_a_migrated_database_has_exactly_the_tables_of_the_code(storage: Storage) -> None:
    async with storage.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(storage: Storage) -> None:
    await migrate(storage)
    assert await is_current(storage)


async def test_an_empty_database_is_not_current(tmp_path: Path) -> None:
    empty = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    assert not await is_current(empty)
    await empty.close()

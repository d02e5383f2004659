"""Insert rows or overwrite those that are there, in one statement, on either database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.insert_missing import insert_missing


async def put(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> None:
    """Insert each row, or overwrite the one with its key but for the columns in `keep` and unless `where` is false.

    Every row has the same columns; `rows` may be empty.
    """
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    values = {name: insert.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    if values:
        await connection.execute(
            insert.on_conflict_do_update(index_elements=keys, set_=values, where=where), list(rows)
        )
    else:
        await insert_missing(connection, table, rows)

"""Several statements without results, each for rows of its own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.one_hop import several

#: The driver's own SQL, and its parameters, a tuple a row.
Step = tuple[str, Sequence[tuple[Any, ...]]]


async def execute_several(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Execute the steps one after the other; on SQLite in one go, as each hop to its thread costs as much as a step."""
    if len(steps) > 1 and connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(several([sql for sql, _ in steps]), [(rows,) for _, rows in steps])
        return
    for sql, rows in steps:
        await connection.exec_driver_sql(sql, list(rows))

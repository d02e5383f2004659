"""Several statements without results, each for rows of its own."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.sqlite_driver import as_one_statement

#: The driver's own SQL, and its parameters, a tuple a row.
Step = tuple[str, Sequence[tuple[Any, ...]]]

#: As many rows go to SQLite in one statement. It lets go of Python's lock once a statement and must have it back for
#: the next: row by row it would stand in line behind the event loop five hundred times.
ROWS = 50
_VALUES = re.compile(r"(?<= VALUES )\(\?(?:, \?)*\)")


async def execute_several(connection: AsyncConnection, steps: Sequence[Step]) -> None:
    """Execute the steps one after the other; on SQLite in one go, as each hop to its thread costs as much as a step."""
    if len(steps) > 1 and connection.dialect.name == "sqlite":
        wide = [part for step in steps for part in _in_wide_statements(*step)]
        await connection.exec_driver_sql(as_one_statement([sql for sql, _ in wide]), [(rows,) for _, rows in wide])
        return
    for sql, rows in steps:
        await connection.exec_driver_sql(sql, list(rows))


def _in_wide_statements(sql: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[Step]:
    wide = _wide(sql)
    whole = len(rows) // ROWS * ROWS if wide else 0
    if whole:
        yield wide, [tuple(chain.from_iterable(rows[start : start + ROWS])) for start in range(0, whole, ROWS)]
    if whole < len(rows):
        yield sql, rows[whole:]


@cache
def _wide(sql: str) -> str:
    """Return an INSERT of one row as one of so many; nothing for other statements."""
    widened, count = _VALUES.subn(lambda one: ", ".join([one[0]] * ROWS), sql)
    return widened if count == 1 else ""

"""Which contents have arrived, for whoever shows the records that name them."""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.media.tables import media

#: SQLite takes only so many parameters in one statement.
_AT_ONCE = 500


async def openable(connection: AsyncConnection, sha256s: Collection[str] | Select[tuple[str]]) -> dict[str, bool]:
    """Return those of `sha256s`, which may be a query, that are here, each with whether it can be opened."""
    if isinstance(sha256s, Select):
        rows = await connection.execute(select(media.c.sha256, media.c.readable).where(media.c.sha256.in_(sha256s)))
        return {row.sha256: row.readable for row in rows}
    wanted = sorted(sha256s)
    found: dict[str, bool] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = media.c.sha256.in_(wanted[start : start + _AT_ONCE])
        rows = await connection.execute(select(media.c.sha256, media.c.readable).where(some))
        found |= {row.sha256: row.readable for row in rows}
    return found

"""The contents that have arrived, for those who show the records that name them or carry them to another server."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.media.tables import media, media_links

#: SQLite takes only so many parameters in one statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AvailableMedia:
    """A content that is here, as it belongs to a record of `database`."""

    sha256: str
    database: str
    name: str
    type: str
    bytes: int


async def kept(
    connection: AsyncConnection, sha256s: Collection[str], may_read: Callable[[str], bool]
) -> dict[tuple[str, str], AvailableMedia]:
    """Return those of `sha256s` that are here, by content and database, for the databases that `may_read` lets pass."""
    wanted = sorted(sha256s)
    found: dict[tuple[str, str], AvailableMedia] = {}
    query = select(media_links.c.sha256, media_links.c.database, media_links.c.name, media.c.type, media.c.bytes).join(
        media, media.c.sha256 == media_links.c.sha256
    )
    for start in range(0, len(wanted), _AT_ONCE):
        some = media_links.c.sha256.in_(wanted[start : start + _AT_ONCE])
        for row in await connection.execute(query.where(some).order_by(media_links.c.record, media_links.c.name)):
            if may_read(row.database):
                found.setdefault((row.sha256, row.database), AvailableMedia(*row))
    return found


async def openable(
    connection: AsyncConnection, database: str, sha256s: Collection[str] | Select[tuple[str]]
) -> dict[str, bool]:
    """Return those of `sha256s`, which may be a query, that are here for a database, each with whether it opens.

    What is here for another one alone is not among them: nobody of this database can see it.
    """
    query = select(media.c.sha256, media.c.readable).join(media_links, media_links.c.sha256 == media.c.sha256)
    query = query.where(media_links.c.database == database)
    if isinstance(sha256s, Select):
        return {row.sha256: row.readable for row in await connection.execute(query.where(media.c.sha256.in_(sha256s)))}
    wanted = sorted(sha256s)
    found: dict[str, bool] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = media.c.sha256.in_(wanted[start : start + _AT_ONCE])
        found |= {row.sha256: row.readable for row in await connection.execute(query.where(some))}
    return found

"""Where documents stand in the feed, as a transaction that writes them sees it."""

from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.revisions.tables import documents

_OF = select(documents.c.doc_id, documents.c.seq).where(
    documents.c.database == bindparam("database"), documents.c.doc_id.in_(bindparam("ids", expanding=True))
)


async def places_within(connection: AsyncConnection, database: str, ids: Collection[str]) -> dict[str, int]:
    """Return the latest sequences of those documents that are here, by id."""
    if not ids:
        return {}
    rows = await connection.execute(_OF, {"database": database, "ids": sorted(ids)})
    return {row.doc_id: row.seq for row in rows}

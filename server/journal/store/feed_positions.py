"""Where documents stand in the feed, as a transaction that writes them sees it."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store.tables import documents
from server.platform.db.value_lists import is_one_of


async def places_within(connection: AsyncConnection, database: str, ids: Collection[str]) -> dict[str, int]:
    """Return the latest sequences of those documents that are here, by id."""
    here = (documents.c.database == database) & is_one_of(connection, documents.c.doc_id, ids)
    rows = await connection.execute(select(documents.c.doc_id, documents.c.seq).where(here))
    return {row.doc_id: row.seq for row in rows}

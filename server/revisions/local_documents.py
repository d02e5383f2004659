"""Local documents: outside of the graph and the feed, one owner's each, numbered `0-1`, `0-2`, … by their writes.

A write names the number that it replaces. A checkpoint that an answer was lost for is written again by its replica,
which then finds the mismatch and reads first.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.revisions.local_tables import local_documents as table


@dataclass(frozen=True, slots=True)
class LocalKey:
    """Names a local document; `doc_id` is without `_local/`."""

    database: str
    owner: str
    doc_id: str


@dataclass(frozen=True, slots=True)
class LocalDocument:
    """A local document as it stands."""

    number: int
    content: bytes

    @property
    def rev(self) -> str:
        """Return its revision, which is no revision id of the graph."""
        return f"0-{self.number}"


async def find(connection: AsyncConnection, key: LocalKey) -> LocalDocument | None:
    """Return the document; None when it is not here."""
    row = (await connection.execute(select(table.c.number, table.c.content).where(_is(key)))).one_or_none()
    return None if row is None else LocalDocument(row.number, row.content)


async def put(connection: AsyncConnection, key: LocalKey, rev: str | None, content: bytes) -> LocalDocument | None:
    """Return the document after writing it over `rev` (None: over nothing); None when another one stands there."""
    row = await connection.execute(select(table.c.number).where(_is(key)).with_for_update())
    stands = row.scalar_one_or_none()
    if rev != (None if stands is None else f"0-{stands}"):
        return None
    written = LocalDocument((stands or 0) + 1, content)
    values = {"number": written.number, "content": content}
    if stands is None:
        names = {"database": key.database, "owner": key.owner, "doc_id": key.doc_id}
        await connection.execute(table.insert().values(**names, **values))
    else:
        await connection.execute(table.update().where(_is(key)).values(**values))
    return written


async def remove(connection: AsyncConnection, key: LocalKey, rev: str | None) -> bool | None:
    """Delete the document; False when another revision stands there, None when none does."""
    stands = await find(connection, key)
    if stands is None:
        return None
    if stands.rev != rev:
        return False
    await connection.execute(delete(table).where(_is(key)))
    return True


def _is(key: LocalKey) -> ColumnElement[bool]:
    return and_(table.c.database == key.database, table.c.owner == key.owner, table.c.doc_id == key.doc_id)

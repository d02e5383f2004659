"""Local documents: outside of the graph and the feed, one owner's each, numbered `0-1`, `0-2`, … by their writes.

A write names the number that it replaces. A checkpoint that an answer was lost for is written again by its replica,
which then finds the mismatch and reads first.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store.local_tables import local_documents as table

# Built once: a replica asks for its checkpoint and writes it with every batch. Parameters are not named like columns:
# an UPDATE sets every column that one of its parameters is named after.
_KEY: dict[str, Any] = {
    "database": bindparam("of_database"),
    "owner": bindparam("of_owner"),
    "doc_id": bindparam("of_doc"),
}
_SAID: dict[str, Any] = {"number": bindparam("as_number"), "content": bindparam("as_content")}
_IS = and_(*(table.c[name] == parameter for name, parameter in _KEY.items()))
_FIND = select(table.c.number, table.c.content).where(_IS)
_LOCK = select(table.c.number).where(_IS).with_for_update()
_ADD = insert(table).values({**_KEY, **_SAID})
_CHANGE = update(table).where(_IS).values(_SAID)
_REMOVE = delete(table).where(_IS)
_HELD = select(func.count(), func.coalesce(func.sum(func.length(table.c.content)), 0)).where(
    *(table.c[name] == _KEY[name] for name in ("database", "owner")), table.c.doc_id != _KEY["doc_id"]
)


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
    row = (await connection.execute(_FIND, _names(key))).one_or_none()
    return None if row is None else LocalDocument(row.number, row.content)


async def put(connection: AsyncConnection, key: LocalKey, rev: str | None, content: bytes) -> LocalDocument | None:
    """Return the document after writing it over `rev` (None: over nothing); None when another one stands there."""
    stands = (await connection.execute(_LOCK, _names(key))).scalar_one_or_none()
    if rev != (None if stands is None else f"0-{stands}"):
        return None
    written = LocalDocument((stands or 0) + 1, content)
    values = _names(key) | {"as_number": written.number, "as_content": content}
    await connection.execute(_ADD if stands is None else _CHANGE, values)
    return written


async def held(connection: AsyncConnection, key: LocalKey) -> tuple[int, int]:
    """Return how many other local documents their owner has in a database, and their bytes."""
    count, size = (await connection.execute(_HELD, _names(key))).one()
    return int(count), int(size)


async def remove(connection: AsyncConnection, key: LocalKey, rev: str | None) -> bool | None:
    """Delete the document; False when another revision stands there, None when none does."""
    stands = await find(connection, key)
    if stands is None:
        return None
    if stands.rev != rev:
        return False
    await connection.execute(_REMOVE, _names(key))
    return True


def _names(key: LocalKey) -> dict[str, object]:
    return {"of_database": key.database, "of_owner": key.owner, "of_doc": key.doc_id}

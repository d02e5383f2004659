"""The documents of a database in the order of their ids, and what its head says of it to other replicas."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import UnknownDatabase
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, databases, documents
from sync.revisions import checkpoint_chain
from sync.revisions.revision_id import RevisionId


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """A database at one moment: counts of live and deleted documents, where its feed ends, when it was made."""

    name: str
    seq: int
    update_seq: str
    documents: int
    deleted: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of ids; None is open on that side. `descending` goes from `start` down to `end`."""

    start: str | None = None
    end: str | None = None
    is_end_included: bool = True
    descending: bool = False

    def condition(self, after: str | None = None) -> ColumnElement[bool]:
        """Return what holds of the ids in it; `after` is the last one that was read already."""
        column = documents.c.doc_id
        parts: list[ColumnElement[bool]] = []
        if self.start is not None:
            parts.append(column <= self.start if self.descending else column >= self.start)
        if after is not None:
            parts.append(column < after if self.descending else column > after)
        if self.end is not None:
            before = column > self.end if self.descending else column < self.end
            parts.append(before | (column == self.end) if self.is_end_included else before)
        return and_(True, *parts)

    def before(self) -> ColumnElement[bool] | None:
        """Return what holds of the ids that stand before it; None where none does."""
        if self.start is None:
            return None
        return documents.c.doc_id > self.start if self.descending else documents.c.doc_id < self.start


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a listing shows it; `content` the winner's where it was asked for."""

    doc_id: str
    winner: RevisionId
    deleted: bool
    leaves: tuple[RevisionId, ...]
    content: bytes | None


_HERE = documents.c.database == bindparam("database")
_COLUMNS = (documents.c.doc_id, documents.c.winner, documents.c.deleted, documents.c.leaves)
_WITH_BODY = and_(
    bodies.c.database == documents.c.database,
    bodies.c.doc_id == documents.c.doc_id,
    bodies.c.rev == documents.c.winner,
)
_INFO = select(databases).where(databases.c.name == bindparam("database"))


async def info(connection: AsyncConnection, database: str) -> DatabaseInfo:
    """Return what the head of a database says; raise UnknownDatabase."""
    row = (await connection.execute(_INFO, {"database": database})).one_or_none()
    if row is None:
        raise UnknownDatabase(database)
    update_seq = checkpoint_chain.token(row.seq, row.chain)
    return DatabaseInfo(row.name, row.seq, update_seq, row.documents, row.deleted, row.created_at)


async def page(
    connection: AsyncConnection, database: str, of: Range, *, after: str | None, limit: int, include_docs: bool
) -> list[Listed]:
    """Return at most `limit` live documents of a range, in its order, after the id that was read last."""
    order = documents.c.doc_id.desc() if of.descending else documents.c.doc_id
    wanted = _select(include_docs=include_docs).where(_HERE, documents.c.deleted.is_(False), of.condition(after))
    rows = await connection.execute(wanted.order_by(order).limit(limit), {"database": database})
    return [_listed(row) for row in rows]


async def skip(connection: AsyncConnection, database: str, of: Range, count: int) -> str | None:
    """Return the id of the `count`-th live document of a range; None when it has fewer."""
    order = documents.c.doc_id.desc() if of.descending else documents.c.doc_id
    wanted = select(documents.c.doc_id).where(_HERE, documents.c.deleted.is_(False), of.condition())
    found: str | None = await connection.scalar(
        wanted.order_by(order).offset(count - 1).limit(1), {"database": database}
    )
    return found


async def count_before(connection: AsyncConnection, database: str, of: Range) -> int:
    """Return how many live documents stand before a range."""
    before = of.before()
    if before is None:
        return 0
    counted = select(func.count()).select_from(documents).where(_HERE, documents.c.deleted.is_(False), before)
    return (await connection.execute(counted, {"database": database})).scalar_one()


async def by_ids(
    connection: AsyncConnection, sql: Statements, database: str, ids: Collection[str], *, include_docs: bool
) -> dict[str, Listed]:
    """Return those of the documents that are here, deleted ones too, by id."""
    wanted = _select(include_docs=include_docs).where(_HERE, sql.is_one_of(documents.c.doc_id))
    rows = await connection.execute(wanted, {"database": database, "ids": sql.ids(ids)})
    return {row.doc_id: _listed(row) for row in rows}


async def leaves_of(
    connection: AsyncConnection, sql: Statements, database: str, ids: Collection[str]
) -> dict[str, str]:
    """Return the leaves of those documents that are here, winner first, separated by spaces."""
    rows = await connection.execute(sql.leaves_of, {"database": database, "ids": sql.ids(ids)})
    return {row.doc_id: row.leaves for row in rows}


def _select(*, include_docs: bool) -> Any:
    if include_docs:
        return select(*_COLUMNS, bodies.c.content).join_from(documents, bodies, _WITH_BODY)
    return select(*_COLUMNS)


def _listed(row: Sequence[Any]) -> Listed:
    doc_id, winner, deleted, leaves, *content = row
    return Listed(doc_id, winner, bool(deleted), tuple(leaves.split(" ")), content[0] if content else None)

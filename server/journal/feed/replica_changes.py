"""The changes feed as other replicas read it: every row with a checkpoint of its own, forwards or backwards.

Unlike phones, which keep one checkpoint a page, a CouchDB client may go on from any row that it has seen.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.feed.changes import count_between
from server.journal.store.document_list import DatabaseInfo
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, documents, entries
from sync.revisions.revision_id import RevisionId


class FeedRow(NamedTuple):
    """A document at its latest sequence, as the driver gives it; `leaves` are separated by spaces, winner first.

    A tuple because a feed is read by the ten thousand: anything else is built a second time for each row.
    """

    seq: int
    doc_id: str
    rev: RevisionId
    deleted: bool
    leaves: str
    link: bytes
    content: bytes | None = None


_WITH_LINK = and_(entries.c.database == documents.c.database, entries.c.seq == documents.c.seq)
_WITH_BODY = and_(
    bodies.c.database == documents.c.database,
    bodies.c.doc_id == documents.c.doc_id,
    bodies.c.rev == documents.c.winner,
)
_BETWEEN = and_(
    documents.c.database == bindparam("database"),
    documents.c.seq > bindparam("since"),
    documents.c.seq <= bindparam("up_to"),
)
_ROW = (
    documents.c.seq,
    documents.c.doc_id,
    documents.c.winner,
    documents.c.deleted,
    documents.c.leaves,
    entries.c.chain,
)


def _page(*, include_docs: bool, descending: bool) -> Select[Any]:
    if include_docs:
        page = select(*_ROW, bodies.c.content).join_from(documents, entries, _WITH_LINK).join(bodies, _WITH_BODY)
    else:
        page = select(*_ROW).join_from(documents, entries, _WITH_LINK)
    order = documents.c.seq.desc() if descending else documents.c.seq
    return page.where(_BETWEEN).order_by(order).limit(bindparam("limit"))


_PAGES = {(docs, down): _page(include_docs=docs, descending=down) for docs in (False, True) for down in (False, True)}
_COUNT = select(func.count()).select_from(documents).where(_BETWEEN)


async def page(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    *,
    since: int,
    up_to: int,
    limit: int,
    include_docs: bool = False,
    descending: bool = False,
    ids: Collection[str] | None = None,
) -> list[FeedRow]:
    """Return at most `limit` rows after `since` and no further than `up_to`; with `ids`, only of those documents."""
    wanted = _PAGES[include_docs, descending]
    values: dict[str, Any] = {"database": database, "since": since, "up_to": up_to, "limit": limit}
    if ids is not None:
        wanted = wanted.where(sql.is_one_of(documents.c.doc_id))
        values["ids"] = sql.ids(ids)
    return [FeedRow(*row) for row in (await connection.execute(wanted, values)).all()]


async def count(
    connection: AsyncConnection,
    sql: Statements,
    of: DatabaseInfo,
    *,
    since: int,
    ids: Collection[str] | None = None,
) -> int:
    """Return how many rows stand after `since`; with `ids`, only of those documents."""
    if ids is None:
        total = of.documents + of.deleted
        return await count_between(connection, of.name, since, of.seq, last_seq=of.seq, total=total)
    wanted = _COUNT.where(sql.is_one_of(documents.c.doc_id))
    values = {"database": of.name, "since": since, "up_to": of.seq, "ids": sql.ids(ids)}
    return (await connection.execute(wanted, values)).scalar_one()

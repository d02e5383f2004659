"""The changes feed of a database: one row a document, at its latest sequence, in the order of commits.

A checkpoint `<sequence>-<opaque>` that the chain does not hold means from the beginning, never from now: reading again
costs time, leaving out costs data (I7).
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import Change, Changes, DatabaseState, UnknownDatabase
from server.journal.store.rows import FeedEnd
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, databases, documents, entries
from server.journal.store.write import head_of
from sync.revisions import checkpoint_chain
from sync.revisions.digest import SERVER_ONLY

# Not LIKE, which on SQLite takes `Seal:` for `seal:`: what phones get must be exactly what the digest counts.
_FOR_PHONES = and_(*(func.substr(documents.c.doc_id, 1, len(prefix)) != prefix for prefix in SERVER_ONLY))
_WITH_BODY = and_(
    bodies.c.database == documents.c.database,
    bodies.c.doc_id == documents.c.doc_id,
    bodies.c.rev == documents.c.winner,
)
# No join: before PostgreSQL has counted the rows it would read all bodies of the database for each document.
_BODY = select(bodies.c.content).where(_WITH_BODY).correlate(documents).scalar_subquery()
_BETWEEN = and_(
    documents.c.database == bindparam("database"),
    documents.c.seq > bindparam("since"),
    documents.c.seq <= bindparam("up_to"),
)
_ROW = (documents.c.seq, documents.c.doc_id, documents.c.winner, documents.c.deleted, documents.c.leaves)
_COUNT = select(func.count()).select_from(documents).where(_BETWEEN)
_LINK = select(entries.c.chain).where(entries.c.database == bindparam("database"), entries.c.seq == bindparam("seq"))

_ENDS = select(databases.c.name, databases.c.seq).order_by("name")
_HEADS = select(databases).order_by("name")
_HEADS_AMONG = _HEADS.where(databases.c.name.in_(bindparam("names", expanding=True)))


async def read_head(connection: AsyncConnection, sql: Statements, database: str) -> FeedEnd:
    """Return where the feed ends; raise UnknownDatabase."""
    row = (await connection.execute(sql.head, {"database": database})).mappings().one_or_none()
    if row is None:
        raise UnknownDatabase(database)
    return head_of(row)


async def heads(connection: AsyncConnection, among: Collection[str] | None = None) -> list[FeedEnd]:
    """Return the heads of all databases, or of those `among`, by name."""
    if among is None:
        found = await connection.execute(_HEADS)
    else:
        found = await connection.execute(_HEADS_AMONG, {"names": list(among)})
    return [head_of(row) for row in found.mappings()]


async def ends(connection: AsyncConnection) -> dict[str, int]:
    """Return the sequence to which each database has come, by name: what is cheap to ask again and again."""
    return {row.name: row.seq for row in await connection.execute(_ENDS)}


def state_of(head: FeedEnd) -> DatabaseState:
    """Return what a head says of its database."""
    since = checkpoint_chain.token(head.seq, head.chain)
    return DatabaseState(head.name, head.seq, since, head.digest, head.documents, head.deleted)


async def changes(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    since: int,
    *,
    limit: int | None,
    include_docs: bool,
    up_to: int | None,
    for_phones: bool,
    counts_pending: bool,
) -> Changes:
    """Return a page of the feed after `since`, no further than `up_to`, exactly `limit` rows while there are any."""
    head = await read_head(connection, sql, database)
    end = head.seq if up_to is None else min(up_to, head.seq)
    if since >= end:
        return Changes((), max(since, end) if since <= head.seq else head.seq, 0, state_of(head))
    values: dict[str, Any] = {"database": database, "since": since, "up_to": end}
    # One row more than asked for tells whether any is left without counting them.
    limited = {} if limit is None else {"limit": limit + 1}
    page = _page(include_docs=include_docs, for_phones=for_phones, is_limited=limit is not None)
    found = (await connection.execute(page, values | limited)).all()
    rows = tuple(
        Change(row.seq, row.doc_id, row.winner, row.deleted, tuple(row.leaves.split(" ")), *row[5:])
        for row in found[:limit]
    )
    if len(rows) == len(found):
        return Changes(rows, end, 0, state_of(head))
    last = rows[-1].seq if rows else since
    if not counts_pending:
        pending = 1
    elif for_phones:
        count = _COUNT.where(_FOR_PHONES)
        pending = (await connection.execute(count, values | {"since": last})).scalar_one()
    else:
        total = head.documents + head.deleted
        pending = await count_between(connection, database, last, end, last_seq=head.seq, total=total)
    return Changes(rows, last, pending, state_of(head))


@cache
def _page(*, include_docs: bool, for_phones: bool, is_limited: bool) -> Select[Any]:
    page: Select[Any] = select(*_ROW, *((_BODY,) if include_docs else ()))
    page = page.where(_BETWEEN).order_by(documents.c.seq)
    if for_phones:
        page = page.where(_FOR_PHONES)
    return page.limit(bindparam("limit")) if is_limited else page


async def changes_of(connection: AsyncConnection, sql: Statements, database: str, ids: Collection[str]) -> list[Change]:
    """Return where these documents stand in the feed now, with their winners' contents, in its order."""
    wanted = select(*_ROW, bodies.c.content).join_from(documents, bodies, _WITH_BODY)
    wanted = wanted.where(documents.c.database == bindparam("database"), sql.is_one_of(documents.c.doc_id))
    values = {"database": database, "ids": sql.ids(ids)}
    rows = await connection.execute(wanted.order_by(documents.c.seq), values)
    return [Change(row[0], row[1], row[2], row[3], tuple(row[4].split(" ")), row[5]) for row in rows]


async def count_between(
    connection: AsyncConnection, database: str, since: int, up_to: int, *, last_seq: int, total: int
) -> int:
    """Return how many of the `total` documents stand after `since` and no further than `up_to`."""
    # Counting a million rows takes a tenth of a second, and a replica may ask at every page: where everything up to the
    # end is asked for, what has been passed is often the smaller side.
    if up_to == last_seq and 2 * since < up_to:
        passed = (await connection.execute(_COUNT, {"database": database, "since": 0, "up_to": since})).scalar_one()
        return total - passed
    return (await connection.execute(_COUNT, {"database": database, "since": since, "up_to": up_to})).scalar_one()


async def link_at(connection: AsyncConnection, database: str, seq: int) -> bytes | None:
    """Return the chain's link at a sequence; None where the chain has none."""
    if seq == 0:
        return checkpoint_chain.seed(database)
    found: bytes | None = (await connection.execute(_LINK, {"database": database, "seq": seq})).scalar_one_or_none()
    return found

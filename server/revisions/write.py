"""The one way into the journal: read what stands, decide, write, all in the caller's transaction.

The database's head is locked first, so a batch sees everything that was written before it and nobody numbers changes
beside it. A batch costs the same few statements however many revisions it has.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from server.revisions.batch import Batch, Head, Known, Rows, continues_leaf
from server.revisions.model import NewRevision, Origin, UnknownDatabase
from server.revisions.rows import RevisionRow
from server.revisions.statements import Statements
from sync.admission import Standing
from sync.graph import Graph
from sync.revision import RevisionId


async def begin(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    revisions: Sequence[NewRevision],
    *,
    origin: Origin,
    received_at: datetime,
) -> Batch:
    """Return a batch over what stands of the revisions' documents; the database is this transaction's from here on."""
    row = (await connection.execute(sql.locked_head, {"database": database})).mappings().one_or_none()
    if row is None:
        raise UnknownDatabase(database)
    by_document: dict[str, list[NewRevision]] = {}
    for revision in revisions:
        by_document.setdefault(revision.doc_id, []).append(revision)
    known = await _known(connection, sql, database, by_document)
    return Batch(head_of(row), known, origin, received_at)


async def finish(connection: AsyncConnection, sql: Statements, rows: Rows) -> None:
    """Write what the batch has decided; nothing at all when it was all known."""
    if rows.named:
        await connection.execute(sql.name_revision, rows.named)
    if rows.revisions:
        await connection.exec_driver_sql(sql.put_revisions, _to_driver(rows.revisions, sql))
        await connection.exec_driver_sql(sql.put_bodies, list(rows.bodies))
    # After the revisions: an edge may belong to one that came in this very batch.
    if rows.edges:
        await connection.execute(sql.fill_edge, rows.edges)
    if rows.quarantine:
        await connection.execute(sql.put_quarantine, rows.quarantine)
    if rows.entries:
        await connection.exec_driver_sql(sql.put_entries, list(rows.entries))
        await connection.exec_driver_sql(sql.put_documents, list(rows.documents))
        head = rows.head
        await connection.execute(
            sql.move_head,
            {
                "of_name": head.name,
                "seq": head.seq,
                "chain": head.chain,
                "digest": head.digest,
                "documents": head.documents,
                "deleted": head.deleted,
            },
        )


def _to_driver(rows: Sequence[RevisionRow], sql: Statements) -> list[tuple[object, ...]]:
    # A batch has one moment; only an acceptance brings others.
    moments = {row.received_at: sql.moment(row.received_at) for row in rows}
    return [(*row[:-1], moments[row.received_at]) for row in rows]


def head_of(row: RowMapping) -> Head:
    """Return the head that a row of `databases` holds."""
    return Head(row["name"], row["seq"], row["chain"], row["digest"], row["documents"], row["deleted"])


async def _known(
    connection: AsyncConnection, sql: Statements, database: str, batch: Mapping[str, Sequence[NewRevision]]
) -> dict[str, Known]:
    everything = {"database": database, "ids": sql.ids(list(batch))}
    rows = (await connection.execute(sql.documents_of, everything)).all()
    waiting: dict[str, dict[tuple[RevisionId, bytes], str]] = {}
    for row in await connection.execute(sql.waiting_of, everything):
        waiting.setdefault(row.doc_id, {})[row.rev, row.fingerprint] = row.reason
    standings: dict[str, Standing] = {}
    to_read = []
    for row in rows:
        if " " not in row.leaves and continues_leaf(row.winner, batch[row.doc_id]):
            graph = Graph({row.winner: None}, {row.winner: row.deleted})
            standings[row.doc_id] = Standing(graph, {}, waiting.get(row.doc_id, {}))
        else:
            to_read.append(row.doc_id)
    if to_read:
        standings |= await _standings(connection, sql, database, to_read, waiting)
    known = {row.doc_id: Known(standings[row.doc_id], row.winner, row.deleted) for row in rows}
    for doc_id, reasons in waiting.items():
        if doc_id not in known:
            known[doc_id] = Known(Standing(waiting=reasons))
    return known


async def _standings(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    doc_ids: list[str],
    waiting: Mapping[str, Mapping[tuple[RevisionId, bytes], str]],
) -> dict[str, Standing]:
    parents: dict[str, dict[RevisionId, RevisionId | None]] = {doc_id: {} for doc_id in doc_ids}
    held: dict[str, dict[RevisionId, bool]] = {doc_id: {} for doc_id in doc_ids}
    prints: dict[str, dict[RevisionId, bytes]] = {doc_id: {} for doc_id in doc_ids}
    values = {"database": database, "ids": sql.ids(doc_ids)}
    for doc_id, rev, parent, deleted, print_ in await connection.execute(sql.revisions_of, values):
        parents[doc_id][rev] = parent
        if print_ is not None:
            held[doc_id][rev] = deleted
            prints[doc_id][rev] = print_
    return {
        doc_id: Standing(Graph(parents[doc_id], held[doc_id]), prints[doc_id], waiting.get(doc_id, {}))
        for doc_id in doc_ids
    }

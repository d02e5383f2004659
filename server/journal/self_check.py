"""Whether a database agrees with itself: bodies with fingerprints, links with the chain, rows with graph and sums.

For after a restore, and for whoever doubts. It reads everything in one snapshot and holds a page of it at a time.
"""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.feed.changes import read_head
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, documents, entries, revisions
from sync.revisions import checkpoint_chain
from sync.revisions.digest import EMPTY, moved, term
from sync.revisions.graph import Graph
from sync.revisions.revision_id import fingerprint

PAGE = 500

_REVISIONS = (
    select(
        revisions.c.doc_id,
        revisions.c.rev,
        revisions.c.parent,
        revisions.c.deleted,
        revisions.c.fingerprint,
        bodies.c.content,
        documents.c.winner,
        documents.c.leaves,
    )
    .outerjoin_from(
        revisions,
        bodies,
        and_(
            bodies.c.database == revisions.c.database,
            bodies.c.doc_id == revisions.c.doc_id,
            bodies.c.rev == revisions.c.rev,
        ),
    )
    .outerjoin(documents, and_(documents.c.database == revisions.c.database, documents.c.doc_id == revisions.c.doc_id))
    .where(revisions.c.database == bindparam("database"))
    .order_by(revisions.c.doc_id)
)
_ENTRIES = (
    select(entries, revisions.c.seq.label("own_seq"), revisions.c.fingerprint)
    .add_columns(revisions.c.person, revisions.c.enrolment, revisions.c.received_at)
    .join_from(
        entries,
        revisions,
        and_(
            revisions.c.database == entries.c.database,
            revisions.c.doc_id == entries.c.doc_id,
            revisions.c.rev == entries.c.rev,
        ),
    )
    .where(entries.c.database == bindparam("database"))
    .order_by(entries.c.seq)
)
_SHOWN_FOR_NOTHING = (
    select(documents.c.doc_id)
    .where(
        documents.c.database == bindparam("database"),
        ~exists().where(revisions.c.database == documents.c.database, revisions.c.doc_id == documents.c.doc_id),
    )
    .order_by(documents.c.doc_id)
)


async def faults(connection: AsyncConnection, sql: Statements, database: str) -> list[str]:
    """Return what does not agree, as sentences; none when the database is whole."""
    head = await read_head(connection, sql, database)
    found: list[str] = []
    link, seq = checkpoint_chain.seed(database), 0
    async for entry in _streamed(connection, _ENTRIES, database):
        seq += 1
        link = _link(link, entry)
        if entry.seq != seq or entry.chain != link:
            return [f"the chain breaks at sequence {entry.seq}"]
    if (head.seq, head.chain) != (seq, link):
        found.append(f"the head stands at {head.seq}, the chain ends at {seq}")
    live = dead = sum_of_terms = 0
    async for of_document in _by_document(connection, database):
        first = of_document[0]
        found += _body_faults(of_document)
        graph = Graph(
            {row.rev: row.parent for row in of_document},
            {row.rev: row.deleted for row in of_document if row.fingerprint is not None},
        )
        leaves = graph.leaves()
        if not leaves or (first.winner, first.leaves) != (leaves[0], " ".join(leaves)):
            found.append(f"{first.doc_id} is not shown with its leaves")
        if leaves and graph.held[leaves[0]]:
            dead += 1
        elif leaves:
            live += 1
            sum_of_terms += term(first.doc_id, leaves[0])
    async for row in _streamed(connection, _SHOWN_FOR_NOTHING, database):
        found.append(f"{row.doc_id} is shown without revisions")
    if (head.documents, head.deleted, head.digest) != (live, dead, moved(EMPTY, sum_of_terms)):
        found.append("counts or digest are not those of the documents")
    return found


async def _streamed(
    connection: AsyncConnection, wanted: Select[*tuple[Any, ...]], database: str
) -> AsyncIterator[Row[*tuple[Any, ...]]]:
    # Unless told so, the drivers hand over a whole result at once: here that would be every body there is.
    rows = await connection.stream(wanted, {"database": database}, execution_options={"yield_per": PAGE})
    async for page in rows.partitions():
        for row in page:
            yield row


async def _by_document(connection: AsyncConnection, database: str) -> AsyncIterator[list[Row[*tuple[Any, ...]]]]:
    of_document: list[Row[*tuple[Any, ...]]] = []
    async for row in _streamed(connection, _REVISIONS, database):
        if of_document and of_document[0].doc_id != row.doc_id:
            yield of_document
            of_document = []
        of_document.append(row)
    if of_document:
        yield of_document


def _link(previous: bytes, entry: Row[*tuple[Any, ...]]) -> bytes:
    # An entry that is not its revision's own tells of late ancestors, and links no more than the ids.
    is_own = entry.seq == entry.own_seq
    return checkpoint_chain.link(
        previous,
        entry.doc_id,
        entry.rev,
        fingerprint=entry.fingerprint if is_own else None,
        person=entry.person if is_own else None,
        enrolment=entry.enrolment if is_own else None,
        received_at=entry.received_at.isoformat() if is_own else None,
    )


def _body_faults(of_document: list[Row[*tuple[Any, ...]]]) -> list[str]:
    held = [row for row in of_document if row.fingerprint is not None]
    return [
        f"{row.doc_id} {row.rev} does not have the body that came"
        for row in held
        if row.content is None or fingerprint(row.content, deleted=row.deleted) != row.fingerprint
    ]

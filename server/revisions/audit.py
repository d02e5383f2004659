"""Whether a database agrees with itself: bodies with fingerprints, links with the chain, rows with graph and sums.

For after a restore, and for whoever doubts. It reads everything, a document's revisions at a time.
"""

from itertools import groupby
from typing import Any

from sqlalchemy import Row, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.revisions.feed import read_head
from server.revisions.statements import Statements
from server.revisions.tables import bodies, documents, entries, revisions
from sync import chain
from sync.admission import fingerprint
from sync.digest import digest_of
from sync.graph import Graph

_REVISIONS = (
    select(
        revisions.c.doc_id,
        revisions.c.rev,
        revisions.c.parent,
        revisions.c.deleted,
        revisions.c.fingerprint,
        bodies.c.content,
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
_DOCUMENTS = select(documents).where(documents.c.database == bindparam("database"))


async def faults(connection: AsyncConnection, sql: Statements, database: str) -> list[str]:
    """Return what does not agree, as sentences; none when the database is whole."""
    head = await read_head(connection, sql, database)
    found: list[str] = []
    link, seq = chain.seed(database), 0
    for entry in await connection.execute(_ENTRIES, {"database": database}):
        seq += 1
        link = _link(link, entry)
        if entry.seq != seq or entry.chain != link:
            return [f"the chain breaks at sequence {entry.seq}"]
    if (head.seq, head.chain) != (seq, link):
        found.append(f"the head stands at {head.seq}, the chain ends at {seq}")
    shown = {row.doc_id: row for row in await connection.execute(_DOCUMENTS, {"database": database})}
    live, dead = [], 0
    rows = await connection.execute(_REVISIONS, {"database": database})
    for doc_id, group in groupby(rows, key=lambda row: row.doc_id):
        of_document: list[Row[*tuple[Any, ...]]] = list(group)
        found += _body_faults(of_document)
        graph = Graph(
            {row.rev: row.parent for row in of_document},
            {row.rev: row.deleted for row in of_document if row.fingerprint is not None},
        )
        leaves = graph.leaves()
        row = shown.pop(doc_id, None)
        if row is None or (row.winner, row.leaves) != (leaves[0], " ".join(leaves)):
            found.append(f"{doc_id} is not shown with its leaves")
        if graph.held[leaves[0]]:
            dead += 1
        else:
            live.append((doc_id, leaves[0]))
    found += [f"{doc_id} is shown without revisions" for doc_id in shown]
    if (head.documents, head.deleted, head.digest) != (len(live), dead, digest_of(live)):
        found.append("counts or digest are not those of the documents")
    return found


def _link(previous: bytes, entry: Row[*tuple[Any, ...]]) -> bytes:
    # An entry that is not its revision's own tells of late ancestors, and links no more than the ids.
    is_own = entry.seq == entry.own_seq
    return chain.link(
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

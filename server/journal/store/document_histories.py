"""Everything that is here of some documents, graph and bodies at one moment: what merging reads.

One query for all of them, since a follower takes documents by the hundred.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import StoredRevision
from server.journal.store.author_tables import sealed_revisions
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, revisions
from sync.merging.document import Document, Revision
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId, merged_of

_KEY = ("database", "doc_id", "rev")
_ALL = (
    select(
        revisions.c.doc_id,
        revisions.c.rev,
        revisions.c.parent,
        revisions.c.deleted,
        # What a seal says that came apart from its revision (`server.journal.store.authors`) stands over what came with
        # it.
        func.coalesce(sealed_revisions.c.person, revisions.c.person).label("person"),
        func.coalesce(sealed_revisions.c.enrolment, revisions.c.enrolment).label("enrolment"),
        revisions.c.number,
        revisions.c.received_at,
        bodies.c.content,
    )
    .outerjoin_from(revisions, bodies, and_(*(revisions.c[name] == bodies.c[name] for name in _KEY)))
    .outerjoin(
        sealed_revisions,
        and_(*(revisions.c[name] == sealed_revisions.c[name] for name in _KEY), sealed_revisions.c.holds),
    )
    .where(revisions.c.database == bindparam("database"))
)


@dataclass(frozen=True, slots=True)
class DocumentHistory:
    """A document: its graph, also of what paths only named, and every revision that is here, by id."""

    doc_id: str
    graph: Graph
    revisions: Mapping[RevisionId, StoredRevision]

    @property
    def size(self) -> int:
        """How many bytes its bodies are: what reading and merging them costs grows with it."""
        return sum(len(one.content) for one in self.revisions.values())

    def as_document(self) -> Document:
        """Return it as the merge engine takes it."""
        read = {
            rev: Revision(rev, one.parent, one.deleted, json.loads(one.content)) for rev, one in self.revisions.items()
        }
        return Document(self.doc_id, self.graph, read)


async def whole(
    connection: AsyncConnection, sql: Statements, database: str, ids: Collection[str]
) -> dict[str, DocumentHistory]:
    """Return those of the documents that are here, by id."""
    values = {"database": database, "ids": sql.ids(ids)}
    rows: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for row in await connection.execute(_ALL.where(sql.is_one_of(revisions.c.doc_id)), values):
        rows.setdefault(row.doc_id, []).append(row)
    return {doc_id: _whole(database, doc_id, of) for doc_id, of in rows.items()}


def _whole(database: str, doc_id: str, rows: Sequence[Row[*tuple[Any, ...]]]) -> DocumentHistory:
    parents = {row.rev: row.parent for row in rows}
    followed = set(parents.values())
    held = {
        row.rev: StoredRevision(
            database=database,
            doc_id=doc_id,
            rev=row.rev,
            parent=row.parent,
            deleted=row.deleted,
            content=row.content,
            person=row.person,
            enrolment=row.enrolment,
            received_at=row.received_at,
            is_leaf=row.rev not in followed,
            number=row.number,
        )
        for row in rows
        if row.content is not None
    }
    merged = {rev: named for rev, one in held.items() if (named := merged_of(one.content))}
    graph = Graph(parents, {rev: one.deleted for rev, one in held.items()}, merged)
    return DocumentHistory(doc_id, graph, held)

"""Documents and their histories as the journal holds them."""

from collections.abc import Iterable

from sqlalchemy import RowMapping, Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import StoredRevision
from server.journal.store.author_tables import sealed_revisions
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, documents, revisions
from sync.revisions.revision_id import RevisionId

_COLUMNS = (
    revisions.c.database,
    revisions.c.doc_id,
    revisions.c.rev,
    revisions.c.parent,
    revisions.c.deleted,
    # What a seal says that came apart from its revision (`server.journal.store.authors`) stands over what came with it.
    func.coalesce(sealed_revisions.c.person, revisions.c.person).label("person"),
    func.coalesce(sealed_revisions.c.enrolment, revisions.c.enrolment).label("enrolment"),
    revisions.c.number,
    revisions.c.received_at,
    bodies.c.content,
    documents.c.leaves,
)


def _with_bodies() -> Select[tuple[object, ...]]:
    return (
        select(*_COLUMNS)
        .join_from(
            documents,
            revisions,
            and_(revisions.c.database == documents.c.database, revisions.c.doc_id == documents.c.doc_id),
        )
        .join(
            bodies,
            and_(
                bodies.c.database == revisions.c.database,
                bodies.c.doc_id == revisions.c.doc_id,
                bodies.c.rev == revisions.c.rev,
            ),
        )
        .outerjoin(
            sealed_revisions,
            and_(
                sealed_revisions.c.database == revisions.c.database,
                sealed_revisions.c.doc_id == revisions.c.doc_id,
                sealed_revisions.c.rev == revisions.c.rev,
                sealed_revisions.c.holds,
            ),
        )
        .where(documents.c.database == bindparam("database"))
    )


_ONE = _with_bodies().where(documents.c.doc_id == bindparam("doc_id"), revisions.c.rev == bindparam("rev"))
_WINNER = _with_bodies().where(documents.c.doc_id == bindparam("doc_id"), revisions.c.rev == documents.c.winner)


async def document(
    connection: AsyncConnection, database: str, doc_id: str, rev: RevisionId | None
) -> StoredRevision | None:
    """Return one revision, the winner when `rev` is None; None when it is not here."""
    values = {"database": database, "doc_id": doc_id} | ({} if rev is None else {"rev": rev})
    row = (await connection.execute(_WINNER if rev is None else _ONE, values)).mappings().one_or_none()
    return None if row is None else _stored(row)


async def winners(
    connection: AsyncConnection, sql: Statements, database: str, ids: Iterable[str]
) -> dict[str, StoredRevision]:
    """Return the winners of those documents that are here, tombstones included."""
    wanted = _with_bodies().where(sql.is_one_of(documents.c.doc_id), revisions.c.rev == documents.c.winner)
    rows = (await connection.execute(wanted, {"database": database, "ids": sql.ids(ids)})).mappings()
    return {row["doc_id"]: _stored(row) for row in rows}


async def histories(
    connection: AsyncConnection, sql: Statements, database: str, ids: Iterable[str]
) -> dict[str, list[StoredRevision]]:
    """Return every revision that is here of those documents, in the order of arrival."""
    wanted = _with_bodies().where(sql.is_one_of(documents.c.doc_id)).order_by(revisions.c.seq)
    rows = (await connection.execute(wanted, {"database": database, "ids": sql.ids(ids)})).mappings()
    found: dict[str, list[StoredRevision]] = {}
    for row in rows:
        found.setdefault(row["doc_id"], []).append(_stored(row))
    return found


def _stored(row: RowMapping) -> StoredRevision:
    return StoredRevision(
        database=row["database"],
        doc_id=row["doc_id"],
        rev=row["rev"],
        parent=row["parent"],
        deleted=row["deleted"],
        content=row["content"],
        person=row["person"],
        enrolment=row["enrolment"],
        received_at=row["received_at"],
        is_leaf=row["rev"] in row["leaves"].split(" "),
        number=row["number"],
    )

"""The author of a revision whose seal arrives apart from it.

A phone's own push names its author in the journal's row. A revision that comes from another server is its enrolment's
when a seal covers it, and the seal may come before or after it. The chain is over what the row said when it came, so
the row stays; what a seal says later stands in `sealed_revisions`, and every reader of authors goes through it. A seal
claims only what the revision says itself: `saved.by` is the sealing enrolment, or the claim never holds.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store.author_tables import IS_UNTOLD
from server.journal.store.author_tables import sealed_revisions as table
from server.journal.store.branches import contents
from server.journal.store.statements import Statements
from server.journal.store.tables import revisions
from server.platform.db.insert_missing import insert_missing
from sync.revisions.revision_id import RevisionId

Key = tuple[str, RevisionId]

#: What the journal writes as the person of revisions that another server brought without a seal.
PEER_PREFIX = "peer:"

UNTOLD = select(table.c.database, table.c.doc_id).where(IS_UNTOLD)


@dataclass(frozen=True, slots=True)
class SealClaim:
    """A seal's word that a revision is of this enrolment."""

    doc_id: str
    rev: RevisionId
    enrolment: str
    person: str


def saved_by(content: bytes) -> str | None:
    """Return the enrolment that a revision says it was saved by."""
    value = json.loads(content)
    saved = value.get("saved") if isinstance(value, dict) else None
    by = saved.get("by") if isinstance(saved, dict) else None
    return by if isinstance(by, str) else None


async def announced(
    connection: AsyncConnection, sql: Statements, database: str, ids: Collection[str]
) -> dict[Key, list[SealClaim]]:
    """Return what seals have said about revisions of these documents."""
    query = select(table).where(table.c.database == bindparam("database"), sql.is_one_of(table.c.doc_id))
    found: dict[Key, list[SealClaim]] = {}
    for row in await connection.execute(query, {"database": database, "ids": sql.ids(ids)}):
        found.setdefault((row.doc_id, row.rev), []).append(SealClaim(row.doc_id, row.rev, row.enrolment, row.person))
    return found


async def claim(connection: AsyncConnection, sql: Statements, database: str, claims: Sequence[SealClaim]) -> None:
    """Note what a seal says, in a transaction that has the database locked: at once, or for when the revision comes.

    Revisions that have an author already keep it.
    """
    if not claims:
        return
    ids = sql.ids(sorted({one.doc_id for one in claims}))
    rows = select(revisions.c.doc_id, revisions.c.rev, revisions.c.person, revisions.c.fingerprint).where(
        revisions.c.database == bindparam("database"), sql.is_one_of(revisions.c.doc_id)
    )
    here = {
        (row.doc_id, row.rev): row.person
        for row in await connection.execute(rows, {"database": database, "ids": ids})
        if row.fingerprint is not None
    }
    unclear = [one for one in claims if (here.get((one.doc_id, one.rev)) or PEER_PREFIX).startswith(PEER_PREFIX)]
    said = await contents(connection, sql, database, [(one.doc_id, one.rev) for one in unclear])
    new = []
    for one in unclear:
        content = said.get((one.doc_id, one.rev))
        if content is not None and saved_by(content) != one.enrolment:
            continue
        new.append(_row(database, one, holds=content is not None))
    await insert_missing(connection, table, new)


async def settle(connection: AsyncConnection, sql: Statements, database: str, keys: Collection[Key]) -> None:
    """Let claims hold whose revisions have just been stored without their author, in the storing transaction."""
    known = await announced(connection, sql, database, {doc_id for doc_id, _ in keys})
    wanted = [key for key in keys if key in known]
    said = await contents(connection, sql, database, wanted)
    for key in wanted:
        if key in said and (by := saved_by(said[key])) is not None:
            here = (table.c.database == database) & (table.c.doc_id == key[0]) & (table.c.rev == key[1])
            await connection.execute(update(table).where(here, table.c.enrolment == by).values(holds=True))


async def untold(connection: AsyncConnection) -> Mapping[str, set[str]]:
    """Return the documents, by database, whose authors have become known since they were last told."""
    found: dict[str, set[str]] = {}
    for row in await connection.execute(UNTOLD):
        found.setdefault(row.database, set()).add(row.doc_id)
    return found


async def mark_told(connection: AsyncConnection, database: str, ids: Collection[str]) -> None:
    """Note that those who show authors know these."""
    here = (table.c.database == database) & table.c.doc_id.in_(ids) & table.c.holds
    await connection.execute(update(table).where(here).values(is_told=True))


def _row(database: str, one: SealClaim, *, holds: bool) -> dict[str, object]:
    return {
        "database": database,
        "doc_id": one.doc_id,
        "rev": one.rev,
        "enrolment": one.enrolment,
        "person": one.person,
        "holds": holds,
        "is_told": False,
    }

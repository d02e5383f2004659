"""Revisions that stand beside the graph until a person has looked at them.

They are never a leaf, never served and never in a digest; a repeat of one finds it again. Acceptance moves a revision
in under its own id, with whoever brought it and when, and with it what waited only for that. A known
id with other content cannot move in under that id: its content becomes an edit of the revision that has it.

What waits for other revisions (`PASSING`) stands in the same table and is none of a person's business: it is left out
here but for `waiting_for_revisions`, and comes in with the batch that brings what was missing.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import (
    ATTACHMENTS,
    WITH_ATTACHMENTS,
    NewRevision,
    NotWaiting,
    Overstep,
    QuarantinedRevision,
)
from server.journal.store.statements import Statements
from server.journal.store.tables import databases, quarantine
from server.platform.canonical_json import canonical
from server.platform.db.keyset import Keyset, Page
from sync.revisions.admission import FORGED, PASSING, RESOLVED
from sync.revisions.revision_id import RevisionId, generation_of, revision_id

OTHER_CONTENT = "known_id_other_content"
#: So many are let in by one transaction where none should have been held back.
AT_ONCE = 50

_KEY = tuple_(quarantine.c.database, quarantine.c.doc_id, quarantine.c.rev, quarantine.c.fingerprint)
_ORDER = (
    quarantine.c.received_at,
    quarantine.c.database,
    quarantine.c.doc_id,
    quarantine.c.rev,
    quarantine.c.fingerprint,
)
_NEWEST = Keyset(*_ORDER, descending=True)

_WAITS = quarantine.c.accepted_at.is_(None)
_PASSES = quarantine.c.reason.in_(sorted(PASSING))
_FOR_A_PERSON = _WAITS & ~_PASSES


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which of what waits is asked for: `marked` selects the keys that another stage has noted something about.

    `is_marked` None asks for both kinds.
    """

    databases: Collection[str]
    marked: Select[tuple[str, str, str, bytes]]
    reason: str | None = None
    is_marked: bool | None = None


async def waiting(
    connection: AsyncConnection, database: str | None = None, doc_id: str | None = None
) -> list[QuarantinedRevision]:
    """Return what waits, in the order of arrival; of one database or document where they are given."""
    wanted = select(quarantine).where(_FOR_A_PERSON)
    if database is not None:
        wanted = wanted.where(quarantine.c.database == database)
    if doc_id is not None:
        wanted = wanted.where(quarantine.c.doc_id == doc_id)
    rows = (await connection.execute(wanted.order_by(quarantine.c.received_at, quarantine.c.rev))).mappings()
    return [quarantined_of(row) for row in rows]


async def waiting_where_anything_is_taken(connection: AsyncConnection) -> list[str]:
    """Return the databases that take anything and in which something waits: an earlier release held it back."""
    here = (databases.c.name == quarantine.c.database) & databases.c.takes_anything
    wanted = select(quarantine.c.database).distinct().join(databases, here).where(_WAITS)
    return sorted(await connection.scalars(wanted))


async def some_quarantined(connection: AsyncConnection, database: str) -> list[QuarantinedRevision]:
    """Return up to `AT_ONCE` quarantined revisions of a database, oldest first, whatever their reason."""
    wanted = select(quarantine).where(quarantine.c.database == database, _WAITS).order_by(*_ORDER).limit(AT_ONCE)
    return [quarantined_of(row) for row in (await connection.execute(wanted)).mappings()]


async def page(
    connection: AsyncConnection, narrowing: Narrowing, before: str | None, limit: int, body_bytes: int
) -> Page[QuarantinedRevision]:
    """Return what waits, the newest first: at most `limit` entries and `body_bytes` of content, but one at least."""
    keys = select(*_ORDER, func.length(quarantine.c.content).label("body_bytes"))
    keys = keys.where(_admits(narrowing, narrowing.is_marked), _NEWEST.behind(before)).order_by(*_NEWEST.order)
    found = (await connection.execute(keys.limit(limit + 1))).all()
    totals = accumulate(row.body_bytes for row in found)
    fitting = sum(total <= body_bytes for total in totals)
    wanted = _NEWEST.page(found, min(limit, max(fitting, 1)), lambda row: row[: len(_ORDER)])
    if not wanted.rows:
        return Page((), None)
    named = _KEY.in_([row[1 : len(_ORDER)] for row in wanted.rows])
    rows = (await connection.execute(select(quarantine).where(named))).mappings()
    revisions = {(row["database"], row["doc_id"], row["rev"], row["fingerprint"]): quarantined_of(row) for row in rows}
    return Page([revisions[tuple(row[1 : len(_ORDER)])] for row in wanted.rows], wanted.next)


async def count(connection: AsyncConnection, narrowing: Narrowing, *, is_marked: bool) -> int:
    """Return how many wait under the narrowing, of the marked or of the unmarked."""
    counted = select(func.count()).select_from(quarantine).where(_admits(narrowing, is_marked))
    return (await connection.execute(counted)).scalar_one()


async def count_quarantined(connection: AsyncConnection, databases: Collection[str]) -> int:
    """Return how many wait for a person in these databases."""
    wanted = select(func.count()).select_from(quarantine).where(_FOR_A_PERSON, quarantine.c.database.in_(databases))
    return (await connection.execute(wanted)).scalar_one()


async def waiting_for_revisions(connection: AsyncConnection) -> Sequence[tuple[str, str, int, datetime]]:
    """Return (database, reason, how many, since when) of what waits for revisions that have not come."""
    counted = select(
        quarantine.c.database, quarantine.c.reason, func.count(), func.min(quarantine.c.received_at)
    ).where(_WAITS, _PASSES)
    by = (quarantine.c.database, quarantine.c.reason)
    rows = await connection.execute(counted.group_by(*by).order_by(*by))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def quarantined_in(
    connection: AsyncConnection, sql: Statements, database: str, ids: Iterable[str]
) -> set[tuple[str, RevisionId]]:
    """Return (document, revision) of what waits among those documents."""
    wanted = select(quarantine.c.doc_id, quarantine.c.rev).where(
        quarantine.c.database == bindparam("database"),
        _FOR_A_PERSON,
        sql.is_one_of(quarantine.c.doc_id),
    )
    rows = await connection.execute(wanted, {"database": database, "ids": sql.ids(sorted(set(ids)))})
    return {(row.doc_id, row.rev) for row in rows}


async def waiting_parents(
    connection: AsyncConnection, database: str, keys: Collection[tuple[str, RevisionId]]
) -> list[QuarantinedRevision]:
    """Return what waits under these ids; an id that is known with other content stands in the graph."""
    if not keys:
        return []
    named = tuple_(quarantine.c.doc_id, quarantine.c.rev).in_(sorted(keys))
    wanted = select(quarantine).where(
        quarantine.c.database == database, _FOR_A_PERSON, quarantine.c.reason != OTHER_CONTENT, named
    )
    return [quarantined_of(row) for row in (await connection.execute(wanted)).mappings()]


def moving_with(
    rev: RevisionId,
    standing_by: list[QuarantinedRevision],
    fingerprint: bytes | None = None,
    past: Collection[RevisionId] = (),
) -> list[QuarantinedRevision]:
    """Return the revision `rev` and those that wait only because they descend from it, parents first.

    `fingerprint` tells apart what waits under one id with several contents; nothing waits for those of `past`.
    """
    named = (one for one in standing_by if one.rev == rev and fingerprint in {None, one.fingerprint})
    chosen = next(named, None)
    # No person may say that a branch has been taken in: that shows in the graph.
    if chosen is None or chosen.fingerprint == RESOLVED:
        raise NotWaiting(rev)
    # An id that is known with other content stands in the graph: who looks at an edit of it has seen what it edits.
    ids = {one.rev for one in standing_by if one.reason != OTHER_CONTENT}.difference(past)
    if not ids.isdisjoint(chosen.ancestors[:1]):
        raise NotWaiting(f"{rev} follows a revision that waits itself")
    found, moving = [chosen], {rev}
    followers = [one for one in standing_by if one.reason == "parent_quarantined"]
    for one in sorted(followers, key=lambda one: generation_of(one.rev)):
        if one.ancestors[0] in moving:
            moving.add(one.rev)
            found.append(one)
    return found


def as_it_came(one: QuarantinedRevision) -> NewRevision:
    """Return the revision that waits, under its own id."""
    return NewRevision(one.doc_id, one.rev, one.ancestors, one.deleted, one.content, verify=False, number=one.number)


def as_new(one: QuarantinedRevision) -> NewRevision:
    """Return what moves into the graph: the revision itself, or the edit that its content becomes.

    Attachments stay beside it, in its row: a record's files come by the door for media.
    """
    if one.reason == WITH_ATTACHMENTS:
        said = {name: value for name, value in json.loads(one.content).items() if name != ATTACHMENTS}
        one = replace(one, content=canonical(said))
    if one.reason != OTHER_CONTENT:
        return NewRevision(one.doc_id, one.rev, one.ancestors, one.deleted, one.content, number=one.number)
    rev = revision_id(one.doc_id, deleted=one.deleted, parent=one.rev, content=one.content)
    return NewRevision(one.doc_id, rev, (one.rev,), one.deleted, one.content, number=one.number)


async def mark_accepted(
    connection: AsyncConnection, moved: list[QuarantinedRevision], person: str | None, at: datetime
) -> None:
    """Note who let them in and when; the rows stay as evidence of what came and why it had to wait."""
    for one in moved:
        await connection.execute(update(quarantine).where(is_row_of(one)).values(accepted_at=at, accepted_by=person))


async def name_forged(connection: AsyncConnection, one: QuarantinedRevision) -> None:
    """Let a revision wait for what is the matter with its generation, whatever it waited for before."""
    await connection.execute(update(quarantine).where(is_row_of(one)).values(reason=FORGED))


def is_row_of(one: QuarantinedRevision) -> ColumnElement[bool]:
    """Return the condition that a row is the one that this was read from."""
    return and_(
        quarantine.c.database == one.database,
        quarantine.c.doc_id == one.doc_id,
        quarantine.c.rev == one.rev,
        quarantine.c.fingerprint == one.fingerprint,
    )


def _admits(narrowing: Narrowing, is_marked: bool | None) -> ColumnElement[bool]:
    admits = _FOR_A_PERSON & quarantine.c.database.in_(narrowing.databases)
    if narrowing.reason is not None:
        admits &= quarantine.c.reason == narrowing.reason
    if is_marked is not None:
        admits &= _KEY.in_(narrowing.marked) if is_marked else _KEY.not_in(narrowing.marked)
    return admits


def quarantined_of(row: RowMapping) -> QuarantinedRevision:
    """Return what a whole row of the table says."""
    return QuarantinedRevision(
        database=row["database"],
        doc_id=row["doc_id"],
        rev=row["rev"],
        ancestors=tuple(row["ancestors"].split()),
        deleted=row["deleted"],
        content=row["content"],
        reason=row["reason"],
        person=row["person"],
        enrolment=row["enrolment"],
        number=row["number"],
        received_at=row["received_at"],
        fingerprint=row["fingerprint"],
        overstep=None if row["door"] is None else Overstep(row["door"], row["besides"]),
        awaits=row["awaits"],
    )

"""Revisions that stand beside the graph until a person has looked at them.

They are never a leaf, never served and never in a digest; a repeat of one finds it again. Acceptance moves a revision
in under its own id, with whoever brought it and when, and with it those descendants that waited only for it. A known
id with other content cannot move in under that id: its content becomes an edit of the revision that has it.
"""

from datetime import datetime

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.revisions.model import NewRevision, NotWaiting, QuarantinedRevision
from server.revisions.tables import quarantine
from sync.revision import RevisionId, generation_of, revision_id

OTHER_CONTENT = "known_id_other_content"


async def waiting(
    connection: AsyncConnection, database: str | None = None, doc_id: str | None = None
) -> list[QuarantinedRevision]:
    """Return what waits, in the order of arrival; of one database or document where they are given."""
    wanted = select(quarantine).where(quarantine.c.accepted_at.is_(None))
    if database is not None:
        wanted = wanted.where(quarantine.c.database == database)
    if doc_id is not None:
        wanted = wanted.where(quarantine.c.doc_id == doc_id)
    rows = (await connection.execute(wanted.order_by(quarantine.c.received_at, quarantine.c.rev))).mappings()
    return [_quarantined(row) for row in rows]


def moving_with(rev: RevisionId, standing_by: list[QuarantinedRevision]) -> list[QuarantinedRevision]:
    """Return the revision `rev` and those that wait only because they descend from it, parents first."""
    chosen = next((one for one in standing_by if one.rev == rev), None)
    if chosen is None:
        raise NotWaiting(rev)
    ids = {one.rev for one in standing_by if one.reason != OTHER_CONTENT}
    if not ids.isdisjoint(chosen.ancestors):
        raise NotWaiting(f"{rev} follows a revision that waits itself")
    found, moving = [chosen], {rev}
    followers = [one for one in standing_by if one.reason == "parent_quarantined"]
    for one in sorted(followers, key=lambda one: generation_of(one.rev)):
        if one.ancestors[0] in moving:
            moving.add(one.rev)
            found.append(one)
    return found


def as_new(one: QuarantinedRevision) -> NewRevision:
    """Return what moves into the graph: the revision itself, or the edit that its content becomes."""
    if one.reason != OTHER_CONTENT:
        return NewRevision(one.doc_id, one.rev, one.ancestors, one.deleted, one.content, number=one.number)
    rev = revision_id(one.doc_id, deleted=one.deleted, parent=one.rev, content=one.content)
    return NewRevision(one.doc_id, rev, (one.rev,), one.deleted, one.content, number=one.number)


async def mark_accepted(
    connection: AsyncConnection, moved: list[QuarantinedRevision], person: str | None, at: datetime
) -> None:
    """Note who let them in and when; the rows stay as evidence of what came and why it had to wait."""
    for one in moved:
        await connection.execute(
            update(quarantine)
            .where(
                quarantine.c.database == one.database,
                quarantine.c.doc_id == one.doc_id,
                quarantine.c.rev == one.rev,
                quarantine.c.fingerprint == one.fingerprint,
            )
            .values(accepted_at=at, accepted_by=person)
        )


def _quarantined(row: RowMapping) -> QuarantinedRevision:
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
    )

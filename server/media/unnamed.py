"""Files that a person has sent and that no record names: counted, so that nobody fills the disk with them.

A phone sends a record before its files, so that an honest one has next to none. Nothing is dropped: a record that names
one may still come.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.principal import Principal
from server.errors import Problem
from server.journal.journal import Journal
from server.journal.model import QuarantinedRevision, StoredRevision
from server.media.tables import media, media_links
from server.platform.db.engine import Storage

#: Of one person on one device.
MOST, MOST_BYTES = 200, 500_000_000
#: So many of the latest contents are looked at. Whoever hides others behind them has sent as many that are named.
LOOKED_AT = 1_000


async def has_room(storage: Storage, principal: Principal, length: int) -> bool:
    """Return whether a content may come even if no record names any that this device has sent: one look, no record."""
    async with storage.read() as connection:
        return _fits(await _latest(connection, principal), length)


async def require_room(storage: Storage, journal: Journal, principal: Principal, length: int) -> None:
    """Return where a content that no record names yet may come; raise `media_quota`."""
    async with storage.read() as connection:
        sizes = await _latest(connection, principal)
        if _fits(sizes, length):
            return
        links = select(media_links.c.database, media_links.c.record, media_links.c.sha256)
        found = (await connection.execute(links.where(media_links.c.sha256.in_(sizes)))).all()
    records: defaultdict[str, set[str]] = defaultdict(set)
    for row in found:
        records[row.database].add(row.record)
    for database, ids in records.items():
        for history in (await journal.histories(database, ids)).values():
            _take(sizes, history)
    # What waits for a person names files as well.
    for row in found:
        if row.sha256 in sizes:
            _take(sizes, await journal.quarantined(row.database, row.record))
    if not _fits(sizes, length):
        raise Problem("media_quota", uploads=len(sizes))


async def _latest(connection: AsyncConnection, principal: Principal) -> dict[str, int]:
    """Return the sizes of what a person has sent latest from this device, by content."""
    device = media.c.enrolment.is_(None) if principal.enrolment is None else media.c.enrolment == principal.enrolment
    query = select(media.c.sha256, media.c.bytes).where(media.c.person == principal.person, device)
    latest = query.order_by(media.c.received_at.desc(), media.c.sha256).limit(LOOKED_AT)
    return {row.sha256: row.bytes for row in await connection.execute(latest)}


def _fits(sizes: Mapping[str, int], length: int) -> bool:
    return len(sizes) < MOST and sum(sizes.values()) + length <= MOST_BYTES


def _take(sizes: dict[str, int], revisions: Iterable[StoredRevision | QuarantinedRevision]) -> None:
    for revision in revisions:
        for sha256 in named_by(revision.content):
            sizes.pop(sha256, None)


def named_by(content: bytes) -> set[str]:
    """Return the contents that a revision of a record names, by what it says."""
    media_of = json.loads(content).get("media")
    files = media_of.values() if isinstance(media_of, Mapping) else ()
    return {file["sha256"] for file in files if isinstance(file, dict) and isinstance(file.get("sha256"), str)}

"""The files that this server awaits, for itself and for peers that ask."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import distinct, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.media.tables import media, media_links
from server.platform.db.keyset import Keyset, Page
from server.read_model.record_tables import awaited_media

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RECORD = re.compile(r"[0-9a-f-]{36}")
PAGE = 500
_KEY = (awaited_media.c.sha256, awaited_media.c.database, awaited_media.c.record)
_ORDER = Keyset(*_KEY, parameter="after")
#: The follower strikes out what has come some moments later. What is here for another database has not come for this
#: one: whoever has it for this one brings it, or nobody of this one would see it here.
_HAS_NOT_COME = ~exists().where(
    media_links.c.sha256 == awaited_media.c.sha256, media_links.c.database == awaited_media.c.database
)


@dataclass(frozen=True, slots=True, order=True)
class Awaited:
    """A content that a record names and that has not come."""

    sha256: str
    database: str
    record: str


async def awaited(
    connection: AsyncConnection, databases: Collection[str], after: str | None = None, limit: int = PAGE
) -> Page[Awaited]:
    """Return what records of these databases await, in order."""
    # A record may call anything a hash; nobody can send what has none.
    is_hash = (func.length(awaited_media.c.sha256) == 64) & (func.length(awaited_media.c.record) == 36)
    wanted = awaited_media.c.database.in_(databases) & is_hash & _HAS_NOT_COME
    query = select(*_KEY).where(wanted, _ORDER.behind(after)).order_by(*_ORDER.order).limit(limit + 1)
    rows = [Awaited(*row) for row in await connection.execute(query)]
    page = _ORDER.page(rows, limit, lambda row: (row.sha256, row.database, row.record))
    return Page(
        [row for row in page.rows if _SHA256.fullmatch(row.sha256) and _RECORD.fullmatch(row.record)], page.next
    )


async def missing_here(connection: AsyncConnection, databases: Collection[str]) -> int:
    """Return how many contents the records of these databases name that are not here for them, whoever has them."""
    wanted = awaited_media.c.database.in_(databases) & _HAS_NOT_COME
    count = select(func.count(distinct(awaited_media.c.sha256))).where(wanted)
    return int(await connection.scalar(count) or 0)


async def come_since(connection: AsyncConnection, databases: Collection[str], at: datetime, peer: str) -> int:
    """Return how many contents have come for these databases since `at`, from elsewhere than from this peer."""
    count = select(func.count(distinct(media.c.sha256))).join(media_links, media_links.c.sha256 == media.c.sha256)
    is_new = (media.c.received_at > at) & (media.c.person != peer)
    return int(await connection.scalar(count.where(media_links.c.database.in_(databases), is_new)) or 0)

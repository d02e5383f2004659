"""Files that could not be carried, why, and when they are tried again.

A file that is in trouble by itself holds up no other: it is named here and tried again after pauses that grow, because
whoever has the right bytes may bring them at any time. What has arrived, by whatever way, is named no longer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select

from server.peers.media_tables import peer_files_left as table
from server.peers.model import Direction
from server.peers.tables import peers
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.upsert import put

FileReason = Literal["wrong_bytes", "damaged", "too_large", "not_taken"]

#: Code → what is the matter with the file, for the console; the screen has its own sentences for the same codes.
REASONS: dict[FileReason, str] = {
    "wrong_bytes": "what came is not what it is called",
    "damaged": "the file of the sending server is damaged or gone",
    "too_large": "it is larger than the receiving server takes",
    "not_taken": "the receiving server does not take it",
}

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class FileLeft:
    """A file that could not be carried in a direction, how often that was tried, and when last."""

    direction: Direction
    sha256: str
    database: str
    record: str
    name: str
    reason: FileReason
    told: str = ""
    tries: int = 1
    at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to try again."""
        pause = min(FIRST_PAUSE * 2 ** min(self.tries - 1, 20), LONGEST_PAUSE)
        return self.at is None or now - self.at >= pause


class MediaBook:
    """The files of all peers that could not be carried."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Stand on a migrated storage."""
        self._storage = storage
        self._clock = clock

    async def left(self, peer: str, direction: Direction) -> dict[str, FileLeft]:
        """Return the files that could not be carried in a direction, by content."""
        query = select(table).where(table.c.peer == peer, table.c.direction == direction)
        async with self._storage.read() as connection:
            return {row.sha256: _file(row) for row in await connection.execute(query)}

    async def leave(self, peer: str, one: FileLeft) -> None:
        """Name a file that could not be carried just now; a peer that was removed meanwhile is not written about."""
        row = {name: getattr(one, name) for name in FileLeft.__slots__} | {"peer": peer, "at": self._clock()}
        row |= {name: str(row[name]).replace("\0", "\ufffd")[:300] for name in ("name", "told")}
        async with self._storage.write() as connection:
            if await connection.scalar(select(peers.c.id).where(peers.c.id == peer)) is not None:
                await put(connection, table, [row])

    async def settle(self, peer: str, direction: Direction, sha256s: Collection[str]) -> None:
        """Name these files no longer: they have arrived."""
        async with self._storage.write() as connection:
            for sha256 in sha256s:
                here = (table.c.peer == peer) & (table.c.direction == direction) & (table.c.sha256 == sha256)
                await connection.execute(delete(table).where(here))

    async def shown(self, peer: str, limit: int = 50) -> tuple[int, list[FileLeft]]:
        """Return how many files could not be carried, and the latest of them."""
        here = table.c.peer == peer
        async with self._storage.read() as connection:
            total = await connection.scalar(select(func.count()).select_from(table).where(here))
            query = select(table).where(here).order_by(table.c.at.desc(), table.c.sha256).limit(limit)
            return int(total or 0), [_file(row) for row in await connection.execute(query)]


def _file(row: Any) -> FileLeft:
    return FileLeft(**{name: row._mapping[name] for name in FileLeft.__slots__})

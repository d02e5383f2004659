"""How this server and a peer stand: what the console and the screen tell of one peer."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.areas.areas import Areas
from server.journal.journal import Journal
from server.peers.book import CONNECTION, DIRECTORY, MEDIA, LeftOut, PeerBook, Status
from server.peers.lag import with_lag
from server.peers.media_book import FileLeft, MediaBook
from server.peers.media_here import come_since, missing_here
from server.peers.model import Peer
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@dataclass(frozen=True, slots=True)
class PeerOverview:
    """How far databases and files are, and what was left out of each (how many, and the latest).

    `held` is how many revisions wait here for a person in the databases that go between the two. `files_waiting` is how
    many files one side awaits and the other has; `files_missing` how many are not here at all.
    """

    statuses: Sequence[Status]
    left_out: tuple[int, Sequence[LeftOut]]
    held: int
    files_waiting: int
    files_missing: int
    files_left: tuple[int, Sequence[FileLeft]]

    @property
    def behind(self) -> int:
        """Return how many changes of databases wait."""
        return sum(one.behind or 0 for one in self.statuses if one.database != MEDIA)


@dataclass(frozen=True, slots=True)
class PeerOverviews:
    """Reads the overviews of peers."""

    storage: Storage
    journal: Journal
    areas: Areas
    clock: Clock
    book: PeerBook

    async def of(self, peer: Peer) -> PeerOverview:
        """Return how one peer stands now."""
        statuses = await with_lag(self.journal, await self.book.statuses(peer.id))
        files = [one for one in statuses if one.database == MEDIA]
        waiting, missing = sum(one.behind or 0 for one in files), 0
        if files:
            atlas = await self.areas.atlas()
            present = [scope.name for scope in atlas.scopes]
            shut = [one.since for one in statuses if one.database in (MEDIA, DIRECTORY, CONNECTION) and one.trouble]
            async with self.storage.read() as connection:
                names = {name for way in peer.ways for name in peer.databases(way, present)}
                missing = await missing_here(connection, names)
                if shut:
                    # Only the peer can say what it awaits; while it is away, what has come since will be awaited.
                    pushed = peer.databases("push", present)
                    waiting += await come_since(connection, pushed, min(shut), peer.id)
        return PeerOverview(
            statuses,
            await self.book.left_out(peer.id),
            await self.journal.count_quarantined({one.database for one in statuses}),
            waiting,
            missing,
            await MediaBook(self.storage, self.clock).shown(peer.id),
        )

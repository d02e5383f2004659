"""Keeps every peer's work going beside the requests, by one process of several: the one that leads.

The book is read every few seconds; a peer that was added begins, one that was removed ends, one that was changed begins
anew. Seals whose key has become known are looked at again.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from server.errors import Problem
from server.ingest.seal_tables import seals_with_a_key_now
from server.peers.batch_size import Paces
from server.peers.book import NewPeer
from server.peers.connections import ReplicationParts
from server.peers.model import Peer
from server.peers.worker import PeerWork
from server.platform.background_task import running_beside
from server.platform.db.advisory_locks import AdvisoryLock
from server.platform.db.leader_lock import lead

LOOK_S = 2.0
PAUSE_S = 5.0
COUCHDB = "couchdb"

log = structlog.get_logger(__name__)


class PeersRunner:
    """Runs the work of all peers."""

    def __init__(self, parts: ReplicationParts, couchdb_url: str | None) -> None:
        """Start nothing yet; `couchdb_url` is the CouchDB that the settings name."""
        self._parts = parts
        self._couchdb_url = couchdb_url
        self._tasks: dict[str, tuple[Peer, asyncio.Task[None]]] = {}
        self._asked: dict[str, datetime | None] = {}
        self._paces: dict[str, Paces] = {}

    async def run(self) -> None:
        """Replicate until cancelled."""
        while True:
            try:
                async with lead(self._parts.storage, AdvisoryLock.PEERS) as held:
                    if held is not None:
                        await self._own_couchdb()
                        while True:
                            await held.confirm()
                            await self.look()
                            await asyncio.sleep(LOOK_S)
            except Exception as error:
                log.warning("peers_paused", error=type(error).__name__, exc_info=True)
            finally:
                await self._end(list(self._tasks))
            await asyncio.sleep(PAUSE_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Replicate in a task of its own until the block ends."""
        async with running_beside(self.run(), "peers"):
            yield

    async def look(self) -> None:
        """Begin and end work as the book says now."""
        present = {peer.id: peer for peer in await self._parts.book.peers()}
        await self._end([peer for peer in self._tasks if not self._is_current(peer, present)])
        for peer in present.values():
            if peer.id in self._tasks:
                continue
            if peer.mode == "once" and self._asked.get(peer.id, peer.created_at) == peer.sync_asked_at:
                continue
            self._asked[peer.id] = peer.sync_asked_at
            self._tasks[peer.id] = (peer, asyncio.create_task(self._work(peer), name=f"peer {peer.name}"))
        await self.reconsider_seals()

    async def reconsider_seals(self) -> int:
        """Look again at seals whose key has become known; return how many."""
        async with self._parts.storage.read() as connection:
            found = await seals_with_a_key_now(connection)
        for database, doc_id in found:
            await self._parts.ingest.reconsider(database, doc_id)
        return len(found)

    def _is_current(self, peer: str, present: Mapping[str, Peer]) -> bool:
        before, task = self._tasks[peer]
        return not task.done() and peer in present and present[peer] == before

    async def _work(self, peer: Peer) -> None:
        work = PeerWork(self._parts, peer, self._paces.setdefault(peer.id, Paces()))
        if peer.mode == "once":
            await work.once()
        else:
            await work.run()

    async def _end(self, which: list[str]) -> None:
        for peer in which:
            _, task = self._tasks.pop(peer)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                if (current := asyncio.current_task()) is not None and current.cancelling():
                    raise
            except Exception as error:
                log.warning("peer_work_ended", error=type(error).__name__, exc_info=error)

    async def _own_couchdb(self) -> None:
        """Keep the CouchDB beside this server among the peers, as the settings name it."""
        book, url = self._parts.book, self._couchdb_url
        if url is None:
            return
        try:
            known = await book.find(COUCHDB)
            if known.url == url.rstrip("/"):
                return
            await book.remove(known.id)
        except Problem:
            pass
        await book.add(NewPeer(COUCHDB, url, direction="push", auth="token"))

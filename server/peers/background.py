"""Replication beside the requests, while the app runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from server.ingest.peer_ingest import PeerIngest
from server.peers.connections import ReplicationParts
from server.peers.runner import PeersRunner


def parts_of(app: Litestar) -> ReplicationParts:
    """Return what replication works with in this app."""
    state = app.state
    return ReplicationParts(
        storage=state.storage,
        journal=state.journal,
        areas=state.areas,
        keys=state["keys"],
        clock=state.clock,
        book=state.peer_book,
        ingest=PeerIngest(state.storage, state.journal, state.library, state.clock),
        server_id=state.server_id,
        settings=state.settings,
    )


@asynccontextmanager
async def peering(app: Litestar) -> AsyncIterator[None]:
    """Replicate while the app runs; where this process follows nothing, another one does both."""
    if not app.state.settings.follow:
        yield
        return
    async with PeersRunner(parts_of(app), app.state.settings.couchdb_url).running():
        yield

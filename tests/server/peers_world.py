"""Builders for tests of peers: servers, hubs, accounts of servers, replication run through by hand."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar

from server.peers.background import parts_of
from server.peers.book import NewPeer, PeerBook, Status
from server.peers.connections import ReplicationParts
from server.peers.model import Peer
from server.peers.remote import Remote
from server.peers.worker import PeerWork
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import PASSWORD, SIN_CHAI, Client, add_person, an_app, grant, running
from tests.server.started import started_sqlite
from tests.server.sync_door import DATABASE

DOOR = "http://testserver/db"


def parts_towards(app: Litestar, other: Litestar | None = None) -> ReplicationParts:
    """Return the parts of a server whose requests to peers reach `other`, without a network."""
    parts = parts_of(app)
    if other is None:
        return parts

    def open_client(peer: Peer) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(other, raise_app_exceptions=False)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url=peer.url + "/")

    return replace(parts, open_client=open_client)


async def add_peer(app: Litestar, url: str, **fields: Any) -> Peer:
    """Add a peer of one scope to a server's book."""
    book: PeerBook = app.state["peer_book"]
    return await book.add(NewPeer(**{"name": "other", "url": url, "scopes": (DATABASE,), **fields}))


async def sync(app: Litestar, peer: Peer, other: Litestar | None = None) -> dict[tuple[str, str], Status]:
    """Go through everything once; return how each database stands, by name and direction."""
    statuses = await PeerWork(parts_towards(app, other), peer).once()
    return {(one.database, one.direction): one for one in statuses}


async def synced(app: Litestar, peer: Peer, other: Litestar | None = None) -> None:
    """Go through everything once, without trouble."""
    statuses = await sync(app, peer, other)
    assert statuses
    assert {key: one.trouble for key, one in statuses.items() if one.trouble} == {}


async def peer_account(client: Client, username: str = "hub", unit: str = SIN_CHAI) -> dict[str, str]:
    """Add the account of another server; return what it signs in with."""
    await add_person(client, username, grant("peer", "agri", unit))
    return {"auth": "password", "username": username, "password": PASSWORD}


@asynccontextmanager
async def a_server(folder: Path, settings: Settings, clock: Clock) -> AsyncIterator[Client]:
    """Give one more server, on SQLite in `folder`."""
    path = folder / "nuong.sqlite"
    path.write_bytes(started_sqlite())
    storage = Storage(f"sqlite:///{path}")
    with an_app(settings.model_copy(update={"media_dir": folder / "media"}), storage, clock) as app:
        async with running(app), Client(app) as client:
            yield client
    await storage.close()


async def digests(*clients: Client, database: str = DATABASE) -> set[str]:
    """Return the digests of a database at several servers: one when they agree."""
    return {(await client.app.state["journal"].state(database)).digest for client in clients}


async def histories(*clients: Client, database: str = DATABASE) -> set[frozenset[tuple[str, str]]]:
    """Return what is held of a database at several servers, as (document, revision): one when each has all.

    Digests speak of winners alone; servers hand each other every revision.
    """
    found = set()
    for client in clients:
        journal = client.app.state["journal"]
        ids = {row.doc_id for row in (await journal.changes(database, 0, limit=10_000)).rows}
        lines = await journal.histories(database, ids)
        found.add(frozenset((doc_id, one.rev) for doc_id, line in lines.items() for one in line))
    return found


def said(body: object, *, status: int = 200, packed: str | None = None) -> httpx.Response:
    """Return an answer of a peer that is made up, streamed as a real one is; `packed` names how it was."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]

    return httpx.Response(status, headers={"Content-Encoding": packed} if packed else None, content=pieces())


@asynccontextmanager
async def a_peer(answer: Callable[[httpx.Request], httpx.Response]) -> AsyncIterator[Remote]:
    """Give a peer that says what `answer` returns."""

    async def nobody() -> dict[str, str]:
        return {}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://couchdb/") as client:
        yield Remote(client, nobody)

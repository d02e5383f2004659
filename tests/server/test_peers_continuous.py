"""Replication that goes on and on: it learns what the link bears, sees new scopes, and recovers from its pauses."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from server.areas.atlas import Project
from server.journal.model import NewRevision, Origin
from server.peers import runner, worker
from server.peers.background import parts_of
from server.peers.batch_size import MOST, PATIENCE, BatchSize
from server.peers.failures import PeerFailed
from server.peers.model import Peer
from server.peers.remote import Remote, RemoteAnswer
from server.peers.remote_database import Document, PulledRevision, RemoteDatabase
from server.peers.runner import PeersRunner
from server.settings import Settings
from tests.builders import PASSWORD, SIN_CHAI, Client, add_person, grant
from tests.conftest import StandingClock
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving
from tests.server.peers_world import a_server, add_peer, histories, peer_account
from tests.server.sync_door import DATABASE

pytestmark = pytest.mark.by_turns

BEARS = 60


@pytest.fixture
async def there(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[MisbehavingPeer]:
    folder = tmp_path / "other"
    folder.mkdir()
    async with a_server(folder, settings, clock) as other, misbehaving(other.app) as peer:
        yield peer


async def agreed(*clients: Client, database: str = DATABASE) -> None:
    for _ in range(400):
        if len(await histories(*clients, database=database)) == 1:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("they do not agree")


async def tried(client: Client, peer: Peer) -> None:
    for _ in range(400):
        statuses = await client.app.state["peer_book"].statuses(peer.id)
        if any(one.database == DATABASE and one.checked_at == client.app.state["clock"]() for one in statuses):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was tried")


def documents(count: int) -> list[NewRevision]:
    return [NewRevision.following(f"seal:{number}", {"type": "seal"}, None) for number in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["continuous", "once"])
@pytest.mark.parametrize("direction", ["push", "pull"])
async def test_what_a_link_does_not_bear_goes_over_in_smaller_batches(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch, direction: str, mode: str
) -> None:
    other = Client(there.app)
    source = client if direction == "push" else other
    await source.app.state["journal"].write(DATABASE, documents(150), Origin())
    peer = await add_peer(client.app, there.url, direction=direction, mode=mode, **await peer_account(other))
    really_get, really_put, sizes = RemoteDatabase.get, RemoteDatabase.put, list[int]()

    def bear(size: int) -> None:
        sizes.append(size)
        if size > BEARS:
            raise PeerFailed("slow", "too much for this link")

    async def get(self: RemoteDatabase, wanted: Mapping[str, Sequence[str]]) -> list[PulledRevision]:
        bear(sum(map(len, wanted.values())))
        return await really_get(self, wanted)

    async def put(self: RemoteDatabase, documents: Sequence[Document]) -> dict[tuple[str, str], str]:
        bear(len(documents))
        return await really_put(self, documents)

    monkeypatch.setattr(RemoteDatabase, "get", get)
    monkeypatch.setattr(RemoteDatabase, "put", put)
    monkeypatch.setattr(runner, "LOOK_S", 0.05)
    monkeypatch.setattr(worker.Backoff, "next_s", lambda _backoff, _failure: 0.01)
    async with PeersRunner(parts_of(client.app), None).running():
        if mode == "once":
            await tried(client, peer)
            client.app.state["clock"].move(seconds=1)
            await client.app.state["peer_book"].ask_sync(peer.id)
        await agreed(client, other)
    assert sizes == [100, 50, 50, 50]


@pytest.mark.slow
async def test_a_scope_that_is_made_later_is_exchanged_without_a_restart(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Client(there.app)
    await add_person(other, "hub", grant("peer", "*", SIN_CHAI))
    account = {"auth": "password", "username": "hub", "password": PASSWORD}
    await add_peer(client.app, there.url, scopes=(f"*-{SIN_CHAI}",), **account)
    monkeypatch.setattr(worker, "LOOK_S", 0.05)
    async with PeersRunner(parts_of(client.app), None).running():
        await client.app.state["journal"].write(DATABASE, documents(1), Origin())
        await agreed(client, other)
        for side in (client, other):
            assert await side.app.state["areas"].add_project(Project("water", "Nước", "Water"))
        new = f"water-{SIN_CHAI}"
        await client.app.state["journal"].write(new, documents(1), Origin())
        await agreed(client, other, database=new)
        await other.app.state["journal"].write(new, documents(2)[1:], Origin())
        await agreed(client, other, database=new)


async def test_a_peer_that_let_in_for_long_is_asked_again_soon_when_it_shuts(
    client: Client, there: MisbehavingPeer, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Client(there.app)
    await add_peer(client.app, there.url, **await peer_account(other))
    really_ask, really_next_s = Remote.ask, worker.Backoff.next_s
    is_shut = True
    seen: list[tuple[worker.Backoff, float]] = []

    async def ask(self: Remote, *args: Any, **rest: Any) -> RemoteAnswer:
        if is_shut:
            raise PeerFailed("sign_in")
        return await really_ask(self, *args, **rest)

    def next_s(self: worker.Backoff, failure: PeerFailed) -> float:
        seen.append((self, self.pause_s))
        really_next_s(self, failure)
        return 0.01

    async def shut_out(times: int) -> list[float]:
        """Return how the pauses of the peer as a whole grew, which is what fails first, since this was called."""
        nonlocal is_shut
        is_shut, start = True, len(seen)
        for _ in range(400):
            pauses = [pause_s for backoff, pause_s in seen[start:] if backoff is seen[0][0]]
            if len(pauses) >= times:
                is_shut = False
                return pauses[:times]
            await asyncio.sleep(0.02)
        raise AssertionError("it was let in")

    monkeypatch.setattr(Remote, "ask", ask)
    monkeypatch.setattr(worker.Backoff, "next_s", next_s)
    monkeypatch.setattr(worker, "LOOK_S", 0.05)
    async with PeersRunner(parts_of(client.app), None).running():
        assert await shut_out(4) == [2.0, 4.0, 8.0, 16.0]
        await client.app.state["journal"].write(DATABASE, documents(1), Origin())
        await agreed(client, other)
        # Shut again at once, it is not asked more often for having let in once.
        assert (await shut_out(2))[1] > 32.0
        await client.app.state["journal"].write(DATABASE, documents(2)[1:], Origin())
        await agreed(client, other)
        clock.move(hours=1)
        assert await shut_out(2) == [2.0, 4.0]


def test_a_pace_grows_to_what_was_borne_and_tries_more_after_a_while() -> None:
    pace = BatchSize()
    sizes = []
    for _ in range(4):
        sizes.append(pace.size)
        pace.went_well()
    assert sizes == [100, 200, 400, MOST]
    pace.was_too_much()
    for _ in range(PATIENCE):
        assert pace.size == MOST // 2
        pace.went_well()
    assert pace.size == MOST
    for _ in range(12):
        pace.was_too_much()
    assert pace.size == 1

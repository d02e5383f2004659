"""A peer that was restored from a backup while this server runs gets everything again that it has lost."""

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from server.journal.model import NewRevision, Origin
from server.peers import remote_database, runner, worker
from server.peers.background import parts_of
from server.peers.book import Status
from server.peers.lag import with_lag
from server.peers.remote_database import RemoteDatabase
from server.peers.runner import PeersRunner
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import Client, an_app, running
from tests.conftest import StandingClock
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving
from tests.server.peers_world import add_peer, peer_account
from tests.server.started import started_sqlite
from tests.server.sync_door import DATABASE
from tests.server.test_peers_continuous import agreed

pytestmark = pytest.mark.by_turns


@asynccontextmanager
async def over(path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    """Give a server over a database's file."""
    storage = Storage(f"sqlite:///{path}")
    with an_app(settings.model_copy(update={"media_dir": path.parent / "media"}), storage, clock) as app:
        async with running(app), Client(app) as client:
            yield client
    await storage.close()


@pytest.fixture
async def there(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[MisbehavingPeer]:
    path = tmp_path / "other/nuong.sqlite"
    path.parent.mkdir()
    path.write_bytes(started_sqlite())
    async with over(path, settings, clock) as other, misbehaving(other.app) as peer:
        yield peer


def backup(path: Path) -> Path:
    """Return a copy of a database's file as it is now."""
    copied = path.with_name("restored.sqlite")
    with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(copied)) as target:
        source.backup(target)
    return copied


async def write(client: Client, *names: str) -> None:
    """Write documents, some of them over what stood there."""
    journal = client.app.state["journal"]
    for name in names:
        stands = await journal.document(DATABASE, f"seal:{name}")
        edit = NewRevision.following(f"seal:{name}", {"type": "seal", "n": "1"}, stands.rev if stands else None)
        await journal.write(DATABASE, [edit], Origin())


@pytest.fixture
async def as_before(
    there: MisbehavingPeer, tmp_path: Path, settings: Settings, clock: StandingClock
) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Give what copies the peer's database now and starts a server over the copy."""
    async with AsyncExitStack() as stack:

        async def started() -> Client:
            return await stack.enter_async_context(over(backup(tmp_path / "other/nuong.sqlite"), settings, clock))

        yield started


@pytest.mark.slow
@pytest.mark.parametrize("way", itertools.product((True, False), ("failure", "look", "conflict")))
async def test_what_a_restored_peer_lost_goes_there_again_without_a_restart(
    client: Client,
    there: MisbehavingPeer,
    as_before: Callable[[], Awaitable[Client]],
    monkeypatch: pytest.MonkeyPatch,
    way: tuple[bool, str],
) -> None:
    keeps_history, told_by = way
    other = Client(there.app)
    direction = "both" if told_by == "failure" else "push"
    peer = await add_peer(client.app, there.url, direction=direction, **await peer_account(other))

    async def keeps(_: RemoteDatabase) -> bool:
        return keeps_history

    monkeypatch.setattr(RemoteDatabase, "keeps_history", keeps)
    for module in (runner, worker):
        monkeypatch.setattr(module, "LOOK_S", 0.05)
    monkeypatch.setattr(remote_database, "LONGPOLL_S", 1)
    if told_by == "look":
        monkeypatch.setattr(worker, "CONFIRM_S", 0.1)
    monkeypatch.setattr(worker.Backoff, "next_s", lambda _backoff, _failure: 0.01)
    async with PeersRunner(parts_of(client.app), None).running():
        await write(client, "a", "b", "c")
        await agreed(client, other)
        restored = await as_before()
        await write(client, "d", "e", "a")
        await agreed(client, other)
        if told_by == "failure":
            # It was away for a moment, while nothing was to be pushed.
            there.plan = lambda _number, _method, _path: "refused"
            await _told(client, peer.id, lambda one: one.trouble is not None)
        there.app = restored.app
        there.plan = lambda _number, _method, _path: None
        if told_by == "conflict":
            # What is pushed now names a checkpoint that is not there any more.
            await write(client, "f")
        await agreed(client, restored)
        await _told(client, peer.id, lambda one: (one.database, one.trouble, one.behind) == (DATABASE, None, 0))


async def _told(client: Client, peer: str, wanted: Callable[[Status], bool]) -> None:
    """Return once a push or pull with the peer stands as wanted."""
    for _ in range(400):
        if any(map(wanted, await with_lag(client.app.state["journal"], await _statuses(client, peer)))):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never stands so")


async def _statuses(client: Client, peer: str) -> list[Status]:
    return list(await client.app.state["peer_book"].statuses(peer))

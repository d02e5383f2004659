"""Whoever is told to stop stops, also at the very moment at which what it waits for comes."""

import asyncio

import pytest

from server.maintenance.media_watch import MediaFolder
from server.media.files import MediaFiles
from server.peers.connections import ReplicationParts
from server.peers.failures import PeerFailed
from server.peers.model import Peer
from server.peers.remote import Remote
from server.peers.worker import PeerWork
from server.platform.background_task import running_beside
from server.platform.db.engine import Storage
from server.platform.db.notifications import Notices
from server.platform.health import check_parts
from server.settings import Settings
from tests.builders import Client
from tests.server.peers_world import add_peer, parts_towards
from tests.waiting import within

#: More turns of the loop than an answer takes to get from an event to who waits for it.
TURNS = range(6)
SOON_S = 20.0


class Answering(Storage):
    """A storage that answers when it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.may_answer = asyncio.Event()

    async def ready(self) -> None:
        await self.may_answer.wait()


class ShutOut(PeerWork):
    """Work with a peer that shuts its door, of which one part takes a while to end."""

    def __init__(self, parts: ReplicationParts, peer: Peer) -> None:
        super().__init__(parts, peer)
        self.has_failed = asyncio.Event()

    async def _opened(self, remote: Remote) -> PeerFailed | None:
        return None

    async def _keep_pushing(self, remote: Remote) -> None:
        raise PeerFailed("unreachable")

    async def _keep_media(self, remote: Remote) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.has_failed.set()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("turns", TURNS)
async def test_looking_after_the_parts_stops_also_while_the_database_answers(settings: Settings, turns: int) -> None:
    storage = Answering("postgresql://nuong@127.0.0.1:1/nuong")
    looking = asyncio.create_task(check_parts(storage, settings, MediaFolder(storage, MediaFiles(settings.media_dir))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    storage.may_answer.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(SOON_S, looking)
    await storage.close()


async def test_listening_to_other_processes_stops_also_while_a_word_is_sent(storage: Storage) -> None:
    if not storage.is_postgresql:
        # On SQLite there is nobody to call.
        return
    for turns in TURNS:
        heard = asyncio.Event()
        one = Notices(storage, "words", lambda word: None)
        other = Notices(storage, "words", lambda word, heard=heard: heard.set())  # type: ignore[misc]
        tasks = [asyncio.create_task(each.run()) for each in (one, other)]
        while not heard.is_set():
            one.send("a word")
            await asyncio.sleep(0.02)
        # It now waits for something to send.
        await asyncio.sleep(0.05)
        one.send("another word")
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        _, still = await asyncio.wait(tasks, timeout=SOON_S)
        for task in still:
            task.cancel()
        assert not still, f"it went on after {turns} turns"


async def test_work_with_a_peer_stops_also_while_the_peer_shuts_its_door(client: Client) -> None:
    peer = await add_peer(client.app, "https://other.example/db", direction="push")
    work = ShutOut(parts_towards(client.app), peer)
    working = asyncio.create_task(work.run())
    await within(SOON_S, work.has_failed.wait())
    working.cancel()
    _, still = await asyncio.wait({working}, timeout=SOON_S)
    assert not still
    assert working.cancelled()


async def test_who_ends_what_runs_beside_it_can_be_cancelled_meanwhile() -> None:
    ending, may_end = asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await may_end.wait()

    async def serve() -> None:
        async with running_beside(slow_to_end(), "slow"):
            await asyncio.sleep(0)

    serving = asyncio.create_task(serve())
    await within(SOON_S, ending.wait())
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(SOON_S, serving)
    may_end.set()

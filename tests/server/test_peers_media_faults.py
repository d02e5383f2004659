"""Files between two Nươngs when something is wrong: broken links, other bytes, full disks, damaged files, an outage."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from server.demo.phone import Attachment
from server.media.files import MediaFiles, OpenUpload
from server.media.tables import media
from server.peers import media_door, media_exchange, remote_media, worker
from server.peers.background import parts_of
from server.peers.media_book import FIRST_PAUSE, MediaBook
from server.peers.runner import PeersRunner
from server.settings import Settings
from tests.builders import Client
from tests.conftest import StandingClock
from tests.server.hub_world import MEDIA, a_hub, after_the_records, followed, given_to, is_here, on_phone, uploads_of
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving, struck_over
from tests.server.peers_world import a_server, add_peer, peer_account, sync, synced
from tests.server.test_media_door import photo

pytestmark = pytest.mark.by_turns


@pytest.fixture
async def hub(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    (tmp_path / "hub").mkdir()
    async with a_server(tmp_path / "hub", settings, clock) as client:
        yield client


@pytest.fixture
async def far(client: Client) -> AsyncIterator[MisbehavingPeer]:
    """Give the province behind a socket that spoils answers as a test wants them."""
    async with misbehaving(client.app) as peer:
        yield peer


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["half", "answer lost", "507", "garbage", "other json"])
async def test_whatever_goes_wrong_at_any_request_about_files_the_next_rounds_make_good(
    client: Client, hub: Client, far: MisbehavingPeer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (media_door, media_exchange, remote_media):
        monkeypatch.setattr(module, "PIECE_BYTES", 30_000)
    await a_hub(hub, client)
    peer = await add_peer(hub.app, far.url, name="again", **await peer_account(client, "hub2"))
    await synced(hub.app, peer)
    for at in struck_over(client.app.state["storage"]):
        item = await given_to(hub, photo("green") + os.urandom(70_000))
        other = await given_to(client, photo("red") + os.urandom(70_000), "lan")
        await sync(hub.app, peer)
        await followed(hub, client)
        seen = 0

        def plan(_number: int, _method: str, path: str, at: int = at) -> str | None:
            nonlocal seen
            if "/peers/media" not in path:
                return None
            seen += 1
            return fault if seen == at + 1 else None

        far.plan = plan
        await sync(hub.app, peer)
        far.plan = lambda _number, _method, _path: None
        hub.app.state["clock"].move(hours=7)
        statuses = await sync(hub.app, peer)
        assert await is_here(client, item), at
        assert await is_here(hub, other), at
        assert {one.trouble for one in statuses.values()} == {None}
        if seen <= at:
            break
    assert at > 8
    assert (await MediaBook(hub.app.state["storage"], hub.app.state["clock"]).shown(peer.id))[0] == 0
    assert await uploads_of(client) == await uploads_of(hub) == []


@pytest.mark.slow
async def test_an_upload_that_broke_off_goes_on_where_it_stands_on_either_side(
    client: Client, hub: Client, far: MisbehavingPeer
) -> None:
    await a_hub(hub, client)
    peer = await add_peer(hub.app, far.url, name="again", **await peer_account(client, "hub2"))
    up, down = await given_to(hub, os.urandom(3_500_000)), await given_to(client, os.urandom(3_500_000), "lan")
    await sync(hub.app, peer)
    await followed(hub, client)
    pieces = {"GET": 0, "PATCH": 0}

    def plan(_number: int, method: str, path: str) -> str | None:
        if path.endswith((up.sha256, down.sha256)) and method in pieces:
            pieces[method] += 1
            return "half" if pieces[method] == 3 else None
        return None

    far.plan = plan
    broken = await sync(hub.app, peer)
    assert {one.trouble.code for one in broken.values() if one.trouble} == {"half"}
    assert not await is_here(hub, down)
    assert (await uploads_of(hub))[0].sha256 == down.sha256

    statuses = await sync(hub.app, peer)

    assert await is_here(hub, down)
    assert await is_here(client, up)
    # Of four pieces each one was asked for again, and of that one what was lacking.
    assert pieces["GET"] <= 6
    assert pieces["PATCH"] <= 5
    assert [statuses[MEDIA, way].trouble for way in ("pull", "push")] == [None, None]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["other bytes", "no end"])
async def test_a_peer_that_gives_other_bytes_for_a_hash_is_named_and_holds_up_no_other_file(
    client: Client, hub: Client, far: MisbehavingPeer, clock: StandingClock, fault: str
) -> None:
    await a_hub(hub, client)
    peer = await add_peer(hub.app, far.url, name="again", **await peer_account(client, "hub2"))
    bad, good = await given_to(client, photo("red")), await given_to(client, photo("blue") + bytes(10_000), "lan")
    await sync(hub.app, peer)
    await followed(hub, client)
    far.plan = lambda _number, _method, path: fault if path.endswith(bad.sha256) else None

    statuses = await sync(hub.app, peer)

    assert await is_here(hub, good)
    assert not MediaFiles(hub.app.state["settings"].media_dir).content_path(bad.sha256).exists()
    if fault == "other bytes":
        assert (statuses[MEDIA, "pull"].behind, statuses[MEDIA, "pull"].trouble) == (1, None)
        book = MediaBook(hub.app.state["storage"], clock)
        (left,) = (await book.shown(peer.id))[1]
        assert (left.name, left.record, left.direction, left.reason) == ("cay.jpg", bad.record, "pull", "wrong_bytes")
        # Not again at once: a poor link is not spent on it.
        far.asked.clear()
        await sync(hub.app, peer)
        assert [path for _, path in far.asked if path.endswith(bad.sha256)] == []
    clock.move(seconds=FIRST_PAUSE.total_seconds())
    far.plan = lambda _number, _method, _path: None
    statuses = await sync(hub.app, peer)
    assert await is_here(hub, bad)
    assert (await MediaBook(hub.app.state["storage"], clock).shown(peer.id))[0] == 0


@pytest.mark.slow
async def test_a_file_of_ours_that_is_damaged_or_gone_is_named_and_not_sent(
    client: Client, hub: Client, clock: StandingClock
) -> None:
    peer = await a_hub(hub, client)
    torn, gone, good = [await given_to(hub, photo(colour), name) for colour, name in COLOURS]
    files = MediaFiles(hub.app.state["settings"].media_dir)
    files.content_path(torn.sha256).write_bytes(torn.content[:-1] + b"?")
    files.content_path(gone.sha256).unlink()

    statuses = await after_the_records(hub, peer, client)

    assert await is_here(client, good)
    assert statuses[MEDIA, "push"].behind == 2
    count, left = await MediaBook(hub.app.state["storage"], clock).shown(peer.id)
    assert (count, {one.sha256 for one in left}) == (2, {torn.sha256, gone.sha256})
    assert {(one.reason, one.direction) for one in left} == {("damaged", "push")}
    assert await uploads_of(client) == []

    # The phone itself brings one of them to the province: it is in trouble no more.
    phone = await on_phone(client)
    await phone.upload(torn)
    await followed(client)
    await sync(hub.app, peer, client.app)
    assert (await MediaBook(hub.app.state["storage"], clock).shown(peer.id))[0] == 1


COLOURS = (("red", "hoa"), ("green", "lan"), ("blue", "hoa"))


@pytest.mark.slow
async def test_a_full_disk_on_either_side_is_said_and_stops_the_other_way_not(
    client: Client, hub: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = await a_hub(hub, client)
    up, down = await given_to(hub, photo("green")), await given_to(client, photo("red"), "lan")
    room = MediaFiles.free_bytes
    full: list[Path] = [hub.app.state["settings"].media_dir]
    monkeypatch.setattr(MediaFiles, "free_bytes", lambda files: 0 if files.root in full else room(files))

    statuses = await after_the_records(hub, peer, client)

    trouble = statuses[MEDIA, "pull"].trouble
    assert trouble is not None
    assert (trouble.code, trouble.told, statuses[MEDIA, "push"].trouble) == ("full_here", "cay.jpg", None)
    assert await is_here(client, up)
    full.clear()
    again = await given_to(hub, photo("blue"))
    full[:] = [client.app.state["settings"].media_dir]
    statuses = await after_the_records(hub, peer, client)
    trouble = statuses[MEDIA, "push"].trouble
    assert trouble is not None
    assert (trouble.code, statuses[MEDIA, "pull"].trouble) == ("full", None)
    assert await is_here(hub, down)
    full.clear()
    statuses = await sync(hub.app, peer, client.app)
    assert await is_here(client, again)
    assert [statuses[MEDIA, way].trouble for way in ("pull", "push")] == [None, None]


@pytest.mark.slow
async def test_a_disk_that_fills_up_midway_keeps_what_has_come_and_says_so(
    client: Client, hub: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = await a_hub(hub, client)
    item = await given_to(client, os.urandom(2_500_000))
    await synced(hub.app, peer, client.app)
    await followed(hub, client)
    write, most = OpenUpload.write, 1_200_000

    def cramped(upload: OpenUpload, data: bytes) -> None:
        if upload.offset + len(data) > most:
            raise OSError(28, "No space left on device")
        write(upload, data)

    monkeypatch.setattr(OpenUpload, "write", cramped)
    statuses = await sync(hub.app, peer, client.app)
    trouble = statuses[MEDIA, "pull"].trouble
    assert trouble is not None
    assert trouble.code == "full_here"
    assert not await is_here(hub, item)
    monkeypatch.setattr(OpenUpload, "write", write)
    files = MediaFiles(hub.app.state["settings"].media_dir)
    assert files.offset(peer.id, item.sha256) >= 1_000_000

    await synced(hub.app, peer, client.app)

    assert await is_here(hub, item)


@pytest.mark.slow
async def test_files_follow_by_themselves_and_outlive_an_outage(
    client: Client, hub: Client, far: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MEDIA_LOOK_S", 0.1)
    monkeypatch.setattr(worker, "FIRST_PAUSE_S", 0.1)
    await a_hub(hub, client)
    await hub.app.state["peer_book"].remove((await hub.app.state["peer_book"].find("province")).id)
    await add_peer(hub.app, far.url, name="again", **await peer_account(client, "hub2"))

    async def arrived(*items: Attachment) -> None:
        for _ in range(600):
            if all([await is_here(server, item) for server in (client, hub) for item in items]):
                return
            await followed(hub, client)
            await asyncio.sleep(0.05)
        raise AssertionError("they did not arrive")

    async with PeersRunner(parts_of(hub.app), None).running():
        first = await given_to(hub, photo("green"))
        await arrived(first)
        far.plan = lambda _number, _method, _path: "refused"
        up, down = await given_to(hub, photo("red")), await given_to(client, photo("blue"), "lan")
        await asyncio.sleep(0.3)
        assert not await is_here(client, up)
        far.plan = lambda _number, _method, _path: None
        await arrived(up, down)


@pytest.mark.slow
@pytest.mark.parametrize("more", [-1000, 1000])
async def test_a_peer_that_says_a_wrong_length_keeps_the_right_one_not_out(
    client: Client, hub: Client, clock: StandingClock, more: int
) -> None:
    peer = await a_hub(hub, client)
    item = await given_to(client, photo() + os.urandom(5000))
    await synced(hub.app, peer, client.app)
    await followed(hub, client)

    async def say(length: int) -> None:
        async with client.app.state["storage"].write() as connection:
            await connection.execute(update(media).values(bytes=length))

    await say(len(item.content) + more)
    await synced(hub.app, peer, client.app)
    (left,) = (await MediaBook(hub.app.state["storage"], clock).shown(peer.id))[1]
    assert left.reason == "wrong_bytes"
    assert not await is_here(hub, item)

    await say(len(item.content))
    clock.move(hours=7)
    await synced(hub.app, peer, client.app)

    assert await is_here(hub, item)
    assert await uploads_of(hub) == []


@pytest.mark.parametrize("way", ["push", "pull"])
async def test_a_file_larger_than_the_other_side_takes_is_named(
    client: Client, hub: Client, clock: StandingClock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    peer = await a_hub(hub, client)
    item = await given_to(hub if way == "push" else client, photo() + os.urandom(50_000))
    small = client if way == "push" else hub
    monkeypatch.setitem(small.app.state["settings"].__dict__, "media_bytes", 1000)

    await after_the_records(hub, peer, client)

    assert not await is_here(small, item)
    (left,) = (await MediaBook(hub.app.state["storage"], clock).shown(peer.id))[1]
    assert (left.reason, left.direction, left.sha256) == ("too_large", way, item.sha256)

"""Photos, sounds and files between two Nươngs: both ways, resumed, verified, and never of a foreign scope."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from server.demo.phone import Attachment, Phone
from server.media.files import MediaFiles, OpenUpload
from server.media.tables import media, media_uploads
from server.peers import media_door, media_exchange, remote_media, work
from server.peers.background import parts_of
from server.peers.book import Status
from server.peers.failures import SENTENCES
from server.peers.media_book import FIRST_PAUSE, REASONS, MediaBook
from server.peers.model import Peer
from server.peers.runner import PeersRunner
from server.settings import Settings
from tests.builders import PASSWORD, SIN_THAU, Client, add_person, grant, problem, sign_in
from tests.conftest import StandingClock
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving
from tests.server.peers_world import DOOR, a_server, add_peer, peer_account, sync, synced
from tests.server.sync_door import ANSWERS, DATABASE, FORM, VERSION, Picture, a_phone, with_form
from tests.server.test_media_door import fetch, photo
from tests.server.test_peers_hub import as_hub, met_by

MEDIA = "media"


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


def with_photo(phone: Phone, content: bytes, record: str | None = None, database: str = DATABASE) -> Attachment:
    """Save a record with a photo that the phone keeps for itself as yet; return the photo."""
    about = Picture(content).of("").about()
    saved = phone.save(database, FORM, VERSION, ANSWERS, media={"cay.jpg": about}, record=record)
    return Picture(content).of(saved["_id"], database)


async def followed(*servers: Client) -> None:
    """Let the followers of these servers take in what stands, also what has come of files."""
    for server in servers:
        runner = server.app.state["runner"]
        await runner.once()
        for look in runner.looks:
            await look()


async def is_here(server: Client, item: Attachment) -> bool:
    """Whether a server keeps exactly this content."""
    path = MediaFiles(server.app.state["settings"].media_dir).whole(item.sha256)
    return path.exists() and path.read_bytes() == item.content


async def a_hub(hub: Client, province: Client) -> Peer:
    """Make a hub that has the form and the people of its scope."""
    await with_form(province)
    for name in ("hoa", "lan"):
        await add_person(province, name, grant("field_worker"))
    peer = await as_hub(hub, province)
    await synced(hub.app, peer, province.app)
    return peer


async def on_phone(server: Client, name: str = "hoa") -> Phone:
    return await Phone(server, clock=server.app.state["clock"]).sign_in(name, PASSWORD)


async def given_to(server: Client, content: bytes, name: str = "hoa") -> Attachment:
    """Record with a photo on a new phone, and give both to one server."""
    phone = await on_phone(server, name)
    item = with_photo(phone, content)
    phone.attach(item)
    await phone.sync()
    return item


async def after_the_records(hub: Client, peer: Peer, province: Client, **through: Any) -> dict[tuple[str, str], Status]:
    """Exchange the records, let both sides find out what they await, and exchange again."""
    await synced(hub.app, peer, province.app)
    await followed(hub, province)
    return await sync(hub.app, peer, **(through or {"other": province.app}))


async def uploads_of(server: Client) -> list[Any]:
    async with server.app.state["storage"].read() as connection:
        return list((await connection.execute(select(media_uploads))).all())


async def test_photos_go_both_ways_between_hub_and_province(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    from_hub = await given_to(hub, photo("green") + os.urandom(2_500_000))
    from_province = await given_to(client, photo("red"), "lan")

    statuses = await after_the_records(hub, peer, client)

    for server in (client, hub):
        assert await is_here(server, from_hub)
        assert await is_here(server, from_province)
        reader = await on_phone(server)
        assert (await fetch(reader, from_hub.sha256)).content == from_hub.content
        assert (await fetch(reader, from_province.sha256, "?size=thumb")).status_code == 200
    assert [(statuses[MEDIA, way].behind, statuses[MEDIA, way].documents) for way in ("pull", "push")] == [(0, 1)] * 2
    await followed(hub, client)
    await add_person(client, "chief", grant("supervisor"))
    await synced(hub.app, peer, client.app)
    for server in (client, hub):
        rows = await server.get("/api/review/records", headers=(await sign_in(server, "chief")).headers)
        assert [row["flags"] for row in rows.json()["records"] if "missing_media" in row["flags"]] == []
        assert len(rows.json()["records"]) == 2


async def test_what_has_arrived_is_carried_no_second_time(client: Client, hub: Client, far: MisbehavingPeer) -> None:
    await a_hub(hub, client)
    peer = await add_peer(hub.app, far.url, name="again", **await peer_account(client, "hub2"))
    item = await given_to(hub, photo())
    await sync(hub.app, peer)
    # The province's followers have not struck out yet what has come: it is not asked for again all the same.
    await followed(hub, client)
    await synced(hub.app, peer)
    assert await is_here(client, item)
    far.asked.clear()
    await synced(hub.app, peer)
    await followed(hub, client)
    await synced(hub.app, peer)
    assert [path for method, path in far.asked if "/media" in path and method != "GET"] == []


async def test_a_phone_that_gave_a_photo_to_the_hub_sends_the_province_none_of_its_bytes(
    client: Client, hub: Client
) -> None:
    peer = await a_hub(hub, client)
    at_hub = await on_phone(hub)
    item = with_photo(at_hub, photo())
    at_hub.attach(item)
    await at_hub.sync()
    await after_the_records(hub, peer, client)
    at_province = await met_by(at_hub, client, "hoa")
    sent: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        sent.append(request)

    client.event_hooks = {"request": [note]}
    await at_province.upload(item)

    assert [(one.method, one.url.path) for one in sent] == [("POST", "/api/media")]


async def test_a_photo_on_a_branch_that_does_not_win_is_carried_too(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    phone = await on_phone(client)
    record = phone.save(DATABASE, FORM, VERSION, ANSWERS)["_id"]
    await phone.sync()
    await synced(hub.app, peer, client.app)
    items = []
    for server, name, colour in ((client, "hoa", "red"), (hub, "lan", "blue")):
        other = await on_phone(server, name)
        await other.sync()
        items.append(with_photo(other, photo(colour), record))
        other.attach(items[-1])
        await other.sync()

    await after_the_records(hub, peer, client)

    assert [await is_here(server, item) for server in (client, hub) for item in items] == [True] * 4


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
    at, seen = 0, 0
    while seen == at:
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
        at, seen = at + 1, min(seen, at + 1)
    assert at > 8
    assert (await MediaBook(hub.app.state["storage"], hub.app.state["clock"]).shown(peer.id))[0] == 0
    assert await uploads_of(client) == await uploads_of(hub) == []


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
    assert not MediaFiles(hub.app.state["settings"].media_dir).whole(bad.sha256).exists()
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


async def test_a_file_of_ours_that_is_damaged_or_gone_is_named_and_not_sent(
    client: Client, hub: Client, clock: StandingClock
) -> None:
    peer = await a_hub(hub, client)
    torn, gone, good = [await given_to(hub, photo(colour), name) for colour, name in COLOURS]
    files = MediaFiles(hub.app.state["settings"].media_dir)
    files.whole(torn.sha256).write_bytes(torn.content[:-1] + b"?")
    files.whole(gone.sha256).unlink()

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


async def test_what_is_missing_is_counted_and_told_while_the_peer_is_away(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    phone = await on_phone(client)
    # The phone has brought the record and kept the photo.
    with_photo(phone, photo())
    await phone.sync()
    await synced(hub.app, peer, client.app)
    await followed(hub, client)
    await synced(hub.app, peer, client.app)
    await add_person(client, "chief", grant("administrator", "*", "11"))
    await synced(hub.app, peer, client.app)
    (shown,) = (await hub.get("/api/peers", headers=(await sign_in(hub, "chief")).headers)).json()["peers"]
    assert (shown["files_waiting"], shown["files_missing"], shown["files_left_count"]) == (0, 1, 0)
    assert shown["behind"] == 0

    # The link breaks, and a phone gives the hub a photo.
    hub.app.state["clock"].move(seconds=1)
    await sync(hub.app, replace(peer, url="http://127.0.0.1:9/db"))
    hub.app.state["clock"].move(seconds=1)
    await given_to(hub, photo("red"), "lan")
    (shown,) = (await hub.get("/api/peers", headers=(await sign_in(hub, "chief")).headers)).json()["peers"]
    assert shown["files_waiting"] == 1


async def test_a_server_gets_and_brings_files_of_its_own_scopes_only_i9(client: Client) -> None:
    await with_form(client)
    foreign = f"agri-{SIN_THAU}"
    own, other = await a_phone(client), await a_phone(client, "mai", grant("field_worker", unit=SIN_THAU))
    item, secret = with_photo(own, photo("green")), with_photo(other, photo("red"), database=foreign)
    awaited = with_photo(other, photo("blue"), database=foreign)
    for phone in (own, other):
        await phone.sync()
    await own.upload(item)
    await other.upload(secret)
    await followed(client)
    account = await peer_account(client)
    auth = httpx.BasicAuth(account["username"].encode(), account["password"].encode())
    door = "/api/peers/media"

    assert (await client.get(f"{door}/{item.sha256}", auth=auth)).content == item.content
    problem(await client.get(f"{door}/{secret.sha256}", auth=auth), 404, "not_found")
    hashes = [item.sha256, secret.sha256, awaited.sha256]
    held = (await client.post(f"{door}/held", json={"sha256s": hashes}, auth=auth)).json()["held"]
    assert [one["sha256"] for one in held] == [item.sha256]
    assert (await client.get(f"{door}/awaited", auth=auth)).json() == {"awaited": [], "next": None}

    # A file that no record of its scopes names: of another record, of another scope, of none.
    stray = Picture(photo("white")).of(item.record)
    for sent in (awaited, Picture(photo("blue")).of(item.record), stray, Picture(photo("white")).of("0" * 36)):
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(sent.content)),
            "Upload-Metadata": sent.metadata(),
        }
        answer = await client.post(door, headers=headers, auth=auth)
        assert answer.status_code in (403, 404)
        problem(answer, answer.status_code, "not_allowed" if answer.status_code == 403 else "not_found")

    worker = {"Authorization": f"Bearer {own.access_token}"}
    problem(await client.get(f"{door}/awaited", headers=worker), 403, "not_allowed")
    problem(await client.get(f"{door}/awaited"), 401, "not_signed_in")


async def test_what_a_peer_says_it_awaits_gets_no_file_of_a_scope_that_does_not_go_there(
    client: Client, hub: Client
) -> None:
    await with_form(hub)
    stranger = await a_phone(hub, "mai", grant("field_worker", unit=SIN_THAU))
    secret = with_photo(stranger, photo("red"), database=f"agri-{SIN_THAU}")
    stranger.attach(secret)
    await stranger.sync()
    # The province's own worker names the hash in a record of the scope that both exchange.
    await with_form(client)
    liar = await a_phone(client)
    liar.save(DATABASE, FORM, VERSION, ANSWERS, media={"cay.jpg": secret.about()})
    await liar.sync()
    peer = await add_peer(hub.app, DOOR, **await peer_account(client))

    await after_the_records(hub, peer, client)

    assert not MediaFiles(client.app.state["settings"].media_dir).whole(secret.sha256).exists()


async def test_what_can_be_wrong_with_files_has_a_sentence() -> None:
    assert set(REASONS) == {"wrong_bytes", "damaged", "too_large", "not_taken"}
    assert {"full_here", "no_media"} <= set(SENTENCES)


async def test_files_follow_by_themselves_and_outlive_an_outage(
    client: Client, hub: Client, far: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MEDIA_LOOK_S", 0.1)
    monkeypatch.setattr(work, "FIRST_PAUSE_S", 0.1)
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

"""Photos, sounds and files between two Nươngs: both ways, once, and never of a foreign scope."""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select

from server.demo.phone import Attachment
from server.media.files import MediaFiles
from server.media.tables import media_links
from server.peers.failures import SENTENCES
from server.peers.media_book import REASONS
from server.peers.media_here import PAGE
from server.peers.remote_media import RemoteMedia
from server.peers.schemas import HeldFile
from server.read_model.record_tables import awaited_media
from server.settings import Settings
from tests.builders import SIN_THAU, Client, add_person, grant, problem, sign_in
from tests.conftest import StandingClock
from tests.server.hub_world import MEDIA, a_hub, after_the_records, followed, given_to, is_here, on_phone, with_photo
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving
from tests.server.peers_world import DOOR, a_server, add_peer, peer_account, sync, synced
from tests.server.sync_door import ANSWERS, DATABASE, FORM, VERSION, Picture, a_phone, with_form
from tests.server.test_media_door import fetch, photo
from tests.server.test_peers_hub import met_by

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
async def test_what_is_missing_is_counted_and_told_while_the_peer_is_away(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    phone = await on_phone(client)
    # The phone has brought the record and kept the photo.
    with_photo(phone, photo())
    await phone.sync()
    await synced(hub.app, peer, client.app)
    await followed(hub, client)
    await synced(hub.app, peer, client.app)
    await add_person(hub, "chief", grant("administrator", "*", "11"))
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


async def test_a_record_that_names_what_is_no_hash_keeps_nobody_from_the_files(client: Client) -> None:
    await with_form(client)
    phone = await a_phone(client)
    names = ["😀" * 64, "z" * 64, *(f"{number:064x}" for number in range(PAGE - 1))]
    media = {str(place): {"sha256": name, "bytes": "1", "type": "image/jpeg"} for place, name in enumerate(names)}
    phone.save(DATABASE, FORM, VERSION, ANSWERS, media=media)
    await phone.sync()
    await followed(client)
    async with client.app.state["storage"].read() as connection:
        stands = set(await connection.scalars(select(awaited_media.c.sha256)))
    assert stands == set(names[2:])
    # What an earlier release put there; the first of them ends a page.
    earlier = [{"sha256": name, "database": DATABASE, "record": "😀" * 36} for name in ("😀" * 64, "😁" * 64)]
    async with client.app.state["storage"].write() as connection:
        await connection.execute(insert(awaited_media), earlier)
    account = await peer_account(client)
    auth = httpx.BasicAuth(account["username"].encode(), account["password"].encode())
    seen: list[str] = []
    query: dict[str, str] = {}
    for _ in range(4):
        answer = await client.get("/api/peers/media/awaited", params=query, auth=auth)
        assert answer.status_code == 200, answer.text
        seen += [one["sha256"] for one in answer.json()["awaited"]]
        if answer.json()["next"] is None:
            break
        query = {"after": answer.json()["next"]}
    assert seen == sorted(names[2:])


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

    assert not MediaFiles(client.app.state["settings"].media_dir).content_path(secret.sha256).exists()


async def elsewhere(server: Client, item: Attachment) -> None:
    """Give a server the same photo for a record of another scope."""
    other = await a_phone(server, "mai", grant("field_worker", unit=SIN_THAU))
    same = with_photo(other, item.content, database=f"agri-{SIN_THAU}")
    other.attach(same)
    await other.sync()


async def test_a_photo_that_is_here_for_another_scope_alone_comes_for_this_one_too(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    item = await given_to(hub, photo("green"))
    await elsewhere(client, item)
    assert (await fetch(await on_phone(client), item.sha256)).status_code == 404

    await after_the_records(hub, peer, client)

    assert (await fetch(await on_phone(client), item.sha256)).content == item.content
    await followed(client)
    await add_person(client, "chief", grant("supervisor"))
    rows = await client.get("/api/review/records", headers=(await sign_in(client, "chief")).headers)
    assert [row["flags"] for row in rows.json()["records"] if "missing_media" in row["flags"]] == []


async def test_a_photo_of_another_scope_alone_is_missing_to_whoever_reads_this_one(client: Client) -> None:
    await with_form(client)
    item = with_photo(phone := await a_phone(client), photo("green"))
    await phone.sync()
    await elsewhere(client, item)
    await followed(client)
    await add_person(client, "chief", grant("supervisor"))
    rows = await client.get("/api/review/records", headers=(await sign_in(client, "chief")).headers)
    assert [("missing_media" in row["flags"]) for row in rows.json()["records"]] == [True]


async def test_a_peer_that_says_it_has_a_photo_is_given_none_of_another_scope_i9(
    client: Client, hub: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer's record names the hash of a photo that is here for a scope which the peer may not read."""
    await with_form(client)
    secret = Picture(photo("red")).of("")
    await elsewhere(client, secret)
    await with_form(hub)
    with_photo(liar := await a_phone(hub), secret.content)
    await liar.sync()
    account = await peer_account(hub)
    peer = await add_peer(client.app, DOOR, **account)
    said = HeldFile(sha256=secret.sha256, bytes=len(secret.content), type="image/jpeg", name="cay.jpg")

    async def held(_there: RemoteMedia, _sha256s: Sequence[str]) -> dict[str, HeldFile]:
        return {secret.sha256: said}

    monkeypatch.setattr(RemoteMedia, "held", held)
    await after_the_records(client, peer, hub)

    assert (await fetch(await a_phone(client, "lan"), secret.sha256)).status_code == 404
    async with client.app.state["storage"].read() as connection:
        links = (await connection.execute(select(media_links.c.database))).scalars().all()
    assert links == [f"agri-{SIN_THAU}"]


async def test_what_can_be_wrong_with_files_has_a_sentence() -> None:
    assert set(REASONS) == {"wrong_bytes", "damaged", "too_large", "not_taken"}
    assert {"full_here", "no_media"} <= set(SENTENCES)

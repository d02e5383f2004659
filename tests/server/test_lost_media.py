"""Files that are gone or damaged: found, shown, and brought again by phones, hubs and the province."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.demo.phone import Attachment, Phone
from server.maintenance.background import media_watch
from server.maintenance.lost_media import LostMedia
from server.maintenance.media_watch import MediaWatch
from server.media.files import MediaFiles
from server.settings import Settings
from tests.builders import Client, add_person, grant, problem
from tests.conftest import StandingClock
from tests.server.hub_world import MEDIA, a_hub, after_the_records, followed, given_to, is_here, on_phone, with_photo
from tests.server.peers_world import a_server
from tests.server.sync_door import exchange, with_form
from tests.server.test_media_door import announce, fetch, photo
from tests.server.test_operating import At

pytestmark = pytest.mark.by_turns


@pytest.fixture
async def hub(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    (tmp_path / "hub").mkdir()
    async with a_server(tmp_path / "hub", settings, clock) as client:
        yield client


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> At:
    return At(tmp_path, monkeypatch, capsys)


def watch(client: Client) -> MediaWatch:
    """Return the watch of a server, which rests never."""
    made = media_watch(client.app)

    async def no_rest(_: float) -> None:
        return None

    made._pause = no_rest
    return made


def path_of(client: Client, item: Attachment) -> Path:
    return MediaFiles(client.app.state["settings"].media_dir).content_path(item.sha256)


async def two_photos(client: Client) -> tuple[Phone, list[Attachment]]:
    """Return a phone whose two photos are on the server, each of a record of its own."""
    await with_form(client)
    await add_person(client, "hoa", grant("field_worker"))
    phone = await on_phone(client)
    items = [with_photo(phone, photo(colour)) for colour in ("green", "red")]
    for item in items:
        phone.attach(item)
    await phone.sync()
    await followed(client)
    return phone, items


@pytest.mark.parametrize("harm", ["gone", "cut short", "changed"])
async def test_a_file_that_is_gone_or_damaged_is_asked_of_its_phone_and_comes_again(client: Client, harm: str) -> None:
    phone, (lost, kept) = await two_photos(client)
    path = path_of(client, lost)
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(lost.content[:-1] if harm == "cut short" else lost.content[:-1] + b"?")

    assert await watch(client).round() == {"gone" if harm == "gone" else "damaged": 1}

    answer = await exchange(phone)
    assert (answer.missing, answer.safe) == ("1", "0")
    problem(await fetch(phone, lost.sha256), 404, "not_found")
    assert (await fetch(phone, kept.sha256)).content == kept.content
    # Which is what a phone of ours does with a number that is missing.
    begun = await announce(phone, lost)
    assert begun.headers["Upload-Offset"] == "0"
    await phone.upload(lost)
    assert await is_here(client, lost)
    assert await watch(client).round() == {}
    damaged = path.parents[1] / "damaged" / lost.sha256
    assert damaged.exists() == (harm != "gone")


async def test_a_number_is_told_as_missing_until_the_phone_sends_that_save_again(client: Client) -> None:
    phone, (lost, _) = await two_photos(client)
    first = next(item for item in phone.outcomes if item == "1")
    sent = await _all_again(phone, client)
    path_of(client, lost).unlink()
    await watch(client).round()
    assert (await exchange(phone)).missing == first
    assert (await exchange(phone)).missing == first
    answer = await exchange(phone, push=sent)
    assert [ack.outcome for ack in answer.acks] == ["duplicate", "duplicate"]
    assert (answer.missing, answer.safe) == ("", "2")


async def _all_again(phone: Phone, client: Client) -> list[dict[str, object]]:
    held = phone.documents["agri-03226-2025"]
    documents = sorted(held.values(), key=lambda one: int(one["saved"]["number"]))
    return [{"db": "agri-03226-2025", "doc": one, "ancestors": []} for one in documents]


@pytest.mark.slow
async def test_what_a_province_has_lost_its_hub_brings_again_and_the_other_way_round(
    client: Client, hub: Client
) -> None:
    peer = await a_hub(hub, client)
    from_hub = await given_to(hub, photo("green"))
    from_province = await given_to(client, photo("red"), "lan")
    await after_the_records(hub, peer, client)
    await followed(hub, client)

    path_of(client, from_hub).unlink()
    path_of(hub, from_province).unlink()
    for server in (client, hub):
        assert await watch(server).round() == {"gone": 1}
    statuses = await after_the_records(hub, peer, client)

    assert await is_here(client, from_hub)
    assert await is_here(hub, from_province)
    # One before, and the lost one again.
    assert [(statuses[MEDIA, way].behind, statuses[MEDIA, way].documents) for way in ("pull", "push")] == [(0, 2)] * 2


async def test_a_folder_that_is_gone_is_not_ready_and_nothing_in_it_is_taken_for_lost(client: Client) -> None:
    phone, items = await two_photos(client)
    folder: Path = client.app.state["settings"].media_dir
    shutil.move(folder, folder.with_name("unmounted"))

    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["media"]) == (503, "gone")
    assert await watch(client).round() == {}
    assert (await exchange(phone)).missing == ""

    shutil.move(folder.with_name("unmounted"), folder)
    assert (await client.get("/readyz")).json()["parts"]["media"] == "ok"
    assert (await fetch(phone, items[0].sha256)).content == items[0].content


async def test_one_of_many_files_takes_no_mark_that_a_new_upload_has_set(client: Client) -> None:
    phone, (lost, _) = await two_photos(client)
    made = watch(client)
    taking = LostMedia.take_mark

    async def late(self: LostMedia, content: object, state: object) -> None:
        client.app.state["clock"].move(seconds=1)
        await taking(self, content, state)  # type: ignore[arg-type]
        await phone.upload(lost)
        await taking(self, content, state)  # type: ignore[arg-type]

    path_of(client, lost).unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LostMedia, "take_mark", late)
        await made.round()
    assert (await fetch(phone, lost.sha256)).content == lost.content


def test_media_are_verified_at_the_console(at: At, tmp_path: Path) -> None:
    folder = {"NUONG_MEDIA_DIR": str(tmp_path / "media")}
    at.nuong("migrate")
    assert at.nuong("media", "verify", **folder).out == "Every file is whole.\n"


async def test_a_folder_lost_for_good_is_brought_again_when_an_operator_says_so(client: Client) -> None:
    phone, items = await two_photos(client)
    shutil.rmtree(client.app.state["settings"].media_dir)
    assert await watch(client).verify() == {"gone": 2}
    assert (await exchange(phone)).missing == "1-2"
    for item in items:
        await phone.upload(item)
        assert await is_here(client, item)
    assert (await client.get("/readyz")).json()["parts"]["media"] == "ok"

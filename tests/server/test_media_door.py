"""Sending and reading media: resumable pieces, content addresses, rights, and photos that are none."""

import hashlib
import io
import os
from datetime import timedelta

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from server.auth.people import set_grants
from server.demo.phone import Attachment, Phone
from server.journal.journal import Journal
from server.journal.model import StoredRevision
from server.media import unnamed
from server.media.files import MediaFiles
from server.media.tables import media, media_links, media_uploads
from server.media.unfinished import drop_unfinished
from tests.builders import PASSWORD, SIN_THAU, Client, grant, problem
from tests.conftest import StandingClock
from tests.server.sync_door import (
    ANSWERS,
    DATABASE,
    FORM,
    VERSION,
    Picture,
    a_phone,
    another_phone,
    exchange,
    save,
    with_form,
)

pytestmark = pytest.mark.by_turns

RECORD = "018f5c3e-0000-7000-8000-0000000000aa"


def photo(colour: str = "green", size: tuple[int, int] = (800, 600), orientation: int | None = None) -> bytes:
    """Return a small JPEG, lying on its side where EXIF says so."""
    image, kept = Image.new("RGB", size, colour), io.BytesIO()
    exif = image.getexif()
    if orientation:
        exif[0x0112] = orientation
    image.save(kept, "JPEG", exif=exif)
    return kept.getvalue()


async def announce(phone: Phone, item: Attachment, **changes: str) -> httpx.Response:
    """Announce an upload."""
    headers = {"Upload-Length": str(len(item.content)), "Upload-Metadata": item.metadata(), **phone.tus(), **changes}
    return await phone.client.post("/api/media", headers=headers)


async def send(phone: Phone, item: Attachment, offset: int, piece: bytes, **changes: str) -> httpx.Response:
    """Send a piece."""
    headers = {
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
        **phone.tus(),
        **changes,
    }
    return await phone.client.patch(f"/api/media/{item.sha256}", content=piece, headers=headers)


async def fetch(phone: Phone, sha256: str, query: str = "") -> httpx.Response:
    """Read a content."""
    return await phone.client.get(
        f"/api/media/{sha256}{query}", headers={"Authorization": f"Bearer {phone.access_token}"}
    )


async def test_a_photo_arrives_and_is_read_by_those_of_its_scope(client: Client) -> None:
    phone, colleague = await a_phone(client), await a_phone(client, "mai", grant("supervisor"))
    item = Picture(photo()).of(RECORD)
    await phone.upload(item, piece_bytes=1000)
    for reader in (phone, colleague):
        response = await fetch(reader, item.sha256)
        assert response.content == item.content
        assert response.headers["content-type"] == "image/jpeg"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in response.headers["cache-control"]


async def test_a_content_of_a_foreign_scope_looks_as_if_it_did_not_exist_i9(client: Client) -> None:
    phone = await a_phone(client)
    stranger = await a_phone(client, "mai", grant("field_worker", unit=SIN_THAU))
    item = Picture(photo()).of(RECORD)
    await phone.upload(item)
    problem(await fetch(stranger, item.sha256), 404, "not_found")
    problem(await fetch(stranger, item.sha256, "?size=thumb"), 404, "not_found")
    problem(await client.get(f"/api/media/{item.sha256}"), 401, "not_signed_in")


async def test_knowing_a_hash_is_not_having_the_content(client: Client) -> None:
    phone = await a_phone(client)
    stranger = await a_phone(client, "mai", grant("field_worker", unit=SIN_THAU))
    item = Picture(photo()).of(RECORD)
    await phone.upload(item)
    claimed = Attachment(f"agri-{SIN_THAU}", RECORD, "cay.jpg", "image/jpeg", item.content)
    assert (await announce(stranger, claimed)).headers["Upload-Offset"] == "0"
    problem(await fetch(stranger, item.sha256), 404, "not_found")
    # Whoever has it may bring it, and then it belongs to their record as well.
    await stranger.upload(claimed)
    assert (await fetch(stranger, item.sha256)).content == item.content


async def test_an_upload_goes_on_from_where_it_stands(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    half = len(item.content) // 2
    begun = await announce(phone, item)
    assert (begun.status_code, begun.headers["Location"]) == (201, f"/api/media/{item.sha256}")
    assert (await send(phone, item, 0, item.content[:half])).headers["Upload-Offset"] == str(half)
    standing = await client.head(f"/api/media/{item.sha256}", headers=phone.tus())
    assert (standing.headers["Upload-Offset"], standing.headers["Upload-Length"]) == (str(half), str(len(item.content)))
    assert standing.headers["cache-control"] == "no-store"
    # Another session of the same person, after the phone has died.
    again = await another_phone(client, "hoa")
    assert (await announce(again, item)).headers["Upload-Offset"] == str(half)
    await again.upload(item)
    assert (await fetch(phone, item.sha256)).content == item.content


async def test_a_piece_at_the_wrong_place_is_told_the_right_one(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    await announce(phone, item)
    await send(phone, item, 0, item.content[:100])
    assert problem(await send(phone, item, 50, b"x"), 409, "upload_offset")["offset"] == 100


async def test_a_lost_last_answer_costs_nothing(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    await phone.upload(item)
    assert (await send(phone, item, len(item.content), b"")).headers["Upload-Offset"] == str(len(item.content))
    again = await announce(phone, item)
    assert again.headers["Upload-Offset"] == str(len(item.content))


async def test_a_content_that_is_not_what_was_announced_is_thrown_away(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    await announce(phone, item)
    problem(await send(phone, item, 0, bytes(len(item.content))), 422, "media_hash_mismatch")
    problem(await fetch(phone, item.sha256), 404, "not_found")
    await phone.upload(item)
    assert (await fetch(phone, item.sha256)).content == item.content


async def test_more_than_was_announced_is_refused_and_the_upload_goes_on(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    await announce(phone, item)
    problem(await send(phone, item, 0, item.content + b"x"), 413, "upload_too_long")
    await phone.upload(item)
    assert (await fetch(phone, item.sha256)).content == item.content


async def test_a_photo_that_is_none_is_kept_and_marked(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(b"no photo at all" * 100).of(RECORD)
    await phone.upload(item)
    assert (await fetch(phone, item.sha256)).content == item.content
    problem(await fetch(phone, item.sha256, "?size=thumb"), 404, "no_thumbnail")
    async with client.app.state["storage"].read() as connection:
        row = (await connection.execute(select(media))).one()
    assert (row.sha256, row.readable, row.bytes) == (item.sha256, False, len(item.content))


@pytest.mark.parametrize(
    "content",
    [photo()[:2000], b"\xff\xd8\xff\xe0" + bytes(500), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a"],
    ids=["torn", "empty", "svg", "gif"],
)
async def test_a_torn_or_hostile_image_is_kept_and_marked(client: Client, content: bytes) -> None:
    phone = await a_phone(client)
    item = Picture(content).of(RECORD)
    await phone.upload(item)
    async with client.app.state["storage"].read() as connection:
        assert (await connection.execute(select(media.c.readable))).scalar_one() is False


@pytest.mark.slow
async def test_a_picture_of_too_many_pixels_is_never_decoded(client: Client) -> None:
    phone = await a_phone(client)
    kept = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(kept, "PNG")
    item = Picture(kept.getvalue(), type="image/png").of(RECORD)
    await phone.upload(item)
    problem(await fetch(phone, item.sha256, "?size=thumb"), 404, "no_thumbnail")


async def test_a_thumbnail_is_small_upright_and_webp(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo(size=(2000, 1000), orientation=6)).of(RECORD)
    await phone.upload(item)
    response = await fetch(phone, item.sha256, "?size=thumb")
    assert response.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.format, image.size) == ("WEBP", (160, 320))


async def test_what_a_browser_would_run_is_only_ever_saved(client: Client) -> None:
    phone = await a_phone(client)
    item = Attachment(DATABASE, RECORD, "page.html", "text/html", b"<script>alert(1)</script>")
    await phone.upload(item)
    response = await fetch(phone, item.sha256)
    assert response.headers["content-type"].startswith("application/octet-stream")
    assert response.headers["content-disposition"].startswith("attachment")


async def test_recorded_sound_keeps_its_codec(client: Client) -> None:
    phone = await a_phone(client)
    item = Attachment(DATABASE, RECORD, "ke-chuyen.webm", "audio/webm;codecs=opus", b"sound" * 50)
    await phone.upload(item)
    assert (await fetch(phone, item.sha256)).headers["content-type"] == "audio/webm;codecs=opus"


async def test_one_content_serves_several_records(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    other = Picture(photo()).of(RECORD.replace("aa", "bb"))
    await phone.upload(item)
    assert (await announce(phone, other)).headers["Upload-Offset"] == str(len(item.content))
    async with client.app.state["storage"].read() as connection:
        assert len((await connection.execute(select(media))).all()) == 1
        assert len((await connection.execute(select(media_links))).all()) == 2
        assert (await connection.execute(select(media_uploads))).all() == []


async def test_only_those_who_capture_in_the_scope_may_send(client: Client) -> None:
    supervisor = await a_phone(client, "sơn", grant("supervisor"))
    problem(await announce(supervisor, Picture(photo()).of(RECORD)), 403, "not_allowed")
    foreign = Picture(photo()).of(RECORD, f"agri-{SIN_THAU}")
    problem(await announce(supervisor, foreign), 404, "not_found")


async def test_files_of_a_record_that_was_taken_in_may_follow_though_rights_were_lost(client: Client) -> None:
    await with_form(client)
    phone = await a_phone(client)
    await exchange(phone)
    record = save(phone)["_id"]
    async with client.app.state["storage"].write() as connection:
        await set_grants(connection, phone.person["id"], [])
    await exchange(phone)
    item = Picture(photo()).of(record)
    await phone.upload(item)
    assert (await announce(phone, Picture(photo("red")).of(RECORD))).status_code == 404


async def test_the_door_says_what_it_can(client: Client) -> None:
    for path in ("/api/media", f"/api/media/{'0' * 64}"):
        response = await client.options(path)
        assert response.status_code == 204
        assert response.headers["Tus-Version"] == "1.0.0"
        assert response.headers["Tus-Extension"] == "creation"
        assert int(response.headers["Tus-Max-Size"]) > 0


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "tus_version"),
        ({"Upload-Length": "-1"}, 400, "upload_header"),
        ({"Upload-Length": "0"}, 400, "upload_header"),
        ({"Upload-Length": "999999999999"}, 413, "media_too_large"),
        ({"Upload-Metadata": ""}, 400, "upload_metadata"),
        ({"Upload-Metadata": "sha256 !!!"}, 400, "upload_metadata"),
        ({"Upload-Metadata": "sha256 YQ==,sha256 YQ=="}, 400, "upload_metadata"),
        ({"Upload-Metadata": "sha256 YQ=="}, 400, "upload_metadata"),
    ],
)
async def test_an_announcement_that_makes_no_sense_is_one_clear_problem(
    client: Client, changes: dict[str, str], status: int, code: str
) -> None:
    phone = await a_phone(client)
    problem(await announce(phone, Picture(photo()).of(RECORD), **changes), status, code)


async def test_nobody_begins_without_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.media.uploads.MAX_UPLOADS", 2)
    phone = await a_phone(client)
    for shade in ("red", "blue"):
        assert (await announce(phone, Picture(photo(shade)).of(RECORD))).status_code == 201
    assert problem(await announce(phone, Picture(photo("white")).of(RECORD)), 429, "media_quota")["uploads"] == 2
    # What has begun may be begun again.
    assert (await announce(phone, Picture(photo("red")).of(RECORD))).status_code == 201


async def test_an_upload_that_nobody_announced_is_not_there(client: Client) -> None:
    phone = await a_phone(client)
    item = Picture(photo()).of(RECORD)
    problem(await send(phone, item, 0, item.content), 404, "not_found")
    assert (await client.head(f"/api/media/{item.sha256}", headers=phone.tus())).status_code == 404
    assert hashlib.sha256(item.content).hexdigest() == item.sha256


async def test_an_upload_that_nobody_goes_on_with_is_dropped_after_a_week_and_begins_anew(
    client: Client, clock: StandingClock
) -> None:
    phone, state = await a_phone(client), client.app.state
    old, going_on, sent = (
        Attachment(DATABASE, RECORD, f"{name}.bin", "application/zip", name.encode() * 9)
        for name in ("old", "on", "sent")
    )
    for each in (old, going_on):
        assert (await announce(phone, each)).status_code == 201
        assert (await send(phone, each, 0, each.content[:5])).status_code == 204
    await phone.upload(sent)
    files = MediaFiles(state["settings"].media_dir)
    clock.move(days=8)
    long_ago = clock().timestamp() - timedelta(days=8).total_seconds()
    for each in (old, going_on):
        os.utime(files.incoming(phone.person["id"], each.sha256), (long_ago, long_ago))
    await phone.sign_in("hoa", PASSWORD)
    assert (await announce(phone, going_on)).headers["Upload-Offset"] == "5"
    assert await drop_unfinished(state["storage"], files, state["clock"]) == 1
    problem(await send(phone, old, 5, old.content[5:]), 404, "not_found")
    assert (await announce(phone, old)).headers["Upload-Offset"] == "0"
    assert (await announce(phone, going_on)).headers["Upload-Offset"] == "5"
    assert (await announce(phone, sent)).headers["Upload-Offset"] == str(len(sent.content))


async def test_files_that_no_record_names_are_only_so_many_of_one_device(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_form(client)
    phone, other = await a_phone(client), await a_phone(client, "mai")
    monkeypatch.setattr(unnamed, "MOST", 2)
    saved = save(phone)
    first, second, third, fourth = (
        Attachment(DATABASE, saved["_id"], name, "application/zip", name.encode()) for name in ("a", "b", "c", "d")
    )
    histories, read = Journal.history, list[str]()

    async def history(journal: Journal, database: str, doc_id: str) -> list[StoredRevision]:
        read.append(doc_id)
        return await histories(journal, database, doc_id)

    monkeypatch.setattr(Journal, "history", history)
    for each in (first, second):
        await phone.upload(each)
    # While there is room nobody asks what a record, which may have many edits, has named.
    assert read == []
    assert problem(await announce(phone, third), 429, "media_quota") == {"uploads": 2}
    assert read == [saved["_id"]]
    assert (await announce(other, third)).status_code == 201
    # What a record names has no such limit, and no longer counts.
    phone.outgoing.clear()
    phone.save(DATABASE, FORM, VERSION, ANSWERS, record=saved["_id"], media={"a": first.about(), "d": fourth.about()})
    await phone.exchange()
    await phone.upload(fourth)
    await phone.upload(third)
    problem(await announce(phone, Attachment(DATABASE, RECORD, "e", "application/zip", b"e")), 429, "media_quota")

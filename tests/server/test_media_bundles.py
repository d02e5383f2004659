"""Small files that come together are kept like any others, all of a bundle or none, and never more than they may be."""

import base64
import gzip
import hashlib
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from server.demo.phone import Attachment, Phone
from server.errors import Problem
from server.media import bundles
from server.media.bundles import read_bundle
from server.media.tables import media, media_links, media_uploads
from tests.builders import Client, grant, problem
from tests.server.sync_door import DATABASE, a_phone
from tests.server.test_media_door import RECORD, fetch, photo

pytestmark = pytest.mark.by_turns


def packed(*files: Attachment, **changes: Any) -> bytes:
    """Return files as the app puts them together."""
    head = [
        {"db": each.database, "record": each.record, "name": each.name, "type": each.type, "bytes": len(each.content)}
        | changes
        for each in files
    ]
    return gzip.compress(json.dumps(head).encode() + b"\n" + b"".join(each.content for each in files), mtime=0)


def file(name: str, content: bytes, database: str = DATABASE, kind: str = "application/zip") -> Attachment:
    """Return a small file of the record."""
    return Attachment(database, RECORD, name, kind, content)


async def announced(phone: Phone, bundle: bytes) -> httpx.Response:
    """Announce a bundle."""
    metadata = f"sha256 {_base64(hashlib.sha256(bundle).hexdigest())}"
    headers = {"Upload-Length": str(len(bundle)), "Upload-Metadata": metadata, **phone.tus()}
    return await phone.client.post("/api/media/bundles", headers=headers)


async def sent(phone: Phone, bundle: bytes, offset: int, piece: bytes) -> httpx.Response:
    """Send a piece of a bundle."""
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **phone.tus()}
    path = f"/api/media/{hashlib.sha256(bundle).hexdigest()}"
    return await phone.client.patch(path, content=piece, headers=headers)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def counted(client: Client) -> list[int]:
    """Return how many contents, links and uploads there are."""
    async with client.app.state["storage"].read() as connection:
        return [
            int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in (media, media_links, media_uploads)
        ]


async def test_a_bundle_goes_on_where_it_broke_off_and_leaves_what_it_holds(client: Client) -> None:
    phone, colleague = await a_phone(client), await a_phone(client, "mai", grant("supervisor"))
    files = [file("a.jpg", photo(size=(40, 30)), kind="image/jpeg"), file("b", b"b"), file("again", b"b")]
    bundle = packed(*files)
    response = await announced(phone, bundle)
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "0")
    assert (await sent(phone, bundle, 0, bundle[:50])).headers["Upload-Offset"] == "50"
    assert (await announced(phone, bundle)).headers["Upload-Offset"] == "50"
    assert (await sent(phone, bundle, 50, bundle[50:])).status_code == 204
    for each in files:
        assert (await fetch(colleague, each.sha256)).content == each.content
    assert (await fetch(colleague, files[0].sha256, "?size=thumb")).headers["content-type"] == "image/webp"
    assert await counted(client) == [2, 3, 0]
    # The answer was lost: all of it is said to be here when it comes again.
    assert (await announced(phone, bundle)).headers["Upload-Offset"] == "0"
    assert (await sent(phone, bundle, 0, bundle)).status_code == 204
    assert await counted(client) == [2, 3, 0]


async def test_of_a_bundle_with_one_file_that_may_not_come_nothing_is_kept(client: Client) -> None:
    phone = await a_phone(client)
    bundle = packed(file("a", b"a"), file("b", b"b", "agri-03151-2025"))
    await announced(phone, bundle)
    assert (await sent(phone, bundle, 0, bundle)).status_code in {403, 404}
    assert await counted(client) == [0, 0, 0]


async def test_a_bundle_that_is_too_long_or_names_more_than_its_hash_is_not_begun(client: Client) -> None:
    phone = await a_phone(client)
    headers = {"Upload-Length": "300001", "Upload-Metadata": f"sha256 {_base64('0' * 64)}", **phone.tus()}
    problem(await phone.client.post("/api/media/bundles", headers=headers), 413, "media_too_large")
    for said in ("", f"sha256 {_base64('0')}", f"sha256 {_base64('0' * 64)},db {_base64('a')}"):
        headers |= {"Upload-Length": "3", "Upload-Metadata": said}
        problem(await phone.client.post("/api/media/bundles", headers=headers), 400, "upload_metadata")


@pytest.mark.one_store("only bytes")
def test_a_bundle_that_holds_anything_else_than_it_says_is_one_clear_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    one = file("a", b"a")
    assert [each.content for each in read_bundle(packed(one))] == [b"a"]
    monkeypatch.setattr(bundles, "MOST_FILES", 3)
    wrong = [
        b"",
        packed(one)[:-3],
        packed(),
        packed(one, bytes=2),
        packed(one, bytes=0),
        packed(one, bytes="1"),
        packed(one, record="x"),
        packed(one, name="../a"),
        packed(one, sha256="0" * 64),
        packed(one, one, one, one),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b"\xff\n"),
        gzip.compress(bytes(bundles.MOST_BYTES + 1)),
    ]
    for bundle in wrong:
        with pytest.raises(Problem) as refused:
            read_bundle(bundle)
        assert refused.value.code == "upload_metadata"

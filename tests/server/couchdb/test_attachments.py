"""Attachments in databases that administrators make: inline, by stubs, in parts, and each by its own path."""

import base64
import gzip
import hashlib
import json
from email import message_from_bytes
from email.message import Message
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import func, select

from server.journal.store.attachment_tables import attachments
from tests.builders import Client
from tests.server.couchdb_door import Document, Door, a_database, revision

pytestmark = pytest.mark.by_turns

TEXT = b"This is a base64 encoded text"
PICTURE = bytes(range(256)) * 8 + b"\r\n--x--\r\n"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def digest(data: bytes) -> str:
    return "md5-" + b64(hashlib.md5(data, usedforsecurity=False).digest())


def inline(data: bytes, kind: str = "text/plain") -> Document:
    return {"content_type": kind, "data": b64(data)}


def stub(data: bytes, kind: str = "text/plain", revpos: int = 1) -> Document:
    return {"content_type": kind, "digest": digest(data), "length": len(data), "revpos": revpos, "stub": True}


def whole(data: bytes, kind: str = "text/plain", revpos: int = 1) -> Document:
    return {"content_type": kind, "data": b64(data), "digest": digest(data), "revpos": revpos}


async def attach(door: Door, path: str, data: bytes, kind: str = "image/png", **headers: str) -> httpx.Response:
    return await door.ask("PUT", path, content=data, headers={"Content-Type": kind, **headers})


async def kept(client: Client) -> int:
    async with client.app.state.storage.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(attachments))).scalar_one())


async def test_what_comes_inline_is_a_stub_and_comes_back_inline_where_asked(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1", _attachments={"t": inline(TEXT), "empty": inline(b"")})
    found = await door.get("/a")
    assert found == {"_id": "a", "_rev": first, "x": "1", "_attachments": {"t": stub(TEXT), "empty": stub(b"")}}
    full = {"t": whole(TEXT), "empty": whole(b"")}
    assert (await door.get("/a", attachments=True))["_attachments"] == full
    [opened] = await door.get("/a", open_revs="all", attachments=True)
    assert opened["ok"]["_attachments"] == full
    for path, place in (("/_all_docs", "rows"), ("/_changes", "results")):
        query = {"include_docs": True}
        assert (await door.get(path, **query))[place][0]["doc"]["_attachments"] == found["_attachments"]
        assert (await door.get(path, attachments=True, **query))[place][0]["doc"]["_attachments"] == full
        assert "doc" not in (await door.get(path, attachments=True))[place][0]
    keys = await door.post("/_all_docs?include_docs=true&attachments=true", {"keys": ["a", "none"]})
    assert keys["rows"][0]["doc"]["_attachments"] == full
    for asked, expected in (("", found["_attachments"]), ("?attachments=true", full)):
        got = await door.post(f"/_bulk_get{asked}", {"docs": [{"id": "a", "rev": first}, {"id": "none"}, {"id": "a"}]})
        assert [row["docs"][0].get("ok", {}).get("_attachments") for row in got["results"]] == [
            expected,
            None,
            expected,
        ]


async def test_an_edit_keeps_what_its_stubs_name_and_drops_what_it_leaves_out(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", _attachments={"t": inline(TEXT), "u": inline(b"u")})
    found = await door.get("/a")
    found["_attachments"].pop("u")
    found["_attachments"]["p"] = inline(PICTURE, "image/png")
    second = await door.put("a", **found)
    assert (await door.get("/a"))["_attachments"] == {"t": stub(TEXT), "p": stub(PICTURE, "image/png", 2)}
    # A stub may say no more than that it is one.
    await door.put("a", _rev=second, _attachments={"t": {"stub": True}})
    assert (await door.get("/a", attachments=True))["_attachments"] == {"t": whole(TEXT)}
    assert await client.app.state.journal.faults(door.database) == []


@pytest.mark.parametrize("new_edits", [True, False], ids=["edits", "copies"])
async def test_a_stub_of_what_is_not_here_fails_the_request(client: Client, new_edits: bool) -> None:
    door = await a_database(client)
    unknown = {"stub": True, "digest": "md5-sorryIDoNotReallyExist==", "length": 1, "content_type": "text/plain"}
    bad = {"_id": "a", "_attachments": {"n": unknown, "t": inline(TEXT)}}
    docs = [{"_id": "b"}, bad] if new_edits else [{"_id": "b", "_rev": "1-a"}, {**bad, "_rev": "1-a"}]
    refused = await door.ask("POST", "/_bulk_docs", {"docs": docs, "new_edits": new_edits})
    assert refused.status_code == 412
    assert refused.json() == {"error": "missing_stub", "reason": "Invalid attachment stub in a for n"}
    assert await door.winners() == {}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"_t": inline(TEXT)}, "Attachment name '_t' starts with prohibited character '_'"),
        ({"t": {"data": "no base64!"}}, "Invalid attachment data for t"),
        ({"t": {"data": 7}}, "Invalid attachment data for t"),
        ({"t": "text"}, "Invalid attachment: t"),
        ({"t": {"follows": True}}, "Attachment t is said to follow, and nothing does"),
        ({"t": {"data": b64(b"no gzip"), "encoding": "gzip"}}, "Invalid attachment data for t"),
    ],
)
async def test_an_attachment_that_nobody_can_read_is_a_bad_request(
    client: Client, said: dict[str, Any], reason: str
) -> None:
    door = await a_database(client)
    refused = await door.ask("PUT", "/a", {"_attachments": said})
    assert (refused.status_code, refused.json()) == (400, {"error": "bad_request", "reason": reason})


async def test_copies_say_with_which_revision_their_attachments_came(client: Client) -> None:
    door = await a_database(client)
    packed = {"content_type": "text/plain", "data": b64(gzip.compress(TEXT)), "encoding": "gzip", "revpos": 1}
    assert await door.bring(revision("a", "3-c", "2-b", "1-a", _attachments={"t": packed, "p": inline(PICTURE)})) == []
    stubs = {"t": stub(TEXT), "p": stub(PICTURE, revpos=3)}
    assert (await door.get("/a"))["_attachments"] == stubs
    # Whoever has the second revision has the text, and not the picture.
    some = {"t": stub(TEXT), "p": whole(PICTURE, revpos=3)}
    assert (await door.get("/a", atts_since=["2-b", "9-z"]))["_attachments"] == some
    [opened] = await door.get("/a", open_revs=["3-c"], atts_since=["2-b"])
    assert opened["ok"]["_attachments"] == some
    asked = {"docs": [{"id": "a", "rev": "3-c", "atts_since": ["2-b"]}]}
    [row] = (await door.post("/_bulk_get?attachments=true", asked))["results"]
    assert row["docs"][0]["ok"]["_attachments"] == some
    # A later copy names by a stub what its ancestor brought, under whatever digest the packed text has elsewhere.
    later = {"t": {"stub": True, "digest": "md5-another", "length": 9, "revpos": 1}}
    assert await door.bring(revision("a", "4-d", "3-c", "2-b", _attachments=later)) == []
    assert (await door.get("/a", attachments=True))["_attachments"] == {"t": whole(TEXT)}


async def test_a_document_comes_and_goes_in_parts_byte_for_byte(client: Client) -> None:
    door = await a_database(client)
    follows = {
        "p": {"content_type": "message/rfc822", "follows": True, "length": len(PICTURE), "revpos": 1},
        "t": {"content_type": "text/plain", "follows": True, "length": len(TEXT), "revpos": 1},
    }
    document = json.dumps(revision("a", "1-a", x="1", _attachments=follows)).encode()
    parts = b"--=b'1\r\nContent-Type: application/json\r\n\r\n%b" % document
    for data in (PICTURE, TEXT):
        parts += b"\r\n--=b'1\r\nContent-Type: message/rfc822\r\n\r\n%b" % data
    kind = 'multipart/related; boundary="=b\'1"'
    sent = await attach(door, "/a?new_edits=false", parts + b"\r\n--=b'1--", kind)
    assert (sent.status_code, sent.json()["rev"]) == (201, "1-a")
    assert (await door.ask("GET", "/a/p")).content == PICTURE
    got = await door.ask("GET", "/a", params={"open_revs": '["1-a"]'}, headers={"Accept": "multipart/mixed"})
    body = got.content.split(b"\r\n\r\n", 1)[1].rpartition(b"\r\n--")[0]
    found = json.loads(body)["_attachments"]
    assert found == {"p": whole(PICTURE, "message/rfc822"), "t": whole(TEXT)}


async def test_an_attachment_has_a_path_of_its_own(client: Client) -> None:
    door = await a_database(client)
    made = await attach(door, "/a/p.png", PICTURE)
    assert made.status_code == 201, made.text
    first = made.json()["rev"]
    assert (await door.get("/a"))["_attachments"] == {"p.png": stub(PICTURE, "image/png")}
    got = await door.ask("GET", "/a/p.png", headers={"Accept-Encoding": "gzip"})
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, PICTURE, "image/png")
    assert got.headers["etag"] == f'"{digest(PICTURE).removeprefix("md5-")}"'
    assert got.headers["content-security-policy"] == "sandbox"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in got.headers
    known = await door.ask("GET", "/a/p.png", headers={"If-None-Match": got.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    head = await door.ask("HEAD", "/a/p.png")
    assert (head.headers["content-length"], head.content) == (str(len(PICTURE)), b"")

    assert (await attach(door, "/a/t", TEXT)).status_code == 409
    second = (await attach(door, f"/a/deep/t?rev={first}", TEXT, "text/plain")).json()["rev"]
    assert (await door.ask("GET", "/a/deep%2Ft")).content == TEXT
    assert (await door.ask("GET", f"/a/deep/t?rev={first}")).status_code == 404
    assert (await door.get("/a"))["_attachments"]["deep/t"]["revpos"] == 2
    assert (await door.ask("DELETE", f"/a/none?rev={second}")).json()["reason"] == "Document is missing attachment"
    third = await door.ask("DELETE", f"/a/p.png?rev={second}")
    assert third.status_code == 200
    assert set((await door.get("/a"))["_attachments"]) == {"deep/t"}
    assert (await door.ask("GET", "/none/p.png")).status_code == 404
    assert (await attach(door, "/_design/d/p", TEXT)).status_code == 201
    assert (await door.ask("GET", "/_design/d/p")).content == TEXT
    damaged = await attach(door, "/b/t", TEXT, **{"Content-MD5": b64(b"0" * 16)})
    assert (damaged.status_code, damaged.json()["error"]) == (412, "content_md5_mismatch")


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=100-", 206, 100, len(PICTURE)),
        ("bytes=-7", 206, len(PICTURE) - 7, len(PICTURE)),
        ("bytes=10-999999", 206, 10, len(PICTURE)),
        ("bytes=999999-", 416, 0, 0),
        ("bytes=1-2,5-6", 200, 0, len(PICTURE)),
        ("lines=1-2", 200, 0, len(PICTURE)),
    ],
)
async def test_a_stretch_of_an_attachment_can_be_had(
    client: Client, asked: str, status: int, start: int, end: int
) -> None:
    door = await a_database(client)
    await attach(door, "/a/p", PICTURE)
    got = await door.ask("GET", "/a/p", headers={"Range": asked})
    assert got.status_code == status
    if status == 416:
        assert got.headers["content-range"] == f"bytes */{len(PICTURE)}"
        return
    assert got.content == PICTURE[start:end]
    if status == 206:
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{len(PICTURE)}"


async def test_equal_bytes_are_kept_once_and_go_with_their_database(client: Client) -> None:
    door = await a_database(client)
    docs = [{"_id": str(n), "_attachments": {"a": inline(TEXT), "b": inline(TEXT)}} for n in range(20)]
    await door.post("/_bulk_docs", {"docs": docs}, 201)
    assert await kept(client) == 1
    other = Door(client, door.username, "others")
    assert (await other.ask("PUT")).status_code == 201
    await other.put("a", _attachments={"a": inline(TEXT)})
    assert await kept(client) == 2
    assert (await door.ask("DELETE")).status_code == 200
    assert await kept(client) == 1
    assert (await other.ask("GET", "/a/a")).content == TEXT


async def test_a_member_of_that_name_further_inside_is_content(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", inner={"_attachments": {"t": {"stub": True}}}, n=1)
    assert (await door.get("/a", attachments=True))["inner"] == {"_attachments": {"t": {"stub": True}}}


async def test_a_tombstone_ends_attachments_and_the_next_ones_come_with_their_own_revision(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", _attachments={"t": inline(TEXT)})
    assert (await door.ask("DELETE", f"/a?rev={first}")).status_code == 200
    await door.put("a", _attachments={"t": inline(TEXT)})
    assert (await door.get("/a"))["_attachments"] == {"t": stub(TEXT, revpos=3)}


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/related"])
async def test_bulk_get_answers_in_parts_whoever_takes_no_json(client: Client, kind: str) -> None:
    door = await a_database(client)
    first = await door.put("a", n="1", _attachments={"p": inline(PICTURE)})
    asked = {"docs": [{"id": "a", "rev": first}, {"id": "none"}, {"id": "_odd"}]}
    got = await door.ask("POST", "/_bulk_get?revs=true", asked, headers={"Accept": kind})
    assert got.headers["content-type"].startswith(f"{kind}; boundary=")
    whole_mail = b"Content-Type: " + got.headers["content-type"].encode() + b"\r\n\r\n" + got.content
    found, *errors = cast("list[Message]", message_from_bytes(whole_mail).get_payload())
    assert (found["X-Doc-Id"], found["X-Rev-Id"]) == ("a", first)
    document = json.loads(_text(found))
    assert document["_attachments"] == {"p": whole(PICTURE)}
    assert document["_revisions"]["ids"] == [first.partition("-")[2]]
    assert [each.get_param("error") for each in errors] == ["true", "true"]
    told = [json.loads(_text(each)) for each in errors]
    assert [(each["id"], each["error"]) for each in told] == [("none", "not_found"), ("_odd", "illegal_docid")]
    # Who takes JSON as well gets that, as at a CouchDB.
    for accepted in (f"{kind}, application/json", "*/*"):
        listed = await door.ask("POST", "/_bulk_get", asked, headers={"Accept": accepted})
        assert listed.json()["results"][0]["docs"][0]["ok"]["_rev"] == first


def _text(part: Message) -> bytes:
    return cast("bytes", part.get_payload(decode=True))

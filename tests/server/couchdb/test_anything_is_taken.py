"""Databases that administrators make hold what a CouchDB holds, as it was sent, or say that they can't."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select

from server.journal.store.tables import quarantine
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, fingerprint
from tests.builders import PASSWORD, Client
from tests.server.couchdb_door import Door, a_database, rev, revision

#: As JSON allows them; none of these is the text in which its value is written here.
NUMBERS = ["9007199254740993", "-12345678901234567890123", "1e400", "1.0", "-0", "-0.0", "1E5", "0.10", "1e-7", "1e21"]


async def send(door: Door, method: str, path: str, body: bytes, kind: str = "application/json") -> httpx.Response:
    """Send bytes as they are: what a library would write otherwise."""
    url = f"/db/{door.database}{path}"
    headers = {"Content-Type": kind}
    return await door.client.request(method, url, content=body, headers=headers, auth=(door.username, PASSWORD))


async def leaves(door: Door, doc_id: str) -> set[str]:
    return {row["ok"]["_rev"] for row in await door.get(f"/{doc_id}", open_revs="all")}


async def nothing_waits(client: Client) -> bool:
    async with client.app.state.storage.read() as connection:
        return not (await connection.execute(select(quarantine.c.doc_id))).all()


async def test_a_far_generation_is_stored_and_wins(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", x="1")
    far = rev(10**12, "f")
    assert await door.bring(revision("a", far, rev(10**12 - 1, "e"), x="far")) == []
    assert (await door.get("/a"))["_rev"] == far
    assert await nothing_waits(client)


async def test_any_number_of_leaves_is_stored(client: Client) -> None:
    door = await a_database(client)
    brought = [revision("a", rev(1, str(number)), n=str(number)) for number in range(40)]
    assert await door.bring(*brought) == []
    assert await leaves(door, "a") == {each["_rev"] for each in brought}
    assert await nothing_waits(client)


async def test_a_hash_may_be_any_text(client: Client) -> None:
    door = await a_database(client)
    assert await door.bring(revision("a", "2-b", "1-a", x="1"), {"_id": "b", "_rev": "1-A.z_9", "y": "1"}) == []
    found = await door.get("/a", revs=True, rev="2-b")
    assert found["_revisions"] == {"start": 2, "ids": ["b", "a"]}
    edited = await door.ask("PUT", "/a", {"x": "2", "_rev": "2-b"})
    assert edited.status_code == 201
    assert (await door.get("/a", revs=True))["_revisions"]["ids"][1:] == ["b", "a"]
    assert (await door.ask("DELETE", "/b?rev=1-A.z_9")).status_code == 200
    assert await door.post("/_revs_diff", {"a": ["2-b", "2-c"]}) == {"a": {"missing": ["2-c"]}}
    assert await client.app.state.journal.faults("notes") == []


async def test_members_that_scopes_give_a_meaning_mean_nothing(client: Client) -> None:
    door = await a_database(client)
    tombstone = {"type": "record", "resolved": True}
    assert json.loads(RESOLVED_TOMBSTONE) == tombstone
    one, dead = rev(1, "one"), rev(2, "dead")
    assert (
        await door.bring(revision("a", one, type="record"), revision("a", dead, one, deleted=True, **tombstone)) == []
    )
    assert await door.bring(revision("b", one, type="record", merged=[rev(1, "elsewhere")])) == []
    assert (await door.get("/a", rev=dead))["_deleted"] is True
    assert (await door.get("/b"))["_rev"] == one
    # A known id stays what it is, as at a CouchDB.
    assert await door.bring(revision("b", one, type="other")) == []
    assert (await door.get("/b"))["type"] == "record"
    assert await nothing_waits(client)


@pytest.mark.parametrize("way", ["put", "edits", "copies"])
async def test_numbers_are_stored_and_served_digit_for_digit(client: Client, way: str) -> None:
    door = await a_database(client)
    said = b'{"a":{"n":[%b]},"z":"9007199254740993"}' % ",".join(NUMBERS).encode()
    if way == "put":
        stored = await send(door, "PUT", "/n", said)
    else:
        own = b'{"_id":"n",%b%b' % (b"" if way == "edits" else b'"_rev":"1-a",', said[1:])
        # Spaces, as other writers have them, change nothing.
        body = b'{"new_edits": %b, "docs": [ %b ] }' % (b"true" if way == "edits" else b"false", own)
        stored = await send(door, "POST", "/_bulk_docs", body)
    assert stored.status_code == 201, stored.text
    for path in ("/n", "/_all_docs?include_docs=true", "/_changes?include_docs=true", "/n?open_revs=all"):
        found = await door.ask("GET", path, headers={"Accept": "application/json"})
        assert said[1:-1] in found.content, path
    selected = await door.post("/_changes?filter=_selector", {"selector": {"z": "9007199254740993"}})
    assert len(selected["results"]) == 1
    # The digits are content: what is written with others is another revision.
    if way == "put":
        again = await send(door, "PUT", f"/n?rev={stored.json()['rev']}", said.replace(b"1.0", b"1.00"))
        assert again.json()["rev"].startswith("2-")


@pytest.mark.parametrize(
    "odd",
    [
        {"_id": "x" * 2001, "_rev": "1-a"},
        {"_id": "no\0text", "_rev": "1-a"},
        {"_id": "odd", "_rev": "1-a b"},
        {"_id": "odd", "_rev": '2-"', "_revisions": {"start": 2, "ids": ['"', "a"]}},
    ],
    ids=["long id", "odd id", "odd hash", "odd line"],
)
async def test_what_cannot_be_taken_yet_fails_the_request_and_nothing_of_it_is_stored(
    client: Client, odd: dict[str, Any]
) -> None:
    door = await a_database(client)
    docs = [{"_id": "before", "_rev": "1-a"}, odd, {"_id": "after", "_rev": "1-a"}]
    failed = await door.ask("POST", "/_bulk_docs", {"docs": docs, "new_edits": False})
    assert (failed.status_code, failed.json()["error"]) == (503, "service_unavailable")
    assert await door.winners() == {}
    # What a CouchDB refuses itself fails there, too.
    docs[1] = {"_id": "odd", "_rev": "nonsense"}
    refused = await door.ask("POST", "/_bulk_docs", {"docs": docs, "new_edits": False})
    assert (refused.status_code, refused.json()["error"]) == (400, "bad_request")
    assert await door.winners() == {}


async def test_what_earlier_releases_held_back_comes_in_at_the_next_start(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    far, beside = rev(5000, "far"), rev(1, "beside")
    rows = [
        ("a", far, rev(4999, "before"), b'{"x":"far"}', "forged_generation"),
        ("a", beside, "", b'{"x":"beside"}', "too_many_leaves"),
        ("a", first, "", b'{"x":"another"}', "known_id_other_content"),
        ("new", "1-a", "", b'{"x":"new"}', "waits_for_inputs"),
    ]
    async with client.app.state.storage.write() as connection:
        for doc_id, name, ancestors, content, reason in rows:
            row = {"database": "notes", "doc_id": doc_id, "rev": name, "ancestors": ancestors, "deleted": False}
            row |= {"content": content, "fingerprint": fingerprint(content, deleted=False), "reason": reason}
            row |= {"person": "somebody", "received_at": datetime(2026, 1, 1, tzinfo=UTC)}
            await connection.execute(insert(quarantine).values(**row))
    assert await client.app.state.journal.let_in_what_waits() == 4
    assert await client.app.state.journal.let_in_what_waits() == 0

    assert (await door.get("/a"))["x"] == "far"
    assert await leaves(door, "a") == {far, beside, first}
    assert (await door.get("/a", rev=first))["x"] == "1"
    assert (await door.get("/new"))["x"] == "new"
    stored = await client.app.state.journal.document("notes", "new")
    assert (stored.person, stored.received_at) == ("somebody", datetime(2026, 1, 1, tzinfo=UTC))
    assert await client.app.state.journal.faults("notes") == []

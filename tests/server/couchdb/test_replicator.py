"""What a CouchDB 3.5 does when it replicates with this server: the requests of its own replicator, in their order."""

import json
from email import message_from_bytes
from typing import Any

import pytest

from tests.builders import PASSWORD, Client
from tests.server.couchdb_door import Door, a_database, rev, revision

HEADERS = {"User-Agent": "CouchDB-Replicator/3.5.0", "Accept": "application/json"}


class Endpoint:
    """A database as CouchDB's replicator opens it: by a session if the host has one, by Basic otherwise."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def open(self) -> None:
        form = {"name": self.door.username, "password": PASSWORD}
        session = await self.door.client.post("/_session", data=form, headers=HEADERS)
        # Of all statuses this one alone lets it go on (couch_replicator_auth_session).
        assert session.status_code == 404
        assert session.json()["error"] == "not_found"
        info = (await self.ask("GET", "/")).json()
        assert {"update_seq", "instance_start_time"} <= info.keys()

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = {**HEADERS, **options.pop("headers", {})}
        return await self.door.ask(method, path, body, headers=headers, **options)

    async def checkpoint(self, name: str) -> dict[str, Any]:
        found = await self.ask("GET", f"/_local/{name}")
        return found.json() if found.status_code == 200 else {}


async def opened(source: Endpoint, key: str, revs: list[str], **query: str) -> list[dict[str, Any]]:
    """Return revisions of a document as they come in parts."""
    query = {"revs": "true", "open_revs": json.dumps(revs), "latest": "true", **query}
    got = await source.ask("GET", f"/{key}", params=query, headers={"Accept": "multipart/mixed"})
    whole = b"Content-Type: " + got.headers["content-type"].encode() + b"\r\n\r\n" + got.content
    parts = message_from_bytes(whole).get_payload()
    assert isinstance(parts, list)
    return [json.loads(part.get_payload(decode=True)) for part in parts]  # type: ignore[union-attr,arg-type]


async def replicate(source: Endpoint, target: Endpoint, name: str, *, has_bulk_get: bool = True) -> int:
    """Run a replication once, as CouchDB does; return how many revisions it wrote."""
    for endpoint in (source, target):
        await endpoint.open()
    stands = [await endpoint.checkpoint(name) for endpoint in (source, target)]
    since = stands[0]["source_last_seq"] if stands[0] and stands[1] else 0
    query = {"feed": "normal", "style": "all_docs", "since": json.dumps(since), "timeout": "10000"}
    feed = (await source.ask("GET", "/_changes", params=query)).json()
    asked = {row["id"]: [each["rev"] for each in row["changes"]] for row in feed["results"]}
    lacking = (await target.ask("POST", "/_revs_diff", asked)).json()
    documents: list[dict[str, Any]] = []
    if has_bulk_get:
        wanted = [{"id": key, "rev": each} for key, of in lacking.items() for each in of["missing"]]
        query = {"latest": "true", "revs": "true", "attachments": "false"}
        found = (await source.ask("POST", "/_bulk_get", {"docs": wanted}, params=query)).json()
        rows = [row["ok"] for result in found["results"] for row in result["docs"]]
        documents = [row for row in rows if "_attachments" not in row]
        # What has attachments comes with them, one document at a time.
        for row in rows:
            if "_attachments" in row:
                documents += await opened(source, row["_id"], [row["_rev"]], atts_since="[]")
    else:
        for key, of in lacking.items():
            documents += await opened(source, key, of["missing"])
    if documents:
        body = {"new_edits": False, "docs": documents}
        written = await target.ask("POST", "/_bulk_docs", body, headers={"X-Couch-Full-Commit": "false"})
        assert (written.status_code, written.json()) == (201, [])
    committed = [await each.ask("POST", "/_ensure_full_commit", {}) for each in (target, source)]
    assert [each.status_code for each in committed] == [201, 201]
    entry = {"session_id": "a", "recorded_seq": feed["last_seq"], "docs_written": len(documents)}
    for endpoint, before in zip((source, target), stands, strict=True):
        checkpoint = {
            "_id": f"_local/{name}",
            **({"_rev": before["_rev"]} if before else {}),
            "session_id": "a",
            "source_last_seq": feed["last_seq"],
            "replication_id_version": 4,
            "history": [entry],
        }
        assert (await endpoint.ask("PUT", f"/_local/{name}", checkpoint)).status_code == 201
    pending = await source.ask("GET", "/_changes", params={"since": json.dumps(feed["last_seq"]), "limit": "0"})
    assert pending.json()["pending"] == 0
    return len(documents)


@pytest.mark.parametrize("has_bulk_get", [True, False], ids=["bulk_get", "open_revs"])
async def test_a_couchdb_replicates_from_and_to_this_server(client: Client, has_bulk_get: bool) -> None:
    door = await a_database(client)
    for number in range(20):
        await door.put(f"d{number:02}", n=str(number))
    await door.bring(revision("d03", rev(1, "beside"), x="1"), revision("gone", rev(2, "b"), rev(1, "a"), deleted=True))
    await door.put("file", _attachments={"t": {"content_type": "text/plain", "data": "YSB0ZXh0"}})
    other = Door(client, door.username, "copies")
    assert (await other.ask("PUT")).status_code == 201

    assert await replicate(Endpoint(door), Endpoint(other), "0a", has_bulk_get=has_bulk_get) == 23
    feeds = [await each.get("/_changes", style="all_docs") for each in (door, other)]
    here, there = ({row["id"]: row["changes"] for row in each["results"]} for each in feeds)
    assert here == there
    assert await other.get("/file") == await door.get("/file")
    assert (await other.ask("GET", "/file/t")).content == b"a text"
    # From the checkpoint on there is only what is new.
    await door.put("later", n="1")
    assert await replicate(Endpoint(door), Endpoint(other), "0a", has_bulk_get=has_bulk_get) == 1


async def test_it_carries_edits_back_and_a_try_without_a_checkpoint_writes_nothing_twice(client: Client) -> None:
    door = await a_database(client)
    await door.put("a", n="1")
    await door.put("b", n="1")
    other = Door(client, door.username, "copies")
    assert (await other.ask("PUT")).status_code == 201
    here, there = Endpoint(door), Endpoint(other)
    assert await replicate(here, there, "there") == 2
    assert await replicate(there, here, "back") == 0
    edited = await other.ask("PUT", "/a", {**await other.get("/a"), "n": "2"})
    assert edited.status_code == 201
    assert await replicate(there, here, "back") == 1
    assert (await door.get("/a"))["n"] == "2"
    before = [(await each.get("/"))["update_seq"] for each in (door, other)]
    # It ended after its documents and before its checkpoint: the next try knows of nothing.
    assert await replicate(here, there, "anew") == 0
    assert await replicate(there, here, "anew-back") == 0
    assert [(await each.get("/"))["update_seq"] for each in (door, other)] == before


@pytest.mark.parametrize("name", ["_session", "_up", "_all_dbs", "_utils", "_replicate", "_users"])
async def test_couchdbs_names_at_the_hosts_root_are_missing_in_couchdbs_words(client: Client, name: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in (f"/{name}", f"/{name}/", f"/{name}/more"):
            found = await client.request(method, path)
            assert (found.status_code, found.json()["error"]) == (404, "not_found"), (method, path)
            assert "/db/" in found.json()["reason"]
    assert (await client.head(f"/{name}")).status_code == 404

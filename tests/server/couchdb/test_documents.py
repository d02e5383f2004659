"""One document: writing it, reading it, its branches."""

import asyncio
import json

import pytest

from tests.builders import Client
from tests.server.couchdb_door import a_database, rev, revision

pytestmark = pytest.mark.by_turns


async def test_an_edit_follows_the_revision_that_it_names(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    second = await door.put("a", x="2", _rev=first)
    assert second.startswith("2-")
    assert await door.get("/a") == {"_id": "a", "_rev": second, "x": "2"}
    assert (await door.get("/a", rev=first))["x"] == "1"


async def test_an_edit_of_anything_but_a_leaf_is_a_conflict(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    await door.put("a", x="2", _rev=first)
    for body in ({"x": "3"}, {"x": "3", "_rev": first}, {"x": "3", "_rev": rev(1, "unheard")}):
        response = await door.ask("PUT", "/a", body)
        assert response.status_code == 409
        assert response.json() == {"error": "conflict", "reason": "Document update conflict."}
    assert (await door.ask("PUT", "/new", {"_rev": rev(1, "unheard")})).status_code == 409


async def test_a_revision_may_be_named_in_the_query_or_a_header(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    response = await door.ask("PUT", f"/a?rev={first}", {"x": "2"})
    second = response.json()["rev"]
    assert (await door.ask("PUT", "/a", {"x": "3"}, headers={"If-Match": f'"{second}"'})).status_code == 201
    assert (await door.ask("PUT", f"/a?rev={first}", {"x": "3", "_rev": second})).status_code == 400
    assert (await door.ask("PUT", "/a?rev=nonsense", {"x": "3"})).status_code == 400


async def test_the_same_edit_of_the_same_parent_has_the_same_revision(client: Client) -> None:
    """I1: the door makes ids by the one rule, so that two servers agree."""
    door = await a_database(client)
    from server.journal.model import NewRevision

    first = await door.put("a", x="1", y=["2"])
    assert first == NewRevision.following("a", {"y": ["2"], "x": "1"}, None).rev
    second = await door.put("a", x="2", _rev=first)
    assert second == NewRevision.following("a", {"x": "2"}, first).rev


async def test_recreating_a_deleted_document_continues_its_tombstone(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    deleted = (await door.ask("DELETE", f"/a?rev={first}")).json()["rev"]
    gone = await door.ask("GET", "/a")
    assert (gone.status_code, gone.json()["reason"]) == (404, "deleted")
    assert (await door.get("/a", rev=deleted)) == {"_id": "a", "_rev": deleted, "_deleted": True}
    again = await door.put("a", x="1")
    assert again.startswith("3-")


async def test_deleting_needs_the_leaf_and_a_document(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    assert (await door.ask("DELETE", "/a")).status_code == 409
    assert (await door.ask("DELETE", f"/a?rev={rev(1, 'other')}")).status_code == 409
    assert (await door.ask("DELETE", f"/a?rev={first}")).status_code == 200
    assert (await door.ask("DELETE", "/a")).json()["reason"] == "deleted"
    tombstone = (await door.ask("GET", "/_changes")).json()["results"][-1]["changes"][0]["rev"]
    again = await door.ask("DELETE", f"/a?rev={tombstone}")
    assert (again.status_code, again.json()["reason"]) == (404, "deleted")
    assert (await door.ask("DELETE", "/nothing")).status_code == 404


async def test_a_document_without_an_id_gets_one(client: Client) -> None:
    door = await a_database(client)
    said = await door.post("", {"x": "1"}, 201)
    assert (await door.get(f"/{said['id']}"))["x"] == "1"


async def test_reading_tells_of_ancestors_and_branches_where_asked(client: Client) -> None:
    door = await a_database(client)
    one, two, mine, yours = rev(1, "1"), rev(2, "2"), rev(3, "a"), rev(3, "b")
    dead = rev(4, "dead")
    await door.bring(
        revision("a", mine, two, one, x="mine"),
        revision("a", yours, two, one, x="yours"),
        revision("a", dead, rev(3, "c"), two, one, deleted=True),
    )
    winner, loser = max(mine, yours), min(mine, yours)
    found = await door.get("/a", revs=True, revs_info=True, conflicts=True, deleted_conflicts=True)
    assert found["_rev"] == winner
    assert found["_revisions"] == {"start": 3, "ids": [each.partition("-")[2] for each in (winner, two, one)]}
    assert found["_conflicts"] == [loser]
    assert found["_deleted_conflicts"] == [dead]
    assert [(each["rev"], each["status"]) for each in found["_revs_info"]] == [
        (winner, "available"),
        (two, "missing"),
        (one, "missing"),
    ]


async def test_open_revs_gives_every_leaf_or_those_asked_for(client: Client) -> None:
    door = await a_database(client)
    one, mine, yours = rev(1, "1"), rev(2, "a"), rev(2, "b")
    await door.bring(revision("a", mine, one, x="mine"), revision("a", yours, one, x="yours"))
    every = await door.get("/a", open_revs="all", revs=True)
    assert {each["ok"]["_rev"] for each in every} == {mine, yours}
    assert every[0]["ok"]["_revisions"]["start"] == 2
    asked = await door.get("/a", open_revs=json.dumps([mine, rev(5, "no")]))
    assert [each.get("missing") or each["ok"]["x"] for each in asked] == ["mine", rev(5, "no")]
    latest = await door.get("/a", open_revs=json.dumps([one]), latest=True)
    assert {each["ok"]["_rev"] for each in latest} == {mine, yours}
    assert await door.get("/nothing", open_revs=json.dumps([one])) == [{"missing": one}]


async def test_open_revs_comes_in_parts_for_who_asks_for_parts(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="ngô")
    asked = json.dumps([first, rev(9, "no")])
    response = await door.ask("GET", f"/a?revs=true&open_revs={asked}", headers={"Accept": "multipart/mixed"})
    kind, _, boundary = response.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/mixed"
    parts = response.content.split(b"--" + boundary.strip('"').encode())
    assert parts[0] == b""
    assert parts[-1] == b"--"
    heads, bodies = zip(*(part.strip().split(b"\r\n\r\n", 1) for part in parts[1:-1]), strict=True)
    assert heads == (b"Content-Type: application/json", b'Content-Type: application/json; error="true"')
    assert json.loads(bodies[0])["x"] == "ngô"
    assert json.loads(bodies[1]) == {"missing": rev(9, "no")}


async def test_latest_leads_from_an_old_revision_to_its_leaf(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    second = await door.put("a", x="2", _rev=first)
    assert (await door.get("/a", rev=first, latest=True))["_rev"] == second


async def test_a_document_that_is_known_is_not_sent_again(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    response = await door.ask("GET", "/a", headers={"If-None-Match": f'"{first}"'})
    assert (response.status_code, response.content) == (304, b"")


async def test_what_the_door_adds_may_come_back_and_means_nothing(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    found = await door.get("/a", conflicts=True, revs_info=True, revs=True)
    found["x"] = "2"
    response = await door.ask("PUT", "/a", found)
    assert response.status_code == 201
    assert (await door.get("/a"))["_rev"] == response.json()["rev"]
    assert first != response.json()["rev"]


async def test_unknown_members_are_refused_with_their_reason(client: Client) -> None:
    door = await a_database(client)
    odd = await door.ask("PUT", "/a", {"_odd": 1})
    assert odd.json() == {"error": "doc_validation", "reason": "Bad special document member: _odd"}
    assert (await door.ask("PUT", "/a", {"_attachments": {}, "x": "1"})).status_code == 201


async def test_of_edits_side_by_side_one_stands_and_the_others_are_conflicts(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="0")
    edits = (door.ask("PUT", "/a", {"x": str(n), "_rev": first}) for n in range(4))
    statuses = [response.status_code for response in await asyncio.gather(*edits)]
    assert sorted(statuses) == [201, 409, 409, 409]
    assert "_conflicts" not in await door.get("/a", conflicts=True)


async def test_edits_beside_a_replication_are_planned_again(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="0")
    brought = revision("a", rev(2, "brought"), first, x="brought")
    response, errors = await asyncio.gather(door.ask("PUT", "/a", {"x": "1", "_rev": first}), door.bring(brought))
    assert errors == []
    found = await door.get("/a", conflicts=True)
    # Whichever came first: an edit that came second was told of a conflict, a replica's revision never is.
    assert (len(found.get("_conflicts", [])) == 1) == (response.status_code == 201)
    assert response.status_code in (201, 409)

"""Documents in the order of their ids."""

from typing import Any

from tests.builders import Client
from tests.server.couchdb_door import Door, a_database, rev, revision


async def _six(client: Client) -> Door:
    door = await a_database(client)
    for name in ("a", "b", "c", "d", "ổ", "Z"):
        await door.put(name, n=name)
    await door.ask("DELETE", f"/c?rev={(await door.get('/c'))['_rev']}")
    return door


def _ids(said: dict[str, Any]) -> list[str]:
    return [row.get("id", row.get("error")) for row in said["rows"]]


async def test_ids_stand_in_the_order_of_their_bytes_without_the_deleted(client: Client) -> None:
    door = await _six(client)
    said = await door.get("/_all_docs")
    assert _ids(said) == ["Z", "a", "b", "d", "ổ"]
    assert (said["total_rows"], said["offset"]) == (5, 0)
    assert said["rows"][1] == {"id": "a", "key": "a", "value": {"rev": (await door.get("/a"))["_rev"]}}


async def test_ranges_have_ends_directions_and_pages(client: Client) -> None:
    door = await _six(client)
    assert _ids(await door.get("/_all_docs", startkey='"b"')) == ["b", "d", "ổ"]
    assert _ids(await door.get("/_all_docs", startkey='"a"', endkey='"d"')) == ["a", "b", "d"]
    assert _ids(await door.get("/_all_docs", startkey='"a"', endkey='"d"', inclusive_end=False)) == ["a", "b"]
    assert _ids(await door.get("/_all_docs", startkey='"d"', endkey='"a"', descending=True)) == ["d", "b", "a"]
    assert _ids(await door.get("/_all_docs", key='"b"')) == ["b"]
    assert _ids(await door.get("/_all_docs", startkey='"a"', endkey="{}")) == ["a", "b", "d", "ổ"]
    page = await door.get("/_all_docs", startkey='"a"', skip=1, limit=2)
    assert (_ids(page), page["offset"]) == (["b", "d"], 2)
    assert _ids(await door.get("/_all_docs", skip=9)) == []
    assert _ids(await door.get("/_all_docs", limit=0)) == []
    posted = await door.post("/_all_docs", {"start_key": "b", "limit": 1, "update_seq": True})
    assert (_ids(posted), posted["update_seq"]) == (["b"], (await door.get())["update_seq"])


async def test_each_key_has_a_row_whatever_stands_there(client: Client) -> None:
    door = await _six(client)
    said = await door.post("/_all_docs?include_docs=true", {"keys": ["d", "no", "c", "a"]})
    found, missing, deleted, other = said["rows"]
    assert (found["id"], other["id"]) == ("d", "a")
    assert missing == {"key": "no", "error": "not_found"}
    assert deleted["value"]["deleted"] is True
    assert deleted["doc"] is None
    assert found["doc"]["n"] == "d"


async def test_keys_beside_a_range_are_refused(client: Client) -> None:
    door = await _six(client)
    for body in ({"keys": ["a"], "startkey": "a"}, {"keys": "a"}, {"keys": [1]}, {"limit": -1}, {"skip": "x"}):
        response = await door.ask("POST", "/_all_docs", body)
        assert response.status_code == 400, body


async def test_documents_come_along_with_their_conflicts(client: Client) -> None:
    door = await a_database(client)
    one, two = rev(1, "1"), rev(1, "2")
    await door.bring(revision("a", one, x="1"), revision("a", two, x="2"))
    [row] = (await door.get("/_all_docs", include_docs=True, conflicts=True))["rows"]
    assert (row["doc"]["_rev"], row["doc"]["_conflicts"]) == (max(one, two), [min(one, two)])


async def test_a_long_listing_is_read_page_by_page(client: Client) -> None:
    door = await a_database(client)
    ids = [f"d{n:04}" for n in range(1100)]
    await door.post("/_bulk_docs", {"docs": [{"_id": each} for each in ids]}, 201)
    assert _ids(await door.get("/_all_docs")) == ids
    assert _ids(await door.get("/_all_docs", descending=True, limit=1050, skip=10)) == ids[::-1][10:1060]

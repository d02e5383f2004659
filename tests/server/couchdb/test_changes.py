"""The changes feed: rows, checkpoints, limits, filters, and feeds that wait."""

import json

import pytest

from server.auth import people
from tests.builders import PASSWORD, Client, grant
from tests.server.couchdb_door import Door, a_database, at_scope, feed, rev, revision
from tests.waiting import within

pytestmark = pytest.mark.by_turns


async def _five(client: Client) -> Door:
    door = await a_database(client)
    for name in "abcde":
        await door.put(name, n=name)
    return door


async def test_a_document_has_one_row_at_its_latest_sequence(client: Client) -> None:
    """Rule 1."""
    door = await _five(client)
    await door.put("b", n="b2", _rev=(await door.get("/b"))["_rev"])
    found = await door.get("/_changes")
    assert [row["id"] for row in found["results"]] == ["a", "c", "d", "e", "b"]
    assert found["last_seq"] == found["results"][-1]["seq"]
    assert found["pending"] == 0


async def test_all_leaves_are_listed_where_asked_winner_first(client: Client) -> None:
    """Rule 1."""
    door = await a_database(client)
    alive, dead = rev(2, "alive"), rev(5, "dead")
    await door.bring(revision("a", alive, rev(1, "1"), x="1"))
    await door.bring(revision("a", dead, rev(4, "d"), rev(3, "d"), rev(2, "d"), rev(1, "1"), deleted=True))
    [row] = (await door.get("/_changes", style="all_docs"))["results"]
    assert [each["rev"] for each in row["changes"]] == [alive, dead]
    assert "deleted" not in row
    [row] = (await door.get("/_changes"))["results"]
    assert [each["rev"] for each in row["changes"]] == [alive]


async def test_documents_and_conflicts_come_along_where_asked(client: Client) -> None:
    door = await a_database(client)
    one, two = rev(1, "1"), rev(1, "2")
    await door.bring(revision("a", one, x="1"), revision("a", two, x="2"))
    first = await door.put("b", x="1")
    await door.ask("DELETE", f"/b?rev={first}")
    torn, deleted = (await door.get("/_changes", include_docs=True, conflicts=True))["results"]
    assert torn["doc"]["_conflicts"] == [min(one, two)]
    assert deleted["deleted"] is True
    assert deleted["doc"]["_deleted"] is True


async def test_a_limit_is_exact_and_tells_what_is_left(client: Client) -> None:
    """Rule 4."""
    door = await _five(client)
    first = await door.get("/_changes", limit=2)
    assert [row["id"] for row in first["results"]] == ["a", "b"]
    assert first["pending"] == 3
    rest = await door.get("/_changes", since=first["last_seq"])
    assert [row["id"] for row in rest["results"]] == ["c", "d", "e"]
    nothing = await door.get("/_changes", limit=0)
    assert (nothing["results"], nothing["pending"]) == ([], 5)
    assert nothing["last_seq"].startswith("0-")


async def test_every_row_is_a_place_to_go_on_from(client: Client) -> None:
    door = await _five(client)
    rows = (await door.get("/_changes"))["results"]
    for position, row in enumerate(rows):
        rest = (await door.get("/_changes", since=row["seq"]))["results"]
        assert rest == rows[position + 1 :]


async def test_a_checkpoint_that_the_chain_does_not_hold_means_from_the_beginning(client: Client) -> None:
    """Rule 5: never from now."""
    door = await _five(client)
    seq = (await door.get("/_changes"))["last_seq"]
    assert len(seq) < 16
    for unknown in ("5-00000000", "99-" + seq.partition("-")[2], "nonsense", "5", "-1"):
        assert len((await door.get("/_changes", since=unknown))["results"]) == 5, unknown
    assert (await door.get("/_changes", since="now"))["results"] == []


async def test_the_feed_can_be_read_backwards(client: Client) -> None:
    door = await _five(client)
    found = await door.get("/_changes", descending=True, limit=2)
    assert [row["id"] for row in found["results"]] == ["e", "d"]


async def test_sequences_may_be_left_out_between(client: Client) -> None:
    door = await _five(client)
    rows = (await door.get("/_changes", seq_interval=2))["results"]
    assert [row["seq"] is None for row in rows] == [False, True, False, True, False]


async def test_filters_by_id_advance_to_the_end(client: Client) -> None:
    """Rule 4."""
    door = await _five(client)
    said = await door.post("/_changes?filter=_doc_ids", {"doc_ids": ["b", "d", "nothing"]})
    assert [row["id"] for row in said["results"]] == ["b", "d"]
    assert said["last_seq"].startswith("5-")
    page = await door.post("/_changes?filter=_doc_ids&limit=1", {"doc_ids": ["b", "d"]})
    assert ([row["id"] for row in page["results"]], page["pending"]) == (["b"], 1)
    queried = await door.get("/_changes", filter="_doc_ids", doc_ids=json.dumps(["e"]))
    assert [row["id"] for row in queried["results"]] == ["e"]


async def test_filters_by_selector_advance_to_the_end(client: Client) -> None:
    """Rule 4: a page without matches never stands before rows that match."""
    door = await _five(client)
    said = await door.post("/_changes?filter=_selector&limit=1", {"selector": {"n": {"$gte": "d"}}})
    assert [row["id"] for row in said["results"]] == ["d"]
    assert said["last_seq"].startswith("4-")
    assert "doc" not in said["results"][0]
    none = await door.post("/_changes?filter=_selector", {"selector": {"n": "z"}})
    assert (none["results"], none["last_seq"][:2]) == ([], "5-")


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({"a": 1}, True),
        ({"a": True}, False),
        ({"b.c": "x"}, True),
        ({"b": {"c": "x"}}, True),
        ({"$or": [{"a": 2}, {"d": {"$exists": True}}]}, True),
        ({"$and": [{"a": {"$gt": 0, "$lt": 2}}, {"$not": {"a": 3}}]}, True),
        ({"$nor": [{"a": 1}]}, False),
        ({"d": {"$elemMatch": {"$eq": 2}}}, True),
        ({"d": {"$allMatch": {"$type": "number"}}}, True),
        ({"d": {"$all": [1, 2], "$size": 2}}, True),
        ({"d": {"$size": 1}}, False),
        ({"a": {"$in": [1, 5]}}, True),
        ({"a": {"$nin": [1]}}, False),
        ({"a": {"$ne": 2}}, True),
        ({"missing": {"$ne": 2}}, False),
        ({"missing": {"$exists": False}}, True),
        ({"a": {"$mod": [2, 1]}}, True),
        ({"b.c": {"$beginsWith": "x"}}, True),
        ({"_id": "doc"}, True),
    ],
)
async def test_selectors_match_as_mango_does(selector: dict[str, object], matches: bool) -> None:
    from server.gateway.couchdb.selector import matcher

    assert matcher(selector)({"_id": "doc", "a": 1, "b": {"c": "x"}, "d": [1, 2]}) is matches  # type: ignore[arg-type]


async def test_filters_that_are_not_offered_are_refused(client: Client) -> None:
    door = await _five(client)
    for path, body in (
        ("?filter=ddoc/name", {}),
        ("?filter=_view", {}),
        ("?filter=_doc_ids", {}),
        ("?filter=_selector", {"selector": {"a": {"$regex": "(a+)+$"}}}),
        ("?filter=_selector", {"selector": []}),
    ):
        response = await door.ask("POST", f"/_changes{path}", body)
        assert response.status_code in (400, 404), path
        assert set(response.json()) == {"error", "reason"}
    for query in ("feed=odd", "limit=-1", "style=odd", "include_docs=yes", "heartbeat=soon"):
        assert (await door.ask("GET", f"/_changes?{query}")).status_code == 400, query


async def test_a_long_feed_is_read_page_by_page_without_a_gap(client: Client) -> None:
    door = await a_database(client)
    docs = [{"_id": f"d{n:04}"} for n in range(1201)]
    await door.post("/_bulk_docs", {"docs": docs}, 201)
    found = await door.get("/_changes")
    assert [row["id"] for row in found["results"]] == [each["_id"] for each in docs]


async def test_a_long_poll_blocks_until_something_is_there(client: Client) -> None:
    """Rule 7."""
    door = await _five(client)
    async with feed(door, feed="longpoll", since="now", heartbeat="100000") as pieces:
        assert await pieces.get() == b'{"results":[\n'
        with pytest.raises(TimeoutError):
            await within(0.1, pieces.get())
        await door.put("f", n="f")
        said = b'{"results":[\n'
        while piece := await within(5, pieces.get()):
            said += piece
    answer = json.loads(said)
    assert [row["id"] for row in answer["results"]] == ["f"]
    assert answer["last_seq"].startswith("6-")


async def test_a_long_poll_answers_at_once_when_something_stands(client: Client) -> None:
    door = await _five(client)
    found = await door.get("/_changes", feed="longpoll")
    assert len(found["results"]) == 5


async def test_a_long_poll_ends_empty_after_its_timeout(client: Client) -> None:
    door = await _five(client)
    found = await door.get("/_changes", feed="longpoll", since="now", timeout=30)
    assert (found["results"], found["last_seq"][:2]) == ([], "5-")


async def test_heartbeats_are_newlines(client: Client) -> None:
    """Rule 7."""
    door = await _five(client)
    for kind in ("longpoll", "continuous", "eventsource"):
        async with feed(door, feed=kind, since="now", heartbeat="100") as pieces:
            piece = await within(5, pieces.get())
            if kind == "longpoll":
                piece = await within(5, pieces.get())
            assert piece == b"\n"


async def test_a_continuous_feed_gives_a_line_a_row(client: Client) -> None:
    door = await _five(client)
    async with feed(door, feed="continuous", timeout="30000") as pieces:
        stands = (await within(5, pieces.get())).splitlines()
        assert [json.loads(line)["id"] for line in stands] == list("abcde")
        await door.put("f", n="f")
        assert json.loads(await within(5, pieces.get()))["id"] == "f"


async def test_a_continuous_feed_ends_with_where_to_go_on(client: Client) -> None:
    door = await _five(client)
    response = await door.ask("GET", "/_changes?feed=continuous&timeout=20")
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert len(lines) == 6
    assert lines[-1]["last_seq"] == lines[-2]["seq"]
    limited = await door.ask("GET", "/_changes?feed=continuous&limit=2")
    assert [json.loads(line).get("id") for line in limited.text.splitlines()] == ["a", "b", None]
    assert json.loads(limited.text.splitlines()[-1])["pending"] == 3


async def test_a_continuous_feed_from_the_newest_on_ends_with_the_oldest(client: Client) -> None:
    door = await _five(client)
    response = await within(10, door.ask("GET", "/_changes?feed=continuous&descending=true&heartbeat=true"))
    assert [json.loads(line).get("id") for line in response.text.splitlines()] == [*"edcba", None]


async def test_events_carry_the_checkpoint_that_a_browser_comes_back_with(client: Client) -> None:
    door = await _five(client)
    response = await door.ask("GET", "/_changes?feed=eventsource&timeout=20")
    assert response.headers["content-type"].startswith("text/event-stream")
    last = [line for line in response.text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")
    headers = {"Last-Event-ID": last}
    again = await client.get("/db/notes/_changes", auth=(door.username, PASSWORD), headers=headers)
    assert again.json()["results"] == []


async def test_a_stream_ends_when_the_rights_do(client: Client) -> None:
    """I9 and rule 12: a grant that is taken away takes the open feed along."""
    door = await at_scope(client, "hoa", grant("field_worker"))
    other = await at_scope(client, "lan", grant("field_worker"))
    async with feed(door, feed="continuous", heartbeat="100") as pieces:
        assert await within(5, pieces.get()) == b"\n"
        async with client.app.state.storage.write() as connection:
            found = await people.find_by_username(connection, "hoa")
            assert found is not None
            await people.set_grants(connection, found[0].id, ())
        await other.bring(revision("a", rev(1, "a"), deleted=True))
        said = b""
        while piece := await within(5, pieces.get()):
            said += piece
    assert b'"id"' not in said
    assert json.loads(said)["last_seq"].startswith("0-")
    assert (await door.ask("GET")).status_code == 404

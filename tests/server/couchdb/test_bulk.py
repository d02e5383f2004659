"""Many documents at once: `_bulk_docs`, `_bulk_get`, `_revs_diff`."""

import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from server.gateway.couchdb import bulk_docs, revs_diff
from server.gateway.couchdb.call import mapping_of
from server.gateway.couchdb.write_documents import PIECE_BYTES, joined
from server.platform.json_reader import read_documents
from tests.builders import PASSWORD, Client, grant
from tests.server.couchdb_door import Door, a_database, at_scope, record, rev, revision
from tests.server.sync_door import with_form

pytestmark = pytest.mark.by_turns


async def test_edits_are_answered_row_by_row_in_order(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    docs = [{"_id": "b", "x": "1"}, {"_id": "a", "x": "2"}, {"_id": "a", "_rev": first, "x": "2"}, {"x": "nameless"}]
    rows = await door.post("/_bulk_docs", {"docs": docs}, 201)
    assert [row.get("error", "ok") for row in rows] == ["ok", "conflict", "ok", "ok"]
    assert [row["id"] for row in rows[:3]] == ["b", "a", "a"]
    assert (await door.get("/a"))["x"] == "2"


async def test_a_document_twice_in_a_batch_conflicts_with_itself(client: Client) -> None:
    door = await a_database(client)
    rows = await door.post("/_bulk_docs", {"docs": [{"_id": "a", "x": "1"}, {"_id": "a", "x": "2"}]}, 201)
    assert [row.get("error", "ok") for row in rows] == ["ok", "conflict"]


async def test_replicated_revisions_are_answered_by_their_errors_only(client: Client) -> None:
    door = await a_database(client)
    assert await door.bring(revision("a", rev(1, "x"), x="1"), revision("b", rev(1, "y"), x="1")) == []
    assert set(await door.winners()) == {"a", "b"}


async def test_a_known_revision_is_success_and_moves_no_sequence(client: Client) -> None:
    """Rule 3 and I3."""
    door = await a_database(client)
    document = revision("a", rev(2, "x"), rev(1, "w"), x="1")
    await door.bring(document)
    before = await door.get("/_changes")
    assert await door.bring(document) == []
    assert await door.get("/_changes") == before
    await door.bring(revision("a", rev(2, "z"), rev(1, "w"), x="2"))
    assert (await door.get("/_changes"))["last_seq"] != before["last_seq"]


async def test_the_winner_is_alive_then_longest_then_greatest(client: Client) -> None:
    """Rule 2."""
    door = await a_database(client)
    await door.bring(
        revision("a", rev(1, "p"), x="short"),
        revision("a", rev(3, "q"), rev(2, "q"), rev(1, "q"), deleted=True),
        revision("a", rev(2, "r"), rev(1, "r"), x="long"),
    )
    assert (await door.get("/a"))["x"] == "long"


async def test_the_same_paths_in_any_order_give_the_same_tree(client: Client) -> None:
    """Rule 8: nodes and edges are a set, and late ancestors are filled in."""
    lines = [
        revision("a", rev(3, "c"), rev(2, "b"), x="3"),
        revision("a", rev(2, "b"), rev(1, "a"), x="2"),
        revision("a", rev(1, "a"), x="1"),
        revision("a", rev(4, "d"), rev(3, "c"), x="4"),
    ]
    found = []
    door = await a_database(client)
    for name, order in (("one", lines), ("two", lines[::-1]), ("three", [lines[i] for i in (2, 0, 3, 1)])):
        other = Door(client, door.username, name)
        await other.ask("PUT")
        for line in order:
            await other.bring(line)
        found.append(await other.get("/a", revs=True, conflicts=True))
    assert found[0] == found[1] == found[2]
    assert len(found[0]["_revisions"]["ids"]) == 4
    assert "_conflicts" not in found[0]


async def test_a_missing_ancestor_is_filled_in_for_a_known_revision(client: Client) -> None:
    """Rule 8 and 14: the path adds what was not known, and changes nothing else."""
    door = await a_database(client)
    await door.bring(revision("a", rev(3, "c"), rev(2, "b"), x="3"))
    await door.bring(revision("a", rev(3, "c"), rev(2, "b"), rev(1, "a"), x="3"))
    assert len((await door.get("/a", revs=True))["_revisions"]["ids"]) == 3


async def test_a_known_id_with_other_content_is_kept_apart_and_answered_as_success(client: Client) -> None:
    door = await _at_scope(client)
    await door.bring(revision("a", rev(1, "x"), **record(trees="1")))
    assert await door.bring(revision("a", rev(1, "x"), **record(trees="2"))) == []
    assert (await door.get("/a"))["answers"]["trees"] == "1"
    [waiting] = await client.app.state.journal.quarantined(door.database)
    assert waiting.reason == "known_id_other_content"


async def test_a_forged_generation_wins_nothing(client: Client) -> None:
    """Rule 13."""
    door = await _at_scope(client)
    await door.put("a", **record(trees="1"))
    assert await door.bring(revision("a", rev(999_999, "f"), rev(999_998, "f"), **record(trees="2"))) == []
    assert (await door.get("/a"))["answers"]["trees"] == "1"
    assert await door.post("/_revs_diff", {"a": [rev(999_999, "f")]}) == {}


async def test_more_than_twenty_leaves_go_to_quarantine(client: Client) -> None:
    """Rule 13."""
    door = await _at_scope(client)
    assert await door.bring(*(revision("a", rev(1, str(n)), **record(trees=str(n))) for n in range(25))) == []
    assert len(await door.get("/a", open_revs="all")) == 20
    assert len(await client.app.state.journal.quarantined(door.database)) == 5


async def _at_scope(client: Client) -> Door:
    await with_form(client)
    return await at_scope(client, "hoa", grant("field_worker"))


BAD = {
    "duplicate key": b'"x":1,"x":2',
    "not a number": b'"x":NaN',
    "lone surrogate": b'"x":"\\ud800"',
    "prototype": b'"__proto__":{}',
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("new_edits", [True, False])
async def test_one_bad_document_is_one_error_and_the_rest_goes_on(client: Client, name: str, new_edits: bool) -> None:
    """Rule 10."""
    door = await a_database(client)
    own = b"" if new_edits else b'"_rev":"%b",' % rev(1, "g").encode()
    good = b'{"_id":"good",%b"x":1}' % own
    bad = b'{"_id":"bad",%b%b}' % (own, BAD[name])
    after = b'{"_id":"after",%b"x":1}' % own
    body = b'{"new_edits":%b,"docs":[%b,%b,%b]}' % (str(new_edits).lower().encode(), good, bad, after)
    response = await client.post(
        "/db/notes/_bulk_docs",
        content=body,
        headers={"Content-Type": "application/json"},
        auth=(door.username, PASSWORD),
    )
    assert response.status_code == 201, response.text
    errors = [row for row in response.json() if "error" in row]
    assert [(row["id"], row["error"]) for row in errors] == [("bad", "bad_request")]
    assert errors[0]["reason"]
    assert set(await door.winners()) == {"good", "after"}


async def test_reserved_and_impossible_ids_are_refused_alone_in_a_scope(client: Client) -> None:
    door = await _at_scope(client)
    docs: list[Any] = [{"_id": "_odd"}, {"_id": ""}, {"_id": 7}, {"_id": "x" * 300}, "no document", {"_id": "good"}]
    rows = await door.post("/_bulk_docs", {"docs": docs}, 201)
    assert ["error" in row for row in rows] == [True] * 5 + [False]


async def test_members_that_mean_nothing_are_refused_alone_in_a_scope(client: Client) -> None:
    door = await _at_scope(client)
    odd: list[dict[str, Any]] = [{"_odd": 1}, {"_attachments": []}, {"_rev": "nonsense"}, {"_deleted": "yes"}]
    docs = [{"_id": str(number), **record(), **each} for number, each in enumerate([*odd, {}])]
    rows = await door.post("/_bulk_docs", {"docs": docs}, 201)
    errors = ["doc_validation", "bad_request", "bad_request", "bad_request", "ok"]
    assert [row.get("error", "ok") for row in rows] == errors


async def test_a_bomb_is_refused_before_it_unfolds(client: Client) -> None:
    """Rule 11."""
    door = await a_database(client)
    bomb = gzip.compress(b'{"docs":[{"_id":"a","x":"' + b"0" * 9_000_000 + b'"}]}')
    response = await client.post(
        "/db/notes/_bulk_docs",
        content=bomb,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        auth=(door.username, PASSWORD),
    )
    assert (response.status_code, response.json()["error"]) == (413, "too_large")
    assert await door.winners() == {}


async def test_a_gzipped_body_is_read(client: Client) -> None:
    door = await a_database(client)
    body = gzip.compress(json.dumps({"docs": [{"_id": "a", "x": "1"}]}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await client.post("/db/notes/_bulk_docs", content=body, headers=headers, auth=(door.username, PASSWORD))
    assert response.status_code == 201
    assert set(await door.winners()) == {"a"}


async def test_bulk_get_answers_each_row_in_order(client: Client) -> None:
    door = await a_database(client)
    one, mine, yours = rev(1, "1"), rev(2, "a"), rev(2, "b")
    await door.bring(revision("a", mine, one, x="mine"), revision("a", yours, one, x="yours"))
    asked = [{"id": "no"}, {"id": "a", "rev": min(mine, yours)}, {"id": "a"}, {"id": "a", "rev": rev(7, "n")}]
    said = await door.post("/_bulk_get?revs=true", {"docs": asked})
    assert list(said) == ["results"]
    assert [row["id"] for row in said["results"]] == ["no", "a", "a", "a"]
    missing, loser, winner, unknown = (row["docs"][0] for row in said["results"])
    assert missing["error"]["error"] == unknown["error"]["error"] == "not_found"
    assert (loser["ok"]["_rev"], winner["ok"]["_rev"]) == (min(mine, yours), max(mine, yours))
    assert winner["ok"]["_revisions"] == {
        "start": 2,
        "ids": [each.partition("-")[2] for each in (max(mine, yours), one)],
    }
    latest = await door.post("/_bulk_get?latest=true", {"docs": [{"id": "a", "rev": one}]})
    assert {each["ok"]["_rev"] for each in latest["results"][0]["docs"]} == {mine, yours}
    assert await door.post("/_bulk_get", {"docs": []}) == {"results": []}


async def test_revs_diff_names_what_is_missing_and_what_may_lead_there(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    await door.put("whole", x="1")
    asked = {
        "a": [first, rev(2, "new")],
        "b": [rev(1, "b")],
        "whole": [(await door.get("/whole"))["_rev"]],
    }
    assert await door.post("/_revs_diff", asked) == {
        "a": {"missing": [rev(2, "new")], "possible_ancestors": [first]},
        "b": {"missing": [rev(1, "b")]},
    }


async def test_an_ancestor_that_was_only_named_is_still_missing(client: Client) -> None:
    door = await a_database(client)
    await door.bring(revision("a", rev(2, "b"), rev(1, "a"), x="2"))
    assert (await door.post("/_revs_diff", {"a": [rev(1, "a")]}))["a"]["missing"] == [rev(1, "a")]


def test_rows_leave_in_pieces_whatever_one_request_names() -> None:
    made = 0

    def rows() -> Iterator[bytes]:
        nonlocal made
        for _ in range(500):
            made += 1
            yield b"x" * PIECE_BYTES

    pieces = joined(rows(), b",")
    assert len(next(pieces)) == PIECE_BYTES
    assert made == 1
    assert list(joined([b"1", b"2"], b",")) == [b"1,2"]
    assert list(joined([], b",")) == []


async def test_a_request_may_name_only_so_many_documents_and_is_read_beside_the_event_loop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await a_database(client)
    readers: list[threading.Thread] = []

    def read(body: bytes, *, keeps_numbers: bool = False) -> Any:
        readers.append(threading.current_thread())
        return read_documents(body, keeps_numbers=keeps_numbers)

    def read_mapping(body: bytes) -> Any:
        readers.append(threading.current_thread())
        return mapping_of(body)

    monkeypatch.setattr("server.gateway.couchdb.bulk_docs.read_documents", read)
    monkeypatch.setattr("server.gateway.couchdb.revs_diff.mapping_of", read_mapping)
    docs = [{"_id": f"doc-{number}", "_rev": rev(1, "a")} for number in range(bulk_docs.MOST_DOCS + 1)]
    refused = await door.ask("POST", "/_bulk_docs", {"docs": docs, "new_edits": False})
    assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    assert (await door.get())["doc_count"] == 0
    assert await door.post("/_bulk_docs", {"docs": docs[:3000], "new_edits": False}, 201) == []
    asked = {f"doc-{number}": [rev(1, "a")] for number in range(revs_diff.MOST + 1)}
    refused = await door.ask("POST", "/_revs_diff", asked)
    assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    assert len(await door.post("/_revs_diff", dict([*asked.items()][: revs_diff.MOST]))) == revs_diff.MOST - 3000
    assert len(readers) == 4
    assert threading.main_thread() not in readers

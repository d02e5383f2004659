"""Databases that administrators make answer as a CouchDB does, also where it refuses: clients' branches hang on it."""

from typing import Any

import pytest

from tests.builders import Client, grant
from tests.server.couchdb_door import a_database, at_scope, record, rev, revision
from tests.server.sync_door import with_form

pytestmark = pytest.mark.by_turns

CONFLICT = {"error": "conflict", "reason": "Document update conflict."}
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "reserved id": ({"_id": "_a"}, "illegal_docid", "Only reserved document ids may start with underscore."),
    "empty id": ({"_id": ""}, "illegal_docid", "Document id must not be empty"),
    "no text": ({"_id": 7}, "illegal_docid", "Document id must be a string"),
    "design alone": ({"_id": "_design/"}, "illegal_docid", "Illegal document id `_design/`"),
    "member": ({"_id": "a", "_zing": 4}, "doc_validation", "Bad special document member: _zing"),
    "revision": ({"_id": "a", "_rev": "undefined"}, "bad_request", "Invalid rev format"),
}


async def test_a_conflict_in_a_batch_names_no_revision(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    await door.put("a", x="2", _rev=first)
    docs = [{"_id": "a", "x": "3", "_rev": first}, {"_id": "a", "x": "3"}, {"_id": "a", "_deleted": True}]
    assert await door.post("/_bulk_docs", {"docs": docs}, 201) == [{"id": "a", **CONFLICT}] * 3


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("new_edits", [True, False], ids=["edits", "copies"])
async def test_what_couchdb_refuses_fails_the_whole_batch(client: Client, name: str, new_edits: bool) -> None:
    door = await a_database(client)
    bad, error, reason = REFUSED[name]
    own = {} if new_edits else {"_rev": "1-a"}
    docs = [{"_id": "before", **own}, {**own, **bad}, {"_id": "after", **own}]
    response = await door.ask("POST", "/_bulk_docs", {"docs": docs, "new_edits": new_edits})
    assert (response.status_code, response.json()) == (400, {"error": error, "reason": reason})
    assert await door.winners() == {}


async def test_in_a_scope_what_cannot_be_read_is_a_row_of_its_own(client: Client) -> None:
    await with_form(client)
    door = await at_scope(client, "hoa", grant("field_worker"))
    docs = [{"_id": "before", **record()}, {"_id": "_a"}, {"_id": "c", "_zing": 4}, {"_id": "after", **record()}]
    rows = await door.post("/_bulk_docs", {"docs": docs}, 201)
    assert [row.get("error", "ok") for row in rows] == ["ok", "illegal_docid", "doc_validation", "ok"]
    assert set(await door.winners()) == {"before", "after"}


async def test_local_documents_may_stand_in_a_batch(client: Client) -> None:
    door = await a_database(client)
    docs = [{"_id": "_local/one", "at": "1"}, {"_id": "a"}, {"_id": "_local/one", "at": "2"}, {"_id": "b"}]
    rows = await door.post("/_bulk_docs", {"docs": docs}, 201)
    assert rows[0] == {"ok": True, "id": "_local/one", "rev": "0-1"}
    assert rows[2] == {"id": "_local/one", **CONFLICT}
    assert [rows[1]["id"], rows[3]["id"]] == ["a", "b"]
    assert await door.get("/_local/one") == {"_id": "_local/one", "_rev": "0-1", "at": "1"}
    assert set(await door.winners()) == {"a", "b"}
    alone = await door.post("/_bulk_docs", {"docs": [{"_id": "_local/one", "_rev": "0-1", "at": "3"}]}, 201)
    assert alone == [{"ok": True, "id": "_local/one", "rev": "0-2"}]
    gone = await door.post("/_bulk_docs", {"docs": [{"_id": "_local/one", "_rev": "0-2", "_deleted": True}]}, 201)
    assert gone == [{"ok": True, "id": "_local/one", "rev": "0-0"}]
    assert await door.bring({"_id": "_local/two"}, revision("c", "1-a")) == []
    assert (await door.get("/_local/two"))["_rev"] == "0-1"


async def test_what_a_replicator_notes_in_its_orders_is_kept(client: Client) -> None:
    door = await a_database(client)
    said = {"_replication_id": "x", "_replication_state": "triggered", "_replication_state_time": 1}
    said |= {"_replication_stats": {}, "_replication_state_reason": "none"}
    stored = await door.ask("PUT", "/order", said)
    assert stored.status_code == 201, stored.text
    assert await door.get("/order") == {"_id": "order", "_rev": stored.json()["rev"], **said}


@pytest.mark.parametrize(
    "doc_id", ["_design/foo/bar", "x" * 1500, "line\nbreak", "q\u00f8\u4e16\U0001f600" * 60, "a b/c?d"]
)
async def test_an_id_may_be_any_text(client: Client, doc_id: str) -> None:
    door = await a_database(client)
    assert await door.bring(revision(doc_id, "2-b", "1-a", x="1")) == []
    found = await door.post("/_bulk_get", {"docs": [{"id": doc_id, "rev": "2-b"}]})
    assert found["results"][0]["docs"][0]["ok"]["x"] == "1"
    assert await door.post("/_revs_diff", {doc_id: ["2-b", "3-c"]}) == {
        doc_id: {"missing": ["3-c"], "possible_ancestors": ["2-b"]}
    }
    rows = await door.post("/_bulk_docs", {"docs": [{"_id": doc_id, "_rev": "2-b", "x": "2"}]}, 201)
    assert rows[0]["id"] == doc_id
    said = await door.post("/_changes?filter=_doc_ids&include_docs=true", {"doc_ids": [doc_id]})
    assert said["results"][0]["doc"]["x"] == "2"
    listed = await door.post("/_all_docs?include_docs=true", {"keys": [doc_id]})
    assert listed["rows"][0]["doc"]["_id"] == doc_id
    assert await client.app.state.journal.faults(door.database) == []


async def test_a_design_document_with_slashes_is_one_document(client: Client) -> None:
    door = await a_database(client)
    assert (await door.ask("PUT", "/_design/foo%2Fbar", {"language": "query"})).status_code == 201
    for path in ("/_design/foo%2Fbar", "/_design%2Ffoo%2Fbar"):
        assert (await door.get(path))["_id"] == "_design/foo/bar"
    # Where slashes are separators, the last part names an attachment.
    assert (await door.ask("GET", "/_design/foo/bar")).status_code == 404
    await door.put("a")
    said = await door.get("/_changes", filter="_design")
    assert [row["id"] for row in said["results"]] == ["_design/foo/bar"]
    assert said["last_seq"].startswith("2-")


async def test_revisions_and_their_limit_are_asked_for_in_the_old_way_too(client: Client) -> None:
    door = await a_database(client)
    await door.bring(revision("a", "2-b", "1-a"))
    assert await door.post("/_missing_revs", {"a": ["2-b", "3-c"], "b": ["1-x"]}) == {
        "missing_revs": {"a": ["3-c"], "b": ["1-x"]}
    }
    assert await door.get("/_revs_limit") == 1000
    headers = {"Content-Type": "application/json"}
    answers = [await door.ask("PUT", "/_revs_limit", content=said, headers=headers) for said in ("1000", "10", "-1")]
    assert [each.status_code for each in answers] == [200, 501, 400]


@pytest.mark.parametrize(
    ("query", "numbered"),
    [("seq_interval=2&limit=5", [False, True, False, True, False]), ("seq_interval=3&limit=3", [True, False, False])],
)
async def test_sequences_are_left_out_as_couchdb_counts(client: Client, query: str, numbered: list[bool]) -> None:
    door = await a_database(client)
    await door.bring(*(revision(name, "1-a") for name in "abcde"))
    rows = (await door.ask("GET", f"/_changes?{query}")).json()["results"]
    assert [row["seq"] is not None for row in rows] == numbered


async def test_filters_that_need_a_function_are_missing(client: Client) -> None:
    door = await a_database(client)
    for query, status, error in (
        ("filter=_view&view=foo/bar", 404, "not_found"),
        ("filter=foo/bar", 404, "not_found"),
        ("filter=_view", 400, "bad_request"),
    ):
        response = await door.ask("GET", f"/_changes?{query}")
        assert (response.status_code, response.json()["error"]) == (status, error), query
    odd = await door.ask("POST", "/_changes?filter=_selector", {"selector": {"a": {"$regex": "x"}}})
    assert (odd.status_code, odd.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"1-x", W/"{}"', "{}"])
async def test_a_revision_is_known_by_its_tag_however_it_is_written(client: Client, form: str) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    known = await door.ask("GET", "/a", headers={"If-None-Match": form.format(first)})
    assert (known.status_code, known.content) == (304, b"")
    other = await door.ask("GET", "/a", headers={"If-None-Match": form.format(rev(2, "other"))})
    assert other.status_code == 200


async def test_an_edit_names_its_revision_by_a_weak_tag_as_well(client: Client) -> None:
    door = await a_database(client)
    first = await door.put("a", x="1")
    edited = await door.ask("PUT", "/a", {"x": "2"}, headers={"If-Match": f'W/"{first}"'})
    assert edited.status_code == 201, edited.text


async def test_numbers_in_a_batch_beside_local_documents_stay_as_they_are(client: Client) -> None:
    door = await a_database(client)
    body = b'{"docs":[{"_id":"_local/n","x":1},{"_id":"n","big":9007199254740993}]}'
    sent = await door.ask("POST", "/_bulk_docs", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code == 201, sent.text
    assert b"9007199254740993" in (await door.ask("GET", "/n")).content


async def test_who_only_reads_a_scope_keeps_local_documents_by_a_batch_too(client: Client) -> None:
    await with_form(client)
    door = await at_scope(client, "an", grant("supervisor"))
    rows = await door.post("/_bulk_docs", {"docs": [{"_id": "_local/mark", "at": "1"}]}, 201)
    assert rows == [{"ok": True, "id": "_local/mark", "rev": "0-1"}]

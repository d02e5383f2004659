"""What PouchDB's own suite asks of a database that takes anything, as the real client meets it."""

import pytest

from tests.clients.province import Province, same
from tests.clients.replica import Replica, ReplicaError

#: A revision tree with short texts: two leaves, and a history that lacks its beginning.
BRANCHES = [
    {"_id": "a", "_rev": "2-b", "x": "1", "_revisions": {"start": 2, "ids": ["b", "a"]}},
    {"_id": "a", "_rev": "2-c", "x": "2", "_revisions": {"start": 2, "ids": ["c", "a"]}},
    {"_id": "deep", "_rev": "9-z", "_revisions": {"start": 9, "ids": ["z", "y"]}},
]


async def test_short_revision_texts_travel_with_their_branches(province: Province, pouch: Replica) -> None:
    made, local, other = province.made(), {"memory": "short"}, {"memory": "short-too"}
    await pouch.call(local, "bulkDocs", BRANCHES, {"new_edits": False})
    await pouch.replicate(local, made)
    await pouch.replicate(made, other)
    await same(pouch, local, made, other)
    for place in (local, made, other):
        found = await pouch.call(place, "get", "a", {"conflicts": True, "revs": True})
        assert (found["_rev"], found["_conflicts"]) == ("2-c", ["2-b"])
        assert found["_revisions"] == {"start": 2, "ids": ["c", "a"]}


async def test_a_document_goes_back_as_it_was_read(province: Province, pouch: Replica) -> None:
    made = province.made()
    await pouch.call(made, "bulkDocs", BRANCHES, {"new_edits": False})
    read = await pouch.call(made, "get", "a", {"conflicts": True, "revs_info": True})
    await pouch.put(made, {**read, "x": "edited", "_replication_id": "r", "_replication_state": "completed"})
    found = await pouch.call(made, "get", "a", {"conflicts": True})
    assert (found["x"], found["_conflicts"], found["_replication_id"]) == ("edited", ["2-b"], "r")


async def test_rows_of_errors_are_what_a_client_branches_on(province: Province, pouch: Replica) -> None:
    made = province.made()
    await pouch.put(made, {"_id": "a", "x": "1"})
    good, taken, local = await pouch.call(made, "bulkDocs", [{"_id": "b"}, {"_id": "a"}, {"_id": "_local/n", "x": "1"}])
    assert (good["ok"], local["ok"], local["rev"]) == (True, True, "0-1")
    assert (taken["name"], taken["status"], taken["id"], taken.get("rev")) == ("conflict", 409, "a", None)
    assert (await pouch.call(made, "get", "_local/n"))["x"] == "1"


async def test_ids_of_designs_may_have_a_slash(province: Province, pouch: Replica) -> None:
    made, local = province.made(), {"memory": "designs"}
    await pouch.put(made, {"_id": "_design/a/b", "x": "1"})
    await pouch.replicate(made, local)
    await pouch.put(local, {**await pouch.call(local, "get", "_design/a/b"), "x": "2"})
    await pouch.replicate(local, made)
    assert (await pouch.call(made, "get", "_design/a/b"))["x"] == "2"


async def test_a_feed_counts_only_every_few_sequences_and_ends_with_one(province: Province, pouch: Replica) -> None:
    made = province.made()
    await pouch.call(made, "bulkDocs", [{"_id": f"d{number}"} for number in range(5)])
    found = await pouch.call(made, "changes", {"seq_interval": 2})
    assert [row["seq"] is None for row in found["results"]] == [True, False, True, False, True]
    assert (await pouch.call(made, "changes", {"since": found["last_seq"]}))["results"] == []


async def test_a_selector_with_an_unknown_operator_is_the_clients_mistake(province: Province, pouch: Replica) -> None:
    made = province.made()
    await pouch.put(made, {"_id": "a", "x": "1"})
    with pytest.raises(ReplicaError) as told:
        await pouch.call(made, "changes", {"filter": "_selector", "selector": {"x": {"$nope": 1}}})
    assert told.value.status == 400

"""PouchDB pushes, pulls and syncs, once and live, as it does with CouchDB."""

import pytest

from tests.bench.arrangement import ADMINISTRATOR
from tests.clients.province import Province, record, same
from tests.clients.replica import Place, Replica, until

HERE: Place = {"memory": "here"}
THERE: Place = {"memory": "there"}


@pytest.fixture(params=["basic", "bearer"])
def commune(request: pytest.FixtureRequest, province: Province) -> Place:
    """Give an untouched commune's database, reached with a password, then with an access token."""
    scope = province.scope()
    return province.at(scope) if request.param == "basic" else province.signed_in(scope)


async def test_what_one_replica_pushes_another_pulls(pouch: Replica, commune: Place) -> None:
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(30)])
    pushed = await pouch.replicate(HERE, commune)
    assert (pushed["docs_read"], pushed["docs_written"], pushed["doc_write_failures"]) == (30, 30, 0)
    pulled = await pouch.replicate(commune, THERE)
    assert (pulled["docs_read"], pulled["docs_written"]) == (30, 30)
    assert len(await same(pouch, HERE, commune, THERE)) == 30
    got = await pouch.call(THERE, "get", "record-0007")
    assert {name: got[name] for name in got if name != "_rev"} == record(7)


async def test_a_sync_carries_both_sides_to_the_other(pouch: Replica, commune: Place) -> None:
    await pouch.put(commune, record(1))
    await pouch.put(HERE, record(2))
    done = await pouch.sync(HERE, commune)
    assert (done["push"]["docs_written"], done["pull"]["docs_written"]) == (1, 1)
    assert set(await same(pouch, HERE, commune)) == {"record-0001", "record-0002"}


async def test_edits_and_deletions_travel_with_their_history(pouch: Replica, commune: Place) -> None:
    first = await pouch.put(HERE, record(1))
    second = await pouch.put(HERE, {**record(1, remarks="đã sửa"), "_rev": first})
    await pouch.put(HERE, record(2))
    await pouch.sync(HERE, commune)
    gone = await pouch.call(commune, "get", "record-0002")
    await pouch.call(commune, "remove", gone)
    await pouch.sync(HERE, commune)
    await pouch.replicate(commune, THERE)
    leaves = await same(pouch, HERE, commune, THERE)
    assert leaves["record-0001"] == [second]
    assert leaves["record-0002"][0].startswith("2-")
    assert await pouch.ids(THERE) == ["record-0001"]
    got = await pouch.call(THERE, "get", "record-0001", {"revs": True})
    assert got["_revisions"] == {"start": 2, "ids": [rev.partition("-")[2] for rev in (second, first)]}


async def test_a_live_sync_hears_what_others_write_at_once(pouch: Replica, commune: Place) -> None:
    await pouch.live("here", HERE, commune)
    await pouch.live("there", THERE, commune)
    await pouch.put(HERE, record(1))
    await until(lambda: _has(pouch, THERE, "record-0001"), "a document from here is there")
    await pouch.put(THERE, record(2))
    await until(lambda: _has(pouch, HERE, "record-0002"), "a document from there is here")
    for name in ("here", "there"):
        assert not [event for event in (await pouch.stop(name))["events"] if event.startswith(("error", "denied"))]


async def _has(pouch: Replica, place: Place, doc_id: str) -> bool:
    return doc_id in await pouch.ids(place)


async def test_a_live_sync_that_has_nothing_to_do_asks_hardly_anything(pouch: Replica, commune: Place) -> None:
    await pouch.put(commune, record(1))
    await pouch.live("idle", HERE, commune)
    await until(lambda: _has(pouch, HERE, "record-0001"), "the first document came")
    await until(lambda: _waits(pouch), "it waits on a long poll")
    await pouch.requests()
    await pouch.put(HERE, record(2))
    await until(lambda: _has(pouch, commune, "record-0002"), "the second document went")
    await pouch.stop("idle")
    # Its own document comes back once in the feed; an empty answer to a long poll would make this a loop of hundreds.
    assert len(await pouch.requests()) < 40


async def _waits(pouch: Replica) -> bool:
    return any("feed=longpoll" in request for request in await pouch.requests())


async def test_a_second_sync_asks_only_for_what_is_new(pouch: Replica, commune: Place) -> None:
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(250)])
    # The first exchange pushes while it pulls, so that its own documents come by in the feed of the second.
    await pouch.sync(HERE, commune)
    await pouch.sync(HERE, commune)
    await pouch.requests()
    nothing = await pouch.sync(HERE, commune)
    assert (nothing["push"]["docs_read"], nothing["pull"]["docs_read"]) == (0, 0)
    asked = await pouch.requests()
    assert len(asked) <= 8, asked
    assert not [request for request in asked if "since=0" in request or "_bulk" in request]
    await pouch.put(commune, record(300))
    one = await pouch.sync(HERE, commune)
    assert one["pull"]["docs_written"] == 1
    assert len(await pouch.requests()) <= 16


@pytest.mark.slow
async def test_five_thousand_documents_go_up_and_down(pouch: Replica, province: Province) -> None:
    commune = province.at(province.scope())
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(5000)])
    pushed = await pouch.replicate(HERE, commune)
    assert pushed["docs_written"] == 5000
    pulled = await pouch.replicate(commune, THERE)
    assert pulled["docs_written"] == 5000
    assert len(await same(pouch, HERE, commune, THERE)) == 5000
    said = await pouch.call(commune, "info")
    assert (said["doc_count"], said["doc_del_count"]) == (5000, 0)


async def test_the_catalog_is_pulled_by_whoever_works_in_a_commune(pouch: Replica, province: Province) -> None:
    pulled = await pouch.replicate(province.at("catalog"), HERE)
    assert pulled["docs_written"] > 0
    again = await pouch.replicate(province.at("catalog"), HERE)
    assert again["docs_read"] == 0


async def test_a_database_of_ones_own_takes_any_documents(pouch: Replica, province: Province) -> None:
    made = province.made()
    notes = [{"_id": "1/2", "number": 3.5, "nested": {"a": [None, True, {"b": "ạ"}]}}, {"_id": "ghi chú & ?#", "x": 1}]
    await pouch.call(HERE, "bulkDocs", notes)
    await pouch.replicate(HERE, made)
    await pouch.replicate(made, THERE)
    assert len(await same(pouch, HERE, made, THERE)) == 2
    assert (await pouch.call(THERE, "get", "1/2"))["nested"] == {"a": [None, True, {"b": "ạ"}]}
    await pouch.call(made, "destroy")
    with province.door(ADMINISTRATOR) as door:
        answer = door.get(made["url"])
    assert answer.json() == {"error": "not_found", "reason": "Database does not exist."}

"""Branches that arise on several replicas stand the same everywhere, with the same winner first.

In a commune's database the server brings them together within moments; one that an administrator made keeps them.
"""

import asyncio
import contextlib
import random

import pytest

from server.demo.phone import Phone
from tests.bench import record_set
from tests.clients.pouchdb_server import pouchdb_server
from tests.clients.province import Province, record, same
from tests.clients.replica import Place, Replica, ReplicaError

HERE: Place = {"memory": "here"}
THERE: Place = {"memory": "there"}
#: How long the server may take to bring branches together.
TRIES, PAUSE_S = 40, 0.5


async def _everywhere(pouch: Replica, remote: Place, *locals_: Place) -> None:
    for _ in range(2):
        for local in locals_:
            await pouch.sync(local, remote)


async def test_two_edits_of_one_document_have_the_same_winner_on_all_sides(pouch: Replica, province: Province) -> None:
    commune = province.made()
    first = await pouch.put(HERE, record(1))
    await _everywhere(pouch, commune, HERE, THERE)
    await pouch.put(HERE, {**record(1, remarks="sửa ở đây"), "_rev": first})
    await pouch.put(THERE, {**record(1, remarks="sửa ở kia"), "_rev": first})
    await _everywhere(pouch, commune, HERE, THERE)
    leaves = await same(pouch, HERE, commune, THERE)
    assert len(leaves["record-0001"]) == 2
    seen = [await pouch.call(place, "get", "record-0001", {"conflicts": True}) for place in (HERE, commune, THERE)]
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["_conflicts"] == leaves["record-0001"][1:]


async def test_what_two_replicas_did_to_a_record_of_a_commune_comes_back_to_both_as_one(
    pouch: Replica, province: Province
) -> None:
    commune = province.at(province.scope())
    first = await pouch.put(HERE, record(1))
    await _everywhere(pouch, commune, HERE, THERE)
    here = await pouch.put(HERE, {**record(1, remarks="sửa ở đây"), "_rev": first})
    there = await pouch.put(THERE, {**record(1, remarks="sửa ở kia"), "_rev": first})
    for _ in range(TRIES):
        await _everywhere(pouch, commune, HERE, THERE)
        seen = [await pouch.call(place, "get", "record-0001", {"conflicts": True}) for place in (HERE, commune, THERE)]
        if seen[0] == seen[1] == seen[2] and "_conflicts" not in seen[0]:
            break
        await asyncio.sleep(PAUSE_S)
    assert seen[0] == seen[1] == seen[2]
    assert "_conflicts" not in seen[0]
    assert {*seen[0]["merged"]} < {here, there}


async def test_a_conflict_that_is_resolved_on_one_side_is_resolved_on_all(pouch: Replica, province: Province) -> None:
    commune = province.made()
    first = await pouch.put(HERE, record(1))
    await _everywhere(pouch, commune, HERE, THERE)
    await pouch.put(HERE, {**record(1, remarks="a"), "_rev": first})
    await pouch.put(THERE, {**record(1, remarks="b"), "_rev": first})
    await _everywhere(pouch, commune, HERE, THERE)
    loser = (await pouch.call(HERE, "get", "record-0001", {"conflicts": True}))["_conflicts"][0]
    await pouch.call(commune, "remove", "record-0001", loser)
    await _everywhere(pouch, commune, HERE, THERE)
    await same(pouch, HERE, commune, THERE)
    for place in (HERE, commune, THERE):
        assert "_conflicts" not in await pouch.call(place, "get", "record-0001", {"conflicts": True})


async def test_open_revs_gives_every_branch_and_says_which_are_missing(pouch: Replica, province: Province) -> None:
    commune = province.made()
    first = await pouch.put(HERE, record(1))
    await _everywhere(pouch, commune, HERE, THERE)
    revs = {
        await pouch.put(HERE, {**record(1, remarks="a"), "_rev": first}),
        await pouch.put(THERE, {**record(1, remarks="b"), "_rev": first}),
    }
    await _everywhere(pouch, commune, HERE, THERE)
    every = await pouch.call(commune, "get", "record-0001", {"open_revs": "all", "revs": True})
    assert {row["ok"]["_rev"] for row in every} == revs
    assert all(row["ok"]["_revisions"]["start"] == 2 for row in every)
    unknown = "7-" + "0" * 32
    named = await pouch.call(commune, "get", "record-0001", {"open_revs": [first, unknown]})
    assert [row["ok"]["_rev"] for row in named if "ok" in row] == [first]
    assert [row["missing"] for row in named if "missing" in row] == [unknown]


async def test_an_edit_of_an_old_revision_is_a_conflict_at_the_door(pouch: Replica, province: Province) -> None:
    commune = province.at(province.scope())
    first = await pouch.put(commune, record(1))
    await pouch.put(commune, {**record(1, remarks="a"), "_rev": first})
    rows = await pouch.call(commune, "bulkDocs", [{**record(1, remarks="b"), "_rev": first}, record(2), record(1)])
    assert [row.get("status", 200) for row in rows] == [409, 200, 409]


@pytest.mark.slow
async def test_it_agrees_with_pouchdb_server_on_random_branches(pouch: Replica, province: Province) -> None:
    ours = province.made()
    chance = random.Random(20261121)
    with pouchdb_server() as url:
        theirs: Place = {"url": f"{url}/branches"}
        replicas: list[Place] = [{"memory": f"replica-{number}"} for number in range(4)]
        for _ in range(5):
            for place in replicas:
                for _ in range(6):
                    await _edit(pouch, place, f"doc-{chance.randrange(8)}", chance)
            for place in chance.sample(replicas, 3):
                await pouch.sync(place, chance.choice((ours, theirs)))
        for _ in range(2):
            for place in replicas:
                for remote in (ours, theirs):
                    await pouch.sync(place, remote)
        leaves = await same(pouch, ours, theirs, *replicas)
    assert max(len(each) for each in leaves.values()) > 2


async def _edit(pouch: Replica, place: Place, doc_id: str, chance: random.Random) -> None:
    """Change a document's branch, or delete it, or make it."""
    leaves = (await pouch.revisions(place)).get(doc_id, [])
    document = {"_id": doc_id, "value": chance.random()}
    if not leaves:
        await pouch.put(place, document)
        return
    rev = chance.choice(leaves)
    if chance.random() < 0.25:
        document["_deleted"] = True
    # A deleted branch takes no edit.
    with contextlib.suppress(ReplicaError):
        await pouch.put(place, {**document, "_rev": rev})


async def test_phones_and_replicas_at_once_end_with_the_same_revisions(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    commune = province.at(scope)
    async with province.running.phone("mai") as phone:
        for number in range(20):
            await pouch.put(HERE, record(number))
        await pouch.sync(HERE, commune)
        await phone.sync()
        for round_ in range(3):
            held = dict(phone.documents[scope])
            for number in range(20):
                doc_id = f"record-{number:04}"
                _edit_on_phone(phone, scope, held[doc_id], f"điện thoại {round_}")
                mine = await pouch.call(HERE, "get", doc_id)
                await pouch.put(HERE, {**mine, "answers": {**mine["answers"], "remarks": f"máy tính {round_}"}})
            await asyncio.gather(phone.sync(), pouch.sync(HERE, commune))
        for _ in range(TRIES):
            await pouch.sync(HERE, commune)
            await phone.sync()
            here, there = await pouch.revisions(HERE), await pouch.revisions(commune)
            known = {doc_id: held["_rev"] for doc_id, held in phone.documents[scope].items()}
            if here == there and all(there[doc_id][0] == rev for doc_id, rev in known.items()):
                break
            await asyncio.sleep(PAUSE_S)
        leaves = await same(pouch, HERE, commune)
        # Seals lie beside them, and what the server wrote of open questions, if it got to that.
        leaves = {doc_id: each for doc_id, each in leaves.items() if doc_id.startswith("record-")}
        assert len(leaves) == 20
        assert any(len(each) > 1 for each in leaves.values())
        known = {doc_id: held["_rev"] for doc_id, held in phone.documents[scope].items() if doc_id in leaves}
        assert known == {doc_id: each[0] for doc_id, each in leaves.items()}
        assert {ack["outcome"] for ack in phone.outcomes.values()} == {"stored"}


def _edit_on_phone(phone: Phone, scope: str, held: dict[str, object], note: str) -> None:
    answers = held["answers"]
    assert isinstance(answers, dict)
    phone.save(scope, record_set.FORM, record_set.VERSION, {**answers, "remarks": note}, record=str(held["_id"]))


async def test_a_phones_record_reaches_a_replica_with_its_seal(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    async with province.running.phone("mai") as phone:
        made = phone.save(scope, record_set.FORM, record_set.VERSION, record(5)["answers"])
        await phone.sync()
    await pouch.replicate(province.at(scope), HERE)
    got = await pouch.call(HERE, "get", made["_id"])
    assert got["_rev"] == made["_rev"]
    seals = [doc_id for doc_id in await pouch.ids(HERE) if doc_id.startswith("seal:")]
    assert len(seals) == 1
    with province.door() as door:
        answer = door.get(f"/{scope}/_all_docs", params={"keys": f'["{made["_id"]}"]'})
    assert answer.json()["rows"][0]["value"]["rev"] == made["_rev"]

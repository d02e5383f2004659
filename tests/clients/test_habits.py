"""What PouchDB, CouchDB's replicator and `curl` do without being asked, and who sees what at this door."""

import base64
from typing import Any

import httpx
import pytest

from server.demo.phone import Phone
from tests.bench import record_set
from tests.bench.arrangement import ADMINISTRATOR
from tests.builders import PASSWORD
from tests.clients.province import STRANGER, Province, record, same
from tests.clients.replica import Place, Replica, ReplicaError

HERE: Place = {"memory": "here"}
THERE: Place = {"memory": "there"}


@pytest.mark.parametrize("path", ["/db/", "/db"])
def test_the_doors_welcome_is_for_everyone_even_with_a_malformed_authorization(province: Province, path: str) -> None:
    garbage = base64.b64encode(b"no colon").decode()
    # The second is what PouchDB sends when a name or password is undefined.
    for said in ({}, {"Authorization": "Basic: Og=="}, {"Authorization": f"Basic {garbage}"}, {"Authorization": "x"}):
        answer = httpx.get(f"{province.server.url}{path}", headers=said, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["couchdb"] == "Welcome"
        assert set(answer.json()) >= {"couchdb", "version", "uuid", "vendor"}


def test_its_uuid_stays_the_same(province: Province) -> None:
    with province.door(None) as door:
        assert door.get("/").json()["uuid"] == door.get("/").json()["uuid"]


async def test_addresses_with_a_trailing_slash_are_the_same_database(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    slashed = {**province.at(scope), "url": province.address(scope) + "/"}
    await pouch.put(HERE, record(1))
    await pouch.replicate(HERE, slashed)
    await same(pouch, HERE, slashed, province.at(scope))
    with province.door() as door:
        for address in (f"/{scope}", f"/{scope}/"):
            answer = door.get(address)
            assert (answer.status_code, answer.history) == (200, [])
            assert answer.json()["db_name"] == scope
        for ending in ("_changes", "_all_docs", "_security"):
            assert door.get(f"/{scope}/{ending}/").status_code == door.get(f"/{scope}/{ending}").status_code == 200


async def test_ids_may_hold_slashes_and_whatever_else_json_holds(pouch: Replica, province: Province) -> None:
    made = province.made()
    names = ["a/b", "/", "a%2Fb", "a b", "a+b", "?#&=", "đất/ruộng", "😀", "'", '"', "\\", "~", "a/b/../c"]
    for name in names:
        rev = await pouch.put(made, {"_id": name, "name": name})
        got = await pouch.call(made, "get", name)
        assert (got["_id"], got["_rev"], got["name"]) == (name, rev, name)
    await pouch.put(made, {"_id": "_local/a/b", "x": 1})
    assert (await pouch.call(made, "get", "_local/a/b"))["x"] == 1
    await pouch.replicate(made, HERE)
    assert set(await same(pouch, made, HERE)) == set(names)
    for name in names:
        await pouch.call(made, "remove", await pouch.call(made, "get", name))
    assert await pouch.ids(made) == []


async def test_a_person_without_a_grant_sees_no_database(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    await pouch.put(province.at(scope), record(1))
    for place in (province.at(scope, STRANGER), province.signed_in(scope, STRANGER)):
        with pytest.raises(ReplicaError):
            await pouch.replicate(place, HERE)
        with pytest.raises(ReplicaError):
            await pouch.call({**place, "skip_setup": True}, "get", "record-0001")
    assert await pouch.ids(HERE) == []
    with province.door(STRANGER) as door:
        there, nowhere = door.get(f"/{scope}"), door.get("/agri-99999-2025")
        assert (there.status_code, there.json()) == (nowhere.status_code, nowhere.json())
        assert there.status_code == 404
        assert door.get("/_all_dbs").json() == []
        assert door.post(f"/{scope}/_bulk_docs", json={"docs": [record(2)]}).status_code == 404
        assert door.get(f"/{scope}/_changes").status_code == 404


async def test_nobody_gets_anything_with_a_wrong_password(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    wrong = {**province.at(scope), "auth": {"username": "hoa", "password": "sai"}}
    with pytest.raises(ReplicaError) as refused:
        await pouch.replicate(wrong, HERE)
    assert refused.value.status == 401
    with province.door(None) as door:
        assert door.get(f"/{scope}").status_code == 401


async def test_a_record_of_an_unknown_form_is_kept_for_a_person_and_answered_as_success(
    pouch: Replica, province: Province
) -> None:
    scope = province.scope()
    await pouch.put(HERE, record(1))
    strange = {**record(2), "form": "unheard_of"}
    strange_rev = await pouch.put(HERE, strange)
    await pouch.put(HERE, record(3))
    pushed = await pouch.replicate(HERE, province.at(scope))
    assert (pushed["docs_written"], pushed["doc_write_failures"]) == (3, 0)
    assert await pouch.ids(province.at(scope)) == ["record-0001", "record-0003"]
    waiting = province.server.query(f"SELECT doc_id, rev, reason FROM quarantine WHERE database = '{scope}'")
    assert waiting == [("record-0002", strange_rev, "unknown_form")]
    again = await pouch.replicate(HERE, province.at(scope))
    assert again["docs_read"] == 0


async def test_what_is_not_json_spoils_nothing_beside_it(province: Province) -> None:
    scope = province.scope()
    fine = record(1)
    with province.door() as door:
        body: dict[str, Any] = {"docs": [{**record(2), "_strange": 1}, fine, {**record(3), "_id": "_under"}]}
        rows = door.post(f"/{scope}/_bulk_docs", json=body).json()
        assert [bool(row.get("ok")) for row in rows] == [False, True, False]
        assert all({"error", "reason"} <= set(row) for row in (rows[0], rows[2]))
        broken = door.post(f"/{scope}/_bulk_docs", content=b'{"docs":[', headers={"Content-Type": "application/json"})
        assert (broken.status_code, broken.json()["error"]) == (400, "bad_request")
        twice = b'{"docs":[{"_id":"a","type":"record","type":"x"},{"_id":"b","n":1e999}]}'
        answer = door.post(f"/{scope}/_bulk_docs", content=twice, headers={"Content-Type": "application/json"})
        assert answer.status_code in (201, 400), answer.text
        assert door.get(f"/{scope}").json()["doc_count"] == 1


async def test_only_an_administrator_makes_databases(province: Province) -> None:
    with province.door() as door:
        assert door.put("/of-hoa").status_code in (401, 403)
    with province.door(ADMINISTRATOR) as door:
        assert door.put("/of-dung").status_code == 201
        assert door.put("/of-dung").status_code == 412
        assert "of-dung" in door.get("/_all_dbs").json()
        assert door.put(f"/{province.scope()}").status_code in (403, 412)
        assert door.delete("/of-dung").status_code == 200
        assert door.get("/of-dung").status_code == 404


async def test_checkpoints_of_two_people_do_not_meet(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    await pouch.put(province.at(scope, "hoa"), {"_id": "_local/mark", "of": "hoa"})
    await pouch.put(province.at(scope, "mai"), {"_id": "_local/mark", "of": "mai"})
    for username in ("hoa", "mai"):
        assert (await pouch.call(province.at(scope, username), "get", "_local/mark"))["of"] == username


async def test_a_session_by_cookie_opens_the_door(province: Province) -> None:
    scope = province.scope()
    with province.door(None) as door:
        assert door.post("/_session", json={"name": "hoa", "password": PASSWORD}).json()["ok"] is True
        assert door.get("/_session").json()["userCtx"]["name"] == "hoa"
        assert door.get(f"/{scope}").status_code == 200


async def test_a_phone_gets_what_a_replica_brought(pouch: Replica, province: Province) -> None:
    scope = province.scope()
    await pouch.put(HERE, record(1))
    await pouch.replicate(HERE, province.at(scope))
    async with province.running.phone("mai") as phone:
        await phone.sync()
        held = phone.documents[scope]["record-0001"]
        assert held["answers"] == record(1)["answers"]
        _correct(phone, scope, held)
        await phone.sync()
    await pouch.replicate(province.at(scope), HERE)
    assert (await pouch.call(HERE, "get", "record-0001"))["answers"]["remarks"] == "đã xem lại"


def _correct(phone: Phone, scope: str, held: dict[str, Any]) -> None:
    phone.save(
        scope, record_set.FORM, record_set.VERSION, {**held["answers"], "remarks": "đã xem lại"}, record=held["_id"]
    )

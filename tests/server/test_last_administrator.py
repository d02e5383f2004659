"""Somebody always administers the whole province, and people without any role are nobody's but theirs."""

import asyncio
from typing import Any

import httpx
import pytest

from server.areas.grants import Grant
from server.auth.members import Manager
from server.auth.passwords import Passwords
from server.errors import Problem
from server.platform.db.engine import Storage
from tests.builders import Client, SignedIn, add_person, grant, person_signed_in, problem, sign_in
from tests.conftest import StandingClock

pytestmark = pytest.mark.by_turns

EVERYTHING = Grant("administrator", "*", "11")
BODY = {"role": "administrator", "project": "*", "unit": "11"}


async def administers(client: Client, username: str) -> SignedIn:
    return await person_signed_in(client, username, EVERYTHING)


async def set_grants(client: Client, asking: SignedIn, person: str, *grants: dict[str, str]) -> httpx.Response:
    return await client.put(f"/api/people/{person}/grants", json={"grants": grants}, headers=asking.headers)


async def close(client: Client, asking: SignedIn, person: str) -> httpx.Response:
    return await client.patch(f"/api/people/{person}", json={"active": False}, headers=asking.headers)


async def test_the_last_administrator_keeps_her_rights_and_her_account(client: Client) -> None:
    dung = await administers(client, "dung")
    other = {**BODY, "project": "agri"}
    problem(await set_grants(client, dung, dung.person), 409, "last_administrator")
    problem(await set_grants(client, dung, dung.person, other), 409, "last_administrator")
    problem(await close(client, dung, dung.person), 409, "last_administrator")
    assert (await set_grants(client, dung, dung.person, BODY, other)).status_code == 200
    # Whose account is closed administers nothing.
    lan = await administers(client, "lan")
    assert (await close(client, dung, lan.person)).status_code == 200
    problem(await close(client, dung, dung.person), 409, "last_administrator")


async def test_one_of_two_administrators_may_go(client: Client) -> None:
    dung, lan = await administers(client, "dung"), await administers(client, "lan")
    assert (await set_grants(client, dung, dung.person)).status_code == 200
    problem(await close(client, lan, lan.person), 409, "last_administrator")


async def test_the_console_keeps_the_last_administrator_too(client: Client, storage: Storage) -> None:
    person = await add_person(client, "dung", EVERYTHING)
    atlas = await client.app.state["areas"].atlas()
    console = Manager(storage, Passwords(), client.app.state["clock"], atlas, principal=None)
    for work in (console.set_grants(person.id, ()), console.change(person.id, {"active": False})):
        with pytest.raises(Problem) as refusal:
            await work
        assert refusal.value.code == "last_administrator"
        assert "give another person that role first" in refusal.value.kind.title


@pytest.mark.parametrize("act", [set_grants, close])
async def test_two_administrators_who_drop_each_other_at_once_leave_one(client: Client, act: Any) -> None:
    dung, lan = await administers(client, "dung"), await administers(client, "lan")
    answers = await asyncio.gather(act(client, dung, lan.person), act(client, lan, dung.person))
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 403], [200, 409])
    left = [await client.get("/api/people", headers=each.headers) for each in (dung, lan)]
    assert [answer.status_code for answer in left].count(200) == 1


async def test_an_account_without_any_role_is_taken_over_by_nobody(client: Client, clock: StandingClock) -> None:
    nobodys = await add_person(client, "cũ")
    commune = await person_signed_in(client, "dung", grant("administrator"))
    listed = (await client.get("/api/people", headers=commune.headers)).json()["people"]
    assert nobodys.id not in {each["id"] for each in listed}
    path = f"/api/people/{nobodys.id}"
    answer = await client.patch(path, json={"password": "một mật khẩu của kẻ khác"}, headers=commune.headers)
    problem(answer, 404, "not_found")
    problem(await client.get(f"{path}/enrolments", headers=commune.headers), 404, "not_found")
    worker = {"role": "field_worker", "project": "agri", "unit": "03226-2025"}
    problem(await set_grants(client, commune, nobodys.id, worker), 404, "not_found")
    province = await administers(client, "tỉnh")
    assert (await set_grants(client, province, nobodys.id, worker)).status_code == 200


async def test_who_administers_a_commune_leaves_everybody_a_role(client: Client) -> None:
    commune = await person_signed_in(client, "dung", grant("administrator"))
    worker = await add_person(client, "hoa", grant("field_worker"))
    problem(await set_grants(client, commune, worker.id), 422, "grants_needed")
    body = {"username": "mới", "name": "Người mới", "password": "một mật khẩu đủ dài", "grants": []}
    problem(await client.post("/api/people", json=body, headers=commune.headers), 422, "grants_needed")
    # Who has gone has the account closed, which can be taken back.
    assert (await close(client, commune, worker.id)).status_code == 200
    answer = await client.patch(f"/api/people/{worker.id}", json={"active": True}, headers=commune.headers)
    assert answer.status_code == 200
    assert (await sign_in(client, "hoa")).person == worker.id

"""Managing people through the API: who may, and what it changes."""

from typing import Any

import httpx
import pytest

from tests.builders import (
    PASSWORD,
    SIN_CHAI,
    SIN_THAU,
    Client,
    DeviceKey,
    SignedIn,
    add_person,
    grant,
    person_signed_in,
    problem,
    sign_in,
    try_sign_in,
)

pytestmark = pytest.mark.by_turns

NEW = {"username": "minh", "name": "Giàng A Minh", "password": PASSWORD}
WORKER = {"role": "field_worker", "project": "agri", "unit": SIN_CHAI}


async def administrator(client: Client, project: str = "*", unit: str = "11") -> SignedIn:
    return await person_signed_in(client, "admin", grant("administrator", project, unit))


async def add(client: Client, asking: SignedIn, **changes: Any) -> httpx.Response:
    return await client.post("/api/people", json=NEW | changes, headers=asking.headers)


async def test_an_administrator_adds_a_person_who_can_sign_in_at_once(client: Client) -> None:
    admin = await administrator(client)
    answer = await add(client, admin, grants=[WORKER], birth_year=1990)
    assert answer.status_code == 201
    body = answer.json()
    assert body["grants"] == [WORKER | {"unit_name": "Sín Chải"}]
    assert (body["active"], body["birth_year"], body["signed_in_at"]) == (True, 1990, None)
    assert (await sign_in(client, "minh")).person == body["id"]


async def test_no_answer_ever_holds_a_password_or_its_hash(client: Client) -> None:
    admin = await administrator(client)
    for answer in (await add(client, admin), await client.get("/api/people", headers=admin.headers)):
        assert "password" not in answer.text
        assert "argon2" not in answer.text


async def test_people_are_listed_by_given_name(client: Client) -> None:
    admin = await administrator(client)
    for username, name in (("a", "Vàng Thị Xuân"), ("b", "Giàng A Chu"), ("c", "Lò Văn An")):
        await add_person(client, username, name=name)
    listed = (await client.get("/api/people", headers=admin.headers)).json()["people"]
    assert [each["name"] for each in listed if each["username"] != "admin"] == [
        "Lò Văn An",
        "Giàng A Chu",
        "Vàng Thị Xuân",
    ]


async def test_a_taken_name_a_weak_password_and_an_unknown_place_are_named(client: Client) -> None:
    admin = await administrator(client)
    problem(await add(client, admin, username="ADMIN"), 409, "username_taken")
    problem(await add(client, admin, password="ngắn"), 422, "weak_password")
    for project, unit in (("fishery", SIN_CHAI), ("agri", "03226-until-2025"), ("agri", "99999-2025")):
        params = problem(
            await add(client, admin, grants=[WORKER | {"project": project, "unit": unit}]), 422, "unknown_grant"
        )
        assert params == {"project": project, "unit": unit}


async def test_a_body_with_unknown_fields_or_roles_is_refused_without_repeating_it(client: Client) -> None:
    admin = await administrator(client)
    for changes in ({"is_god": True}, {"grants": [WORKER | {"role": "king"}]}, {"username": "with blank"}):
        answer = await add(client, admin, **changes)
        problem(answer, 400, "invalid_request")
        assert PASSWORD not in answer.text


@pytest.mark.parametrize("role", ["field_worker", "supervisor", "data_manager"])
async def test_only_administrators_manage_people(client: Client, role: Any) -> None:
    worker = await person_signed_in(client, "lan", grant(role, "*", "11"))
    problem(await client.get("/api/people", headers=worker.headers), 403, "not_allowed")
    problem(await add(client, worker), 403, "not_allowed")
    problem(
        await client.patch(f"/api/people/{worker.person}", json={"name": "X"}, headers=worker.headers),
        403,
        "not_allowed",
    )
    path = f"/api/people/{worker.person}/grants"
    problem(await client.put(path, json={"grants": []}, headers=worker.headers), 403, "not_allowed")
    problem(await client.get("/api/people"), 401, "not_signed_in")


async def test_an_administrator_of_one_department_can_not_hand_out_another(client: Client) -> None:
    admin = await administrator(client, "agri")
    for project, unit in (("tourism", SIN_CHAI), ("*", SIN_CHAI)):
        problem(await add(client, admin, grants=[WORKER | {"project": project, "unit": unit}]), 403, "not_allowed")
    assert (await add(client, admin, grants=[WORKER])).status_code == 201


async def test_people_of_other_departments_look_like_people_who_do_not_exist(client: Client) -> None:
    admin = await administrator(client, "agri")
    guide = await add_person(client, "guide", grant("field_worker", "tourism"), grant("field_worker", "agri"))
    listed = (await client.get("/api/people", headers=admin.headers)).json()["people"]
    assert [each["username"] for each in listed] == ["admin"]
    path = f"/api/people/{guide.id}"
    unknown = await client.patch("/api/people/nobody", json={"password": PASSWORD}, headers=admin.headers)
    foreign = await client.patch(path, json={"password": PASSWORD}, headers=admin.headers)
    problem(unknown, 404, "not_found")
    assert foreign.content == unknown.content
    problem(await client.put(f"{path}/grants", json={"grants": []}, headers=admin.headers), 404, "not_found")
    problem(await client.get(f"{path}/enrolments", headers=admin.headers), 404, "not_found")
    problem(await client.get(f"{path}/audit", headers=admin.headers), 404, "not_found")


async def test_new_grants_count_from_the_next_request_on(client: Client) -> None:
    admin = await administrator(client)
    worker = await person_signed_in(client, "lan", grant("field_worker"))
    path = f"/api/people/{worker.person}/grants"
    await client.put(path, json={"grants": [WORKER | {"unit": SIN_THAU}]}, headers=admin.headers)
    assert (await client.get("/api/me", headers=worker.headers)).json()["carried"] == ["agri-03158-2025"]
    await client.put(path, json={"grants": []}, headers=admin.headers)
    assert (await client.get("/api/me", headers=worker.headers)).json()["carried"] == []


async def test_a_phone_carries_what_field_work_is_assigned_and_a_desk_sees_more(client: Client) -> None:
    worker = await person_signed_in(client, "lan", grant("field_worker"), grant("supervisor", "tourism", "11"))
    me = (await client.get("/api/me", headers=worker.headers)).json()
    assert me["carried"] == ["agri-03226-2025"]
    assert len(me["scopes"]) == 46
    assert me["actions"] == ["capture", "read", "review"]


async def test_a_closed_account_is_shut_out_at_once_and_can_be_opened_again(client: Client) -> None:
    admin = await administrator(client)
    worker = await person_signed_in(client, "lan")
    path = f"/api/people/{worker.person}"
    answer = await client.patch(path, json={"active": False}, headers=admin.headers)
    assert answer.json()["active"] is False
    problem(await client.get("/api/me", headers=worker.headers), 401, "not_signed_in")
    problem(await client.post("/api/auth/refresh", json={"refresh_token": worker.refresh}), 401, "not_signed_in")
    await client.patch(path, json={"active": True}, headers=admin.headers)
    assert (await try_sign_in(client, "lan")).status_code == 200


@pytest.mark.parametrize("change", [{"active": 0}, {"active": "no"}, {"birth_year": "1990"}], ids=str)
async def test_neither_a_number_nor_a_word_is_taken_for_something_else(client: Client, change: dict[str, Any]) -> None:
    admin = await administrator(client)
    worker = await person_signed_in(client, "lan")
    problem(
        await client.patch(f"/api/people/{worker.person}", json=change, headers=admin.headers), 400, "invalid_request"
    )


async def test_a_password_set_by_an_administrator_ends_the_old_sign_ins(client: Client) -> None:
    admin = await administrator(client)
    worker = await person_signed_in(client, "lan")
    path = f"/api/people/{worker.person}"
    await client.patch(path, json={"password": "mật khẩu mới tinh"}, headers=admin.headers)
    problem(await client.post("/api/auth/refresh", json={"refresh_token": worker.refresh}), 401, "not_signed_in")
    problem(await try_sign_in(client, "lan"), 401, "wrong_password")
    assert (await try_sign_in(client, "lan", "mật khẩu mới tinh")).status_code == 200


async def test_changing_one_field_leaves_the_others(client: Client) -> None:
    admin = await administrator(client)
    added = (await add(client, admin, birth_year=1990, grants=[WORKER])).json()
    path = f"/api/people/{added['id']}"
    changed = (await client.patch(path, json={"name": "Giàng A Minh Đức"}, headers=admin.headers)).json()
    assert changed == added | {"name": "Giàng A Minh Đức"}
    assert (await client.patch(path, json={"birth_year": None}, headers=admin.headers)).json()["birth_year"] is None
    problem(await client.patch(path, json={"name": None}, headers=admin.headers), 400, "invalid_request")


async def test_devices_are_listed_and_revoked_by_whoever_manages_their_person(client: Client) -> None:
    admin = await administrator(client)
    key = DeviceKey()
    worker = await person_signed_in(client, "lan", key=key)
    path = f"/api/people/{worker.person}/enrolments"
    listed = (await client.get(path, headers=admin.headers)).json()["enrolments"]
    assert [(each["id"], each["label"], each["revoked_at"]) for each in listed] == [
        (key.enrolment, "Điện thoại thử", None)
    ]
    other = await add_person(client, "minh")
    elsewhere = f"/api/people/{other.id}/enrolments/{key.enrolment}"
    problem(await client.delete(elsewhere, headers=admin.headers), 404, "not_found")
    await client.delete(f"{path}/{key.enrolment}", headers=admin.headers)
    listed = (await client.get(path, headers=admin.headers)).json()["enrolments"]
    assert listed[0]["revoked_at"] is not None


async def test_administrative_acts_stand_in_the_audit_trail_without_secrets(client: Client) -> None:
    admin = await administrator(client)
    added = (await add(client, admin, grants=[WORKER])).json()
    path = f"/api/people/{added['id']}"
    await client.put(f"{path}/grants", json={"grants": []}, headers=admin.headers)
    await client.patch(path, json={"password": "mật khẩu mới tinh"}, headers=admin.headers)
    answer = await client.get(f"{path}/audit", headers=admin.headers)
    acts = {act["action"]: act for act in answer.json()["acts"]}
    assert set(acts) == {"person_added", "grants_set", "person_changed"}
    assert all(act["person"] == admin.person for act in acts.values())
    assert acts["grants_set"]["details"] == {"before": [f"field_worker agri {SIN_CHAI}"], "after": []}
    assert "mật khẩu" not in answer.text

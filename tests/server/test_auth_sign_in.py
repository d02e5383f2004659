"""Signing in and out: passwords, locks, devices."""

import unicodedata

import pytest
from sqlalchemy import select

from server.app import create_app
from server.auth.passwords import Passwords
from server.auth.rate_limit import REMEMBERED, RateLimiter
from server.auth.tables import audit, login_failures, people
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import (
    PASSWORD,
    SIN_CHAI,
    Client,
    DeviceKey,
    add_person,
    claims_of,
    grant,
    person_signed_in,
    problem,
    running,
    sign_in,
    try_sign_in,
)
from tests.conftest import StandingClock

pytestmark = pytest.mark.by_turns

WRONG = "không phải mật khẩu này"


async def test_the_right_password_gives_tokens_and_tells_who_one_is(client: Client) -> None:
    person = await add_person(client, "lan", grant("field_worker"), name="Lò Thị Lan")
    answer = (await sign_in(client, "lan")).answer
    assert answer["person"] == {
        "id": person.id,
        "username": "lan",
        "name": "Lò Thị Lan",
        "locale": "vi",
        "grants": [{"role": "field_worker", "project": "agri", "unit": SIN_CHAI, "unit_name": "Sín Chải"}],
    }
    assert answer["enrolment"] is None
    assert answer["expires_in"] == 900
    assert len(answer["server"]) == 36


async def test_a_name_is_recognised_however_it_is_typed(client: Client) -> None:
    await add_person(client, "Thuỷ")
    for typed in ("thuỷ", " THUỶ ", unicodedata.normalize("NFD", "Thuỷ")):
        assert (await try_sign_in(client, typed)).status_code == 200


async def test_a_password_is_recognised_composed_or_decomposed(client: Client) -> None:
    await add_person(client, "lan", password="nương lúa trên đồi")
    assert (await try_sign_in(client, "lan", unicodedata.normalize("NFD", "nương lúa trên đồi"))).status_code == 200


async def test_a_wrong_password_and_an_unknown_name_are_one_answer(client: Client) -> None:
    await add_person(client, "lan")
    wrong = await try_sign_in(client, "lan", WRONG)
    unknown = await try_sign_in(client, "nobody", WRONG)
    assert problem(wrong, 401, "wrong_password") == {}
    assert wrong.content == unknown.content


async def test_repeated_wrong_passwords_lock_the_name_at_that_address_even_for_the_right_one(
    client: Client, clock: StandingClock
) -> None:
    await add_person(client, "lan")
    for _ in range(5):
        problem(await try_sign_in(client, "lan", WRONG), 401, "wrong_password")
    params = problem(await try_sign_in(client, "lan"), 423, "account_locked")
    assert params["until"] == "2026-11-21T08:00:30+00:00"
    clock.move(seconds=30)
    assert (await try_sign_in(client, "lan")).status_code == 200


async def test_each_further_wrong_password_doubles_the_lock(client: Client, clock: StandingClock) -> None:
    await add_person(client, "lan")
    for _ in range(5):
        await try_sign_in(client, "lan", WRONG)
    clock.move(seconds=31)
    problem(await try_sign_in(client, "lan", WRONG), 401, "wrong_password")
    clock.move(seconds=31)
    problem(await try_sign_in(client, "lan"), 423, "account_locked")
    clock.move(seconds=30)
    assert (await try_sign_in(client, "lan")).status_code == 200


async def test_a_right_password_forgets_the_wrong_ones(client: Client) -> None:
    await add_person(client, "lan")
    for _ in range(3):
        for _ in range(4):
            await try_sign_in(client, "lan", WRONG)
        assert (await try_sign_in(client, "lan")).status_code == 200


async def test_unknown_names_lock_like_known_ones_and_are_not_kept(client: Client, storage: Storage) -> None:
    for _ in range(5):
        await try_sign_in(client, "my password by mistake", WRONG)
    problem(await try_sign_in(client, "my password by mistake", WRONG), 423, "account_locked")
    async with storage.read() as connection:
        kept = (await connection.execute(select(login_failures))).all()
        trail = (await connection.execute(select(audit))).all()
    assert "mistake" not in str(kept)
    assert {(act.action, act.person, act.subject) for act in trail} == {("login_failed", None, "")}


async def test_a_closed_account_is_told_so_only_after_the_right_password(client: Client) -> None:
    person = await add_person(client, "lan")
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    await client.patch(f"/api/people/{person.id}", json={"active": False}, headers=admin.headers)
    problem(await try_sign_in(client, "lan", WRONG), 401, "wrong_password")
    problem(await try_sign_in(client, "lan"), 403, "account_closed")


async def test_signing_in_with_a_key_enrols_the_device_by_its_thumbprint(client: Client) -> None:
    key = DeviceKey()
    await add_person(client, "lan", grant("field_worker"))
    signed_in = await sign_in(client, "lan", key=key)
    assert signed_in.answer["enrolment"] == {"id": key.enrolment, "highest_number": "0", "safe": "0"}
    assert claims_of(signed_in.access)["enr"] == key.enrolment


async def test_signing_in_again_where_the_key_still_is_keeps_the_enrolment(client: Client) -> None:
    key = DeviceKey()
    first = await person_signed_in(client, "lan", key=key)
    again = await sign_in(client, "lan", key=key)
    assert first.answer["enrolment"] == again.answer["enrolment"]


async def test_a_key_of_another_person_is_refused(client: Client) -> None:
    key = DeviceKey()
    await person_signed_in(client, "lan", key=key)
    await add_person(client, "minh")
    problem(await try_sign_in(client, "minh", key=key), 409, "enrolment_of_another")


async def test_a_revoked_device_can_not_sign_in_or_go_on(client: Client) -> None:
    key = DeviceKey()
    worker = await person_signed_in(client, "lan", key=key)
    admin = await person_signed_in(client, "admin", grant("administrator", "*", "11"))
    answer = await client.delete(f"/api/people/{worker.person}/enrolments/{key.enrolment}", headers=admin.headers)
    assert answer.status_code == 204
    problem(await client.get("/api/me", headers=worker.headers), 401, "not_signed_in")
    problem(await client.post("/api/auth/refresh", json={"refresh_token": worker.refresh}), 401, "not_signed_in")
    problem(await try_sign_in(client, "lan", key=key), 403, "enrolment_revoked")
    assert (await try_sign_in(client, "lan", key=DeviceKey())).status_code == 200


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "oct", "k": "c2VjcmV0"},
        {**DeviceKey().jwk, "d": "A" * 43},
        {**DeviceKey().jwk, "x": 5},
    ],
)
async def test_what_is_no_public_key_of_the_curve_is_refused(client: Client, jwk: dict[str, object]) -> None:
    await add_person(client, "lan")
    body = {"username": "lan", "password": PASSWORD, "enrolment": {"jwk": jwk, "label": ""}}
    problem(await client.post("/api/auth/login", json=body), 400, "invalid_request")


async def test_signing_out_ends_the_sign_in_and_only_that(client: Client) -> None:
    here = await person_signed_in(client, "lan")
    there = await sign_in(client, "lan")
    answer = await client.post("/api/auth/logout", json={"refresh_token": here.refresh})
    assert (answer.status_code, answer.content) == (204, b"")
    problem(await client.post("/api/auth/refresh", json={"refresh_token": here.refresh}), 401, "not_signed_in")
    assert (await client.post("/api/auth/refresh", json={"refresh_token": there.refresh})).status_code == 200


async def test_signing_out_with_an_unknown_token_is_no_error(client: Client) -> None:
    assert (await client.post("/api/auth/logout", json={"refresh_token": "none of ours"})).status_code == 204


async def test_the_password_is_kept_only_as_an_argon2id_hash(client: Client, storage: Storage) -> None:
    await add_person(client, "lan")
    async with storage.read() as connection:
        kept = await connection.scalar(select(people.c.password))
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$")
    assert (await Passwords().hash("đủ dài để nhớ")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_sign_ins_and_failures_stand_in_the_audit_trail(client: Client, storage: Storage) -> None:
    person = await add_person(client, "lan")
    await try_sign_in(client, "lan", WRONG)
    await sign_in(client, "lan")
    async with storage.read() as connection:
        query = select(audit.c.action).where(audit.c.subject == person.id).order_by(audit.c.id)
        trail = set((await connection.scalars(query)).all())
    assert trail == {"person_added", "login_failed", "login"}


async def test_people_change_their_own_password_and_other_sign_ins_end(client: Client) -> None:
    worker = await person_signed_in(client, "lan")
    elsewhere = await sign_in(client, "lan")
    wrong = {"password": WRONG, "new_password": "một mật khẩu khác"}
    problem(await client.post("/api/auth/password", json=wrong, headers=worker.headers), 401, "wrong_password")
    weak = {"password": PASSWORD, "new_password": "12345"}
    problem(await client.post("/api/auth/password", json=weak, headers=worker.headers), 422, "weak_password")
    good = {"password": PASSWORD, "new_password": "một mật khẩu khác"}
    assert (await client.post("/api/auth/password", json=good, headers=worker.headers)).status_code == 204
    problem(await client.post("/api/auth/refresh", json={"refresh_token": elsewhere.refresh}), 401, "not_signed_in")
    assert (await try_sign_in(client, "lan", "một mật khẩu khác")).status_code == 200


async def test_one_address_can_not_try_one_password_on_every_name(
    storage: Storage, settings: Settings, clock: StandingClock
) -> None:
    app = create_app(settings.model_copy(update={"login_burst": 3, "login_per_minute": 6}), storage, clock)
    async with running(app), Client(app) as client:
        for number in range(3):
            problem(await try_sign_in(client, f"person{number}", WRONG), 401, "wrong_password")
        refused = await try_sign_in(client, "person4", WRONG)
        assert problem(refused, 429, "too_many_requests") == {"wait_s": 10}
        assert refused.headers["retry-after"] == "10"
        clock.move(seconds=10)
        problem(await try_sign_in(client, "person4", WRONG), 401, "wrong_password")
        problem(await try_sign_in(client, "person5", WRONG), 429, "too_many_requests")


def test_addresses_are_paced_each_for_itself_and_only_so_many_are_remembered(clock: StandingClock) -> None:
    pace = RateLimiter(clock, burst=1, per_minute=60)
    assert [pace.wait_s("first"), pace.wait_s("first"), pace.wait_s("second")] == [0, 1, 0]
    for number in range(REMEMBERED):
        assert pace.wait_s(f"address {number}") == 0
    assert pace.wait_s("first") == 0

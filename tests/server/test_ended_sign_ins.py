"""A sign-in that has ended is refused at the next request, however it ended and whichever door is asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from litestar import Request

from server.areas.grants import Grant
from server.gateway.couchdb.caller import COOKIE, Caller
from server.gateway.couchdb.refusals import Refusal
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import PASSWORD, Client, DeviceKey, SignedIn, add_person, an_app, grant, problem, running, sign_in
from tests.conftest import StandingClock
from tests.server.couchdb_door import Door, feed
from tests.server.sync_door import DATABASE, a_phone, save, with_form

NEW = "một mật khẩu khác hẳn"
End = Callable[[Client, SignedIn, DeviceKey], Awaitable[None]]


async def signs_out(client: Client, worker: SignedIn, _key: DeviceKey) -> None:
    answer = await client.post("/api/auth/logout", json={"refresh_token": worker.refresh})
    assert answer.status_code == 204


async def changes_the_password(client: Client, worker: SignedIn, _key: DeviceKey) -> None:
    body = {"password": PASSWORD, "new_password": NEW}
    assert (await client.post("/api/auth/password", json=body, headers=worker.headers)).status_code == 204


async def is_given_a_password(client: Client, worker: SignedIn, _key: DeviceKey) -> None:
    await _managed(client, worker, {"password": NEW})


async def has_the_account_closed(client: Client, worker: SignedIn, _key: DeviceKey) -> None:
    await _managed(client, worker, {"active": False})


async def has_the_device_revoked(client: Client, worker: SignedIn, key: DeviceKey) -> None:
    path = f"/api/people/{worker.person}/enrolments/{key.enrolment}"
    assert (await client.delete(path, headers=await _administrator(client))).status_code == 204


async def is_found_stolen(client: Client, worker: SignedIn, _key: DeviceKey) -> None:
    token = worker.refresh
    for _ in range(2):
        token = (await client.post("/api/auth/refresh", json={"refresh_token": token})).json()["refresh_token"]
    answer = await client.post("/api/auth/refresh", json={"refresh_token": worker.refresh})
    problem(answer, 401, "not_signed_in")


async def _administrator(client: Client) -> dict[str, str]:
    await add_person(client, "dung", Grant("administrator", "*", "11"))
    return (await sign_in(client, "dung")).headers


async def _managed(client: Client, worker: SignedIn, change: dict[str, object]) -> None:
    answer = await client.patch(f"/api/people/{worker.person}", json=change, headers=await _administrator(client))
    assert answer.status_code == 200, answer.text


ENDS = [
    signs_out,
    changes_the_password,
    is_given_a_password,
    has_the_account_closed,
    has_the_device_revoked,
    is_found_stolen,
]


@pytest.mark.parametrize("ends", ENDS)
async def test_an_access_token_ends_with_its_sign_in(client: Client, ends: End) -> None:
    key = DeviceKey()
    await add_person(client, "lan", grant("field_worker"))
    worker = await sign_in(client, "lan", key=key)
    assert (await client.get("/api/me", headers=worker.headers)).status_code == 200
    assert (await client.get(f"/db/{DATABASE}/", headers=worker.headers)).status_code == 200

    await ends(client, worker, key)

    told = problem(await client.get("/api/me", headers=worker.headers), 401, "not_signed_in")
    assert told == {"reason": "ended"}
    assert (await client.get(f"/db/{DATABASE}/", headers=worker.headers)).status_code == 401


async def test_another_process_refuses_an_ended_sign_in_at_once(
    client: Client, storage: Storage, settings: Settings, clock: StandingClock
) -> None:
    await add_person(client, "lan", grant("field_worker"))
    worker = await sign_in(client, "lan")
    with an_app(settings, storage, clock) as second:
        async with running(second), Client(second) as other:
            assert (await other.get("/api/me", headers=worker.headers)).status_code == 200
            await signs_out(client, worker, DeviceKey())
            problem(await other.get("/api/me", headers=worker.headers), 401, "not_signed_in")


async def test_the_others_sign_ins_of_a_person_go_on_after_one_is_ended(client: Client) -> None:
    await add_person(client, "lan", grant("field_worker"))
    phone, desk = await sign_in(client, "lan", key=DeviceKey()), await sign_in(client, "lan")
    await signs_out(client, phone, DeviceKey())
    assert (await client.get("/api/me", headers=desk.headers)).status_code == 200


async def test_a_phone_whose_sign_in_ended_still_brings_what_it_sealed(client: Client) -> None:
    await with_form(client)
    phone = await a_phone(client)
    await phone.sync()
    save(phone)
    await client.post("/api/auth/logout", json={"refresh_token": phone.refresh_token})
    response = await phone.post(phone.request())
    assert [ack["outcome"] for ack in response.json()["acks"]] == ["stored"]
    assert response.json()["carry"] is None
    problem(await phone.post(phone.request() | {"push": [], "seal": None}), 401, "not_signed_in")


async def _caller(client: Client, headers: dict[str, str]) -> Caller | None:
    scope: Any = {
        "type": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), each.encode()) for name, each in headers.items()],
    }
    request: Request[Any, Any, Any] = Request(scope)
    try:
        found: Caller | None = await client.app.state["recognition"].caller(request)
    except Refusal:
        return None
    return found


async def _by_every_way(client: Client) -> tuple[SignedIn, dict[str, dict[str, str]]]:
    """Return a worker's sign-in and the headers of each way into `/db`."""
    await add_person(client, "lan", grant("field_worker"))
    worker = await sign_in(client, "lan")
    said = await client.post("/db/_session", json={"name": "lan", "password": PASSWORD})
    cookie = said.headers["set-cookie"].partition(";")[0].partition("=")[2]
    client.cookies.clear()
    basic = next(httpx.BasicAuth("lan", PASSWORD).sync_auth_flow(client.build_request("GET", "/db/")))
    ways = {
        "jwt": worker.headers,
        "cookie": {"Cookie": f"{COOKIE}={cookie}"},
        "basic": {"Authorization": basic.headers["authorization"]},
    }
    return worker, ways


async def test_a_changed_password_ends_every_way_into_the_replicas_door_open_feeds_too(client: Client) -> None:
    worker, ways = await _by_every_way(client)
    recognition = client.app.state["recognition"]
    callers = {way: await _caller(client, headers) for way, headers in ways.items()}
    assert [await recognition.renewed(caller) is not None for caller in callers.values()] == [True] * 3

    await changes_the_password(client, worker, DeviceKey())

    assert {way: await recognition.renewed(caller) for way, caller in callers.items()} == dict.fromkeys(ways)
    assert {way: await _caller(client, headers) for way, headers in ways.items()} == dict.fromkeys(ways)


async def test_a_feed_that_is_open_ends_when_the_password_is_changed(client: Client) -> None:
    await with_form(client)
    worker = await sign_in(client, (await add_person(client, "lan", grant("field_worker"))).username)
    door = Door(client, "lan", DATABASE)
    other = await a_phone(client, "hoa")
    async with asyncio.timeout(30), feed(door, feed="continuous", since="now", heartbeat="100") as pieces:
        assert await pieces.get() == b"\n"
        await changes_the_password(client, worker, DeviceKey())
        save(other)
        await other.sync()
        came = [await pieces.get()]
        while came[-1] != b"":
            came.append(await pieces.get())
    assert b'"changes"' not in b"".join(came)


async def test_a_renewal_beside_a_sign_out_leaves_nothing_signed_in(client: Client) -> None:
    await add_person(client, "lan", grant("field_worker"))
    worker = await sign_in(client, "lan")
    asked = [client.post("/api/auth/refresh", json={"refresh_token": worker.refresh}) for _ in range(4)]
    renewals = [asyncio.create_task(each) for each in asked]
    await signs_out(client, worker, DeviceKey())
    for answer in await asyncio.gather(*renewals):
        if answer.status_code == 200:
            headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            problem(await client.get("/api/me", headers=headers), 401, "not_signed_in")

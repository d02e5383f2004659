"""A person sees and ends their own sign-ins."""

from typing import Any

import pytest

from server.auth.sign_ins import browser_name
from tests.builders import PASSWORD, Client, DeviceKey, add_person, problem, sign_in
from tests.conftest import StandingClock

SESSIONS = "/api/me/sessions"
CHROME = (
    "Mozilla/5.0 (Linux; Android 13; SM-A137F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Mobile Safari/537.36"
)


async def listed(client: Client, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await client.get(SESSIONS, headers=headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["sessions"])


async def test_a_person_sees_their_sign_ins_this_one_first(client: Client, clock: StandingClock) -> None:
    await add_person(client, "lan")
    await add_person(client, "mai")
    await sign_in(client, "mai")
    phone = await sign_in(client, "lan", key=DeviceKey())
    clock.move(seconds=60)
    begun = await client.post(
        "/api/auth/login", json={"username": "lan", "password": PASSWORD}, headers={"User-Agent": CHROME}
    )
    browser = {"Authorization": f"Bearer {begun.json()['access_token']}"}
    clock.move(seconds=60)
    assert (await client.post("/api/auth/refresh", json={"refresh_token": phone.refresh})).status_code == 200
    seen = await listed(client, browser)
    assert [(each["is_this"], each["is_device"]) for each in seen] == [(True, False), (False, True)]
    assert seen[0]["label"] == "Chrome, Android"
    assert seen[1]["began_at"] == "2026-11-21T08:00:00Z"
    assert seen[1]["used_at"] == "2026-11-21T08:02:00Z"


async def test_a_sign_in_that_is_ended_is_over_at_once(client: Client) -> None:
    await add_person(client, "lan")
    lost, here = await sign_in(client, "lan", key=DeviceKey()), await sign_in(client, "lan")
    [other] = [each for each in await listed(client, here.headers) if not each["is_this"]]
    assert (await client.delete(f"{SESSIONS}/{other['id']}", headers=here.headers)).status_code == 204
    problem(await client.get("/api/me", headers=lost.headers), 401, "not_signed_in")
    problem(await client.post("/api/auth/refresh", json={"refresh_token": lost.refresh}), 401, "not_signed_in")
    assert len(await listed(client, here.headers)) == 1


async def test_a_device_that_signed_in_twice_is_one_and_ends_as_one(client: Client) -> None:
    await add_person(client, "lan")
    key = DeviceKey()
    first, second, here = (
        await sign_in(client, "lan", key=key),
        await sign_in(client, "lan", key=key),
        await sign_in(client, "lan"),
    )
    [other] = [each for each in await listed(client, here.headers) if not each["is_this"]]
    assert (await client.delete(f"{SESSIONS}/{other['id']}", headers=here.headers)).status_code == 204
    for ended in (first, second):
        problem(await client.get("/api/me", headers=ended.headers), 401, "not_signed_in")
    # Its key is still trusted: only an administrator takes that away.
    assert (await sign_in(client, "lan", key=key)).answer["enrolment"] is not None


async def test_all_others_end_and_this_one_stays(client: Client) -> None:
    await add_person(client, "lan")
    others = [await sign_in(client, "lan", key=DeviceKey()), await sign_in(client, "lan")]
    cookie = await client.post("/db/_session", json={"name": "lan", "password": PASSWORD})
    assert cookie.status_code == 200
    here = await sign_in(client, "lan", key=DeviceKey())
    assert len(await listed(client, here.headers)) == 4
    assert (await client.delete(SESSIONS, headers=here.headers)).status_code == 204
    for other in others:
        problem(await client.get("/api/me", headers=other.headers), 401, "not_signed_in")
    assert (await client.get("/db/_session")).json()["userCtx"]["name"] is None
    assert [each["is_this"] for each in await listed(client, here.headers)] == [True]


async def test_nobody_ends_somebody_elses_sign_in(client: Client) -> None:
    await add_person(client, "lan")
    await add_person(client, "mai")
    lan, mai = await sign_in(client, "lan"), await sign_in(client, "mai")
    [mine] = await listed(client, mai.headers)
    problem(await client.delete(f"{SESSIONS}/{mine['id']}", headers=lan.headers), 404, "not_found")
    problem(await client.get(SESSIONS), 401, "not_signed_in")
    assert len(await listed(client, mai.headers)) == 1


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, "Chrome, Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/119.0 Safari/537.36 Edg/119.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("curl/8.5.0", ""),
        ("", ""),
    ],
)
def test_a_browser_without_a_name_is_called_what_it_says_it_is(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name

"""Wrong passwords make whoever guesses wait, and not the person whose name it is."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from server.auth.tables import people
from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import PASSWORD, Client, add_person, an_app, problem, running, try_sign_in
from tests.conftest import StandingClock

pytestmark = pytest.mark.by_turns

WRONG = "không phải mật khẩu này"
OWNERS, STRANGERS = "203.0.113.7", "198.51.100.9"
At = Callable[[str], Client]


@pytest.fixture
async def at(storage: Storage, settings: Settings, clock: StandingClock) -> AsyncIterator[At]:
    """Give a client at an address, of a server on which eight wrong passwords fill a wide counter."""
    with an_app(settings.model_copy(update={"login_attempts_widely": 8}), storage, clock) as app:
        async with running(app):
            yield lambda address: Client(app, address)


async def guess(client: Client, username: str, times: int) -> list[int]:
    return [(await try_sign_in(client, username, WRONG)).status_code for _ in range(times)]


async def test_a_strangers_guesses_do_not_lock_the_owner_out(at: At) -> None:
    owner, stranger = at(OWNERS), at(STRANGERS)
    await add_person(owner, "lan")
    assert await guess(stranger, "lan", 6) == [401] * 5 + [423]
    assert (await try_sign_in(owner, "lan")).status_code == 200
    problem(await try_sign_in(stranger, "lan"), 423, "account_locked")


async def test_by_basic_at_the_replicas_door_it_is_the_same(at: At) -> None:
    owner, stranger = at(OWNERS), at(STRANGERS)
    await add_person(owner, "lan")
    tried = [(await stranger.get("/db/catalog", auth=("lan", WRONG))).status_code for _ in range(6)]
    assert tried == [401] * 5 + [403]
    assert (await stranger.get("/db/catalog", auth=("lan", PASSWORD))).status_code == 403
    assert (await owner.get("/db/catalog", auth=("lan", PASSWORD))).status_code != 403


async def test_a_name_guessed_from_many_addresses_waits_but_where_it_signed_in_before(
    at: At, clock: StandingClock
) -> None:
    owner = at(OWNERS)
    await add_person(owner, "lan")
    assert (await try_sign_in(owner, "lan")).status_code == 200
    for number in range(8):
        assert await guess(at(f"198.51.100.{number}"), "lan", 1) == [401]
    problem(await try_sign_in(at("192.0.2.1"), "lan"), 423, "account_locked")
    assert (await try_sign_in(owner, "lan")).status_code == 200
    # The owner's sign-in frees no stranger, time does.
    problem(await try_sign_in(at("192.0.2.1"), "lan"), 423, "account_locked")
    clock.move(seconds=30)
    assert (await try_sign_in(at("192.0.2.1"), "lan")).status_code == 200


async def test_one_password_tried_on_everybody_stops_the_address_but_not_who_works_there(at: At) -> None:
    office = at(OWNERS)
    await add_person(office, "lan")
    await add_person(office, "mai")
    assert (await try_sign_in(office, "lan")).status_code == 200
    for number in range(8):
        assert await guess(office, f"person{number}", 1) == [401]
    problem(await try_sign_in(office, "mai"), 423, "account_locked")
    assert (await try_sign_in(office, "lan")).status_code == 200
    assert (await try_sign_in(at(STRANGERS), "mai")).status_code == 200


async def test_right_passwords_at_a_full_address_lock_nobody_who_comes_after(at: At, clock: StandingClock) -> None:
    office = at(OWNERS)
    names = [f"person{number}" for number in range(4)]
    for name in names:
        await add_person(office, name)
    for number in range(8):
        assert await guess(office, f"nobody{number}", 1) == [401]
    problem(await try_sign_in(office, names[0]), 423, "account_locked")
    clock.move(seconds=61)
    for name in names:
        assert (await try_sign_in(office, name)).status_code == 200


async def test_an_office_where_somebody_new_signs_in_every_day_forgets_old_mistakes(
    at: At, clock: StandingClock
) -> None:
    office = at(OWNERS)
    for day in range(5):
        await add_person(office, f"person{day}")
        assert await guess(office, f"nobody{day}", 3) == [401] * 3
        assert (await try_sign_in(office, f"person{day}")).status_code == 200
        clock.move(hours=25)


async def test_a_right_password_of_a_closed_account_is_no_guess(at: At) -> None:
    office = at(OWNERS)
    closed = await add_person(office, "lan")
    await add_person(office, "mai")
    async with office.app.state["storage"].write() as connection:
        await connection.execute(people.update().where(people.c.id == closed.id).values(is_active=False))
    for _ in range(10):
        problem(await try_sign_in(office, "lan"), 403, "account_closed")
    assert (await try_sign_in(office, "mai")).status_code == 200


async def test_signing_in_to_ones_own_account_clears_no_guesses(at: At) -> None:
    guesser = at(STRANGERS)
    await add_person(guesser, "lan")
    await add_person(guesser, "own")
    for number in range(8):
        assert (await try_sign_in(guesser, "own")).status_code == 200
        assert await guess(guesser, f"person{number}", 1) == [401]
    problem(await try_sign_in(guesser, "lan"), 423, "account_locked")


async def test_right_passwords_side_by_side_lock_nobody(at: At) -> None:
    office = at(OWNERS)
    names = [f"person{number}" for number in range(7)]
    for name in names:
        await add_person(office, name)
    for _ in range(3):
        answers = await asyncio.gather(*(try_sign_in(office, name) for name in names))
        assert [answer.status_code for answer in answers] == [200] * len(names)


async def test_an_address_is_known_for_half_a_year_and_guesses_for_a_day(at: At, clock: StandingClock) -> None:
    owner = at(OWNERS)
    await add_person(owner, "lan")
    assert (await try_sign_in(owner, "lan")).status_code == 200
    clock.move(days=181)
    for number in range(8):
        assert await guess(at(f"198.51.100.{number}"), "lan", 1) == [401]
    problem(await try_sign_in(owner, "lan"), 423, "account_locked")
    clock.move(days=1, seconds=1)
    assert await guess(owner, "lan", 4) == [401] * 4
    assert (await try_sign_in(owner, "lan")).status_code == 200


async def test_a_network_of_ipv6_is_one_guesser(at: At) -> None:
    await add_person(at(OWNERS), "lan")
    for number in range(5):
        assert await guess(at(f"2001:db8:1:2::{number + 1}"), "lan", 1) == [401]
    problem(await try_sign_in(at("2001:db8:1:2:ffff::1"), "lan"), 423, "account_locked")
    assert (await try_sign_in(at("2001:db8:1:3::1"), "lan")).status_code == 200


@pytest.mark.parametrize(("proxy", "status"), [("172.31.77.3", 200), ("203.0.113.99", 423)])
async def test_only_a_trusted_proxy_says_whose_request_it_is(
    storage: Storage, settings: Settings, clock: StandingClock, proxy: str, status: int
) -> None:
    with an_app(settings, storage, clock) as app:
        async with running(app):
            await add_person(Client(app), "lan")
            # As `nuong serve` puts it before the app.
            behind = Client(app, proxy)
            behind._transport.app = ProxyHeadersMiddleware(app, "172.31.77.0/24")  # type: ignore[attr-defined, arg-type]
            for _ in range(5):
                assert await said_from(behind, STRANGERS, WRONG) == 401
            assert await said_from(behind, STRANGERS, PASSWORD) == 423
            assert await said_from(behind, OWNERS, PASSWORD) == status


async def said_from(client: Client, address: str, password: str) -> int:
    said = {"username": "lan", "password": password}
    return (await client.post("/api/auth/login", json=said, headers={"X-Forwarded-For": address})).status_code

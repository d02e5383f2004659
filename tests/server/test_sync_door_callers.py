"""Who may exchange: tokens, tokens that ran out, seals without a token, and everything forged."""

import pytest

from server.auth.enrolments import revoke
from server.auth.people import change
from tests.builders import Client, problem
from tests.conftest import StandingClock
from tests.server.sync_door import DATABASE, a_phone, another_phone, answer_of, exchange, outcomes, save, with_form

pytestmark = pytest.mark.by_turns


@pytest.fixture(autouse=True)
async def _form(client: Client) -> None:
    await with_form(client)


async def test_an_expired_token_beside_its_refresh_token_is_renewed_in_the_same_exchange(
    client: Client, clock: StandingClock
) -> None:
    phone = await a_phone(client)
    old = phone.access_token
    clock.move(hours=30)
    save(phone)
    envelope = phone.request()
    problem(await phone.post({**envelope, "push": [], "seal": None}), 401, "not_signed_in")
    response = await phone.post({**envelope, "refresh": phone.refresh_token})
    answer = answer_of(response)
    assert answer.tokens is not None
    assert outcomes(answer) == [("1", "stored", None)]
    assert "catalog" in answer.changes
    phone.receive(response.json(), envelope)
    assert phone.access_token != old
    assert (await exchange(phone)).tokens is None


async def test_a_lost_answer_with_new_tokens_costs_a_repeat_and_no_sign_in(
    client: Client, clock: StandingClock
) -> None:
    phone = await a_phone(client)
    clock.move(hours=1)
    save(phone)
    envelope = {**phone.request(), "refresh": phone.refresh_token}
    answer_of(await phone.post(envelope))
    again = await phone.post(envelope)
    assert outcomes(answer_of(again)) == [("1", "duplicate", None)]
    phone.receive(again.json(), envelope)
    assert (await exchange(phone)).carry == ["catalog", DATABASE]


async def test_a_valid_token_needs_no_renewal_even_beside_a_refresh_token(client: Client) -> None:
    phone = await a_phone(client)
    assert answer_of(await phone.post({**phone.request(), "refresh": phone.refresh_token})).tokens is None


async def test_a_seal_without_a_token_pushes_and_is_acknowledged_but_pulls_nothing(client: Client) -> None:
    phone = await a_phone(client)
    await exchange(phone)
    phone.access_token = phone.refresh_token = None
    save(phone)
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "stored", None)]
    assert (answer.changes, answer.carry, answer.tokens) == ({}, None, None)
    assert (answer.safe, answer.highest_number) == ("1", "1")
    assert phone.carry == ["catalog", DATABASE]


async def test_without_a_token_and_without_a_push_nobody_is_there(client: Client) -> None:
    phone = await a_phone(client)
    phone.access_token = None
    problem(await phone.post(phone.request()), 401, "not_signed_in")


async def test_a_forged_token_with_a_good_seal_pushes_like_none(client: Client) -> None:
    phone = await a_phone(client)
    save(phone)
    assert phone.access_token is not None
    response = await phone.post(phone.request(), token=phone.access_token[:-6] + "AAAAAA")
    assert answer_of(response).carry is None


async def test_a_push_without_a_seal_is_refused_whole(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone)
    problem(await phone.post({**phone.request(), "seal": None}), 403, "seal_missing")
    assert await client.app.state["journal"].document(DATABASE, document["_id"]) is None


async def test_a_forged_seal_is_refused_whole(client: Client) -> None:
    phone, other = await a_phone(client), await another_phone(client, "hoa")
    document = save(phone)
    envelope = phone.request()
    (item,) = envelope["push"]
    another_revision = {**item, "doc": {**document, "_rev": "1-" + "0" * 32}}
    forgeries = {
        "another key": other.sealed({**envelope, "enrolment": other.enrolment})["seal"],
        "another revision": phone.sealed({**envelope, "push": [another_revision]})["seal"],
        "another database": phone.sealed({**envelope, "push": [{**item, "db": "agri-03158-2025"}]})["seal"],
        "nothing": phone.sealed({**envelope, "push": []})["seal"],
        "another request": phone.sealed({**envelope, "exchange": "99"})["seal"],
        "less on the phone": phone.sealed({**envelope, "holding": {**envelope["holding"], "drafts": 1}})["seal"],
        "other verdicts": phone.sealed({**envelope, "verdicts": ["1"]})["seal"],
        "no signature": "eyJhbGciOiJub25lIn0..",
        "no seal": "abc",
    }
    for forgery in forgeries.values():
        problem(await phone.post({**envelope, "seal": forgery}), 403, "seal_invalid")
        problem(await client.post("/api/sync", json={**envelope, "seal": forgery}), 403, "seal_invalid")
    assert await client.app.state["journal"].document(DATABASE, document["_id"]) is None
    assert (await client.app.state["journal"].state(DATABASE)).seq == 0


async def test_one_request_is_one_enrolments(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    problem(await phone.post(phone.request(), token=other.access_token), 403, "enrolment_mismatch")


async def test_a_revoked_device_neither_pushes_nor_pulls(client: Client, clock: StandingClock) -> None:
    phone = await a_phone(client)
    save(phone)
    envelope = phone.request()
    async with client.app.state["storage"].write() as connection:
        await revoke(connection, phone.enrolment, clock())
    phone.access_token = None
    problem(await phone.post(envelope), 403, "enrolment_revoked")
    assert (await client.app.state["journal"].state(DATABASE)).seq == 0


async def test_an_unknown_enrolment_looks_like_nobody(client: Client) -> None:
    phone, stranger = await a_phone(client), await a_phone(client, "mai")
    save(phone)
    envelope = {**phone.request(), "enrolment": "A" * 43}
    stranger.access_token = None
    problem(await stranger.post(envelope), 401, "not_signed_in")


async def test_a_server_that_refuses_a_token_says_which_server_it_is(client: Client) -> None:
    phone = await a_phone(client)
    refused = await phone.post(phone.request(), token="of-another-server")
    problem(refused, 401, "not_signed_in")
    assert refused.headers["Nuong-Server"] == phone.server
    refused = await client.post("/api/auth/refresh", json={"refresh_token": "of-another-server"})
    assert refused.headers["Nuong-Server"] == phone.server


async def test_work_of_a_person_who_was_shut_out_is_kept_apart(client: Client) -> None:
    phone = await a_phone(client)
    await exchange(phone)
    save(phone)
    async with client.app.state["storage"].write() as connection:
        await change(connection, phone.person["id"], {"is_active": False})
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "quarantined", "rights_lost")]
    assert (answer.carry, answer.changes) == (None, {})

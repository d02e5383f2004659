"""What somebody can do with a request of another's phone that they have read: nothing but push it once more."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.demo.phone import Phone
from server.gateway.sync.tables import sync_numbers
from server.ingest.peer_ingest import PeerSender
from server.journal.model import Origin
from server.peers.background import parts_of
from server.platform.canonical_json import canonical
from server.settings import Settings
from tests.builders import PASSWORD, Client, add_person, grant, problem, sign_in
from tests.conftest import StandingClock
from tests.server.peers_world import a_server
from tests.server.sync_door import DATABASE, a_phone, answer_of, exchange, outcomes, save, with_form

pytestmark = pytest.mark.by_turns

NOTHING = {"unsent": [], "discarded": [], "drafts": 0, "media": 0}


@pytest.fixture(autouse=True)
async def _form(client: Client) -> None:
    await with_form(client)


async def numbers_of(client: Client) -> dict[str, Any]:
    async with client.app.state["storage"].read() as connection:
        return dict((await connection.execute(select(sync_numbers))).one()._mapping)


async def a_phone_with_a_gap(client: Client) -> tuple[Phone, dict[str, Any]]:
    """Return a phone whose second save is nowhere and whose fourth waits, and the request that carried the first."""
    phone = await a_phone(client)
    save(phone)
    first = phone.request()
    phone.receive((await phone.post(first)).json(), first)
    for _ in range(3):
        save(phone)
    del phone.outgoing[0]
    answer = await exchange(phone, push=phone.request(limit=1)["push"], holding={**NOTHING, "unsent": ["4"]})
    assert (answer.missing, answer.safe) == ("2", "1")
    return phone, first


async def test_a_seal_document_replayed_with_another_holding_moves_neither_safe_nor_gaps(client: Client) -> None:
    await a_phone_with_a_gap(client)
    before = await numbers_of(client)
    rows = (await client.app.state["journal"].changes(DATABASE, include_docs=True)).rows
    documents = {row.doc_id: row for row in rows}
    seals = [json.loads(row.content) for row in rows if row.doc_id.startswith("seal:")]
    for seal in seals:
        push = []
        for database, doc_id, rev in seal["push"]:
            content = json.loads(documents[doc_id].content)
            push.append({"db": database, "doc": {"_id": doc_id, "_rev": rev, **content}, "ancestors": []})
        replay = {"protocol": 2, "enrolment": seal["enrolment"], "push": push, "seal": seal["jws"], "verdicts": []}
        hiding = {**NOTHING, "discarded": ["2", "4"]}
        problem(await client.post("/api/sync", json={**replay, "holding": hiding}), 400, "envelope")
        for exchange_number in (seal["exchange"], "99"):
            forged = {**replay, "exchange": exchange_number, "holding": hiding}
            problem(await client.post("/api/sync", json=forged), 403, "seal_invalid")
        # What the phone said in truth can be guessed, and was true only then.
        then = {**replay, "exchange": seal["exchange"], "holding": NOTHING}
        await client.post("/api/sync", json=then)
        assert await numbers_of(client) == before


async def test_a_request_replayed_without_a_token_is_answered_and_moves_nothing(client: Client) -> None:
    phone, first = await a_phone_with_a_gap(client)
    before = await numbers_of(client)
    for token in ("", phone.access_token):
        answer = answer_of(await phone.post(first, token=token))
        assert outcomes(answer) == [("1", "duplicate", None)]
        assert (answer.missing, answer.safe) == ("2", "1")
        assert await numbers_of(client) == before
    assert (await exchange(phone)).safe == "1"


async def test_a_request_that_arrives_after_a_later_one_pushes_and_says_nothing_more(client: Client) -> None:
    phone = await a_phone(client)
    save(phone)
    save(phone)
    late = phone.request(limit=1)
    late = phone.sealed({**late, "holding": {**NOTHING, "unsent": ["2", "3"], "drafts": 3}})
    both = await exchange(phone)
    assert (both.safe, both.missing) == ("2", "")
    assert outcomes(answer_of(await phone.post(late))) == [("1", "duplicate", None)]
    told = await numbers_of(client)
    assert (told["unsent"], told["drafts"], told["gaps"]) == ("", 0, "")


async def test_an_outcome_is_confirmed_only_by_who_shows_a_token(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone, trees="mười hai")
    await exchange(phone)
    journal = client.app.state["journal"]

    await journal.accept(DATABASE, document["_id"], document["_rev"], Origin("somebody", None))
    save(phone)
    # A phone without a token may be answered by another server than the one whose outcomes it confirms.
    request = phone.sealed({**phone.request(), "verdicts": ["1"]})
    assert outcomes(answer_of(await phone.post(request, token=""))) == [("2", "stored", None), ("1", "stored", None)]
    assert outcomes(await exchange(phone))[-1] == ("1", "stored", None)


async def test_a_seal_of_protocol_1_that_another_server_brings_still_says_whose_a_record_is(client: Client) -> None:

    phone = await a_phone(client)
    record = save(phone)
    push = [[DATABASE, record["_id"], record["_rev"]]]
    jws = phone.sign(canonical({"enrolment": phone.enrolment, "push": push}))
    seal = {"_id": "seal:01", "_rev": "1-" + "a" * 32, "type": "seal", "enrolment": phone.enrolment, "push": push}
    batch: list[Any] = [({**seal, "jws": jws}, ()), (record, ())]
    await parts_of(client.app).ingest.receive(DATABASE, batch, PeerSender("peer:other"))
    stored = await client.app.state["journal"].document(DATABASE, record["_id"])
    assert stored.enrolment == phone.enrolment


async def test_an_app_or_a_server_that_is_too_old_is_told_so(client: Client) -> None:
    phone = await a_phone(client)
    older = problem(await phone.post({**phone.request(), "protocol": 1}), 400, "app_too_old")
    assert older == {"spoken": 1, "expected": 2}
    problem(await phone.post({**phone.request(), "protocol": 3}), 400, "server_too_old")
    # A phone of protocol 1 knows nothing of what came with 2.
    problem(await client.post("/api/sync", json={"protocol": 1, "enrolment": "A" * 43}), 400, "app_too_old")


async def test_what_a_phone_says_of_itself_is_seen_where_devices_are_listed(client: Client) -> None:
    phone = await a_phone(client)
    await exchange(phone, device={"app": "1.2.3", "free_bytes": 5_000, "persistent": False})
    await add_person(client, "root", grant("administrator"))
    headers = (await sign_in(client, "root")).headers
    listed = (await client.get(f"/api/people/{phone.person['id']}/enrolments", headers=headers)).json()
    (device,) = listed["enrolments"]
    assert (device["app"], device["free_bytes"], device["persistent"]) == ("1.2.3", 5_000, False)


async def test_every_answer_says_which_server_gives_it(client: Client) -> None:
    server = client.app.state["server_id"]
    for method, path in (
        ("GET", "/healthz"),
        ("GET", "/api/me"),
        ("POST", "/api/sync"),
        ("GET", "/api/media/" + "0" * 64),
        ("GET", "/db/"),
        ("GET", "/db/catalog/_all_docs"),
        ("DELETE", "/api/auth/login"),
        ("GET", "/no/such/page"),
    ):
        answer = await client.request(method, path)
        assert answer.headers.get_list("Nuong-Server") == [server], path


async def test_a_request_made_for_a_hub_and_replayed_at_the_province_hides_nothing_there(
    client: Client, tmp_path: Path, settings: Settings, clock: StandingClock
) -> None:
    (tmp_path / "hub").mkdir()
    async with a_server(tmp_path / "hub", settings, clock) as hub:
        await with_form(hub)
        await add_person(hub, "hoa", grant("field_worker"))
        phone, _ = await a_phone_with_a_gap(client)
        await Phone(hub, key=phone.key, clock=clock).sign_in("hoa", PASSWORD)
        made = phone.sealed({**phone.request(), "holding": {**NOTHING, "drafts": 3}, "verdicts": ["1"]})
        for server in (hub, hub, client):
            answer = answer_of(await server.post("/api/sync", json=made))
            assert [number for number, *_ in outcomes(answer)] == ["4"]
    told = await numbers_of(client)
    assert (told["received"], told["gaps"], told["unsent"]) == ("1,3-4", "2", "")
    assert (await exchange(phone)).safe == "1"

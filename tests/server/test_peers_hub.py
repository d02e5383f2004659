"""Two Nương servers: a province and its commune's hub, with phones between them that may meet either."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.demo.phone import Phone
from server.ingest.peer_ingest import PeerSender
from server.journal.model import NewRevision
from server.peers.background import parts_of
from server.peers.connections import remote_of
from server.peers.directory_pull import pull_directory
from server.peers.model import Peer
from server.peers.runner import PeersRunner
from server.platform.db.engine import Storage
from server.settings import Settings
from sync.contract.seal import said_digest, sealed_payload
from tests.builders import PASSWORD, SIN_CHAI, Client, add_person, grant, problem, sign_in, try_sign_in
from tests.conftest import StandingClock
from tests.server.peers_world import DOOR, a_server, add_peer, digests, parts_towards, peer_account, sync, synced
from tests.server.sync_door import DATABASE, Picture, a_phone, save, with_form

pytestmark = pytest.mark.by_turns


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "hub", tmp_path / "department"]
    for folder in found:
        folder.mkdir()
    return found


@pytest.fixture
async def hub(folders: list[Path], settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    async with a_server(folders[0], settings, clock) as client:
        yield client


async def as_hub(hub: Client, province: Client) -> Peer:
    """Make `hub` a hub of `province`, with an account there."""
    account = await peer_account(province)
    return await add_peer(hub.app, DOOR, name="province", kind="province", **account)


async def met_by(phone: Phone, server: Client, username: str) -> Phone:
    """Return the same device at another server: it keeps what each server has said apart."""
    there = Phone(server, clock=phone.clock, key=phone.key, highest=phone.highest)
    return await there.sign_in(username, PASSWORD)


async def author(client: Client, doc_id: str) -> tuple[str | None, str | None]:
    stored = await client.app.state["journal"].document(DATABASE, doc_id)
    assert stored is not None
    return stored.person, stored.enrolment


async def test_a_hub_takes_people_forms_and_records_from_the_province_and_signs_people_in_alone(
    client: Client, hub: Client
) -> None:
    await with_form(client)
    phone = await a_phone(client, "hoa")
    record = save(phone)
    await phone.sync()
    await add_person(client, "elsewhere", grant("field_worker", "tourism"))
    peer = await as_hub(hub, client)

    await synced(hub.app, peer, client.app)

    assert len(await digests(client, hub)) == 1
    assert len(await digests(client, hub, database="catalog")) == 1
    assert await author(hub, record["_id"]) == (phone.person["id"], phone.enrolment)
    signed_in = await sign_in(hub, "hoa")
    assert signed_in.person == phone.person["id"]
    # Only those whose grants reach a scope of the hub, and not the hub's own account.
    assert (await try_sign_in(hub, "elsewhere")).status_code == 401
    assert (await try_sign_in(hub, "hub")).status_code == 401


async def test_what_a_phone_gave_to_the_hub_is_its_own_at_the_province(client: Client, hub: Client) -> None:
    await with_form(client)
    phone = await a_phone(client, "hoa")
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    at_hub = await met_by(phone, hub, "hoa")
    record = save(at_hub)
    await at_hub.sync()
    assert at_hub.outcomes["1"]["outcome"] == "stored"

    await synced(hub.app, peer, client.app)

    assert await author(client, record["_id"]) == (phone.person["id"], phone.enrolment)
    assert len(await digests(client, hub)) == 1
    assert await client.app.state["journal"].quarantined() == []


async def test_a_device_that_enrolled_at_the_hub_first_gets_its_records_back_when_the_province_meets_it(
    client: Client, hub: Client
) -> None:
    await with_form(client)
    person = await add_person(client, "hoa", grant("field_worker"))
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    at_hub = await Phone(hub, clock=client.app.state["clock"]).sign_in("hoa", PASSWORD)
    record = save(at_hub)
    await at_hub.sync()
    await synced(hub.app, peer, client.app)
    assert await author(client, record["_id"]) == ("peer:hub", None)

    await met_by(at_hub, client, "hoa")
    assert await PeersRunner(parts_of(client.app), None).reconsider_seals() == 1

    assert await author(client, record["_id"]) == (person.id, at_hub.enrolment)


@pytest.mark.slow
async def test_two_servers_and_a_hub_agree_with_phones_that_meet_one_and_then_the_other(
    client: Client, hub: Client, folders: list[Path], settings: Settings, clock: StandingClock
) -> None:
    await with_form(client)
    phones = [await a_phone(client, name) for name in ("hoa", "lan")]
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    async with a_server(folders[1], settings, clock) as other:
        await with_form(other)
        account = await peer_account(client, "department")
        towards = await add_peer(other.app, DOOR, name="province", **account)
        at_hub = [await met_by(phone, hub, name) for phone, name in zip(phones, ("hoa", "lan"), strict=True)]
        first = save(phones[0])
        await phones[0].sync()
        await synced(hub.app, peer, client.app)
        for phone in at_hub:
            await phone.sync()
        # Both change one record where neither sees the other, and each makes new ones.
        at_hub[0].highest = phones[0].highest
        save(at_hub[0], first["_id"], trees="21")
        save(at_hub[1])
        await phones[1].sync()
        save(phones[1], first["_id"], trees="22")
        for phone in (*at_hub, phones[1]):
            await phone.sync()
        for _ in range(2):
            await synced(hub.app, peer, client.app)
            await synced(other.app, towards, client.app)

        assert len(await digests(client, hub, other)) == 1
        states = [await each.app.state["journal"].history(DATABASE, first["_id"]) for each in (client, hub, other)]
        assert [{one.rev for one in state} for state in states].count({one.rev for one in states[0]}) == 3
        assert sum(one.is_leaf for one in states[0]) == 2
        # Who wrote what is the same at the hub, whose people come from the province.
        authors = [{one.rev: one.person for one in state} for state in states]
        assert authors[0] == authors[1]
        for phone in (*at_hub, *phones):
            await phone.sync()
        assert at_hub[0].documents[DATABASE].digest == phones[0].documents[DATABASE].digest


async def test_the_hub_only_reads_what_the_province_writes(client: Client, hub: Client) -> None:
    await add_person(client, "chief", grant("administrator"))
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    chief = await sign_in(hub, "chief")
    hub.app.state["clock"].move(seconds=60)

    refused = await hub.post("/api/people", json={}, headers=chief.headers)

    assert problem(refused, 409, "hub_only_reads") == {"province": "http://testserver"}
    # The next directory would undo it.
    password = {"password": PASSWORD, "new_password": "một câu khác hẳn câu trước"}
    problem(await hub.post("/api/auth/password", json=password, headers=chief.headers), 409, "hub_only_reads")
    assert (await hub.get("/api/people", headers=chief.headers)).status_code == 200


async def test_photos_may_be_given_to_a_hub(client: Client, hub: Client) -> None:
    await with_form(client)
    await add_person(client, "hoa", grant("field_worker"))
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    phone = await Phone(hub, clock=hub.app.state["clock"]).sign_in("hoa", PASSWORD)
    hub.app.state["clock"].move(seconds=60)

    await phone.upload(Picture(b"a photo").of(save(phone)["_id"]))

    assert await hub.app.state["hub_state"].province() is not None


async def test_a_hub_that_starts_before_its_directory_is_new_writes_no_older_place_over_a_newer(
    client: Client, hub: Client
) -> None:
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    doc_id = f"area:{SIN_CHAI}"
    known = await hub.app.state["journal"].document("catalog", doc_id)
    content = {**json.loads(known.content), "name": "Sín Chải Mới"}
    newer = NewRevision.following(doc_id, content, known.rev)
    brought = ({**content, "_id": doc_id, "_rev": newer.rev}, newer.ancestors)
    await parts_of(hub.app).ingest.receive("catalog", [brought], PeerSender("peer:province", is_believed=True))

    await hub.app.state["areas"].prepare()

    stands = await hub.app.state["journal"].document("catalog", doc_id)
    assert stands.rev == newer.rev


async def test_whoever_the_province_shut_out_is_shut_out_at_the_hub(client: Client, hub: Client) -> None:
    person = await add_person(client, "hoa", grant("field_worker"))
    chief = await add_person(client, "chief", grant("administrator", "*", "11"))
    peer = await as_hub(hub, client)
    await synced(hub.app, peer, client.app)
    assert chief.id
    headers = (await sign_in(client, "chief")).headers
    await client.patch(f"/api/people/{person.id}", json={"active": False}, headers=headers)

    await synced(hub.app, peer, client.app)

    problem(await try_sign_in(hub, "hoa"), 403, "account_closed")


async def test_the_directory_is_told_to_servers_only_and_only_when_it_is_new(client: Client, hub: Client) -> None:
    await add_person(client, "hoa", grant("field_worker"))
    worker = await sign_in(client, "hoa")
    problem(await client.get("/api/peers/directory"), 401, "not_signed_in")
    problem(await client.get("/api/peers/directory", headers=worker.headers), 403, "not_allowed")
    peer = await as_hub(hub, client)
    parts = parts_towards(hub.app, client.app)
    async with parts.open_client(peer) as http:
        remote = remote_of(parts, peer, http)
        assert await pull_directory(parts, peer, remote) > 0
        assert await pull_directory(parts, peer, remote) == 0


async def test_a_wrong_password_is_a_sentence_and_loses_nothing(client: Client, hub: Client) -> None:
    account = await peer_account(client)
    peer = await add_peer(hub.app, DOOR, **{**account, "password": "something else"})

    statuses = await sync(hub.app, peer, client.app)

    # Asked once: ninety databases would be ninety wrong guesses, and lock the account.
    assert [(key, one.trouble and one.trouble.code) for key, one in statuses.items()] == [
        (("connection", "pull"), "sign_in")
    ]


def seal_of(phone: Phone, *documents: dict[str, Any]) -> dict[str, Any]:
    push = [(DATABASE, document["_id"], document["_rev"]) for document in documents]
    said = said_digest({"unsent": [], "discarded": [], "drafts": 0, "media": 0}, [])
    content = {"type": "seal", "enrolment": phone.enrolment, "exchange": "1", "push": push, "said": said}
    jws = phone.sign(sealed_payload(phone.enrolment, "1", push, said))
    return {"_id": "seal:01", "_rev": "1-" + "a" * 32, **content, "jws": jws}


@pytest.mark.parametrize("order", ["seal first", "seal last", "together"])
async def test_a_seal_says_whose_a_revision_is_whenever_it_comes(client: Client, storage: Storage, order: str) -> None:
    await with_form(client)
    phone = await a_phone(client)
    record = save(phone)
    ingest = parts_of(client.app).ingest
    record_and_seal: list[list[Any]] = [[(record, ())], [(seal_of(phone, record), ())]]
    if order == "seal first":
        record_and_seal.reverse()
    if order == "together":
        record_and_seal = [[*record_and_seal[0], *record_and_seal[1]]]

    for batch in record_and_seal:
        outcomes = await ingest.receive(DATABASE, batch, PeerSender("peer:other"))
        assert {one.outcome for one in outcomes} == {"stored"}

    assert await author(client, record["_id"]) == (phone.person["id"], phone.enrolment)


async def test_a_seal_over_somebody_elses_save_or_with_a_forged_signature_claims_nothing(client: Client) -> None:
    await with_form(client)
    hoa, lan = await a_phone(client, "hoa"), await a_phone(client, "lan")
    record, other = save(hoa), save(hoa)
    stolen, forged = seal_of(lan, record), seal_of(hoa, other)
    forged["_id"], forged["jws"] = "seal:02", seal_of(lan, other)["jws"]
    batch: list[Any] = [(document, ()) for document in (stolen, forged, record, other)]

    await parts_of(client.app).ingest.receive(DATABASE, batch, PeerSender("peer:other"))

    assert await author(client, record["_id"]) == ("peer:other", None)
    assert await author(client, other["_id"]) == ("peer:other", None)


async def test_a_late_seal_names_the_worker_in_the_reviewers_list(client: Client) -> None:
    await with_form(client)
    phone = await a_phone(client)
    record = save(phone)
    ingest, runner = parts_of(client.app).ingest, client.app.state["runner"]
    await ingest.receive(DATABASE, [(record, ())], PeerSender("peer:other"))
    await runner.once()
    await ingest.receive(DATABASE, [(seal_of(phone, record), ())], PeerSender("peer:other"))
    for look in runner.looks:
        await look()
    await add_person(client, "chief", grant("supervisor"))
    headers = (await sign_in(client, "chief")).headers

    rows = (await client.get("/api/review/records", headers=headers)).json()["records"]

    assert [row["by_name"] for row in rows] == ["Người hoa"], json.dumps(rows)

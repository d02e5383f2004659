"""Decisions made at a hub: a supervisor's count at the province, which knows by whose word; a manager's are refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.areas.grants import Grant
from server.auth.audit import acts_on
from server.auth.people import set_grants
from server.demo.phone import Phone
from server.ingest.peer_ingest import PeerSender
from server.journal.model import NewRevision, Origin
from server.peers.background import parts_of
from server.peers.model import Peer
from server.settings import Settings
from tests.builders import PASSWORD, SIN_THAU, Client, add_person, grant, problem, sign_in
from tests.conftest import StandingClock
from tests.server.couchdb_door import record, rev
from tests.server.hub_world import followed
from tests.server.peers_world import a_server, add_peer, digests, peer_account, sync, synced
from tests.server.sync_door import DATABASE, save, with_form
from tests.server.test_peers_hub import as_hub

pytestmark = pytest.mark.by_turns


@pytest.fixture
async def hub(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    (tmp_path / "hub").mkdir()
    async with a_server(tmp_path / "hub", settings, clock) as client:
        yield client


async def a_hub_with_people(hub: Client, province: Client) -> Peer:
    """Make a hub with a worker, a supervisor and a data manager of its scope."""
    await with_form(province)
    for name, role in (("hoa", "field_worker"), ("sơn", "supervisor"), ("quản", "data_manager")):
        await add_person(province, name, grant(role))  # type: ignore[arg-type]
    peer = await as_hub(hub, province)
    await synced(hub.app, peer, province.app)
    return peer


async def recorded(server: Client, **answers: str) -> dict[str, Any]:
    phone = await Phone(server, clock=server.app.state["clock"]).sign_in("hoa", PASSWORD)
    record = save(phone, **answers)
    await phone.sync()
    await followed(server)
    return record


async def decide(server: Client, record: dict[str, Any], decision: str = "approved", who: str = "sơn") -> str:
    """Decide at a server's desk; return the decision's id."""
    headers = (await sign_in(server, who)).headers
    body = {"rev": record["_rev"], "decision": decision, "comment": "Xem lại số cây"}
    path = f"/api/review/records/{DATABASE}/{record['_id']}/decisions"
    answer = await server.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def shown(server: Client, record: dict[str, Any]) -> dict[str, Any]:
    headers = (await sign_in(server, "sơn")).headers
    path = f"/api/review/records/{DATABASE}/{record['_id']}"
    found: dict[str, Any] = (await server.get(path, headers=headers)).json()
    return found


async def kept_aside(server: Client) -> list[tuple[str, str]]:
    return [(one.doc_id, one.reason) for one in await server.app.state["journal"].quarantined()]


@pytest.mark.parametrize("decision", ["approved", "returned"])
async def test_what_a_supervisor_decides_at_the_hub_counts_at_the_province(
    client: Client, hub: Client, decision: str
) -> None:
    peer = await a_hub_with_people(hub, client)
    record = await recorded(hub)
    document = await decide(hub, record, decision)

    await synced(hub.app, peer, client.app)
    await followed(client)

    there = await shown(client, record)
    assert (there["state"], [each["id"] for each in there["reviews"]]) == (decision, [document])
    assert (there["published_rev"] == record["_rev"]) == (decision == "approved")
    assert len(await digests(client, hub)) == 1
    # Whose word it counts by is known.
    async with client.app.state["storage"].read() as connection:
        (act,) = await acts_on(connection, f"{DATABASE}/{record['_id']}")
    assert (act.action, act.details) == ("review.brought", {"document": document, "by_way_of": "peer:hub"})
    # And it reaches the worker's phone from the province.
    phone = await Phone(client, clock=client.app.state["clock"]).sign_in("hoa", PASSWORD)
    await phone.sync()
    assert phone.documents[DATABASE][document]["decision"] == decision


@pytest.mark.slow
async def test_a_decision_of_both_desks_stands_beside_the_others_until_one_knows_both(
    client: Client, hub: Client
) -> None:
    peer = await a_hub_with_people(hub, client)
    record = await recorded(client)
    await synced(hub.app, peer, client.app)
    await followed(hub)
    await add_person(client, "mai", grant("supervisor"))
    await decide(client, record, "approved", "mai")
    await decide(hub, record, "returned")

    for _ in range(2):
        await synced(hub.app, peer, client.app)
        await followed(client, hub)

    # The stricter holds, on both alike.
    assert [(await shown(each, record))["state"] for each in (client, hub)] == ["returned"] * 2
    assert [(await shown(each, record))["published_rev"] for each in (client, hub)] == [None, None]


async def test_a_decision_by_somebody_without_the_right_is_kept_aside_and_named(client: Client, hub: Client) -> None:
    peer = await a_hub_with_people(hub, client)
    record = await recorded(hub)
    document = await decide(hub, record)
    person = (await sign_in(client, "sơn")).person
    async with client.app.state["storage"].write() as connection:
        # Out of the office since, which the hub has not heard.
        await set_grants(connection, person, [Grant("supervisor", "agri", SIN_THAU)])

    await synced(hub.app, peer, client.app)
    await followed(client)

    assert await kept_aside(client) == [(document, "rights_lost")]
    async with client.app.state["storage"].write() as connection:
        await set_grants(connection, person, [grant("supervisor")])
    assert (await shown(client, record))["state"] == "received"
    manager = (await sign_in(client, "quản")).headers
    (entry,) = (await client.get("/api/conflicts/quarantine", headers=manager)).json()["entries"]
    assert (entry["id"], entry["reason"]) == (document, "rights_lost")


@pytest.mark.parametrize("forger", ["hoa", "nobody"])
async def test_nobody_decides_by_being_named_at_a_hub(client: Client, hub: Client, forger: str) -> None:
    peer = await a_hub_with_people(hub, client)
    record = await recorded(hub)
    by = (await sign_in(client, "hoa")).person if forger == "hoa" else "018f5c3e-0000-7000-8000-00000000000f"
    document = f"review:{record['_id']}:018f5c3e-0000-7000-8000-000000000001"
    content = {"type": "review", "record": record["_id"], "rev": record["_rev"], "decision": "approved", "by": by}
    forged = NewRevision.following(document, content, None)
    await hub.app.state["journal"].write(DATABASE, [forged], Origin(by))

    await synced(hub.app, peer, client.app)
    await followed(client)

    assert await kept_aside(client) == [(document, "rights_lost")]
    assert (await shown(client, record))["state"] == "received"


async def test_a_server_that_is_only_read_from_makes_nobody_a_decider(client: Client, hub: Client) -> None:
    """A CouchDB hands on what anybody wrote into it."""
    await a_hub_with_people(hub, client)
    record = await recorded(client)
    by = (await sign_in(client, "sơn")).person
    document = f"review:{record['_id']}:018f5c3e-0000-7000-8000-000000000001"
    content = {"type": "review", "record": record["_id"], "rev": record["_rev"], "decision": "approved", "by": by}
    forged = NewRevision.following(document, content, None)
    brought = ({"_id": document, "_rev": forged.rev, **content}, ())

    await parts_of(client.app).ingest.receive(DATABASE, [brought], PeerSender("peer:couchdb"))
    await followed(client)

    assert (await shown(client, record))["state"] == "received"


async def test_an_account_of_another_scope_brings_no_decision_about_this_one(client: Client, hub: Client) -> None:
    await a_hub_with_people(hub, client)
    record = await recorded(client)
    account = await peer_account(client, "elsewhere", SIN_THAU)
    await with_form(hub)
    peer = await add_peer(hub.app, "http://testserver/db", name="again", direction="push", **account)
    by = (await sign_in(client, "sơn")).person
    content = {"type": "review", "record": record["_id"], "rev": record["_rev"], "decision": "approved", "by": by}
    forged = NewRevision.following(f"review:{record['_id']}:018f5c3e-0000-7000-8000-000000000001", content, None)
    await hub.app.state["journal"].write(DATABASE, [forged], Origin(by))

    statuses = await sync(hub.app, peer, client.app)

    trouble = statuses[DATABASE, "push"].trouble
    assert trouble is not None
    assert trouble.code in ("not_allowed", "no_database")
    assert (await shown(client, record))["state"] == "received"


DESK = "/api/conflicts/agri-03226-2025/018f5c3e-0000-7000-8000-0000000000aa"
PAIR = "/api/duplicates/agri-03226-2025/018f5c3e-0000-7000-8000-0000000000aa/018f5c3e-0000-7000-8000-0000000000bb"


@pytest.mark.parametrize(
    "path",
    [
        f"{DESK}/decide",
        f"{DESK}/undo",
        "/api/conflicts/batch",
        "/api/conflicts/batch/undo",
        f"{PAIR}/decide",
        f"{PAIR}/part",
    ],
)
async def test_a_manager_is_told_at_the_hub_that_conflicts_are_decided_at_the_province(
    client: Client, hub: Client, path: str
) -> None:
    await a_hub_with_people(hub, client)
    hub.app.state["clock"].move(seconds=60)
    manager = (await sign_in(hub, "quản")).headers

    told = problem(await hub.post(path, json={}, headers=manager), 409, "hub_does_not_decide")

    assert told == {"province": "http://testserver"}
    # At the province the same door is open.
    assert (await client.post(path, json={}, headers=(await sign_in(client, "quản")).headers)).status_code != 409


async def test_at_the_hub_questions_may_be_asked_and_conflicts_looked_at(client: Client, hub: Client) -> None:
    await a_hub_with_people(hub, client)
    hub.app.state["clock"].move(seconds=60)
    manager = (await sign_in(hub, "quản")).headers

    assert (await hub.get("/api/conflicts", headers=manager)).status_code == 200
    answer = await hub.post(f"{DESK}/ask", json={"path": "/answers/trees", "text": "?"}, headers=manager)
    assert answer.status_code != 409


async def test_a_record_that_names_somebody_is_not_theirs(client: Client) -> None:
    await with_form(client)
    somebody = await add_person(client, "sơn", grant("supervisor"))
    ingest = parts_of(client.app).ingest
    document = {**record(), "_id": "a", "_rev": rev(1, "a"), "by": somebody.id}
    [outcome] = await ingest.receive(DATABASE, [(document, ())], PeerSender("peer:province", is_believed=True))
    assert outcome.outcome == "stored"
    assert (await client.app.state["journal"].document(DATABASE, "a")).person == "peer:province"

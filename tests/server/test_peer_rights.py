"""Who may be a server, and what a hub is told: hashes of its own people, and which sign-ins have ended."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.areas.grants import Grant
from server.auth.passwords import UNTOLD
from server.peers.directory_pull import take_over
from server.peers.model import Peer
from server.settings import Settings
from sync.contract.authority import DIRECTORY
from tests.builders import (
    PASSWORD,
    SIN_CHAI,
    SIN_THAU,
    Client,
    DeviceKey,
    add_person,
    grant,
    person_signed_in,
    problem,
    sign_in,
    try_sign_in,
)
from tests.conftest import StandingClock
from tests.server.peers_world import a_server, peer_account, synced
from tests.server.sync_door import DATABASE, with_form
from tests.server.test_peers_hub import as_hub

pytestmark = pytest.mark.by_turns

NEW = "một mật khẩu khác hẳn"
PEER = {"role": "peer", "project": "agri", "unit": SIN_CHAI}


@pytest.fixture
async def hub(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[Client]:
    (tmp_path / "hub").mkdir()
    async with a_server(tmp_path / "hub", settings, clock) as client:
        yield client


async def told(client: Client) -> dict[str, Any]:
    """Return the directory as the hub of the commune hears it."""
    await peer_account(client, "trạm")
    auth = httpx.BasicAuth("trạm", PASSWORD)
    answer = await client.get("/api/peers/directory", auth=auth)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["directory"]
    return found


@pytest.mark.parametrize("unit", [SIN_CHAI, "11"])
async def test_the_role_of_servers_is_handed_out_by_who_manages_peers_alone(client: Client, unit: str) -> None:
    asking = await person_signed_in(client, "dung", Grant("administrator", "agri", unit))
    own = {"role": "administrator", "project": "agri", "unit": unit}
    path = f"/api/people/{asking.person}/grants"
    answer = await client.put(path, json={"grants": [own, PEER]}, headers=asking.headers)
    assert problem(answer, 403, "not_allowed")["action"] == "manage_people"
    body = {"username": "trạm", "name": "Trạm", "password": NEW, "grants": [PEER]}
    problem(await client.post("/api/people", json=body, headers=asking.headers), 403, "not_allowed")
    problem(await client.get("/api/peers/directory", headers=asking.headers), 403, "not_allowed")
    # Nor does she take over the account of a hub in her commune.
    account = await add_person(client, "trạm2", grant("peer"))
    answer = await client.patch(f"/api/people/{account.id}", json={"password": NEW}, headers=asking.headers)
    problem(answer, 404, "not_found")

    province = await person_signed_in(client, "tỉnh", Grant("administrator", "*", "11"))
    assert (await client.post("/api/people", json=body, headers=province.headers)).status_code == 201


async def test_a_directory_holds_hashes_only_of_people_who_work_nowhere_else(client: Client) -> None:
    here = await add_person(client, "hoa", grant("field_worker"), grant("supervisor"))
    both = await add_person(client, "lan", grant("field_worker"), grant("field_worker", "agri", SIN_THAU))
    tourism = await add_person(client, "mai", grant("field_worker"), grant("supervisor", "tourism"))
    above = await add_person(client, "sơn", Grant("supervisor", "agri", "11"))
    admin = await add_person(client, "dung", Grant("administrator", "*", "11"))
    await add_person(client, "xa", grant("field_worker", "agri", SIN_THAU))
    key = DeviceKey()
    await sign_in(client, "lan", key=key)

    found = await told(client)

    hashes = {row["id"]: row["password"] for row in found["people"]}
    assert {person for person, encoded in hashes.items() if encoded} == {here.id}
    assert hashes.keys() == {each.id for each in (here, both, tourism, above, admin)}
    # Keys and names go for everybody who may write there, and of grants the part that lies there.
    assert [row["id"] for row in found["enrolments"]] == [key.enrolment]
    held = {(row["person"], row["role"], row["project"], row["unit"]) for row in found["grants"]}
    assert {(project, unit) for _, _, project, unit in held} == {("agri", SIN_CHAI)}
    assert {(above.id, "supervisor"), (admin.id, "administrator")} <= {each[:2] for each in held}


async def a_hub(hub: Client, province: Client) -> Peer:
    await with_form(province)
    await add_person(province, "hoa", grant("field_worker"))
    await add_person(province, "sơn", Grant("supervisor", "agri", "11"))
    peer = await as_hub(hub, province)
    await synced(hub.app, peer, province.app)
    return peer


async def test_who_works_elsewhere_too_is_told_at_the_hub_to_sign_in_at_the_province(
    client: Client, hub: Client
) -> None:
    await a_hub(hub, client)
    assert (await try_sign_in(hub, "hoa")).status_code == 200
    for password in (PASSWORD, "sai hoàn toàn", UNTOLD):
        answer = await try_sign_in(hub, "sơn", password)
        assert answer.json()["code"] == ("invalid_request" if password == UNTOLD else "sign_in_at_province")
    problem(await try_sign_in(hub, "ai đó"), 401, "wrong_password")
    answer = await hub.get(f"/db/{DATABASE}/", auth=httpx.BasicAuth("sơn", PASSWORD))
    assert answer.status_code == 401
    assert "at the province once" in answer.json()["reason"]


async def test_who_administers_all_of_a_hub_sees_there_how_it_stands_and_changes_nothing(
    client: Client, hub: Client
) -> None:
    await add_person(client, "xã", Grant("administrator", "agri", SIN_CHAI))
    peer = await a_hub(hub, client)
    there = await sign_in(hub, "xã")
    seen = (await hub.get("/api/peers", headers=there.headers)).json()
    assert [each["name"] for each in seen["peers"]] == ["province"]
    assert seen["may_manage"] is False
    assert (await hub.post(f"/api/peers/{peer.id}/sync", headers=there.headers)).status_code == 202
    problem(await hub.delete(f"/api/peers/{peer.id}", headers=there.headers), 403, "not_allowed")
    # Not who administers nothing there, nor the same person at the province.
    for server, name in ((hub, "hoa"), (client, "xã")):
        headers = (await sign_in(server, name)).headers
        for answer in (
            await server.get("/api/peers", headers=headers),
            await server.post(f"/api/peers/{peer.id}/sync", headers=headers),
        ):
            problem(answer, 403, "not_allowed")


async def test_a_changed_password_ends_sign_ins_at_the_hub_too(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    thief, at_home = await sign_in(hub, "hoa", key=DeviceKey()), await sign_in(client, "hoa")
    body = {"password": PASSWORD, "new_password": NEW}
    assert (await client.post("/api/auth/password", json=body, headers=at_home.headers)).status_code == 204
    assert (await hub.get("/api/me", headers=thief.headers)).status_code == 200

    await synced(hub.app, peer, client.app)

    problem(await hub.get("/api/me", headers=thief.headers), 401, "not_signed_in")
    problem(await hub.post("/api/auth/refresh", json={"refresh_token": thief.refresh}), 401, "not_signed_in")
    # The new password is good there, and what was ended once is not ended again.
    again = await sign_in(hub, "hoa", NEW)
    await add_person(client, "lan", grant("field_worker"))
    await synced(hub.app, peer, client.app)
    assert (await hub.get("/api/me", headers=again.headers)).status_code == 200


async def test_a_password_that_a_hub_is_not_told_ends_sign_ins_there_as_well(client: Client, hub: Client) -> None:
    peer = await a_hub(hub, client)
    desk = await sign_in(hub, "hoa")
    async with client.app.state["storage"].write() as connection:
        from server.auth.people import set_grants

        await set_grants(connection, desk.person, [Grant("field_worker", "agri", "11")])
    await synced(hub.app, peer, client.app)
    assert (await hub.get("/api/me", headers=desk.headers)).status_code == 200
    at_home = await sign_in(client, "hoa")
    body = {"password": PASSWORD, "new_password": NEW}
    assert (await client.post("/api/auth/password", json=body, headers=at_home.headers)).status_code == 204

    await synced(hub.app, peer, client.app)

    problem(await hub.get("/api/me", headers=desk.headers), 401, "not_signed_in")


@pytest.mark.parametrize("is_stolen", [False, True])
async def test_a_phone_whose_sign_in_ended_at_the_province_is_signed_out_at_the_hub(
    client: Client, hub: Client, is_stolen: bool
) -> None:
    peer = await a_hub(hub, client)
    key = DeviceKey()
    at_home, at_hub, other = (
        await sign_in(client, "hoa", key=key),
        await sign_in(hub, "hoa", key=key),
        await sign_in(hub, "hoa", key=DeviceKey()),
    )
    if is_stolen:
        token = at_home.refresh
        for _ in range(2):
            token = (await client.post("/api/auth/refresh", json={"refresh_token": token})).json()["refresh_token"]
        await client.post("/api/auth/refresh", json={"refresh_token": at_home.refresh})
    else:
        await client.post("/api/auth/logout", json={"refresh_token": at_home.refresh})

    await synced(hub.app, peer, client.app)

    problem(await hub.get("/api/me", headers=at_hub.headers), 401, "not_signed_in")
    assert (await hub.get("/api/me", headers=other.headers)).status_code == 200


async def test_a_hub_takes_no_directory_with_columns_that_none_may_hold(client: Client, hub: Client) -> None:
    await a_hub(hub, client)
    found = await told(client)
    known = {name: {column for row in found[name] for column in row} for name in ("people", "grants", "enrolments")}
    assert all(known[name] <= {*(DIRECTORY[name].columns or ())} for name in known)
    found["people"][0]["signed_in_at"] = None
    async with hub.app.state["storage"].write() as connection:
        with pytest.raises(ValueError, match="people with signed_in_at"):
            await take_over(connection, found, hub.app.state["clock"]())

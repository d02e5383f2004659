"""A peer that is down, slow, full, or answers garbage or half: nothing is lost, and the book says what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from server.areas.areas import Areas
from server.demo.phone import Phone
from server.journal.model import NewRevision, Origin
from server.peers import remote
from server.peers.background import parts_of
from server.peers.commands import tell
from server.peers.failures import SENTENCES
from server.peers.model import Peer
from server.peers.overview import PeerOverviews
from server.peers.runner import PeersRunner
from server.platform.db.engine import Storage
from server.settings import Settings
from sync.revisions.admission import MAX_GENERATION_JUMP
from sync.revisions.revision_id import RESOLVED_TOMBSTONE
from tests.builders import Client, add_person, grant, person_signed_in, problem, sign_in
from tests.conftest import StandingClock
from tests.server.misbehaving_peer import FAULTS, MisbehavingPeer, misbehaving, struck_over
from tests.server.peers_world import a_server, add_peer, digests, histories, peer_account, sync, synced
from tests.server.sync_door import DATABASE, a_phone, save, with_form

pytestmark = pytest.mark.by_turns

CODES = {
    "half": {"half"},
    "garbage": {"garbage"},
    "other json": {"garbage"},
    "500": {"failing"},
    "507": {"full"},
    "silent": {"slow"},
    "answer lost": {"half", "unreachable"},
    "refused": {"half", "unreachable"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "other"
    found.mkdir()
    return found


@pytest.fixture
async def there(folder: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[MisbehavingPeer]:
    async with a_server(folder, settings, clock) as other, misbehaving(other.app) as peer:
        yield peer


async def record_of_two_revisions(phone: Phone) -> None:
    record = save(phone)
    await phone.sync()
    save(phone, record["_id"], trees="40")
    await phone.sync()


async def both_have_something(client: Client, there: MisbehavingPeer) -> Peer:
    """Give each side a record that the other lacks, and return the one as the other's peer."""
    other = Client(there.app)
    for side, name in ((client, "hoa"), (other, "lan")):
        await with_form(side)
        await record_of_two_revisions(await a_phone(side, name))
    return await add_peer(client.app, there.url, **await peer_account(other))


async def troubles_of(client: Client, peer: Peer) -> set[str]:
    """Exchange once with the peer, and return the troubles that this met."""
    return {one.trouble.code for one in (await sync(client.app, peer)).values() if one.trouble}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_goes_wrong_at_any_request_the_next_round_makes_good(
    client: Client, there: MisbehavingPeer, storage: Storage, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "silent":
        for name in ("SILENCE_S", "BULK_SILENCE_S"):
            monkeypatch.setattr(remote, name, 1.0)
    phones = [await a_phone(side, "mai") for side in (client, Client(there.app))]
    peer = await both_have_something(client, there)
    # An answer that was cut off or lost matters at every request, the others at some of each kind.
    for at in struck_over(storage, 1 if fault in ("half", "answer lost") else 3):
        there.asked.clear()
        there.plan = lambda number, _method, _path, at=at: fault if number == at else None  # type: ignore[misc]
        troubles = await troubles_of(client, peer)
        if len(there.asked) <= at:
            break
        assert troubles <= CODES[fault]
        assert troubles or fault == "other json", there.asked[at]
        for phone in phones:
            await record_of_two_revisions(phone)
    assert at > 8
    # Between the leaves and their ancestors a history can be lost.
    for phone in phones:
        await record_of_two_revisions(phone)
    struck: list[str] = []

    def at_the_ancestors(_number: int, _method: str, path: str) -> str | None:
        if not (path.endswith("_bulk_get") and there.asked[-1][1].endswith("_revs_diff")):
            return None
        struck.append(path)
        return fault

    there.plan = at_the_ancestors
    await troubles_of(client, peer)
    assert struck
    there.plan = lambda _number, _method, _path: None
    troubles = await troubles_of(client, peer)
    assert not troubles
    assert len(await histories(client, Client(there.app))) == 1
    assert len(await digests(client, Client(there.app))) == 1


async def test_a_checkpoint_stands_nowhere_before_its_documents_are_there(
    client: Client, there: MisbehavingPeer
) -> None:
    peer = await both_have_something(client, there)
    there.plan = lambda _number, _method, path: "507" if path.endswith("_bulk_docs") else None
    statuses = await sync(client.app, peer)
    trouble = statuses[DATABASE, "push"].trouble
    assert trouble is not None
    assert (trouble.code, trouble.told) == ("full", "507 insufficient_storage the disk is full")
    assert statuses[DATABASE, "pull"].trouble is None
    assert not [path for method, path in there.asked if method == "PUT" and "_local" in path][1:]

    there.plan = lambda _number, _method, _path: None
    await synced(client.app, peer)

    assert len(await histories(client, Client(there.app))) == 1


async def test_trouble_has_the_moment_at_which_it_began(
    client: Client, there: MisbehavingPeer, clock: StandingClock
) -> None:
    peer = await both_have_something(client, there)
    began: datetime = clock()
    there.plan = lambda _number, _method, _path: "500"
    await sync(client.app, peer)
    clock.move(hours=3)
    statuses = await sync(client.app, peer)
    assert {one.since for one in statuses.values()} == {began}
    assert {one.checked_at for one in statuses.values()} == {clock()}


async def test_administrators_see_what_is_the_matter_and_nobody_else_does(
    client: Client, there: MisbehavingPeer
) -> None:
    peer = await both_have_something(client, there)
    there.plan = lambda _number, _method, _path: "garbage"
    await sync(client.app, peer)
    await add_person(client, "chief", grant("administrator", "*", "11"))
    await add_person(client, "small", grant("administrator"))
    chief, small = await sign_in(client, "chief"), await sign_in(client, "small")

    problem(await client.get("/api/peers", headers=small.headers), 403, "not_allowed")
    answer = (await client.get("/api/peers", headers=chief.headers)).json()

    assert answer["province"] is None
    (shown,) = answer["peers"]
    assert {one["trouble"] for one in shown["statuses"]} == {"garbage"}
    assert set(SENTENCES) >= {one["trouble"] for one in shown["statuses"]}
    assert "password" not in shown
    assert (await client.post(f"/api/peers/{peer.id}/sync", headers=chief.headers)).status_code == 202
    assert (await client.delete(f"/api/peers/{peer.id}", headers=chief.headers)).status_code == 204
    assert (await client.get("/api/peers", headers=chief.headers)).json()["peers"] == []


async def test_what_waits_here_is_counted_while_the_peer_is_away(client: Client, there: MisbehavingPeer) -> None:
    peer = await both_have_something(client, there)
    await synced(client.app, peer)
    chief = await person_signed_in(client, "chief", grant("administrator", "*", "11"))

    async def behind() -> dict[tuple[str, str], int]:
        (shown,) = (await client.get("/api/peers", headers=chief.headers)).json()["peers"]
        found = {(one["database"], one["direction"]): one["behind"] or 0 for one in shown["statuses"]}
        assert shown["behind"] == sum(found.values())
        return found

    assert (await behind())[DATABASE, "push"] == 0
    there.plan = lambda _number, _method, _path: "500"
    new = [NewRevision.following(f"new-{number}", {"type": "record"}, None) for number in range(3)]
    await client.app.state["journal"].write(DATABASE, new, Origin())
    await sync(client.app, peer)
    assert (await behind())[DATABASE, "push"] == 3


async def test_what_a_person_must_look_at_is_counted_beside_the_peer_that_shares_it(
    client: Client, there: MisbehavingPeer, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = await both_have_something(client, there)
    await synced(client.app, peer)
    chief = await person_signed_in(client, "chief", grant("administrator", "*", "11"))
    journal = client.app.state["journal"]

    async def held() -> tuple[int, str]:
        (shown,) = (await client.get("/api/peers", headers=chief.headers)).json()["peers"]
        parts = parts_of(client.app)
        areas = Areas(parts.storage, journal, parts.clock)
        tell(await PeerOverviews(parts.storage, journal, areas, parts.clock, parts.book).of(peer))
        return shown["held"], capsys.readouterr().out

    count, told = await held()
    assert count == 0
    assert "held for a look" not in told
    first = NewRevision.following("new", {"type": "record"}, None)
    ahead = NewRevision("new", f"{2 * MAX_GENERATION_JUMP}-{'a' * 32}", (), False, b'{"type":"record"}', verify=False)
    misfit = replace(NewRevision.following("odd", {"type": "record"}, None), quarantine="misfit_answers")
    # Nobody is asked about the end of a branch that nothing has taken in yet.
    end = NewRevision.with_body("new", RESOLVED_TOMBSTONE, first.rev, deleted=True)
    await journal.write(DATABASE, [first, ahead, misfit, end], Origin())
    # Nor does this peer share the catalog's.
    await journal.write("catalog", [replace(misfit, quarantine="not_a_record")], Origin())
    count, told = await held()
    assert count == 2
    assert "2 revisions held for a look" in told
    await journal.accept(DATABASE, "odd", misfit.rev, Origin())
    assert (await held())[0] == 1


async def test_a_password_or_a_token_in_the_address_is_refused(client: Client) -> None:
    await add_person(client, "chief", grant("administrator", "*", "11"))
    chief = await sign_in(client, "chief")
    for url in ("http://a:b@couchdb:5984", "ftp://couchdb", "couchdb", "http://couchdb?x=1"):
        answer = await client.post("/api/peers", json={"name": "couchdb", "url": url}, headers=chief.headers)
        problem(answer, 400, "invalid_request")


@asynccontextmanager
async def replicating(client: Client) -> AsyncIterator[PeersRunner]:
    runner = PeersRunner(parts_of(client.app), None)
    async with runner.running():
        yield runner


async def agreed(*clients: Client) -> None:
    for _ in range(400):
        if len(await histories(*clients)) == 1:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("they do not agree")


@pytest.mark.slow
async def test_continuous_replication_carries_both_ways_as_it_happens_and_outlives_an_outage(
    client: Client, there: MisbehavingPeer
) -> None:
    await both_have_something(client, there)
    other = Client(there.app)
    async with replicating(client):
        await agreed(client, other)
        there.plan = lambda _number, _method, _path: "refused"
        for side, name in ((client, "mai"), (other, "tuan")):
            phone = await a_phone(side, name)
            save(phone)
            await phone.sync()
        await asyncio.sleep(0.3)
        there.plan = lambda _number, _method, _path: None
        await agreed(client, other)
        assert (await client.app.state["journal"].state(DATABASE)).documents >= 4

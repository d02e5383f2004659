"""Replication with pouchdb-server from npm: an independent peer that speaks CouchDB's protocol."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from server.journal.model import NewRevision, Origin
from sync.revisions.canonical import Json
from tests.builders import Client
from tests.clients.pouchdb_server import pouchdb_server
from tests.server.peers_world import add_peer, parts_towards, sync, synced
from tests.server.sync_door import DATABASE, a_phone, save, with_form

# Each talks to a Node process, from what `make test` installs for it.
pytestmark = [pytest.mark.slow, pytest.mark.by_turns]


@pytest.fixture(scope="module")
def pouchdb() -> Iterator[str]:
    with pouchdb_server() as url:
        yield url


@pytest.fixture
async def there(pouchdb: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give the peer with nothing in it."""
    async with httpx.AsyncClient(base_url=pouchdb, timeout=20) as client:
        for name in (await client.get("/_all_dbs")).json():
            if not name.startswith("_"):
                await client.delete(f"/{name}/")
        yield client


async def test_what_phones_brought_reaches_the_peer_with_its_history_and_seals(
    client: Client, there: httpx.AsyncClient
) -> None:
    await with_form(client)
    phone = await a_phone(client)
    first = save(phone)
    await phone.sync()
    second = save(phone, first["_id"], trees="13")
    await phone.sync()
    peer = await add_peer(client.app, str(there.base_url), direction="push")

    await synced(client.app, peer)

    found = (await there.get(f"/{DATABASE}/{first['_id']}", params={"revs": "true"})).json()
    assert found["_rev"] == second["_rev"]
    assert found["answers"]["trees"] == "13"
    assert found["_revisions"]["ids"] == [second["_rev"].split("-")[1], first["_rev"].split("-")[1]]
    rows = (await there.get(f"/{DATABASE}/_all_docs")).json()["rows"]
    assert sum(row["id"].startswith("seal:") for row in rows) == 2


async def test_doing_it_again_sends_nothing_and_goes_on_from_the_checkpoint(
    client: Client, there: httpx.AsyncClient
) -> None:
    await with_form(client)
    phone = await a_phone(client)
    save(phone)
    await phone.sync()
    peer = await add_peer(client.app, str(there.base_url))
    await synced(client.app, peer)
    before = (await there.get(f"/{DATABASE}/")).json()["update_seq"]

    await synced(client.app, peer)

    assert (await there.get(f"/{DATABASE}/")).json()["update_seq"] == before
    statuses = await client.app.state["peer_book"].statuses(peer.id)
    assert [(one.direction, one.behind in (0, None), one.documents) for one in statuses] == [
        ("pull", True, 0),
        ("push", True, 2),
    ]


async def test_a_record_from_the_peer_is_the_peers_own_and_passes_admission(
    client: Client, there: httpx.AsyncClient
) -> None:
    await with_form(client)
    phone = await a_phone(client)
    record = save(phone)
    fitting = {name: value for name, value in record.items() if name not in ("_id", "_rev")}
    await there.put(f"/{DATABASE}/")
    await there.put(f"/{DATABASE}/fits", json=fitting)
    await there.put(f"/{DATABASE}/misfit", json={**fitting, "answers": {"trees": "many"}})
    await there.put(f"/{DATABASE}/nothing", json={"hello": "world"})
    # What another server tells of what is open there.
    await there.put(f"/{DATABASE}/open:fits", json={"type": "open", "record": "fits", "paths": []})
    peer = await add_peer(client.app, str(there.base_url), direction="pull")

    await synced(client.app, peer)

    journal = client.app.state["journal"]
    stored = await journal.document(DATABASE, "fits")
    assert (stored.person, stored.enrolment) == ("peer:other", None)
    assert await journal.document(DATABASE, "open:fits") is not None
    waiting = {one.doc_id: one.reason for one in await journal.quarantined(DATABASE)}
    assert waiting == {"misfit": "misfit_answers", "nothing": "not_a_record"}
    # What waits is here: the next round asks for none of it.
    parts = parts_towards(client.app)
    assert (await sync(client.app, peer))[DATABASE, "pull"].documents == 4
    assert await parts.journal.quarantined(DATABASE) == await journal.quarantined(DATABASE)


async def test_branches_and_deletions_go_both_ways_and_both_sides_show_one_winner(
    client: Client, there: httpx.AsyncClient
) -> None:
    await with_form(client)
    phone = await a_phone(client)
    first = save(phone)
    doc_id = first["_id"]
    await phone.sync()
    peer = await add_peer(client.app, str(there.base_url))
    await synced(client.app, peer)
    ours = save(phone, doc_id, trees="20")
    await phone.sync()
    body = {name: value for name, value in first.items() if name != "_id"}
    theirs = (
        await there.put(f"/{DATABASE}/{doc_id}", json={**body, "answers": {**first["answers"], "trees": "30"}})
    ).json()

    await synced(client.app, peer)
    await synced(client.app, peer)

    journal = client.app.state["journal"]
    here = await journal.document(DATABASE, doc_id)
    found = (await there.get(f"/{DATABASE}/{doc_id}", params={"conflicts": "true"})).json()
    assert {found["_rev"], *found["_conflicts"]} == {ours["_rev"], theirs["rev"]}
    assert here.rev == found["_rev"]
    for rev in (ours["_rev"], theirs["rev"]):
        await there.delete(f"/{DATABASE}/{doc_id}", params={"rev": rev})
    await synced(client.app, peer)
    gone = await journal.document(DATABASE, doc_id)
    assert gone is not None
    assert gone.deleted


async def test_a_thousand_documents_come_in_batches_and_a_lost_checkpoint_only_costs_time(
    client: Client, there: httpx.AsyncClient
) -> None:
    journal = client.app.state["journal"]
    contents: list[dict[str, Json]] = [{"type": "record", "erased": True, "n": str(number)} for number in range(450)]
    made = [NewRevision.following(f"r{number}", content, None) for number, content in enumerate(contents)]
    await journal.write(DATABASE, made, Origin())
    peer = await add_peer(client.app, str(there.base_url), direction="push")
    await synced(client.app, peer)
    assert (await there.get(f"/{DATABASE}/")).json()["doc_count"] == 450
    await there.delete(f"/{DATABASE}/")

    await synced(client.app, peer)

    assert (await there.get(f"/{DATABASE}/")).json()["doc_count"] == 450

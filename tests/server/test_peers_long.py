"""Documents that are long, and a link that bears little: batches are as large as both allow, and that is kept."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from server.journal.model import NewRevision, Origin
from server.journal.store import stream_bodies
from server.journal.store.branches import Branches
from server.peers import remote_database, replication
from server.peers.batch_size import BATCH, PATIENCE, BatchSize
from server.settings import Settings
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId
from tests.builders import Client
from tests.conftest import StandingClock
from tests.server.couchdb_door import record
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving
from tests.server.peers_world import a_server, add_peer, histories, peer_account, sync, synced
from tests.server.sync_door import DATABASE, with_form

pytestmark = pytest.mark.by_turns

LENGTH = 3_000


@pytest.fixture
async def there(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[MisbehavingPeer]:
    (tmp_path / "other").mkdir()
    async with a_server(tmp_path / "other", settings, clock) as other, misbehaving(other.app) as peer:
        yield peer


async def written(client: Client, count: int, length: int = LENGTH) -> None:
    content = {"type": "seal", "text": "x" * length}
    new = [NewRevision.following(f"seal:{number}", content, None) for number in range(count)]
    await client.app.state["journal"].write(DATABASE, new, Origin())


def count_of(there: MisbehavingPeer, verb: str) -> int:
    return sum(path.endswith(f"{DATABASE}/{verb}") for _, path in there.asked)


async def test_long_documents_are_pulled_in_answers_of_bounded_length(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_database, "SEVERAL_BYTES", 10 * LENGTH)
    other = Client(there.app)
    await written(other, 60)
    peer = await add_peer(client.app, there.url, direction="pull", **await peer_account(other))

    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1
    # One of sixty and one of fifteen were too long; three were not, and after a while not even six.
    assert count_of(there, "_bulk_get") == 2 + PATIENCE + 2
    there.asked.clear()
    await written(other, 80)
    await synced(client.app, peer)
    assert len(await histories(client, other)) == 1
    # None was read in vain: how long these documents are is known.
    assert count_of(there, "_bulk_get") <= 5


async def test_a_single_document_may_be_longer_than_several_together(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_database, "SEVERAL_BYTES", LENGTH)
    other = Client(there.app)
    await written(other, 3, LENGTH * 2)
    peer = await add_peer(client.app, there.url, direction="pull", **await peer_account(other))
    await synced(client.app, peer)
    assert len(await histories(client, other)) == 1


async def test_long_documents_are_pushed_some_at_a_time(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_bodies, "SHORT_BYTES", LENGTH // 2)
    monkeypatch.setattr(stream_bodies, "AT_ONCE_BYTES", 10 * LENGTH)
    await written(client, 60)
    other = Client(there.app)
    peer = await add_peer(client.app, there.url, direction="push", **await peer_account(other))
    await synced(client.app, peer)
    assert len(await histories(client, other)) == 1
    assert count_of(there, "_bulk_docs") == 7


@pytest.mark.parametrize(("direction", "verb"), [("pull", "_bulk_get"), ("push", "_bulk_docs")])
async def test_what_a_link_did_not_bear_is_known_to_the_next_exchange_by_hand(
    client: Client, there: MisbehavingPeer, direction: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each batch is a request of its own.
    monkeypatch.setattr(replication, "BATCH_BYTES", 100 * LENGTH)
    other = Client(there.app)
    await written(other if direction == "pull" else client, 60, 100)
    peer = await add_peer(client.app, there.url, direction=direction, **await peer_account(other))
    there.plan = lambda _number, _method, path: "garbage" if path.endswith(verb) else None
    for _ in range(2):
        statuses = await sync(client.app, peer)
        assert [one.trouble.code for one in statuses.values() if one.trouble] == ["garbage"]
    there.plan = lambda _number, _method, _path: None
    there.asked.clear()

    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1
    assert BATCH // 4 == 25
    assert count_of(there, verb) == 3


def test_what_is_no_pace_is_not_gone_by() -> None:
    written: list[Json] = [
        None,
        7,
        {},
        {"size": 0, "most": 5},
        {"size": "9", "most": 9},
        {"size": 9, "most": 5},
        {"size": 9e9},
    ]
    for odd in written:
        pace = BatchSize()
        pace.recall(odd)
        assert pace.size == BATCH


def test_a_pace_that_was_learnt_since_is_not_forgotten_for_what_was_written_before() -> None:
    pace, first = BatchSize(), BatchSize()
    first.was_too_much()
    pace.recall(first.written())
    assert pace.size == BATCH // 2
    pace.went_well()
    pace.was_too_much()
    pace.recall(first.written())
    assert pace.size == BATCH // 4


@pytest.mark.slow
@pytest.mark.parametrize("doc_id", ["long", "seal:long"])
@pytest.mark.parametrize("direction", ["pull", "push"])
async def test_a_history_of_more_edits_than_a_path_names_is_brought_whole_either_way(
    client: Client, there: MisbehavingPeer, direction: str, doc_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if doc_id.startswith("seal:") != client.app.state["storage"].is_postgresql:
        pytest.skip("each kind of document is tried over one store")
    named: list[int] = []
    line_of = Branches.line

    def line(of: Branches, rev: RevisionId, until: Collection[RevisionId] = ()) -> list[RevisionId]:
        found = line_of(of, rev, until)
        named.append(len(found))
        return found

    monkeypatch.setattr(Branches, "line", line)
    other = Client(there.app)
    source, target = (other, client) if direction == "pull" else (client, other)
    await with_form(source)
    await with_form(target)
    content: dict[str, Json] = {"type": "seal"} if doc_id.startswith("seal") else record()
    edits: list[NewRevision] = []
    for number in range(2_300):
        said = {**content, "saved": {"number": str(number)}}
        edits.append(NewRevision.following(doc_id, said, edits[-1].rev if edits else None))
    await source.app.state["journal"].write(DATABASE, edits, Origin())
    peer = await add_peer(client.app, there.url, direction=direction, **await peer_account(other))
    await synced(client.app, peer)
    assert len(await histories(client, other)) == 1
    assert await target.app.state["journal"].quarantined(DATABASE) == []
    # A path that names a thousand ancestors for each edit is a hundred megabytes in all.
    assert sum(named) < 20 * len(edits)

"""Servers hand each other whole histories, wherever the link breaks and whatever way the last revision came before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from server.journal.model import NewRevision, Origin
from server.peers.failures import PeerFailed
from server.peers.remote_database import PulledRevision, RemoteDatabase
from server.settings import Settings
from sync.revisions.canonical import Json
from tests.builders import Client
from tests.conftest import StandingClock
from tests.server.hub_world import followed
from tests.server.misbehaving_peer import MisbehavingPeer, misbehaving
from tests.server.peers_world import a_peer, a_server, add_peer, histories, peer_account, said, sync, synced
from tests.server.sync_door import ANSWERS, DATABASE, FORM, VERSION, with_form

Wanted = Mapping[str, Sequence[str]]


@pytest.fixture
async def there(tmp_path: Path, settings: Settings, clock: StandingClock) -> AsyncIterator[MisbehavingPeer]:
    folder = tmp_path / "other"
    folder.mkdir()
    async with a_server(folder, settings, clock) as other, misbehaving(other.app) as peer:
        yield peer


async def three_edits(client: Client, doc_id: str = "seal:1") -> list[NewRevision]:
    """Write a document of three revisions, and return them."""
    line: list[NewRevision] = []
    for number in range(3):
        parent = line[-1].rev if line else None
        line.append(NewRevision.following(doc_id, {"type": "seal", "n": str(number)}, parent))
        await client.app.state["journal"].write(DATABASE, line[-1:], Origin())
    return line


@pytest.mark.parametrize("direction", ["push", "pull"])
async def test_a_link_that_breaks_between_leaves_and_their_ancestors_costs_no_history(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    other = Client(there.app)
    await three_edits(client if direction == "push" else other)
    peer = await add_peer(client.app, there.url, direction=direction, **await peer_account(other))
    really, calls = RemoteDatabase.get, 0

    async def breaking(self: RemoteDatabase, wanted: Wanted) -> list[PulledRevision]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise PeerFailed("half", "after the leaves")
        return await really(self, wanted)

    monkeypatch.setattr(RemoteDatabase, "get", breaking)
    await sync(client.app, peer)
    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1


@pytest.mark.parametrize("direction", ["push", "pull"])
async def test_a_leaf_that_came_another_way_gets_its_history_all_the_same(
    client: Client, there: MisbehavingPeer, direction: str
) -> None:
    other = Client(there.app)
    source, target = (client, other) if direction == "push" else (other, client)
    line = await three_edits(source)
    last = line[-1]
    ancestors = tuple(one.rev for one in reversed(line[:-1]))
    alone = NewRevision(last.doc_id, last.rev, ancestors, False, last.content, verify=False)
    await target.app.state["journal"].write(DATABASE, [alone], Origin("peer:couchdb"))
    peer = await add_peer(client.app, there.url, direction=direction, **await peer_account(other))

    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1


@pytest.mark.parametrize("call", [1, 2])
async def test_a_revision_that_the_peer_does_not_find_at_first_comes_all_the_same(
    client: Client, there: MisbehavingPeer, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    other = Client(there.app)
    await three_edits(other)
    peer = await add_peer(client.app, there.url, direction="pull", **await peer_account(other))
    really, calls = RemoteDatabase.get, 0

    async def blind(self: RemoteDatabase, wanted: Wanted) -> list[PulledRevision]:
        nonlocal calls
        calls += 1
        if calls == call:
            return [
                PulledRevision(doc_id, rev, None, reason="not_found") for doc_id, revs in wanted.items() for rev in revs
            ]
        return await really(self, wanted)

    monkeypatch.setattr(RemoteDatabase, "get", blind)
    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1


async def test_an_ancestor_that_neither_side_has_is_waited_for_by_nobody(
    client: Client, there: MisbehavingPeer
) -> None:
    other = Client(there.app)
    alone = NewRevision("seal:1", "2-" + "b" * 32, ("1-" + "a" * 32,), False, b'{"type":"seal"}', verify=False)
    await other.app.state["journal"].write(DATABASE, [alone], Origin("peer:couchdb"))
    peer = await add_peer(client.app, there.url, direction="pull", **await peer_account(other))

    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1
    assert (await client.app.state["peer_book"].left_out(peer.id))[0] == 0
    assert sum(path.endswith("_bulk_get") for _, path in there.asked) == 1


FIRST, SECOND, THIRD = (digit * 32 for digit in "abc")
THE_SECOND = {"_id": "x", "_rev": f"2-{SECOND}", "_revisions": {"start": 2, "ids": [SECOND, FIRST]}}
THE_THIRD = {"_id": "x", "_rev": f"3-{THIRD}", "_revisions": {"start": 3, "ids": [THIRD, SECOND, FIRST]}}


@pytest.mark.parametrize(
    ("leaves", "reason"), [([THE_THIRD], "followed"), ([], "not_found"), (None, "not_found"), ([THE_SECOND], None)]
)
async def test_a_revision_that_is_not_found_was_followed_by_another_or_is_gone(
    leaves: list[dict[str, Json]] | None, reason: str | None
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["open_revs"] != "all":
            return said([{"missing": f"2-{SECOND}"}])
        if leaves is None:
            return said({"error": "not_found", "reason": "missing"}, status=404)
        return said([{"ok": leaf} for leaf in leaves])

    async with a_peer(answer) as remote:
        (found,) = await RemoteDatabase(remote, "agri").look_again("x", [f"2-{SECOND}"])

    assert (found.rev, found.reason) == (f"2-{SECOND}", reason)
    assert (found.document is not None) == (reason is None)


@pytest.mark.parametrize("direction", ["push", "pull"])
async def test_a_merge_brings_what_it_was_made_of(client: Client, there: MisbehavingPeer, direction: str) -> None:
    other = Client(there.app)
    source, target = (client, other) if direction == "push" else (other, client)
    for each in (client, other):
        await with_form(each)
    content: dict[str, Json] = {"type": "record", "form": FORM, "form_version": VERSION, "media": {}}
    for trees in ("12", "13"):
        said: Json = {**ANSWERS, "trees": trees}
        alone = NewRevision.following("tree", {**content, "answers": said}, None)
        await source.app.state["journal"].write(DATABASE, [alone], Origin())
    await followed(source)
    peer = await add_peer(client.app, there.url, direction=direction, **await peer_account(other))

    await synced(client.app, peer)

    assert len(await histories(client, other)) == 1
    assert [one.reason for one in await target.app.state["journal"].quarantined()] == []
    assert (await target.app.state["journal"].document(DATABASE, "tree")).rev.startswith("2-")

"""Documents that a follower could not take: administrators see them, try them again, and the rest goes on."""

from collections.abc import Sequence
from typing import Any

import pytest

from server.journal.followers.follower import Effects, Follower
from server.journal.followers.runner import Runner
from server.journal.model import Change, NewRevision, Origin
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, revision_id
from tests.builders import Client, grant, person_signed_in, problem

SCOPE = "agri-03226-2025"


class Fragile:
    """A projection that fails at the documents that it is told of."""

    name = "fragile"
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ()

    def __init__(self, *failing: str) -> None:
        self.failing = set(failing)

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        if self.failing.intersection(change.doc_id for change in changes):
            raise ValueError("what somebody answered")

        async def apply(_connection: object) -> None:
            return

        return apply


@pytest.fixture
async def fragile(client: Client) -> Fragile:
    """Follow three documents with a projection that cannot take the second."""
    state = client.app.state
    journal = state["journal"]
    made = [NewRevision.following(name, {"type": "record", "said": name}, None) for name in ("one", "two", "three")]
    await journal.write(SCOPE, made, Origin("lo"))
    projection = Fragile("two")
    follower = Follower(state["storage"], journal, state["clock"], projection)
    state["runner"] = Runner(state["storage"], journal, [follower])
    await state["runner"].once()
    return projection


async def listed(client: Client, headers: dict[str, str]) -> dict[str, Any]:
    response = await client.get("/api/following", headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_administrators_see_which_document_since_when_and_the_class_of_error(
    client: Client, fragile: Fragile
) -> None:
    who = await person_signed_in(client, "quan", grant("administrator"))
    [entry] = (await listed(client, who.headers))["set_aside"]
    assert (entry["follower"], entry["database"], entry["document"], entry["attempts"]) == ("fragile", SCOPE, "two", 3)
    assert entry["error"].startswith("ValueError at tests.server.test_set_aside")
    assert "answered" not in str(entry)


async def test_trying_again_takes_it_once_the_cause_is_gone(client: Client, fragile: Fragile) -> None:
    who = await person_signed_in(client, "quan", grant("administrator"))
    again = {"follower": "fragile", "database": SCOPE, "document": "two"}
    response = await client.post("/api/following/retry", json=again, headers=who.headers)
    assert response.json() == {"taken": False}
    [entry] = (await listed(client, who.headers))["set_aside"]
    assert entry["attempts"] == 4
    fragile.failing.clear()
    response = await client.post("/api/following/retry", json=again, headers=who.headers)
    assert response.json() == {"taken": True}
    assert (await listed(client, who.headers))["set_aside"] == []
    assert (await client.post("/api/following/retry", json=again, headers=who.headers)).json() == {"taken": True}


async def test_nobody_else_sees_them_nor_an_administrator_of_elsewhere(client: Client, fragile: Fragile) -> None:
    manager = await person_signed_in(client, "tuyet", grant("data_manager"))
    problem(await client.get("/api/following", headers=manager.headers), 403, "not_allowed")
    elsewhere = await person_signed_in(client, "binh", grant("administrator", unit="03158-2025"))
    assert (await listed(client, elsewhere.headers))["set_aside"] == []
    again = {"follower": "fragile", "database": SCOPE, "document": "two"}
    problem(await client.post("/api/following/retry", json=again, headers=elsewhere.headers), 404, "not_found")
    unknown = again | {"follower": "nobody"}
    who = await person_signed_in(client, "quan", grant("administrator"))
    problem(await client.post("/api/following/retry", json=unknown, headers=who.headers), 404, "not_found")


async def test_what_waits_for_other_revisions_is_counted(client: Client, fragile: Fragile) -> None:
    journal = client.app.state["journal"]
    parent = (await journal.document(SCOPE, "one")).rev
    rev = revision_id("one", deleted=True, parent=parent, content=RESOLVED_TOMBSTONE)
    await journal.write(SCOPE, [NewRevision("one", rev, (parent,), True, RESOLVED_TOMBSTONE)], Origin("peer:x"))
    who = await person_signed_in(client, "quan", grant("administrator"))
    [waiting] = (await listed(client, who.headers))["waiting"]
    assert (waiting["database"], waiting["reason"], waiting["count"]) == (SCOPE, "waits_for_merge", 1)

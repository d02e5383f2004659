"""Documents that are long and many: what one request names leaves a few megabytes at a time."""

import json
from collections.abc import Sequence

from server.gateway.couchdb import bulk_get
from server.revisions import bodies_in_turn
from server.revisions.bodies_in_turn import AT_ONCE_BYTES, SHORT_BYTES
from server.revisions.branches import Key
from server.revisions.statements import statements
from tests.builders import Client
from tests.server.couchdb_door import a_database, rev, revision

MEGABYTE = 1_000_000


async def test_bodies_come_in_their_order_some_megabytes_at_a_time(client: Client) -> None:
    door = await a_database(client)
    names = [f"d{number}" for number in range(12)]
    for name in names:
        await door.bring(revision(name, rev(1, name), x=name * (MEGABYTE // 3)))
    await door.bring(revision("short", rev(1, "s"), x="s"))
    storage = client.app.state["storage"]
    long: list[Key | None] = [(name, rev(1, name)) for name in names]
    keys = [None, *long[:5], ("short", rev(1, "s")), long[2], ("gone", rev(1, "g")), *long[5:], *long[:2]]
    found: list[bytes | None] = []
    sql = statements(is_postgresql=storage.is_postgresql)
    async for some in bodies_in_turn.bodies_in_turn(storage, sql, "notes", keys):
        held = {body for body in some if body is not None}
        assert sum(map(len, held)) <= AT_ONCE_BYTES + SHORT_BYTES
        found += some
    assert [body and json.loads(body)["x"][:2] for body in found] == [_said(key) for key in keys]


async def test_one_body_longer_than_all_that_is_read_at_once_comes_too(client: Client) -> None:
    door = await a_database(client)
    await door.bring(revision("a", rev(1, "a"), x="a" * (AT_ONCE_BYTES + 1)), revision("b", rev(1, "b"), x="b"))
    said = await door.post("/_bulk_get", {"docs": [{"id": "b"}, {"id": "a"}, {"id": "b"}]})
    assert [len(row["docs"][0]["ok"]["x"]) for row in said["results"]] == [1, AT_ONCE_BYTES + 1, 1]


async def test_bulk_get_of_many_long_documents_leaves_in_the_order_of_the_request(client: Client) -> None:
    door = await a_database(client)
    count = 7
    for number in range(count):
        await door.bring(revision(f"d{number}", rev(1, str(number)), n=number, x="x" * MEGABYTE))
    order = [number % count for number in range(bulk_get.PAGE * 5 // 100)] + list(range(count))
    said = await door.post("/_bulk_get?revs=true", {"docs": [{"id": f"d{number}"} for number in order]})
    assert _numbers(said["results"]) == order


def _numbers(results: Sequence[dict[str, list[dict[str, dict[str, int]]]]]) -> list[int]:
    return [row["docs"][0]["ok"]["n"] for row in results]


def _said(key: Key | None) -> str | None:
    if key is None or key[0] == "gone":
        return None
    return "s" if key[0] == "short" else (key[0] * 2)[:2]

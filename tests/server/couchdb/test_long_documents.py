"""Documents that are long and many: what one request names leaves a few megabytes at a time."""

import json
from collections.abc import Iterable, Sequence

import pytest

from server.gateway.couchdb import bulk_get, write_documents
from server.gateway.couchdb.write_documents import Stride
from server.journal.store import stream_bodies
from server.journal.store.branches import Key
from server.journal.store.statements import statements
from server.journal.store.stream_bodies import AT_ONCE_BYTES, SHORT_BYTES
from tests.builders import Client
from tests.server.couchdb_door import a_database, rev, revision

pytestmark = pytest.mark.by_turns

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
    async for some in stream_bodies.stream_bodies(storage, sql, "notes", keys):
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


async def test_feeds_and_lists_with_documents_read_as_many_as_are_few_enough_bytes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_documents, "ROWS_BYTES", 20_000)
    read: list[int] = []
    really = Stride.came

    def noted(stride: Stride, contents: Iterable[bytes | None]) -> None:
        bodies = list(contents)
        read.append(sum(len(each or b"") for each in bodies))
        really(stride, bodies)

    monkeypatch.setattr(Stride, "came", noted)
    door = await a_database(client)
    names = [f"d{number:03}" for number in range(120)]
    await door.bring(*(revision(name, rev(1, name), x="x" * 1000) for name in names))

    feed = await door.get("/_changes", include_docs=True)
    back = await door.get("/_changes", include_docs=True, descending=True)
    some = await door.get("/_changes", include_docs=True, limit=50)
    chosen = await door.post("/_changes?filter=_selector&limit=70", {"selector": {"x": {"$exists": True}}})
    listed = await door.get("/_all_docs", include_docs=True, skip=5)
    by_key = await door.post("/_all_docs?include_docs=true", {"keys": names[::-1]})

    assert [row["doc"]["_id"] for row in feed["results"]] == names
    assert [row["doc"]["_id"] for row in back["results"]] == names[::-1]
    assert [row["id"] for row in some["results"]] == names[:50]
    assert (len(chosen["results"]), chosen["pending"]) == (70, 50)
    assert [row["doc"]["_id"] for row in listed["rows"]] == names[5:]
    assert [row["doc"]["_id"] for row in by_key["rows"]] == names[::-1]
    assert max(read) <= 22_000


def test_a_stride_is_long_where_documents_are_short_or_none_come_with_their_rows() -> None:
    assert Stride(500, has_documents=False).rows == 500
    stride = Stride(500, has_documents=True)
    for _ in range(6):
        stride.came([b"x" * 300] * stride.rows)
    assert stride.rows == 500
    stride.came([b"x" * write_documents.ROWS_BYTES] * 500)
    assert stride.rows == 1


def _numbers(results: Sequence[dict[str, list[dict[str, dict[str, int]]]]]) -> list[int]:
    return [row["docs"][0]["ok"]["n"] for row in results]


def _said(key: Key | None) -> str | None:
    if key is None or key[0] == "gone":
        return None
    return "s" if key[0] == "short" else (key[0] * 2)[:2]

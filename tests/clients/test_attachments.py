"""PouchDB's attachments: they travel to a database of one's own and back, and are written and read there."""

import base64

from tests.clients.province import Province, same
from tests.clients.replica import Replica

PICTURE = base64.b64encode(bytes(range(256)) * 40).decode()
TEXT = base64.b64encode(b"a text").decode()


async def test_attachments_travel_both_ways_and_through_edits(province: Province, pouch: Replica) -> None:
    made, local, other = province.made(), {"memory": "with-files"}, {"memory": "with-files-too"}
    files = {
        "p.png": {"content_type": "image/png", "data": PICTURE},
        "a/t.txt": {"content_type": "text/plain", "data": TEXT},
    }
    first = await pouch.put(local, {"_id": "doc/with/slashes", "_attachments": files})
    await pouch.sync(local, made)
    second = await pouch.put(
        made, {"_id": "there", "_attachments": {"t": {"content_type": "text/plain", "data": TEXT}}}
    )
    document = await pouch.call(local, "get", "doc/with/slashes")
    await pouch.put(local, {**document, "x": "edited"})
    await pouch.sync(local, made)
    await pouch.sync(other, made)
    await same(pouch, local, made, other)
    for place in (local, made, other):
        found = await pouch.call(place, "get", "doc/with/slashes", {"attachments": True})
        assert {name: each["data"] for name, each in found["_attachments"].items()} == {
            "p.png": PICTURE,
            "a/t.txt": TEXT,
        }
        assert found["_rev"] != first
        there = await pouch.call(place, "get", "there", {"attachments": True, "rev": second})
        assert there["_attachments"]["t"]["data"] == TEXT


async def test_an_attachment_is_put_and_removed_by_its_name(province: Province, pouch: Replica) -> None:
    made = province.made()
    put = await pouch.call(made, "putAttachment", "a", "p/q.png", PICTURE, "image/png")
    found = await pouch.call(made, "get", "a")
    assert found["_attachments"]["p/q.png"]["length"] == 256 * 40
    await pouch.call(made, "removeAttachment", "a", "p/q.png", put["rev"])
    assert "_attachments" not in await pouch.call(made, "get", "a")


async def test_files_come_with_feeds_and_lists_where_asked(province: Province, pouch: Replica) -> None:
    made = province.made()
    files = {"t": {"content_type": "text/plain", "data": TEXT}}
    await pouch.call(made, "bulkDocs", [{"_id": f"d{n}", "_attachments": files} for n in range(9)])
    options = {"include_docs": True, "attachments": True}
    rows = (await pouch.call(made, "allDocs", options))["rows"]
    assert [row["doc"]["_attachments"]["t"]["data"] for row in rows] == [TEXT] * 9
    changes = (await pouch.call(made, "changes", options))["results"]
    assert [row["doc"]["_attachments"]["t"]["data"] for row in changes] == [TEXT] * 9

"""A replica that wants only some documents gets those, and its checkpoint passes over the others."""

from tests.clients.province import Province, record, same
from tests.clients.replica import Place, Replica

HERE: Place = {"memory": "here"}
THERE: Place = {"memory": "there"}


async def _filled(pouch: Replica, province: Province, count: int = 60) -> Place:
    commune = province.at(province.scope())
    villages = ("Nậm Pồ", "Tả Kố Khừ")
    await pouch.call(HERE, "bulkDocs", [record(number, village=villages[number % 2]) for number in range(count)])
    await pouch.replicate(HERE, commune)
    await pouch.requests()
    return commune


async def test_a_pull_by_ids_brings_those_documents(pouch: Replica, province: Province) -> None:
    commune = await _filled(pouch, province)
    wanted = ["record-0003", "record-0042", "nowhere"]
    pulled = await pouch.replicate(commune, THERE, doc_ids=wanted)
    assert pulled["docs_written"] == 2
    assert await pouch.ids(THERE) == ["record-0003", "record-0042"]
    assert any("filter=_doc_ids" in request for request in await pouch.requests())


async def test_a_pull_by_selector_brings_what_it_selects(pouch: Replica, province: Province) -> None:
    commune = await _filled(pouch, province)
    selector = {"answers.village": "Tả Kố Khừ", "_id": {"$gte": "record-0030"}}
    pulled = await pouch.replicate(commune, THERE, selector=selector)
    assert pulled["docs_written"] == 15
    assert await pouch.ids(THERE) == [f"record-{number:04}" for number in range(31, 60, 2)]
    assert any("filter=_selector" in request for request in await pouch.requests())


async def test_a_selector_that_selects_nothing_is_not_asked_twice_from_the_start(
    pouch: Replica, province: Province
) -> None:
    commune = await _filled(pouch, province)
    pulled = await pouch.replicate(commune, THERE, selector={"type": "nothing"})
    assert (pulled["docs_read"], pulled["docs_written"]) == (0, 0)
    last = int(str(pulled["last_seq"]).partition("-")[0])
    assert last == int(str((await pouch.call(commune, "info"))["update_seq"]).partition("-")[0])


async def test_a_push_by_ids_brings_those_documents(pouch: Replica, province: Province) -> None:
    commune = province.at(province.scope())
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(10)])
    await pouch.replicate(HERE, commune, doc_ids=["record-0004"])
    assert await pouch.ids(commune) == ["record-0004"]
    await pouch.replicate(HERE, commune)
    assert len(await same(pouch, HERE, commune)) == 10


async def test_small_batches_lose_nothing(pouch: Replica, province: Province) -> None:
    commune = await _filled(pouch, province)
    await pouch.replicate(commune, THERE, batch_size=7, batches_limit=2)
    assert len(await same(pouch, HERE, commune, THERE)) == 60


async def test_changes_by_get_and_by_post_are_the_same(pouch: Replica, province: Province) -> None:
    commune = await _filled(pouch, province, 6)
    with province.door() as door:
        got = door.get(f"{commune['url']}/_changes", params={"filter": "_doc_ids", "doc_ids": '["record-0001"]'}).json()
        posted = door.post(f"{commune['url']}/_changes?filter=_doc_ids", json={"doc_ids": ["record-0001"]}).json()
    assert got == posted
    assert [row["id"] for row in got["results"]] == ["record-0001"]
    assert got["pending"] == 0

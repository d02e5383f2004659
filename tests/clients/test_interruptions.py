"""A server that is killed, or a replica that is, costs repeats and never a document."""

import asyncio
from pathlib import Path

import pytest

from tests.bench.arrangement import ADMINISTRATOR
from tests.clients.province import Province, record, same
from tests.clients.replica import Place, Replica, ReplicaError, replica, until

HERE: Place = {"memory": "here"}
THERE: Place = {"memory": "there"}

pytestmark = pytest.mark.slow


async def test_a_live_sync_goes_on_after_the_server_was_killed(pouch: Replica, shaky: Province) -> None:
    commune = shaky.at(shaky.scope())
    await pouch.live("here", HERE, commune)
    await pouch.live("there", THERE, commune)
    await pouch.put(HERE, record(1))
    await until(lambda: _holds(pouch, THERE, 1), "the first document is there")
    shaky.server.kill()
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(2, 300)])
    await asyncio.to_thread(shaky.server.start)
    await until(lambda: _holds(pouch, THERE, 299), "what was written without a server is there", 40)
    for name in ("here", "there"):
        await pouch.stop(name)
    assert len(await same(pouch, HERE, commune, THERE)) == 299


async def test_a_live_replica_goes_on_with_a_database_that_was_made_anew(pouch: Replica, province: Province) -> None:
    made = province.made()
    name = made["url"].rpartition("/")[2]
    await pouch.put(made, {"_id": "before", "n": "1"})
    await pouch.live("here", HERE, made)
    await until(lambda: _holds(pouch, HERE, 1), "the first document is here")
    with province.door(ADMINISTRATOR) as door:
        assert door.delete(f"/{name}").status_code == 200
        assert door.put(f"/{name}").status_code == 201
        # As many changes as the old one had, and more.
        for number in range(3):
            assert door.put(f"/{name}/after{number}", json={"n": "1"}).status_code == 201
    await until(lambda: _holds(pouch, HERE, 4), "what the new one has is here", 40)
    await pouch.stop("here")


async def _holds(pouch: Replica, place: Place, count: int) -> bool:
    return int((await pouch.call(place, "info"))["doc_count"]) == count


async def test_a_push_that_a_kill_cut_short_is_finished_by_the_next(pouch: Replica, shaky: Province) -> None:
    commune = shaky.at(shaky.scope())
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(1200)])
    pushing = asyncio.create_task(pouch.replicate(HERE, commune))
    await until(lambda: _has_some(pouch, commune), "the push is on its way")
    shaky.server.kill()
    with pytest.raises(ReplicaError):
        await pushing
    await asyncio.to_thread(shaky.server.start)
    await pouch.requests()
    again = await pouch.replicate(HERE, commune)
    # What had been acknowledged before the kill is there, and its checkpoint too: not all is offered again.
    assert again["docs_written"] < 1200
    assert not [request for request in await pouch.requests() if "since=0" in request]
    assert len(await same(pouch, HERE, commune)) == 1200


async def test_an_answer_that_breaks_off_ends_a_push(pouch: Replica) -> None:
    async def answer_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"db_name":')
        await writer.drain()
        writer.close()

    await pouch.put(HERE, record(1))
    async with await asyncio.start_server(answer_half, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ReplicaError):
            await pouch.replicate(HERE, {"url": f"http://127.0.0.1:{port}/db/half"})


async def _has_some(pouch: Replica, place: Place) -> bool:
    return int((await pouch.call(place, "info"))["doc_count"]) >= 300


async def test_a_replica_that_was_killed_resumes_from_its_checkpoint(
    pouch: Replica, province: Province, tmp_path: Path
) -> None:
    commune = province.at(province.scope())
    await pouch.call(HERE, "bulkDocs", [record(number) for number in range(1500)])
    await pouch.replicate(HERE, commune)
    disk: Place = {"folder": str(tmp_path / "disk")}
    async with replica() as first:
        pulling = asyncio.create_task(first.replicate(commune, disk))
        await until(lambda: _has_some(first, disk), "the pull is on its way")
        first.process.kill()
        with pytest.raises(ReplicaError):
            await pulling
    async with replica() as second:
        stands = int((await second.call(disk, "info"))["doc_count"])
        assert 300 <= stands < 1500
        rest = await second.replicate(commune, disk)
        assert rest["docs_read"] <= 1500 - stands + 200
        asked = [request for request in await second.requests() if "/_changes" in request]
        assert not [request for request in asked if "since=0" in request]
        await second.replicate(disk, THERE)
        assert await second.revisions(disk) == await pouch.revisions(commune)
        await second.requests()
        assert (await second.replicate(commune, disk))["docs_read"] == 0
        assert len(await second.requests()) <= 8

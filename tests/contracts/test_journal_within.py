"""Revisions in a transaction that another stage has begun, on SQLite and PostgreSQL alike: all of it or nothing."""

import asyncio

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select

from server.journal.journal import Journal
from server.platform.db.engine import Storage
from tests.contracts.building import ANOTHER, AREA, OTHER_AREA, SOMEBODY, edit, outcomes

noted = Table("noted", MetaData(), Column("word", String, primary_key=True))


@pytest.fixture(autouse=True)
async def table(storage: Storage) -> None:
    async with storage.write() as connection:
        await connection.run_sync(noted.create)


async def notes(storage: Storage) -> list[str]:
    async with storage.read() as connection:
        return list((await connection.execute(select(noted.c.word).order_by("word"))).scalars())


async def test_revisions_and_what_hangs_on_them_become_durable_together(storage: Storage, journal: Journal) -> None:
    root = edit("a", "maize")
    async with storage.write() as connection:
        written = await journal.write_within(connection, AREA, [root, edit("a", "rice", root)], SOMEBODY)
        await connection.execute(insert(noted).values(word="both"))
        assert outcomes(written) == ["stored", "stored"]
    assert (await journal.state(AREA)).seq == 2
    assert await notes(storage) == ["both"]
    assert await journal.faults(AREA) == []


async def test_a_transaction_that_is_undone_leaves_nothing_and_wakes_nobody(storage: Storage, journal: Journal) -> None:
    async def fail() -> None:
        async with storage.write() as connection:
            await connection.execute(insert(noted).values(word="never"))
            await journal.write_within(connection, AREA, [edit("a", "maize")], SOMEBODY)
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        await fail()
    assert (await journal.state(AREA)).seq == 0
    assert await journal.document(AREA, "a") is None
    assert await notes(storage) == []
    assert journal.heard == 0
    # The sequence was not burnt.
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    assert ((await journal.state(AREA)).seq, journal.heard) == (1, 1)


async def test_those_who_wait_are_woken_by_the_commit_and_not_before(storage: Storage, journal: Journal) -> None:
    waiting = asyncio.create_task(journal.wait(0, 30.0))
    await asyncio.sleep(0)
    async with storage.write() as connection:
        await journal.write_within(connection, AREA, [edit("a", "maize")], SOMEBODY)
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == 1
    assert (await journal.state(AREA)).seq == 1


async def test_several_databases_and_batches_go_into_one_transaction(storage: Storage, journal: Journal) -> None:
    root = edit("a", "maize")
    async with storage.write() as connection:
        await journal.write_within(connection, AREA, [root], SOMEBODY)
        # What the transaction wrote before is known to it.
        again = await journal.write_within(connection, AREA, [root, edit("a", "rice", root)], ANOTHER)
        assert outcomes(again) == ["duplicate", "stored"]
        await journal.write_within(connection, OTHER_AREA, [edit("b", "tea")], SOMEBODY)
    assert ((await journal.state(AREA)).seq, (await journal.state(OTHER_AREA)).seq) == (2, 1)
    assert [one.person for one in await journal.history(AREA, "a")] == ["person-1", "person-2"]


async def test_others_who_write_meanwhile_stand_in_line(storage: Storage, journal: Journal) -> None:
    async def within(number: int) -> None:
        async with storage.write() as connection:
            await journal.write_within(connection, AREA, [edit(f"within-{number}", "maize")], SOMEBODY)
            await asyncio.sleep(0)
            await connection.execute(insert(noted).values(word=f"{number:02}"))
            if number % 3 == 0:
                raise RuntimeError("changed its mind")

    async def plainly(number: int) -> None:
        await journal.write(AREA, [edit(f"plain-{number}", "rice")], ANOTHER)

    work = [one(number) for number in range(9) for one in (within, plainly)]
    failed = [each for each in await asyncio.gather(*work, return_exceptions=True) if each is not None]
    assert [str(each) for each in failed] == ["changed its mind"] * 3
    assert len((await journal.changes(AREA)).rows) == 15
    assert await notes(storage) == ["01", "02", "04", "05", "07", "08"]
    assert await journal.faults(AREA) == []

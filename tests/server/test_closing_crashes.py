"""Closing branches when the process dies between any two operations of the store, and when two processes follow."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import event, func, select

from server.journal.followers.follower import LostLead
from server.journal.followers.tables import checkpoints
from server.platform.db.engine import Storage
from server.read_model.record_tables import open_questions, provenance
from tests.conftest import StandingClock
from tests.surveys import SCOPE, Province

pytestmark = pytest.mark.by_turns


class Crashed(OSError):
    """The process died here."""


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    return await Province(storage, clock).open()


@contextmanager
def crashing(storage: Storage, after: int) -> Iterator[list[int]]:
    """Die at the operation after so many; the list counts those that were begun."""
    begun = [0]

    def count(*_arguments: object) -> None:
        begun[0] += 1
        if begun[0] > after:
            raise Crashed

    names = ("before_cursor_execute", "commit")
    for name in names:
        event.listen(storage.engine.sync_engine, name, count)
    try:
        yield begun
    finally:
        for name in names:
            event.remove(storage.engine.sync_engine, name, count)


async def conflict(province: Province) -> str:
    """Save a record that two people then change: one field each, and one both."""
    first = await province.save({"members": "5"})
    for said, by in (({"members": "6", "area": "1"}, "lo"), ({"members": "7", "note_text": "x"}, "vang")):
        await province.save(said, record=first.doc_id, parent=first.rev, by=by)
    return first.doc_id


async def stands(province: Province, record: str) -> tuple[int, int, int, bool]:
    """Return the live leaves, the questions, the rows of provenance, and whether the checkpoint is past the edits."""
    history = await province.journal.history(SCOPE, record)
    async with province.storage.read() as connection:
        asked, came = [
            await connection.scalar(select(func.count()).select_from(table).where(table.c.record == record))
            for table in (open_questions, provenance)
        ]
        here = (checkpoints.c.follower == "branches") & (checkpoints.c.database == SCOPE)
        reached = await connection.scalar(select(checkpoints.c.seq).where(here))
    edits = [change for change in (await province.journal.changes(SCOPE)).rows if change.doc_id == record]
    merged = any(one.person is None for one in history)
    is_past = (reached or 0) >= edits[0].seq - (2 if merged else 0)
    return sum(one.is_leaf and not one.deleted for one in history), int(asked or 0), int(came or 0), is_past


@pytest.mark.slow
async def test_whatever_operation_it_dies_at_all_of_a_closing_is_there_or_nothing(province: Province) -> None:
    """I7: a checkpoint is never ahead of durable data."""
    await province.follow()
    seen: set[tuple[int, int, int, bool]] = set()
    # What is asked, and where it is committed, is the same of both: one dies at every operation, the other at a third.
    stride = 3 if province.storage.is_postgresql else 1
    after = 0
    while True:
        record = await conflict(province)
        runner = province.runner
        with crashing(province.storage, after) as begun, suppress(Crashed):
            await runner.once()
        found = await stands(province, record)
        assert found in {(2, 0, 0, False), (1, 1, 1, True)}, (after, found)
        seen.add(found)
        # Whoever starts next goes on.
        await province.follow()
        assert await stands(province, record) == (1, 1, 1, True)
        if begun[0] <= after:
            break
        after += stride
    assert len(seen) == 2
    assert after > 20
    assert await province.journal.faults(SCOPE) == []


async def test_two_processes_that_both_believe_to_lead_write_each_merge_once(
    province: Province, clock: StandingClock
) -> None:
    if not province.storage.is_postgresql:
        # One process at a time opens a file of SQLite.
        return
    url = province.storage.engine.url.render_as_string(hide_password=False)
    other = Storage(url, pool_size=3)
    second = Province(other, clock)
    records = [await conflict(province) for _ in range(20)]
    runners = [province.runner, second.runner]
    for _ in range(20):
        failed = await asyncio.gather(*(runner.once() for runner in runners), return_exceptions=True)
        assert all(each is None or isinstance(each, LostLead) for each in failed), failed
        if failed == [None, None]:
            break
    for record in records:
        assert await stands(province, record) == (1, 1, 1, True)
        merges = [one for one in await province.journal.history(SCOPE, record) if one.person is None]
        assert [one.deleted for one in merges].count(False) == 1
    assert await province.journal.faults(SCOPE) == []
    await other.close()


async def test_what_arrives_while_it_follows_is_closed_as_well(province: Province) -> None:
    record = await conflict(province)
    stop = asyncio.Event()

    async def edit() -> None:
        for number in range(10):
            root = (await province.journal.history(SCOPE, record))[0]
            await province.save({"members": "5", "area": str(number)}, record=record, parent=root.rev)
            await asyncio.sleep(0)
        stop.set()

    async def follow() -> None:
        while not stop.is_set():
            await province.follow()
            await asyncio.sleep(0)

    await asyncio.gather(edit(), follow())
    await province.follow()
    await province.follow()
    assert (await stands(province, record))[0] == 1
    assert await province.journal.faults(SCOPE) == []

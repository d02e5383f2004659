"""Who waits for the feed wakes at the commit, whichever process it was made by, on SQLite and PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from asyncpg import InternalClientError
from sqlalchemy import text

from server.journal.feed import commit_listener
from server.journal.journal import Journal
from server.platform.db import notifications
from server.platform.db.engine import Storage
from tests.conftest import StandingClock
from tests.contracts.building import AREA, OTHER_AREA, SOMEBODY, edit

PATIENCE_S = 30.0
NEVER_S = 3600.0


@pytest.fixture
async def elsewhere(storage: Storage, journal: Journal, clock: StandingClock) -> AsyncIterator[Journal]:
    """Give the journal as another process has it: by connections of its own."""
    other = Storage(storage.engine.url.render_as_string(hide_password=False), pool_size=2)
    yield Journal(other, clock)
    await other.close()


def waiting_for(journal: Journal, *names: str) -> asyncio.Task[int]:
    return asyncio.create_task(journal.wait(journal.heard, PATIENCE_S, names or None))


async def write_until(waiting: asyncio.Task[int], journal: Journal, database: str) -> None:
    """Write until the waiter wakes: its connection may still be on its way."""
    written = 0
    while not waiting.done():
        written += 1
        await journal.write(database, [edit(f"doc-{id(waiting)}-{written}", "maize")], SOMEBODY)
        await asyncio.wait({waiting}, timeout=0.05)


async def of_notifiers(storage: Storage, what: str) -> int:
    """Return what PostgreSQL says of the connections whose last statement was a notice."""
    notifies = "datname = current_database() AND query LIKE '%pg_notify%' AND pid <> pg_backend_pid()"
    async with storage.write() as connection:
        answer = await connection.scalar(text(f"SELECT {what} FROM pg_stat_activity WHERE {notifies}"))
    assert isinstance(answer, int)
    return answer


async def test_a_write_wakes_those_who_wait_for_the_feed(journal: Journal) -> None:
    waiting = waiting_for(journal)
    await asyncio.sleep(0)
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    assert await waiting == journal.heard == 1
    # Whoever was busy during the write is told at once; a repeat of it tells nobody anything.
    assert await journal.wait(0, PATIENCE_S) == 1
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    assert await journal.wait(1, 0) == 1


async def test_only_those_wake_who_wait_for_that_database(journal: Journal) -> None:
    either, other = waiting_for(journal, AREA, OTHER_AREA), waiting_for(journal, OTHER_AREA)
    await asyncio.sleep(0)
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    assert await either == 1
    assert not other.done()
    assert await journal.wait(0, 0, [OTHER_AREA]) == 0
    await journal.write(OTHER_AREA, [edit("b", "maize")], SOMEBODY)
    assert await other == 2


async def test_what_was_committed_while_nobody_waited_is_told_at_once(journal: Journal) -> None:
    heard = journal.heard
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    await journal.write(OTHER_AREA, [edit("b", "maize")], SOMEBODY)
    assert await journal.wait(heard, PATIENCE_S, [AREA]) == 1
    assert await journal.wait(1, 0, [AREA]) == 1
    assert await journal.wait(1, 0, [OTHER_AREA]) == 2


async def test_a_waiter_that_goes_leaves_nothing_behind(journal: Journal) -> None:
    waiting = waiting_for(journal, AREA)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    assert await journal.wait(0, 0, [AREA]) == 1


async def test_a_write_that_is_undone_wakes_nobody(journal: Journal, storage: Storage) -> None:
    async def fail() -> None:
        async with storage.write() as connection:
            await journal.write_within(connection, AREA, [edit("a", "maize")], SOMEBODY)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await fail()
    assert await journal.wait(0, 0) == 0


async def test_a_write_by_another_process_wakes_too(
    storage: Storage, journal: Journal, elsewhere: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    if storage.is_postgresql:
        # By its notice alone: the look-out comes once and never again.
        monkeypatch.setattr(commit_listener, "LOOK_S", NEVER_S)
    else:
        monkeypatch.setattr(commit_listener, "LOOK_S", 0.01)
    async with journal.listening(), elsewhere.listening():
        for _ in range(3):
            await write_until(waiting_for(journal, AREA), elsewhere, AREA)
            await write_until(waiting_for(elsewhere, OTHER_AREA), journal, OTHER_AREA)


async def test_a_lost_notice_costs_a_look(
    journal: Journal, elsewhere: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_listener, "LOOK_S", 0.01)
    async with journal.listening():
        # The other process is a command that tells nobody.
        for _ in range(3):
            await write_until(waiting_for(journal, AREA), elsewhere, AREA)


async def test_whoever_listens_connects_again(
    storage: Storage, journal: Journal, elsewhere: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not storage.is_postgresql:
        pytest.skip("SQLite has no connections that a server could end")
    monkeypatch.setattr(commit_listener, "LOOK_S", NEVER_S)
    monkeypatch.setattr(notifications, "RETRY_S", 0.01)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(journal.listening())
        await stack.enter_async_context(elsewhere.listening())
        # Both connections are known by what they sent last; to have connected wakes waiters before that.
        while await of_notifiers(storage, "count(pid)") < 2:
            await write_until(waiting_for(journal, AREA), elsewhere, AREA)
            await write_until(waiting_for(elsewhere, OTHER_AREA), journal, OTHER_AREA)
        assert await of_notifiers(storage, "count(pg_terminate_backend(pid))") == 2
        await write_until(waiting_for(journal, AREA), elsewhere, AREA)


async def test_whatever_the_driver_says_of_a_lost_connection_it_is_made_again(
    storage: Storage, journal: Journal, elsewhere: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not storage.is_postgresql:
        pytest.skip("SQLite has no connections that could be lost")
    monkeypatch.setattr(commit_listener, "LOOK_S", NEVER_S)
    monkeypatch.setattr(notifications, "RETRY_S", 0.01)
    serve = notifications.Notices._serve
    lost: list[object] = []
    both_lost = asyncio.Event()

    async def lose_it_once(self: notifications.Notices, connection: object) -> None:
        if len(lost) < 2:
            lost.append(connection)
            if len(lost) == 2:
                both_lost.set()
            raise InternalClientError("cannot switch to state 12; another operation (2) is in progress")
        await serve(self, connection)

    monkeypatch.setattr(notifications.Notices, "_serve", lose_it_once)
    async with journal.listening(), elsewhere.listening():
        # Whoever waits is woken by a loss as well.
        async with asyncio.timeout(PATIENCE_S):
            await both_lost.wait()
        for _ in range(3):
            await write_until(waiting_for(journal, AREA), elsewhere, AREA)


async def test_a_notice_that_is_no_word_of_ours_says_nothing(
    storage: Storage, journal: Journal, elsewhere: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not storage.is_postgresql:
        pytest.skip("SQLite carries no notices")
    monkeypatch.setattr(commit_listener, "LOOK_S", NEVER_S)
    async with journal.listening(), elsewhere.listening():
        await write_until(waiting_for(journal, AREA), elsewhere, AREA)
        heard = journal.heard
        async with storage.write() as connection:
            for word in ("", "agri", "x agri", "7 ", "٣ agri"):
                await connection.execute(text("SELECT pg_notify('nuong_journal', :word)"), {"word": word})
        await write_until(waiting_for(journal, OTHER_AREA), elsewhere, OTHER_AREA)
        assert await journal.wait(heard, 0, ["agri", ""]) == heard


async def test_a_database_that_another_process_removes_wakes_too(
    storage: Storage, journal: Journal, monkeypatch: pytest.MonkeyPatch, clock: StandingClock
) -> None:
    monkeypatch.setattr(commit_listener, "LOOK_S", NEVER_S if storage.is_postgresql else 0.01)
    other = Storage(storage.engine.url.render_as_string(hide_password=False), pool_size=2)
    elsewhere = Journal(other, clock)
    async with journal.listening(), elsewhere.listening():
        # Both hear each other by now.
        await write_until(waiting_for(journal, AREA), elsewhere, AREA)
        await write_until(waiting_for(elsewhere, AREA), journal, AREA)
        await asyncio.sleep(0.2)
        waiting = waiting_for(journal, AREA)
        await asyncio.sleep(0.2)
        assert not waiting.done()
        async with other.write() as connection:
            await elsewhere.remove_within(connection, AREA)
        async with asyncio.timeout(PATIENCE_S):
            await waiting
        # Nothing of the old one is taken for the new one's.
        await journal.ensure([AREA])
        await write_until(waiting_for(journal, AREA), elsewhere, AREA)
    await other.close()

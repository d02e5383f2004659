"""Writers that meet, on SQLite and PostgreSQL: each is durable when it ends, none pays for another's failure."""

import asyncio

import pytest
from sqlalchemy import Column, MetaData, String, Table, event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.engine import Storage
from server.platform.db.execute_each import ROWS, execute_several
from server.platform.db.sqlite_group_commit import Writers

said = Table("said", MetaData(), Column("word", String, primary_key=True))


@pytest.fixture(autouse=True)
async def table(storage: Storage) -> None:
    async with storage.write() as connection:
        await connection.run_sync(said.create)


async def say(storage: Storage, word: str) -> list[str]:
    """Write a word, and return what another connection sees once that has ended."""
    async with storage.write() as connection:
        await connection.execute(insert(said).values(word=word))
    return await heard(storage)


async def heard(storage: Storage) -> list[str]:
    async with storage.read() as connection:
        return list((await connection.execute(select(said.c.word).order_by("word"))).scalars())


def count_commits(storage: Storage) -> list[object]:
    commits: list[object] = []
    event.listen(storage.engine.sync_engine, "commit", commits.append)
    return commits


async def test_each_writer_is_durable_when_its_block_ends(storage: Storage) -> None:
    words = [f"{number:02}" for number in range(20)]
    seen = await asyncio.gather(*(say(storage, word) for word in words))
    assert all(word in others for word, others in zip(words, seen, strict=True))
    assert await heard(storage) == words


async def test_writers_that_meet_share_a_commit_on_sqlite(storage: Storage) -> None:
    commits = count_commits(storage)
    await asyncio.gather(*(say(storage, f"{number:02}") for number in range(20)))
    assert len(commits) == (20 if storage.is_postgresql else 1)
    await say(storage, "alone")
    assert len(commits) == (21 if storage.is_postgresql else 2)


async def test_a_writer_that_fails_takes_only_its_own_work_along(storage: Storage) -> None:
    async def fail(word: str) -> None:
        async with storage.write() as connection:
            await connection.execute(insert(said).values(word=word))
            raise RuntimeError(word)

    # The first and the last of the line among them.
    work = [fail("a"), say(storage, "b"), fail("c"), say(storage, "d"), say(storage, "e"), fail("f")]
    ends = await asyncio.gather(*work, return_exceptions=True)
    assert [isinstance(end, RuntimeError) for end in ends] == [True, False, True, False, False, True]
    assert await heard(storage) == ["b", "d", "e"]


async def test_a_writer_whose_statement_fails_takes_only_its_own_work_along(storage: Storage) -> None:
    await say(storage, "b")
    ends = await asyncio.gather(*(say(storage, word) for word in "abcb"), return_exceptions=True)
    assert [isinstance(end, Exception) for end in ends] == [False, True, False, True]
    assert await heard(storage) == ["a", "b", "c"]


async def test_a_writer_that_leaves_the_line_holds_nobody_up(storage: Storage) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with storage.write() as connection:
            await connection.execute(insert(said).values(word="a"))
            entered.set()
            await go_on.wait()

    first = asyncio.create_task(hold())
    await entered.wait()
    waiting = asyncio.create_task(say(storage, "b"))
    last = asyncio.create_task(say(storage, "c"))
    await asyncio.sleep(0)
    waiting.cancel()
    go_on.set()
    ends = await asyncio.gather(first, waiting, last, return_exceptions=True)
    assert isinstance(ends[1], asyncio.CancelledError)
    assert await heard(storage) == ["a", "c"]


async def test_a_writer_cancelled_at_work_takes_only_its_own_along(storage: Storage) -> None:
    entered = asyncio.Event()

    async def hold() -> None:
        async with storage.write() as connection:
            await connection.execute(insert(said).values(word="b"))
            entered.set()
            await asyncio.Event().wait()

    first, second = asyncio.create_task(say(storage, "a")), asyncio.create_task(hold())
    third = asyncio.create_task(say(storage, "c"))
    await entered.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await asyncio.gather(first, third)
    assert await heard(storage) == ["a", "c"]


async def test_a_writer_cancelled_at_its_commit_loses_nobody(storage: Storage) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def hold(word: str) -> None:
        async with storage.write() as connection:
            await connection.execute(insert(said).values(word=word))
            entered.set()
            await go_on.wait()

    if storage.is_postgresql:
        pytest.skip("on PostgreSQL nobody waits for another's commit")
    first = asyncio.create_task(say(storage, "a"))
    second = asyncio.create_task(hold("b"))
    await entered.wait()
    # The first has done its work and waits to commit it with the second's.
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go_on.set()
    await second
    assert await heard(storage) == ["a", "b"]


async def test_when_the_transaction_is_given_up_all_who_share_it_are_told(storage: Storage) -> None:
    if storage.is_postgresql:
        pytest.skip("on PostgreSQL nobody shares a transaction")

    async def spoil() -> None:
        async with storage.write() as connection:
            # As SQLite does by itself when the disk fails it.
            await connection.exec_driver_sql("ROLLBACK")
            await connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    ends = await asyncio.gather(
        say(storage, "a"), say(storage, "b"), spoil(), say(storage, "c"), say(storage, "d"), return_exceptions=True
    )
    assert [isinstance(end, OperationalError) for end in ends] == [True, True, True, False, False]
    assert await heard(storage) == ["c", "d"]


async def test_a_commit_that_fails_is_everyones_failure(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    if storage.is_postgresql:
        pytest.skip("on PostgreSQL nobody shares a commit")

    async def full(self: AsyncConnection) -> None:
        raise OperationalError("COMMIT", None, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(AsyncConnection, "commit", full)
        ends = await asyncio.gather(*(say(storage, word) for word in "abc"), return_exceptions=True)
    assert all(isinstance(end, OperationalError) for end in ends)
    assert await heard(storage) == []
    assert await say(storage, "d") == ["d"]


async def test_a_line_without_end_still_commits(storage: Storage) -> None:
    if storage.is_postgresql:
        pytest.skip("PostgreSQL has no line")
    writers = Writers(storage.engine, storage.engine)

    async def again(word: str) -> None:
        for number in range(5):
            async with writers.write() as connection:
                await connection.execute(insert(said).values(word=f"{word}{number}"))

    await asyncio.gather(*map(again, "abcd"))
    assert len(await heard(storage)) == 20


async def test_several_statements_take_effect_in_their_order_each_with_its_rows(storage: Storage) -> None:
    async with storage.write() as connection:
        await execute_several(
            connection,
            [
                (f"INSERT INTO said VALUES ({mark(storage)})", [("one",), ("two",), ("three",)]),
                (f"UPDATE said SET word = 'last' WHERE word = {mark(storage)}", [("one",)]),
                (f"DELETE FROM said WHERE word = {mark(storage)}", [("two",), ("one",)]),
            ],
        )
    assert await heard(storage) == ["last", "three"]


@pytest.mark.parametrize("count", [ROWS - 1, ROWS, ROWS + 1, 3 * ROWS])
async def test_rows_of_any_number_are_all_put_and_later_ones_overwrite_earlier_ones(
    storage: Storage, count: int
) -> None:
    words = [(f"word {number:03}",) for number in range(count)]
    put = f"INSERT INTO said (word) VALUES ({mark(storage)})"
    again = f"{put} ON CONFLICT (word) DO UPDATE SET word = excluded.word || '!'"
    async with storage.write() as connection:
        await execute_several(connection, [(put, words), (again, words)])
    assert await heard(storage) == [f"{word}!" for (word,) in words]


async def test_a_statement_that_fails_among_several_takes_those_before_it_along(storage: Storage) -> None:
    put = f"INSERT INTO said VALUES ({mark(storage)})"

    async def failing() -> None:
        async with storage.write() as connection:
            await execute_several(connection, [(put, [("one",), ("two",)]), (put, [("three",), ("one",)])])

    with pytest.raises(IntegrityError):
        await failing()
    assert await heard(storage) == []
    assert await say(storage, "one") == ["one"]


async def test_only_a_writer_who_need_not_be_durable_does_not_wait_for_the_disk(storage: Storage) -> None:
    async with storage.write(is_durable=False) as connection:
        await connection.execute(insert(said).values(word="soon"))
        assert await waits_for_disk(connection) is False
    assert await heard(storage) == ["soon"]
    with pytest.raises(LookupError):
        await failing_soon(storage)
    for _ in range(3):
        async with storage.write() as connection:
            assert await waits_for_disk(connection) is True
    assert await heard(storage) == ["soon"]


async def test_who_meets_a_durable_writer_shares_its_commit_and_both_stand(storage: Storage) -> None:
    async def say_soon(word: str) -> list[str]:
        async with storage.write(is_durable=False) as connection:
            await connection.execute(insert(said).values(word=word))
        return await heard(storage)

    words = [f"{number:02}" for number in range(12)]
    seen = await asyncio.gather(*((say_soon(word) if int(word) % 3 else say(storage, word)) for word in words))
    assert all(word in others for word, others in zip(words, seen, strict=True))
    assert await heard(storage) == words


async def failing_soon(storage: Storage) -> None:
    async with storage.write(is_durable=False) as connection:
        await connection.execute(insert(said).values(word="never"))
        raise LookupError


async def waits_for_disk(connection: AsyncConnection) -> bool:
    """Whether this connection's commit will be on the disk when it returns."""
    if connection.dialect.name == "sqlite":
        full = 2
        return bool(await connection.scalar(text("PRAGMA synchronous")) == full)
    # The cluster of these tests never waits; but only some transactions ask for that themselves.
    asked_by = await connection.scalar(text("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"))
    return bool(asked_by != "session")


def mark(storage: Storage) -> str:
    """Return what stands for a parameter in the driver's own SQL."""
    return "$1::varchar" if storage.is_postgresql else "?"

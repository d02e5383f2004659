"""What the storage promises of SQLite's statements, whose rows and ends come with the hop that executes them."""

import asyncio
from pathlib import Path

from sqlalchemy import text

from server.platform.db.engine import Storage
from server.platform.db.sqlite_driver import FIRST_ROWS

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) "


async def test_a_result_longer_than_the_first_rows_comes_whole(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'long.sqlite'}")
    for most in (0, 1, FIRST_ROWS, FIRST_ROWS + 1, 3 * FIRST_ROWS + 7):
        async with storage.read() as connection:
            rows = await connection.scalars(text(COUNT + "SELECT i FROM n LIMIT :most"), {"most": most})
            assert list(rows) == list(range(1, most + 1))
    async with storage.read() as connection:
        streamed = await connection.stream_scalars(text(COUNT + "SELECT i FROM n"), {"most": 2 * FIRST_ROWS + 3})
        assert [number async for number in streamed] == list(range(1, 2 * FIRST_ROWS + 4))
    await storage.close()


async def test_a_writer_cancelled_in_a_statement_leaves_no_transaction_behind(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'cancelled.sqlite'}", pool_size=1)
    async with storage.write() as connection:
        await connection.execute(text("CREATE TABLE kept (i INTEGER)"))
    begun = asyncio.Event()

    async def writer() -> None:
        async with storage.write() as connection:
            begun.set()
            await connection.execute(text(f"INSERT INTO kept {COUNT} SELECT i FROM n"), {"most": 400_000})

    cancelled = asyncio.create_task(writer())
    await begun.wait()
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    async with storage.write() as connection:
        await connection.execute(text("INSERT INTO kept VALUES (-1)"))
    async with storage.read() as connection:
        assert list(await connection.scalars(text("SELECT i FROM kept"))) == [-1]
    await storage.close()


async def test_rows_that_a_statement_changed_are_counted(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'counted.sqlite'}")
    async with storage.write() as connection:
        await connection.execute(text("CREATE TABLE kept (i INTEGER)"))
        inserted = await connection.execute(text(f"INSERT INTO kept {COUNT} SELECT i FROM n RETURNING i"), {"most": 5})
        assert len(inserted.all()) == 5
        assert (await connection.execute(text("UPDATE kept SET i = i + 1 WHERE i > 2"))).rowcount == 3
    await storage.close()


async def test_a_reader_sees_one_state_whatever_stood_before_on_its_connection(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'one.sqlite'}", pool_size=2)
    async with storage.write() as connection:
        await connection.execute(text("CREATE TABLE kept (i INTEGER)"))
    async with storage.read():
        # A block that reads nothing leaves nothing to the next one.
        pass
    for round_ in range(20):
        async with storage.read() as connection:
            before = (await connection.execute(text("SELECT count(*) FROM kept"))).scalar_one()
            async with storage.write() as writing:
                await writing.execute(text("INSERT INTO kept VALUES (1)"))
            assert (await connection.execute(text("SELECT count(*) FROM kept"))).scalar_one() == before == round_
    await storage.close()


async def test_what_a_reader_writes_is_not_kept(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'read.sqlite'}", pool_size=1)
    async with storage.write() as connection:
        await connection.execute(text("CREATE TABLE kept (i INTEGER)"))
    async with storage.read() as connection:
        await connection.execute(text("INSERT INTO kept VALUES (1)"))
    async with storage.write() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM kept"))).scalar_one() == 0
    await storage.close()


async def test_a_reader_cancelled_in_a_statement_gives_its_connection_back(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'cancelled.sqlite'}", pool_size=1)
    begun = asyncio.Event()

    async def reader() -> None:
        async with storage.read() as connection:
            begun.set()
            await connection.execute(text(COUNT + "SELECT count(*) FROM n"), {"most": 300_000})

    for _ in range(3):
        cancelled = asyncio.create_task(reader())
        await begun.wait()
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        begun.clear()
        async with storage.read() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    await storage.close()

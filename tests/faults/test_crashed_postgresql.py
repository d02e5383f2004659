"""A PostgreSQL that crashes, or loses a process, under a running server keeps what the server acknowledged.

The cluster of these tests waits for the disk, as in production, and is crashed without a checkpoint.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import STORES, administer
from tests.e2e.live_server import LiveServer
from tests.faults.arrangement import PHONES, arrange, server_in
from tests.faults.fieldwork import Fieldwork
from tests.faults.inspection import inspect
from tests.postgresql import Cluster, NoPostgresql, cluster

CRASHES = 6
SEED = 1122


@pytest.fixture
def durable() -> Iterator[Cluster]:
    if "postgresql" not in STORES:
        pytest.skip("NUONG_TEST_STORES leaves PostgreSQL out")
    try:
        with cluster(is_durable=True) as running:
            asyncio.run(administer(running, "CREATE DATABASE crashed"))
            yield running
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@pytest.fixture
def server(durable: Cluster, tmp_path: Path) -> Iterator[LiveServer]:
    made = server_in(tmp_path / "server", durable.url("crashed"))
    yield made
    made.kill()


def test_a_postgresql_that_crashes_keeps_what_was_acknowledged(
    server: LiveServer, durable: Cluster, record_property: Callable[[str, object], None]
) -> None:
    told = asyncio.run(_torment(server, durable, random.Random(SEED)))
    record_property("told", told)


async def _torment(server: LiveServer, durable: Cluster, chance: random.Random) -> str:
    work = await arrange(server, SEED)
    await asyncio.to_thread(server.start)
    await work.open(PHONES)
    async with asyncio.TaskGroup() as group:
        for phone in work.phones:
            group.create_task(work.work(phone))
        for number in range(CRASHES):
            await _crash(durable, work, chance, is_whole=number % 2 == 0)
        # The same server process goes on by itself: nobody restarts it when its database was away.
        before = len(work.acknowledged)
        await work.heard_more(50)
        work.is_over = True
    assert len(work.acknowledged) >= before + 50, Counter(work.troubles)
    await work.finish()
    await asyncio.to_thread(server.stop)
    found = await inspect(server.database_url, work)
    await work.close()
    return (
        f"PostgreSQL crashed {CRASHES} times under a server: {found.saves} acknowledged saves checked among "
        f"{found.revisions} revisions; phones were told {dict(Counter(work.troubles))}"
    )


async def _crash(durable: Cluster, work: Fieldwork, chance: random.Random, *, is_whole: bool) -> None:
    """Crash all of PostgreSQL, or only one of its processes, at a moment that chance chooses."""
    await work.heard_more(chance.randrange(5, 40))
    await asyncio.sleep(chance.uniform(0, 0.05))
    work.fault += 1
    if is_whole:
        await asyncio.to_thread(durable.crash)
        await asyncio.sleep(chance.uniform(0, 0.5))
        await asyncio.to_thread(durable.start)
    else:
        durable.kill_backend()

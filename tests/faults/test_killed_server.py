"""A server that is killed at any moment, again and again, keeps what it acknowledged and doubles nothing.

NUONG_TEST_KILLS is how often in all (50; `make torture` 1,000), NUONG_TEST_SEED where chance begins.
"""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import STORES, administer
from tests.e2e.live_server import LiveServer
from tests.faults.arrangement import PHONES, arrange, server_in
from tests.faults.fieldwork import Fieldwork
from tests.faults.inspection import inspect
from tests.postgresql import Cluster

KILLS = int(os.environ.get("NUONG_TEST_KILLS", "50"))
SEED = int(os.environ.get("NUONG_TEST_SEED", "20261121"))
#: How often the storage is read beside the dead server; otherwise the next server is the first to open it.
INSPECT_EVERY = 10
#: One kill of so many falls into the start, where recovery and migrations are.
IN_START = 8


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    url = None
    if request.param == "postgresql":
        running: Cluster = request.getfixturevalue("postgresql_cluster")
        asyncio.run(administer(running, "CREATE DATABASE killed TEMPLATE template_nuong"))
        url = running.url("killed")
    made = server_in(tmp_path / "server", url)
    yield made
    made.kill()
    if url is not None:
        asyncio.run(administer(running, "DROP DATABASE killed WITH (FORCE)"))


# Recovering from a kill takes a second or two.
@pytest.mark.timeout(600 + 20 * KILLS)
def test_a_server_killed_again_and_again_keeps_what_it_acknowledged(
    server: LiveServer, record_property: Callable[[str, object], None]
) -> None:
    told = asyncio.run(_torment(server, max(1, KILLS // len(STORES)), random.Random(SEED)))
    record_property("told", told)


async def _torment(server: LiveServer, kills: int, chance: random.Random) -> str:
    """Return what was struck and checked, as a sentence."""
    work = await arrange(server, SEED)
    await asyncio.to_thread(server.start)
    await work.open(PHONES)
    async with asyncio.TaskGroup() as group:
        for phone in work.phones:
            group.create_task(work.work(phone))
        for _ in range(kills):
            await _kill(server, work, chance)
        await asyncio.to_thread(server.start)
        work.is_over = True
    await work.finish()
    await asyncio.to_thread(server.stop)
    found = await inspect(server.database_url, work)
    await work.close()
    assert found.saves > kills
    store = "PostgreSQL" if server.database_url.startswith("postgresql") else "SQLite"
    return (
        f"server killed {kills} times over {store}: {found.saves} acknowledged saves checked among {found.revisions} "
        f"revisions, {work.unanswered} exchanges without an answer (seed {SEED})"
    )


async def _kill(server: LiveServer, work: Fieldwork, chance: random.Random) -> None:
    """Kill the server at a moment that chance chooses, in its work or in its start."""
    if chance.randrange(IN_START) == 0:
        if server.is_running:
            await asyncio.to_thread(server.kill)
        server.launch()
        await asyncio.sleep(chance.uniform(0, 1.5))
    else:
        if not server.is_running:
            await asyncio.to_thread(server.start)
        await work.heard_more(chance.randrange(30))
        await asyncio.sleep(chance.uniform(0, 0.04))
    await asyncio.to_thread(server.kill)
    work.fault += 1
    if work.fault % INSPECT_EVERY == 0:
        await inspect(server.database_url, work)

"""Several servers on one PostgreSQL: the one that leads is killed while it works, again and again.

Another takes over each time; nothing that was acknowledged is lost, nothing is computed twice, and what followers
have written is what they write when they begin anew. NUONG_TEST_LEADER_KILLS is how often (2).
"""

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import delete, func, select

from server.app import create_app
from server.journal.followers.tables import checkpoints, dead_letters
from server.journal.journal import Journal
from server.platform.clock import system_clock
from server.platform.db.advisory_locks import AdvisoryLock
from server.platform.db.engine import Storage
from server.publish.tables import published
from server.read_model.household_tables import household_keys, households, likenesses
from server.read_model.record_tables import decisions, open_questions, provenance, questions, records
from server.settings import Settings
from tests.builders import running
from tests.conftest import administer, run
from tests.e2e.live_server import LiveServer
from tests.faults.arrangement import ACCESS_TOKEN_S, PHONES, arrange
from tests.faults.fieldwork import Fieldwork
from tests.faults.inspection import inspect
from tests.postgresql import Cluster

KILLS = int(os.environ.get("NUONG_TEST_LEADER_KILLS", "2"))
SEED = int(os.environ.get("NUONG_TEST_SEED", "20261121"))
#: Each connects to PostgreSQL under a name of its own, so that one sees whose the lead is.
SERVERS = ("first", "second", "third")
TAKEN_OVER_S = 30
AT_REST_S = 120
MERGED_S = 60
#: What followers write, all of it.
ROWS = (records, decisions, open_questions, provenance, questions, published, households, household_keys, likenesses)


@pytest.fixture
def servers(postgresql_cluster: Cluster, tmp_path: Path) -> Iterator[dict[str, LiveServer]]:
    run(administer(postgresql_cluster, "CREATE DATABASE led TEMPLATE template_nuong"))
    for name in SERVERS:
        run(administer(postgresql_cluster, f"CREATE ROLE {name} SUPERUSER LOGIN"))
    shared = tmp_path / SERVERS[0]
    with ExitStack() as stack:
        made = {}
        for name in SERVERS:
            (tmp_path / name).mkdir()
            url = postgresql_cluster.url("led").replace("//nuong@", f"//{name}@")
            made[name] = LiveServer(
                tmp_path / name,
                url,
                access_token_s=ACCESS_TOKEN_S,
                disk_reserve_bytes="1",
                secret_file=str(shared / "secret"),
                media_dir=str(shared / "media"),
            )
            stack.callback(made[name].kill)
        yield made
    run(administer(postgresql_cluster, "DROP DATABASE led WITH (FORCE)"))
    for name in SERVERS:
        run(administer(postgresql_cluster, f"DROP ROLE {name}"))


@pytest.mark.timeout(600 + 60 * KILLS)
def test_another_server_takes_the_lead_over_and_nothing_is_lost_or_done_twice(
    servers: dict[str, LiveServer], postgresql_cluster: Cluster, record_property: Callable[[str, object], None]
) -> None:
    told = asyncio.run(_torment(servers, postgresql_cluster, random.Random(SEED)))
    record_property("told", told)


async def _torment(servers: dict[str, LiveServer], cluster: Cluster, chance: random.Random) -> str:
    """Return what was struck and checked, as a sentence."""
    watch = await asyncpg.connect(host=str(cluster.directory), user="nuong", database="led")
    work = await arrange(servers[SERVERS[0]], SEED)
    url = servers[SERVERS[0]].database_url
    # One after the other: the first to be there leads.
    for server in servers.values():
        await asyncio.to_thread(server.start)
    await work.open(PHONES)
    _spread(work, servers, None)
    killed: list[str] = []
    async with asyncio.TaskGroup() as group:
        for phone in work.phones:
            group.create_task(work.work(phone))
        for _ in range(KILLS):
            leader = await _leader(watch, unlike=None)
            await work.heard_more(20 + chance.randrange(20))
            await _is_at_work(watch)
            await asyncio.to_thread(servers[leader].kill)
            work.fault += 1
            killed.append(leader)
            _spread(work, servers, leader)
            assert await _leader(watch, unlike=leader) != leader
            await asyncio.to_thread(servers[leader].start)
        await _has_merged(url)
        work.is_over = True
    await work.finish()
    await _at_rest(watch)
    found = await inspect(url, work)
    followed = await _followed(url)
    assert await watch.fetchval("SELECT count(*) FROM dead_letters") == 0
    for server in servers.values():
        await asyncio.to_thread(server.stop)
    merges = await _merges(url)
    assert [merge for merge, times in merges.items() if times > 1] == [], "the same was merged twice"
    assert await _anew(servers[SERVERS[0]]) == followed
    assert await _merges(url) == merges, "beginning anew has merged again"
    await work.close()
    await watch.close()
    return (
        f"leaders killed: {', '.join(killed)}; {found.saves} acknowledged saves, {len(merges)} merges and "
        f"{sum(map(len, followed.values()))} rows of followers checked (seed {SEED})"
    )


def _spread(work: Fieldwork, servers: dict[str, LiveServer], dead: str | None) -> None:
    """Let each phone talk to one of the servers that live."""
    living = [server.url for name, server in servers.items() if name != dead]
    for number, phone in enumerate(work.phones):
        phone.client.base_url = httpx.URL(living[number % len(living)])


async def _leader(watch: Any, unlike: str | None) -> str:
    """Return whose the followers' lead is, once it is somebody's other than `unlike`'s."""
    held = """SELECT usename FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = $1"""
    for _ in range(int(TAKEN_OVER_S / 0.05)):
        name = await watch.fetchval(held, int(AdvisoryLock.FOLLOWERS))
        if name not in (None, unlike):
            return str(name)
        await asyncio.sleep(0.05)
    raise AssertionError(f"nobody took the lead over in {TAKEN_OVER_S} s")


async def _is_at_work(watch: Any) -> None:
    """Return when a follower is behind a feed: then the leader has something in hand."""
    behind = """SELECT count(*) FROM databases JOIN follower_checkpoints ON database = name
        WHERE follower_checkpoints.seq < databases.seq"""
    for _ in range(int(TAKEN_OVER_S / 0.005)):
        if await watch.fetchval(behind):
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the followers had nothing to do")


async def _has_merged(url: str) -> None:
    """Return when two phones have edited one record, and what they said was merged."""
    for _ in range(MERGED_S):
        if await _merges(url):
            return
        await asyncio.sleep(1)
    raise AssertionError(f"no two phones have edited one record in {MERGED_S} s")


async def _at_rest(watch: Any) -> None:
    """Return when every follower has come to the end of every feed, and stays there."""
    still = 0
    before = None
    for _ in range(AT_REST_S * 2):
        if still == 5:
            return
        await asyncio.sleep(0.5)
        ends = await watch.fetch("SELECT name, seq FROM databases ORDER BY name")
        behind = await watch.fetchval(
            """SELECT count(*) FROM databases CROSS JOIN (SELECT DISTINCT follower FROM follower_checkpoints) AS f
            LEFT JOIN follower_checkpoints AS c ON c.follower = f.follower AND c.database = name
            WHERE databases.seq > coalesce(c.seq, 0)"""
        )
        still = still + 1 if ends == before and not behind else 0
        before = ends
    raise AssertionError(f"the followers were not done after {AT_REST_S} s")


async def _followed(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows that followers have written, by table."""
    storage = Storage(url, pool_size=2)
    try:
        async with storage.read() as connection:
            found = {}
            for table in ROWS:
                rows = await connection.execute(select(table).order_by(*table.primary_key.columns))
                found[table.name] = [tuple(row) for row in rows]
            return found
    finally:
        await storage.close()


async def _merges(url: str) -> Counter[tuple[str, str, tuple[str, ...]]]:
    """Return how often each set of leaves of a document was merged."""
    storage = Storage(url, pool_size=2)
    try:
        journal = Journal(storage, system_clock)
        found: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
        for state in await journal.databases():
            ids = [row.doc_id for row in (await journal.changes(state.name)).rows]
            for doc_id, history in (await journal.histories(state.name, ids)).items():
                for revision in history:
                    if merged := json.loads(revision.content).get("merged"):
                        found[state.name, doc_id, (str(revision.parent), *map(str, merged))] += 1
        return found
    finally:
        await storage.close()


async def _anew(server: LiveServer) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows once followers have computed all of them from the beginning, in this process."""
    settings = Settings(
        database_url=server.database_url,
        media_dir=server.folder / "media",
        secret_file=server.folder / "secret",
        follow=False,
    )
    storage = Storage(settings.database_url, pool_size=3)
    app = create_app(settings, storage)
    async with running(app):
        async with storage.write() as connection:
            await connection.execute(delete(checkpoints))
            for table in ROWS:
                await connection.execute(delete(table))
        await app.state["runner"].once()
        async with storage.read() as connection:
            assert not await connection.scalar(select(func.count()).select_from(dead_letters))
    await storage.close()
    return await _followed(server.database_url)

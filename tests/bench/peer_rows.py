"""The measurement of replication between servers: two of ours, and pouchdb-server pulling the same from one of them."""

import asyncio
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.bench import record_set
from tests.bench.arrangement import Bench, bench
from tests.bench.couchdb_rows import bring
from tests.builders import PASSWORD
from tests.clients.pouchdb_server import pouchdb_server

ACCOUNT = "other-server"
TIMEOUT_S = 300
PULLED, PUSHED = 0, 1
PEOPLE = {"hoa": [PULLED, PUSHED]}


@dataclass(frozen=True, slots=True)
class Peering:
    """Records a second from a standing start, with what each costs the server that replicates and the other one."""

    pulled_per_s: float
    pushed_per_s: float
    replicating_cpu_us: float
    other_cpu_us: float
    theirs_per_s: float


def peering() -> Peering:
    """Measure a server that pulls one database of another and pushes the other one there, each with all records."""
    with ExitStack() as stack:
        here, there = (
            stack.enter_context(bench(Path(stack.enter_context(tempfile.TemporaryDirectory())), PEOPLE))
            for _ in range(2)
        )
        there.server.run(
            *("person", "add", ACCOUNT, "--name", "Another server", "--role", "peer", "--project", "*", "--unit", "11"),
            typed=f"{PASSWORD}\n",
        )
        asyncio.run(bring(there, there.database(PULLED)))
        asyncio.run(bring(here, here.database(PUSHED)))
        other_cpu_s = there.cpu_s()
        pulled_s, pulling_cpu_s = _replicated(here, there, "pull", PULLED, into=here)
        pushed_s, pushing_cpu_s = _replicated(here, there, "push", PUSHED, into=there)
        other_cpu_s = there.cpu_s() - other_cpu_s
        theirs = stack.enter_context(pouchdb_server())
        theirs_s = _pulled_by(theirs, there)
    each_us = 1e6 / (2 * record_set.COUNT)
    return Peering(
        record_set.COUNT / pulled_s,
        record_set.COUNT / pushed_s,
        (pulling_cpu_s + pushing_cpu_s) * each_us,
        other_cpu_s * each_us,
        record_set.COUNT / theirs_s,
    )


def _replicated(here: Bench, there: Bench, direction: str, commune: int, *, into: Bench) -> tuple[float, float]:
    """Return the seconds until every record of a commune's database has come, and the CPU of the server that works."""
    database = here.database(commune)
    here.server.stop()
    here.server.run(
        *("peer", "add", direction, f"{there.server.url}/db", "--scope", database),
        *("--direction", direction, "--username", ACCOUNT),
        typed=f"{PASSWORD}\n",
    )
    here.server.start()
    # From where it is ready: it begins by itself, at once.
    started, cpu_s = time.perf_counter(), here.cpu_s()
    counted = f"SELECT documents FROM databases WHERE name = '{database}'"
    into.server.follow_until(counted, record_set.COUNT, timeout_s=TIMEOUT_S)
    return time.perf_counter() - started, here.cpu_s() - cpu_s


def _pulled_by(theirs: str, there: Bench) -> float:
    """Return the seconds that pouchdb-server takes to pull the same database."""
    host = there.server.url.removeprefix("http://")
    source = f"http://{ACCOUNT}:{quote(PASSWORD)}@{host}/db/{there.database(PULLED)}"
    with httpx.Client(base_url=theirs, timeout=TIMEOUT_S) as asking:
        asking.put("/pulled").raise_for_status()
        started = time.perf_counter()
        said = asking.post("/_replicate", json={"source": source, "target": "pulled"}).raise_for_status().json()
        seconds = time.perf_counter() - started
    assert said["docs_written"] == record_set.COUNT, said
    return seconds

"""What an exchange and ingest cost when ten thousand, three hundred thousand or a million records are stored already.

The store is filled through the journal's own write function, in this process and spread over the communes as fieldwork
is; the followers project it before anything is measured. Then the real server serves it and is asked what it always is.
"""

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.areas.areas import Areas
from server.background import followers_of
from server.demo.phone import Phone
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from server.settings import Settings
from tests.bench import record_set
from tests.bench.arrangement import Bench, bench, save
from tests.bench.rows import COMMUNES, finished_request, opened

SIZES = (10_000, 300_000)
#: Only where it is asked for: to fill it takes minutes.
MILLION = 1_000_000
FILL_BATCH = 500
SYNCS, BATCH = 25, 10
SENDERS, RECORDS, ROUNDS = 20, 50, 3


@dataclass(frozen=True, slots=True)
class Stored:
    """What was measured over a store of so many records."""

    records: int
    filled_per_s: float
    sync_s: float
    sync_cpu_s: float
    ingested_per_s: float
    ingest_cpu_us: float


def stored(sizes: tuple[int, ...]) -> Iterator[Stored]:
    """Measure at each size, the smaller first; every size builds on the one before."""
    people = {f"worker{number:02}": [number % COMMUNES] for number in range(SENDERS)} | {"hoa": [0], "mai": [0]}
    records = itertools.cycle(record_set.load())
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), people) as running:
        for size in sizes:
            running.server.stop()
            filled_per_s = asyncio.run(_fill(running, records, size))
            # What the system still has to write of the filling would be waited for by the first exchanges.
            os.sync()
            running.server.start()
            yield asyncio.run(_measured(running, records, people, size, filled_per_s))


async def _fill(running: Bench, records: Iterator[dict[str, Any]], size: int) -> float:
    """Bring the store to `size` records; return how many the journal took in a second."""
    settings = Settings(database_url=running.server.database_url, secret_file=running.server.folder / "secret")
    storage = Storage(settings.database_url)
    journal = Journal(storage, system_clock)
    followers = followers_of(
        settings,
        storage,
        journal,
        clock=system_clock,
        library=FormLibrary(storage),
        areas=Areas(storage, journal, system_clock),
    )
    names = [running.database(commune) for commune in range(len(running.communes))]
    held = sum(state.documents for state in await journal.databases(names))
    seconds = 0.0
    for number in range((size - held) // FILL_BATCH):
        batch = [_revision(record) for record in itertools.islice(records, FILL_BATCH)]
        started = time.perf_counter()
        await journal.write(names[number % len(names)], batch, Origin())
        seconds += time.perf_counter() - started
    await followers.once()
    await storage.close()
    return (size - held) / seconds if seconds else 0.0


def _revision(record: dict[str, Any]) -> NewRevision:
    content = {
        "type": "record",
        "form": record_set.FORM,
        "form_version": record_set.VERSION,
        "answers": record["answers"],
        "media": record["media"],
        "saved": {"by": "bench", "number": "1", "at": record["at"]},
    }
    return NewRevision.following(uuid7(system_clock), content, None)


async def _measured(
    running: Bench, records: Iterator[dict[str, Any]], people: dict[str, list[int]], size: int, filled_per_s: float
) -> Stored:
    seconds, cpu = await _syncs(running, records)
    ingested, ingest_cpu_us = await _ingest(running, records, people)
    return Stored(size, filled_per_s, seconds, cpu, ingested, ingest_cpu_us)


async def _syncs(running: Bench, records: Iterator[dict[str, Any]]) -> tuple[float, float]:
    """Return the median time of an exchange of ten up and ten down, and the server's CPU in the mean of them."""
    times, cpu = [], 0.0
    async with running.phone("hoa") as phone, running.phone("mai") as other:
        for each in (phone, other):
            await each.sync(max_bytes=4_000_000)
        for _ in range(SYNCS):
            for each in (other, phone):
                _save(each, running.database(), records, BATCH)
            await other.sync()
            await running.followed()
            cpu_before, started = running.cpu_s(), time.perf_counter()
            await phone.exchange()
            times.append(time.perf_counter() - started)
            cpu += running.cpu_s() - cpu_before
    return statistics.median(times), cpu / SYNCS


async def _ingest(
    running: Bench, records: Iterator[dict[str, Any]], people: dict[str, list[int]]
) -> tuple[float, float]:
    """Return acknowledged records a second, of phones that all send at once, and the server's CPU for each record.

    Both are the best of some rounds; the CPU tells what a busy machine hides.
    """
    rates, cpu_us = [], []
    for _ in range(ROUNDS):
        requests = []
        for username in people:
            if username.startswith("worker"):
                async with running.phone(username) as phone:
                    await phone.sync(max_bytes=4_000_000)
                    _save(phone, running.database(people[username][0]), records, RECORDS)
                    requests.append(finished_request(phone))
        senders = [await opened(running, request) for request in requests]
        cpu_before, started = running.cpu_s(), time.perf_counter()
        taken = await asyncio.gather(*(send() for send in senders))
        rates.append(sum(taken) / (time.perf_counter() - started))
        cpu_us.append((running.cpu_s() - cpu_before) * 1e6 / sum(taken))
        assert sum(taken) == SENDERS * RECORDS
    return max(rates), min(cpu_us)


def _save(phone: Phone, database: str, records: Iterator[dict[str, Any]], count: int) -> None:
    for record in itertools.islice(records, count):
        save(phone, database, record)

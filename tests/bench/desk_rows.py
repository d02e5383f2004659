"""What the data manager's desk costs: its queue with ten thousand open conflicts, over HTTP against the real server."""

import asyncio
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from server.app import create_app
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.platform.ids import uuid7
from server.read_model.record_tables import open_questions, records
from server.settings import Settings
from sync.matching.text_normalisation import fold
from tests.bench.arrangement import Bench, bench
from tests.bench.record_set import FORM, VERSION
from tests.bench.rows import COMMUNES
from tests.builders import PASSWORD, PROVINCE, Client, add_person, grant, running

CONFLICTS = 10_000
TIMES = 15
CAUSES = ("value", "value", "value", "place", "row", "delete", "exclusive", "constraint")
PATHS = ("/answers/area", "/answers/owner", "/answers/visit/{row}/heads", "/answers/place", "")


@dataclass(frozen=True, slots=True)
class Queue:
    """Seconds until the answer was read, the median of several: the first page, a later one, one that is narrowed."""

    conflicts: int
    first_s: float
    later_s: float
    narrowed_s: float


def queue() -> Queue:
    """Measure the queue as a data manager of the whole province asks for it."""
    people = {"hoa": list(range(COMMUNES))}
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), people) as started:
        started.server.stop()
        asyncio.run(_fill(started))
        started.server.start()
        return asyncio.run(_measured(started))


async def _fill(started: Bench) -> None:
    settings = Settings(database_url=started.server.database_url, secret_file=started.server.folder / "secret")
    storage = Storage(settings.database_url)
    chance = random.Random(20261121)
    workers = [uuid7(system_clock) for _ in range(60)]
    questions: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for number in range(CONFLICTS):
        commune = started.communes[number % len(started.communes)]
        here = {"database": f"agri-{commune}", "project": "agri", "unit": commune, "form": FORM}
        at = system_clock() - timedelta(minutes=chance.randrange(100_000))
        title, record = f"Hộ Lò Văn {number}", uuid7(system_clock)
        lines.append(_line(here, record, title, at))
        for path in chance.sample(PATHS, chance.choice((1, 1, 2))):
            questions.append(
                {
                    **here,
                    "record": record,
                    "path": path.format(row=uuid7(system_clock)),
                    "cause": chance.choice(CAUSES),
                    "candidates": [f"3-{chance.getrandbits(128):032x}", f"2-{chance.getrandbits(128):032x}"],
                    "people": chance.sample(workers, 2),
                    "title": title,
                    "since": at,
                    "folded": fold(title),
                }
            )
    async with storage.write() as connection:
        await put(connection, records, lines)
        await put(connection, open_questions, questions)
    app = create_app(settings, storage)
    async with running(app), Client(app) as client:
        await add_person(client, "manager", grant("data_manager", unit=PROVINCE))
    await storage.close()


def _line(here: dict[str, Any], record: str, title: str, at: Any) -> dict[str, Any]:
    return {
        **here,
        "id": record,
        "rev": f"4-{record.replace('-', '')}",
        "form_version": VERSION,
        "title": title,
        "state": "received",
        "is_corrected": False,
        "is_deleted": False,
        "is_erased": False,
        "published_rev": None,
        "by_person": None,
        "by_name": "",
        "recorded_at": "",
        "received_at": at,
        "flags": ["conflict"],
        "urgency": 1,
        "branches": 1,
        "folded": fold(title),
    }


async def _measured(started: Bench) -> Queue:
    async with started.client(started.server.url) as client:
        signed_in = await client.post("/api/auth/login", json={"username": "manager", "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        first = (await client.get("/api/conflicts")).json()
        assert first["total"] == CONFLICTS
        seconds = [
            await _median(client, filters)
            for filters in ({}, {"before": first["next"]}, {"q": "lo van 77", "kind": "value"})
        ]
    return Queue(CONFLICTS, *seconds)


async def _median(client: httpx.AsyncClient, filters: dict[str, str]) -> float:
    taken = []
    for _ in range(TIMES):
        before = time.perf_counter()
        answer = await client.get("/api/conflicts", params=filters)
        taken.append(time.perf_counter() - before)
        assert answer.json()["conflicts"], answer.text
    return statistics.median(taken)

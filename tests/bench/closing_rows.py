"""What closing branches costs end to end: documents that two people changed at once, on SQLite and on PostgreSQL.

Every document is one of the record set, with two edits that did not know of each other: fields that only one of them
changed, a repeat's row, and one that both did. Followed once, each has one live revision and an open question. Both
stores are durable.
"""

import asyncio
import copy
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from server.journal.model import NewRevision, Origin
from server.platform.clock import system_clock
from server.platform.db.engine import Storage
from server.platform.db.migrate import migrate
from server.platform.ids import uuid7
from server.projections.review_documents import is_record
from server.read_model.record_tables import open_questions
from sync.revisions.canonical import Json
from tests.bench import record_set
from tests.conftest import administer
from tests.postgresql import NoPostgresql, cluster
from tests.surveys import SCOPE, Province

DOCUMENTS = 1000
BATCH = 200


@dataclass(frozen=True, slots=True)
class Closed:
    """Seconds until the branches were closed and what is open is known, and until all followers were done.

    `cpu_s` is what closing took of this process's time, whatever else the machine was busy with.
    """

    documents: int
    closed_s: float
    cpu_s: float
    followed_s: float


def closed_on_sqlite() -> Closed:
    """Measure on a file of SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_closed(f"sqlite:///{Path(folder) / 'nuong.sqlite'}"))


def closed_on_postgresql() -> Closed | str:
    """Measure on a cluster of PostgreSQL; where there is none, return why."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(cluster(is_durable=True))
        except NoPostgresql as reason:
            return str(reason)
        asyncio.run(administer(running, "CREATE DATABASE bench"))
        return asyncio.run(_closed(running.url("bench")))


async def _closed(url: str) -> Closed:
    storage = Storage(url)
    await migrate(storage)
    province = await Province(storage, system_clock).open()
    await province.publish(record_set.FORM, record_set.VERSION, record_set.XFORM)
    runner = province.runner
    # The form is compiled once in the life of a server.
    await _write(province, record_set.load()[:1])
    await runner.once()
    await _write(province, record_set.load()[1 : DOCUMENTS + 1])
    if storage.is_postgresql:
        await _count(storage)
    begun, worked = time.perf_counter(), time.process_time()
    [closing] = [each for each in runner.followers if each.name == "branches"]
    await closing.follow_once()
    closed_s, cpu_s = time.perf_counter() - begun, time.process_time() - worked
    await runner.once()
    followed_s = time.perf_counter() - begun
    async with storage.read() as connection:
        asked = await connection.scalar(select(func.count()).select_from(open_questions))
    # Beside the records stand documents that followers write about them.
    rows = (await province.journal.changes(SCOPE, include_docs=True)).rows
    changes = [change for change in rows if is_record(change.doc_id)]
    assert asked == len(changes) == DOCUMENTS + 1, (asked, len(changes))
    assert all(b'"merged":[' in (change.content or b"") for change in changes)
    await storage.close()
    return Closed(DOCUMENTS, closed_s, cpu_s, followed_s)


async def _count(storage: Storage) -> None:
    """Do what autovacuum does within a minute, which the tests' cluster runs without.

    Plans made for empty tables would go on being used: they read a whole database for each document.
    """
    async with storage.write() as connection:
        await connection.execute(text("ANALYZE"))


async def _write(province: Province, records: list[dict[str, Any]]) -> None:
    for start in range(0, len(records), BATCH):
        batch = [one for record in records[start : start + BATCH] for one in _branched(record)]
        outcomes = await province.journal.write(SCOPE, batch, Origin("lo"))
        assert {each.outcome for each in outcomes} == {"stored"}


def _branched(record: dict[str, Any]) -> list[NewRevision]:
    doc_id = uuid7(system_clock)
    base = _content(record["answers"], record, "1")
    first = NewRevision.following(doc_id, base, None)
    one, other = copy.deepcopy(record["answers"]), copy.deepcopy(record["answers"])
    one["owner"]["phone"], one["land"]["slope"], one["remarks"] = "0912345678", "gentle", "gọi trước khi đến"
    other["land"]["yield_kg"], other["owner"]["members"] = "345.5", "7"
    for row in other.get("visit", [])[:1]:
        row["heads"] = "31"
    # Both say something else here.
    one["land"]["area_m2"], other["land"]["area_m2"] = "2500", "3100"
    return [
        first,
        *(
            NewRevision.following(doc_id, _content(answers, record, number), first.rev)
            for number, answers in (("2", one), ("3", other))
        ),
    ]


def _content(answers: Json, record: dict[str, Any], number: str) -> dict[str, Json]:
    return {
        "type": "record",
        "form": record_set.FORM,
        "form_version": record_set.VERSION,
        "answers": answers,
        "media": record["media"],
        "saved": {"by": "bench", "number": number, "at": record["at"]},
    }

"""The measurements of the `/db` door: PouchDB with it and with pouchdb-server in one run, and the bare verbs."""

import asyncio
import base64
import gzip
import hashlib
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import record_set
from tests.bench.arrangement import ADMINISTRATOR, Bench, bench
from tests.builders import PASSWORD
from tests.clients.pouchdb_server import pouchdb_server
from tests.clients.replica import Document, Place, replica

ROUNDS = 2
CONNECTIONS, BATCH, COPIES = 4, 500, 4


@dataclass(frozen=True, slots=True)
class Replication:
    """PouchDB's seconds for all records, each the best of its rounds."""

    push_s: float
    pull_s: float


@dataclass(frozen=True, slots=True)
class Beside:
    """The same replications with this server and with pouchdb-server, turn by turn."""

    ours: Replication
    theirs: Replication


@dataclass(frozen=True, slots=True)
class Bare:
    """The verbs alone, in documents a second, and what one costs the server's process."""

    written_per_s: float
    written_cpu_us: float
    read_per_s: float
    read_cpu_us: float
    read_bytes: int
    wire_bytes: int


@dataclass(frozen=True, slots=True)
class Brought:
    """`_bulk_docs` as replicators write, into a scope and into a database that takes anything."""

    scope: "Speed"
    plain: "Speed"


@dataclass(frozen=True, slots=True)
class Speed:
    """Documents a second, and what one costs the server's process."""

    per_s: float
    cpu_us: float


def documents(copy: int = 0) -> list[Document]:
    """Return the record set as documents; each `copy` has ids of its own."""
    return [
        {
            "_id": f"record-{copy}-{number:04}",
            "type": "record",
            "form": record_set.FORM,
            "form_version": record_set.VERSION,
            "answers": taken["answers"],
            "media": taken["media"],
        }
        for number, taken in enumerate(record_set.load())
    ]


def beside() -> Beside:
    """Measure PouchDB with both servers, each round in databases and a Node process of its own."""
    people = {"hoa": list(range(ROUNDS))}
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), people) as running, pouchdb_server() as theirs:
        ours: list[Replication] = []
        others: list[Replication] = []
        for number in range(ROUNDS):
            place = {"url": f"{running.server.url}/db/{running.database(number)}", "auth": _HOA}
            ours.append(asyncio.run(_replication(place, running.followed)))
            others.append(asyncio.run(_replication({"url": f"{theirs}/bench-{number}"}, _nothing)))
    return Beside(_best(ours), _best(others))


_HOA = {"username": "hoa", "password": PASSWORD}


def _best(rounds: Sequence[Replication]) -> Replication:
    return Replication(min(each.push_s for each in rounds), min(each.pull_s for each in rounds))


async def _nothing() -> None:
    """Return at once: pouchdb-server makes nothing of what it is brought."""


async def _replication(remote: Place, followed: Callable[[], Awaitable[None]]) -> Replication:
    here: Place = {"memory": "here"}
    async with replica() as pouch:
        await pouch.call(here, "bulkDocs", documents())
        # Signed in and open, as a replica that has been running.
        await pouch.call(remote, "info")
        push_s = await _timed(lambda: pouch.replicate(here, remote))
    await followed()
    async with replica() as pouch:
        await pouch.call(remote, "info")
        pull_s = await _timed(lambda: pouch.replicate(remote, here))
    return Replication(push_s, pull_s)


async def _timed(work: Callable[[], Awaitable[dict[str, Any]]]) -> float:
    started = time.perf_counter()
    done = await work()
    seconds = time.perf_counter() - started
    assert done["docs_written"] == record_set.COUNT, done
    return seconds


def bare() -> Bare:
    """Measure `_bulk_docs` over open connections, then `_changes` with documents and gzip, by no client library."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0]}) as running:
        return asyncio.run(_bare(running))


async def _bare(running: Bench) -> Bare:
    every = [each for copy in range(COPIES) for each in documents(copy)]
    bodies = [_json({"docs": every[start : start + BATCH]}) for start in range(0, len(every), BATCH)]
    path = f"/db/{running.database()}"
    lanes = [await _Connection.to(running.server.port) for _ in range(CONNECTIONS)]
    # A password costs twenty milliseconds once; a replicator's connections stay.
    await asyncio.gather(*(lane.send("GET", path) for lane in lanes))
    started, cpu_s = time.perf_counter(), running.cpu_s()
    waiting = iter(bodies)
    answers = await asyncio.gather(*(_written(lane, f"{path}/_bulk_docs", waiting) for lane in lanes))
    writing_s, writing_cpu_s = time.perf_counter() - started, running.cpu_s() - cpu_s
    assert sum(answers) == len(every), f"{sum(answers)} written"
    await running.followed()
    lanes.append(await _Connection.to(running.server.port))
    await lanes[-1].send("GET", path)
    started, cpu_s = time.perf_counter(), running.cpu_s()
    answer = await lanes[-1].send("GET", f"{path}/_changes?include_docs=true&style=all_docs")
    reading_s, reading_cpu_s = time.perf_counter() - started, running.cpu_s() - cpu_s
    text = gzip.decompress(answer)
    rows = json.loads(text)["results"]
    assert sum("doc" in row for row in rows) == len(every), f"{len(rows)} read"
    for lane in lanes:
        lane.close()
    each_us = 1e6 / len(every)
    return Bare(
        len(every) / writing_s,
        writing_cpu_s * each_us,
        len(every) / reading_s,
        reading_cpu_s * each_us,
        len(text),
        len(answer),
    )


def brought() -> Brought:
    """Measure `_bulk_docs` with revisions that another server made, over open connections."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0]}) as running:
        return asyncio.run(_brought(running))


async def _brought(running: Bench) -> Brought:
    every = [_as_made_elsewhere(each) for copy in range(COPIES) for each in documents(copy)]
    bodies = [
        _json({"new_edits": False, "docs": every[start : start + BATCH]}) for start in range(0, len(every), BATCH)
    ]
    found: list[Speed] = []
    for who, database in (("hoa", running.database()), (ADMINISTRATOR, "copies")):
        lanes = [await _Connection.to(running.server.port, who) for _ in range(CONNECTIONS)]
        if who == ADMINISTRATOR:
            await lanes[0].send("PUT", f"/db/{database}")
        await asyncio.gather(*(lane.send("GET", f"/db/{database}") for lane in lanes))
        started, cpu_s, waiting = time.perf_counter(), running.cpu_s(), iter(bodies)
        await asyncio.gather(*(_copied(lane, f"/db/{database}/_bulk_docs", waiting) for lane in lanes))
        seconds, used_s = time.perf_counter() - started, running.cpu_s() - cpu_s
        found.append(Speed(len(every) / seconds, used_s * 1e6 / len(every)))
        await running.followed()
        for lane in lanes:
            lane.close()
    return Brought(*found)


def _as_made_elsewhere(document: Document) -> Document:
    digest = hashlib.md5(document["_id"].encode(), usedforsecurity=False).hexdigest()
    return {**document, "_rev": f"1-{digest}", "_revisions": {"start": 1, "ids": [digest]}}


async def _copied(lane: "_Connection", path: str, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        rows = await lane.send("POST", path, body)
        assert rows.strip() == b"[]", rows[:300]


async def bring(running: Bench, database: str) -> None:
    """Bring all records into a database by `_bulk_docs`, as the one who works there."""
    every = documents()
    bodies = (_json({"docs": every[start : start + BATCH]}) for start in range(0, len(every), BATCH))
    lane = await _Connection.to(running.server.port)
    assert await _written(lane, f"/db/{database}/_bulk_docs", bodies) == len(every)
    lane.close()


async def _written(lane: "_Connection", path: str, bodies: Iterator[bytes]) -> int:
    written = 0
    for body in bodies:
        answer = await lane.send("POST", path, body)
        text = gzip.decompress(answer) if answer.startswith(b"\x1f\x8b") else answer
        written += text.count(b'"ok":true')
    return written


class _Connection:
    """A connection that stays open and costs the machine next to nothing beside the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str) -> None:
        self._reader = reader
        self._writer = writer
        self._basic = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()

    @classmethod
    async def to(cls, port: int, who: str = "hoa") -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**24), who)

    def close(self) -> None:
        self._writer.close()

    async def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return an answer's body as it was sent, inflated by nobody."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {self._basic}\r\n"
            f"Accept: application/json\r\nAccept-Encoding: gzip\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        if headers.get("transfer-encoding") == "chunked":
            answer = await self._chunks()
        else:
            answer = await self._reader.readexactly(int(headers["content-length"]))
        assert status.split()[1] in ("200", "201"), (status, answer[:300])
        return answer

    async def _chunks(self) -> bytes:
        pieces = []
        while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
            pieces.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(pieces)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

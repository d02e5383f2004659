"""The measurements, a function for each row of the table of aims; each returns what it saw."""

import asyncio
import gzip
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from server.demo.phone import Phone
from tests.bench import record_set
from tests.bench.arrangement import Bench, bench, save
from tests.bench.proxy import EDGE, Proxy
from tests.bench.tls import certificate, terminated

BATCH = 10
PHONES, RECORDS, COMMUNES = 50, 100, 45


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange over the shaped link."""

    seconds: float
    requests: int
    body_bytes: int
    wire_bytes: int
    connections: int


@dataclass(frozen=True, slots=True)
class Edge:
    """The exchanges over EDGE: ten up and ten down on an open and on a new connection, and nothing to do."""

    warm: Exchange
    cold: Exchange
    nothing: Exchange


@dataclass(frozen=True, slots=True)
class FirstSync:
    """The first exchange of a phone on loopback."""

    seconds: float
    rounds: int
    body_bytes: int
    documents: int


@dataclass(frozen=True, slots=True)
class Load:
    """Many phones at once on loopback; `followed_s` is until lists and tables show everything as well."""

    seconds: float
    records: int
    followed_s: float
    rest_mib: float
    memory_mib: float

    @property
    def records_per_s(self) -> float:
        """Return acknowledged records a second."""
        return self.records / self.seconds


class _Counter:
    """Counts requests and bodies as a client sees them, compressed."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.requests = self.body_bytes = 0
        client.event_hooks = {"response": [self._count]}

    async def _count(self, response: httpx.Response) -> None:
        await response.aread()
        self.requests += 1
        self.body_bytes += int(response.request.headers.get("content-length", 0)) + response.num_bytes_downloaded


def edge() -> Edge:
    """Measure the exchanges over EDGE, with TLS as in production."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0], "mai": [0]}) as running:
        return asyncio.run(_edge(running, Path(folder)))


async def _edge(running: Bench, folder: Path) -> Edge:
    served, trusted = certificate(folder)
    records = iter(record_set.load())
    async with (
        terminated(running.server.port, served) as tls_port,
        Proxy("127.0.0.1", tls_port, EDGE).running() as proxy,
        running.phone("mai") as other,
        running.phone("hoa", f"https://127.0.0.1:{proxy.port}", trusted) as phone,
    ):
        await phone.sync(max_bytes=4_000_000)

        async def ten_each_way() -> Exchange:
            for sender in (other, phone):
                for _ in range(BATCH):
                    save(sender, running.database(), next(records))
            await other.sync()
            before = len(phone.documents.get(running.database(), {}))
            measured = await _measured(proxy, phone)
            assert len(phone.documents[running.database()]) == before + 2 * BATCH
            assert phone.outgoing == []
            return measured

        warm = await ten_each_way()
        nothing = await _measured(proxy, phone)
        await phone.client.aclose()
        async with running.client(f"https://127.0.0.1:{proxy.port}", trusted) as phone.client:
            cold = await ten_each_way()
        return Edge(warm, cold, nothing)


async def _measured(proxy: Proxy, phone: Phone) -> Exchange:
    counter = _Counter(phone.client)
    proxy.reset()
    started = time.perf_counter()
    await phone.exchange()
    seconds = time.perf_counter() - started
    counts = proxy.counts
    return Exchange(
        seconds, counter.requests, counter.body_bytes, counts.up_bytes + counts.down_bytes, counts.connections
    )


def first_sync() -> FirstSync:
    """Measure a new phone's first exchange with 5,000 records in its commune, on loopback."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0], "mai": [0]}) as running:
        return asyncio.run(_first_sync(running))


async def _first_sync(running: Bench) -> FirstSync:
    async with running.phone("mai") as writer:
        for record in record_set.load():
            save(writer, running.database(), record)
        while writer.outgoing:
            await writer.exchange(limit=500, max_bytes=1000)
    async with running.phone("hoa") as phone:
        counter = _Counter(phone.client)
        started = time.perf_counter()
        answers = await phone.sync(max_bytes=4_000_000)
        seconds = time.perf_counter() - started
        documents = len(phone.documents[running.database()])
        assert documents == record_set.COUNT
        return FirstSync(seconds, len(answers), counter.body_bytes, documents)


def load() -> Load:
    """Measure fifty phones, spread over the communes, that bring a hundred records each, all at once, on loopback."""
    people = {f"worker{number:02}": [number % COMMUNES] for number in range(PHONES)}
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), people) as running:
        return asyncio.run(_load(running, people))


async def _load(running: Bench, people: dict[str, list[int]]) -> Load:
    rest_mib = running.memory_mib()
    records = iter(record_set.load())
    requests: list[bytes] = []
    for username, (commune,) in people.items():
        async with running.phone(username) as phone:
            await phone.sync(max_bytes=4_000_000)
            for _ in range(RECORDS):
                save(phone, running.database(commune), next(records))
            requests.append(finished_request(phone))
    senders = [await opened(running, request) for request in requests]
    started = time.perf_counter()
    stored = await asyncio.gather(*(send() for send in senders))
    seconds = time.perf_counter() - started
    assert sum(stored) == PHONES * RECORDS, f"{sum(stored)} acknowledged"
    await asyncio.to_thread(
        running.server.follow_until, "SELECT count(*) FROM records", PHONES * RECORDS, timeout_s=120
    )
    return Load(seconds, sum(stored), time.perf_counter() - started, rest_mib, running.peak_memory_mib())


def finished_request(phone: Phone) -> bytes:
    """Return a phone's next exchange as it goes over the wire, head and body."""
    body = gzip.compress(json.dumps(phone.request(), ensure_ascii=False, separators=(",", ":")).encode(), 6)
    head = (
        f"POST /api/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {phone.access_token}\r\n"
        f"Content-Type: application/json\r\nContent-Encoding: gzip\r\nAccept-Encoding: gzip\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    return head + body


async def opened(running: Bench, request: bytes) -> Callable[[], Awaitable[int]]:
    """Return what sends a finished request over a connection that is open already, and counts what was stored.

    The server cuts connections that send nothing: open them when every request is finished.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)

    async def send() -> int:
        writer.write(request)
        answer = await reader.read()
        writer.close()
        status, _, rest = answer.partition(b"\r\n\r\n")
        assert b" 200 " in status[:20], answer[:300]
        told: dict[str, Any] = json.loads(gzip.decompress(rest))
        return sum(ack["outcome"] == "stored" for ack in told["acks"])

    return send

"""What everybody else meets while one request is as heavy as its route allows: the server's health, and an exchange.

`/healthz` costs nothing but its turn, so that it tells how long the event loop was held. The other phone works in a
commune of its own, saves a record for each exchange, and goes on until the followers have taken what the heavy request
brought.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.demo.phone import Phone
from tests.bench.arrangement import Bench, bench, save
from tests.bench.heaviest import Heavy, Senders
from tests.bench.heaviest_store import ADMINISTRATOR, DESK, Arranged, arrange
from tests.builders import PASSWORD

HEALTH_S, EXCHANGE_S = 0.25, 1.0
#: Between two looks at `/healthz`, and between two exchanges of the other phone.
LOOK_S, WORK_S = 0.01, 0.2
PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Held:
    """What others waited while a request ran: `/healthz` at the 99th percentile, and the slowest exchange.

    `took_s` is until it was answered, `followed_s` until the followers were through; `status` is its answer's.
    """

    what: str
    status: int
    is_done: bool
    took_s: float
    followed_s: float
    health_s: float
    exchange_s: float


def heaviest(tell: Callable[[Held], None], only: str = "") -> None:
    """Send each of the heaviest requests whose description has `only`, and tell what others waited meanwhile."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0], "mai": [1]}) as running:
        running.server.stop()
        store = asyncio.run(arrange(running))
        running.server.start()
        asyncio.run(_each(running, store, tell, only))


async def _each(running: Bench, store: Arranged, tell: Callable[[Held], None], only: str) -> None:
    async with (
        httpx.AsyncClient(base_url=running.server.url, timeout=PATIENCE_S) as client,
        running.phone("hoa") as phone,
        running.phone("mai") as other,
    ):
        phone.client.timeout = PATIENCE_S
        desk, administrator = [await _signed_in(client, name) for name in (DESK, ADMINISTRATOR)]
        await other.sync(max_bytes=4_000_000)
        await running.followed()
        for heavy in Senders(store, desk, administrator, phone).requests():
            if only in heavy.what:
                tell(await _held(running, client, other, store, heavy))


async def _signed_in(client: httpx.AsyncClient, username: str) -> dict[str, str]:
    answer = await client.post("/api/auth/login", json={"username": username, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def _held(running: Bench, client: httpx.AsyncClient, other: Phone, store: Arranged, heavy: Heavy) -> Held:
    healths: list[float] = []
    exchanges: list[float] = []
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as beside:
        beside.create_task(_look(running, healths, ended))
        beside.create_task(_work(running, other, store, exchanges, ended))
        began = time.perf_counter()
        status = await _status(heavy, client)
        took_s = time.perf_counter() - began
        # The other phone's own records may wait.
        await running.followed(besides=running.database(1))
        followed_s = time.perf_counter() - began
        ended.set()
    return Held(
        heavy.what,
        status,
        status in heavy.statuses,
        took_s,
        followed_s,
        statistics.quantiles(healths, n=100)[-1] if len(healths) >= 100 else max(healths),
        max(exchanges),
    )


async def _status(heavy: Heavy, client: httpx.AsyncClient) -> int:
    try:
        return (await heavy.send(client)).status_code
    except httpx.TransportError:
        # Cut off.
        return 0


async def _look(running: Bench, seen: list[float], ended: asyncio.Event) -> None:
    async with running.client(running.server.url) as client:
        while not (ended.is_set() and seen):
            began = time.perf_counter()
            await client.get("/healthz")
            seen.append(time.perf_counter() - began)
            await asyncio.sleep(LOOK_S)


async def _work(running: Bench, phone: Phone, store: Arranged, seen: list[float], ended: asyncio.Event) -> None:
    records = itertools.cycle(store.set)
    while not (ended.is_set() and seen):
        save(phone, running.database(1), next(records))
        began = time.perf_counter()
        await phone.exchange()
        seen.append(time.perf_counter() - began)
        await asyncio.sleep(WORK_S)

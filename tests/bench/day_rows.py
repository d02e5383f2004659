"""A day of one worker over a poor link: forty records with their answers and a small picture each.

The phone is the app's own replication and storage, in Node over fake-indexeddb (`tests/simulation` drives the same);
its requests go out with the heads that Chromium gives them, over plain HTTP. Beside it PouchDB brings the same
documents, the pictures as attachments, to pouchdb-server, in the same run over the same link. Each does it twice: over
a link that loses, and over one that also breaks on the way; what the second costs more was sent twice.
"""

import asyncio
import base64
import contextlib
import io
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw

from server.platform.clock import system_clock
from tests.bench import record_set
from tests.bench.arrangement import Bench, bench
from tests.bench.proxy import Counts, Link, Proxy
from tests.builders import PASSWORD
from tests.clients.pouchdb_server import pouchdb_server
from tests.clients.replica import Place, ReplicaError, replica
from tests.simulation.app_device import Device
from tests.simulation.app_process import AppProcess, encoded
from tests.simulation.phone import Phone

RECORDS = 40
LOSING = Link(round_trip_s=1.0, up_bits_per_s=20_000, down_bits_per_s=20_000, loss=0.1)
BREAKING = replace(LOSING, breaks=(6_000, 30_000))
#: After a link has broken, until it is tried again.
AGAIN_S = 1.0
PATIENCE_S = 900
#: What Chromium sends with a request of a page beside what the page says.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
    "Safari/537.36",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "vi-VN,vi;q=0.9,en;q=0.8",
    "Sec-Ch-Ua": '"Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"',
    "Sec-Ch-Ua-Mobile": "?1",
    "Sec-Ch-Ua-Platform": '"Android"',
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Day:
    """Seconds until all was acknowledged, requests, and bytes that left in each direction, heads and all."""

    seconds: float
    requests: int
    up_bytes: int
    down_bytes: int
    lost_bytes: int

    @property
    def all_bytes(self) -> int:
        """Return the bytes in both directions."""
        return self.up_bytes + self.down_bytes


@dataclass(frozen=True, slots=True)
class Days:
    """The same day over a link that loses, and over one that also breaks."""

    losing: Day
    breaking: Day

    @property
    def twice(self) -> float:
        """Return what share of its bytes the day over the breaking link has cost more."""
        return max(0.0, self.breaking.all_bytes / self.losing.all_bytes - 1)


def day() -> tuple[Days, Days]:
    """Measure ours and PouchDB's."""
    ours = [_ours(link) for link in (LOSING, BREAKING)]
    theirs = [_theirs(link) for link in (LOSING, BREAKING)]
    return Days(*ours), Days(*theirs)


def records() -> list[dict[str, Any]]:
    """Return the day's records, each with the name of its picture."""
    return [{**each, "file": next(iter(each["media"]), "plot.webp")} for each in record_set.load()[:RECORDS]]


def picture(number: int) -> bytes:
    """Return a small picture, as a field and a house may look at 160 × 120: some 1,200 bytes of WebP."""
    chance = random.Random(record_set.SEED + number)
    image = Image.new("RGB", (160, 120), (150, 180, 210))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = chance.randrange(160), chance.randrange(40, 120)
        shade = tuple(chance.randrange(40, 200) for _ in range(3))
        draw.ellipse((x - 18, y - 9, x + 18, y + 9), fill=shade)
    noise = Image.effect_noise((160, 120), 12).convert("RGB")
    kept = io.BytesIO()
    Image.blend(image, noise, 0.15).save(kept, "WEBP", quality=55, method=4)
    return kept.getvalue()


def _ours(link: Link) -> Day:
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0]}) as running:
        return asyncio.run(_our_day(running, link))


async def _our_day(running: Bench, link: Link) -> Day:
    began = system_clock()
    phone = Phone("phone", "hoa", 20261130, system_clock)
    app = AppProcess.start()
    try:
        # Its own time passes as its requests take it.
        device = Device("phone", 1, lambda: began, timedelta(), app, people={"hoa": phone})
        async with Proxy("127.0.0.1", running.server.port, link).running() as proxy:
            await _signed_in(device, phone, running)
            async with httpx.AsyncClient(base_url=running.server.url) as direct:
                await _exchanged(device, direct)
            for number, record in enumerate(records()):
                _saved(device, running.database(), record, picture(number))
            async with _browser(f"http://127.0.0.1:{proxy.port}") as browser:
                done = await _until(proxy, lambda: _sent(device, browser))
        await running.followed()
        left = [row for row in device.tables["uploads"] if not row["done"]]
        assert not left, left
        assert await _stored(running) == (RECORDS, RECORDS)
        return done
    finally:
        app.stop()


@contextlib.asynccontextmanager
async def _browser(url: str) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=6, keepalive_expiry=600)
    headers = {**BROWSER, "Referer": f"{url}/", "Origin": url}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=PATIENCE_S) as client:
        yield client


async def _signed_in(device: Device, phone: Phone, running: Bench) -> None:
    asked = {"jwk": dict(phone.jwk), "label": "bench"}
    body = {"username": "hoa", "password": PASSWORD, "enrolment": asked}
    async with httpx.AsyncClient(base_url=running.server.url) as direct:
        told = (await direct.post("/api/auth/login", json=body)).raise_for_status().json()
    let_in = {"access": told["access_token"], "refresh": told["refresh_token"], "expiresIn": told["expires_in"]}
    highest = int(told["enrolment"]["highest_number"])
    device.do("hoa", "signedIn", person=told["person"], server=told["server"], highest=highest, **let_in)


def _saved(device: Device, database: str, record: dict[str, Any], content: bytes) -> None:
    filled = {"form": record_set.FORM, "version": record_set.VERSION}
    draft = device.do("hoa", "open", name=database, id=None, **filled)
    file = {"name": record["file"], "type": "image/webp", "data": encoded(content)}
    device.do("hoa", "finish", draft=draft["id"], files=[file], answers=record["answers"], **filled)


async def _sent(device: Device, client: httpx.AsyncClient) -> int:
    """Let the phone send until it has nothing more; return how many requests that took."""
    requests = 0
    while True:
        requests += await _exchanged(device, client)
        waiting = [row for row in device.tables["uploads"] if not row["done"]]
        unsent = [row for row in device.tables["revisions"] if not row["receipts"]]
        if not waiting and not unsent:
            return requests
        await asyncio.sleep(AGAIN_S)


async def _exchanged(device: Device, client: httpx.AsyncClient) -> int:
    number, requests = device.begin("hoa", "exchange", {"reason": "person"}), 0
    answers: dict[asyncio.Task[tuple[dict[str, Any] | None, int]], dict[str, Any]] = {}
    while number not in device.ended:
        for asked in device.asked:
            answers[asyncio.create_task(_carried(asked, client))] = asked
            requests += 1
        device.asked.clear()
        done, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            asked, (told, took_ms) = answers.pop(one), one.result()
            await asyncio.to_thread(
                device.say, do="answer", tab=asked["tab"], request=asked["id"], told=told, tookMs=took_ms
            )
    device.result(number)
    return requests


async def _carried(asked: dict[str, Any], client: httpx.AsyncClient) -> tuple[dict[str, Any] | None, int]:
    began, body = time.perf_counter(), base64.b64decode(asked["body"] or "")
    told: dict[str, Any] | None = None
    with contextlib.suppress(httpx.TransportError):
        answer = await client.request(asked["method"], asked["path"], headers=asked["headers"], content=body)
        told = {"status": answer.status_code, "headers": dict(answer.headers), "isBroken": False}
        told["body"] = encoded(answer.content)
    return told, round((time.perf_counter() - began) * 1000)


async def _stored(running: Bench) -> tuple[int, int]:
    count = running.server.follow_until
    await asyncio.to_thread(count, "SELECT count(*) FROM records", RECORDS, timeout_s=60)
    await asyncio.to_thread(count, "SELECT count(*) FROM media", RECORDS, timeout_s=60)
    return RECORDS, RECORDS


def _theirs(link: Link) -> Day:
    with pouchdb_server() as url:
        return asyncio.run(_their_day(url, link))


async def _their_day(url: str, link: Link) -> Day:
    here: Place = {"memory": "here"}
    port = int(url.rpartition(":")[2])
    async with Proxy("127.0.0.1", port, link).running() as proxy, replica() as pouch:
        there: Place = {"url": f"http://127.0.0.1:{proxy.port}/day", "skip_setup": True}
        async with httpx.AsyncClient() as direct:
            (await direct.put(f"{url}/day")).raise_for_status()
        documents = [
            {
                "_id": f"record-{number:04}",
                "type": "record",
                "form": record_set.FORM,
                "form_version": record_set.VERSION,
                "answers": record["answers"],
                "_attachments": {record["file"]: {"content_type": "image/webp", "data": encoded(picture(number))}},
            }
            for number, record in enumerate(records())
        ]
        await pouch.call(here, "bulkDocs", documents)

        async def replicated() -> int:
            while True:
                try:
                    await pouch.do("replicate", PATIENCE_S, **{"from": here}, to=there, options={})
                    return len(await pouch.do("requests"))
                except ReplicaError:
                    await asyncio.sleep(AGAIN_S)

        done = await _until(proxy, replicated)
        async with httpx.AsyncClient() as direct:
            assert (await direct.get(f"{url}/day")).json()["doc_count"] == RECORDS
        return done


async def _until(proxy: Proxy, work: Callable[[], Awaitable[int]]) -> Day:
    proxy.reset()
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        requests = await work()
    seconds, counts = time.perf_counter() - began, proxy.counts
    assert counts.breaks == len(proxy.link.breaks), counts
    return _day(seconds, requests, counts)


def _day(seconds: float, requests: int, counts: Counts) -> Day:
    return Day(seconds, requests, counts.up_bytes, counts.down_bytes, counts.lost_bytes)

"""A first visit as a phone meets it: a real Chromium over the shaped link, from an empty profile to the field.

The link shapes whole connections, so what the service worker loads, opening a connection and TLS's handshake cost what
they cost a phone. Nobody types: what a person takes for name and password is not the link's.
"""

import asyncio
import base64
import hashlib
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.async_api import BrowserContext, Page, async_playwright

from tests.bench import record_set
from tests.bench.arrangement import Bench, bench, save
from tests.bench.proxy import EDGE, Proxy
from tests.bench.tls import certificate, terminated
from tests.builders import PASSWORD
from tests.e2e.browser import FLAGS, PHONE
from tests.e2e.live_server import NUONG, ROOT
from tests.house.parts import chromium

RECORDS = 500
#: What the phone fills in the end; the records are of another.
FORM = "household_crop"
PATIENCE_MS = 120_000


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """Seconds since the address was opened; bytes are all that the link carried down, with heads and TLS."""

    painted_s: float
    usable_s: float
    usable_requests: int
    usable_bytes: int
    ready_s: float
    ready_requests: int
    ready_bytes: int
    opens_offline: bool


def first_visit() -> FirstVisit | str:
    """Measure one visit, or say why that can't be done here."""
    if chromium() is None:
        return "no Chromium here"
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), {"hoa": [0], "mai": [0]}) as running:
        return asyncio.run(_visited(running, Path(folder)))


async def _visited(running: Bench, folder: Path) -> FirstVisit:
    async with running.phone("mai") as colleague:
        for record in record_set.load()[:RECORDS]:
            save(colleague, running.database(), record)
        await colleague.sync()
    await running.followed()
    await asyncio.to_thread(_publish, running)
    served, _ = certificate(folder)
    async with (
        terminated(running.server.port, served) as port,
        Proxy("127.0.0.1", port, EDGE).running() as proxy,
        async_playwright() as driver,
    ):
        context = await driver.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=chromium(),
            headless=True,
            args=[*FLAGS, f"--ignore-certificate-errors-spki-list={_key_hash(folder / 'bench.crt')}"],
            viewport={"width": PHONE[0], "height": PHONE[1]},
            has_touch=True,
            locale="vi-VN",
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            return await _measured(context, proxy, f"https://127.0.0.1:{proxy.port}/")
        finally:
            await context.close()


def _publish(running: Bench) -> None:
    command = [str(NUONG), "form", "publish", str(ROOT / f"server/demo/forms/{FORM}.xlsx"), "--project", "agri"]
    subprocess.run(command, env=running.server.environment, check=True, capture_output=True)


async def _measured(context: BrowserContext, proxy: Proxy, address: str) -> FirstVisit:
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.pages[0]
    proxy.reset()
    began = time.perf_counter()
    opened = asyncio.create_task(page.goto(address, wait_until="commit"))
    await page.get_by_test_id("signin").wait_for()
    usable_s = time.perf_counter() - began
    await opened
    usable_requests, usable_bytes = len(requests), proxy.counts.down_bytes
    painted_s = await _painted_s(page)
    await page.get_by_test_id("username").fill("hoa")
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("signin").click()
    await page.get_by_test_id("ready").wait_for()
    ready_s = time.perf_counter() - began
    ready_requests, ready_bytes = len(requests), proxy.counts.down_bytes
    opens = await _opens_offline(context, page)
    return FirstVisit(painted_s, usable_s, usable_requests, usable_bytes, ready_s, ready_requests, ready_bytes, opens)


def _key_hash(certificate_file: Path) -> str:
    """Return what tells Chromium to trust this one certificate: where it doubts one, it keeps nothing it has loaded."""
    key = x509.load_pem_x509_certificate(certificate_file.read_bytes()).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


async def _painted_s(page: Page) -> float:
    """Return when the browser first painted anything of the page."""
    found = await page.evaluate(
        "performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint').startTime"
    )
    return float(found) / 1000


async def _opens_offline(context: BrowserContext, page: Page) -> bool:
    """Return whether the app starts anew without a network and a form of it opens."""
    await context.set_offline(True)
    await page.reload()
    await page.get_by_test_id("new-record").click()
    await page.get_by_test_id(f"form-{FORM}").click()
    await page.get_by_test_id("form-filler").wait_for()
    return True

"""What the end-to-end tests stand on: a province seeded once, a server per test, browsers with profiles.

Screenshots of the tour, and of every open tab when a test fails, are in `tests/e2e/screenshots/`.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.command_process import start_forks
from tests.e2e.browser import PHONE, STEP_TIMEOUT_MS, Browser, save_screenshot
from tests.e2e.live_server import ROOT, LiveServer
from tests.e2e.province import seed
from tests.house.parts import chromium

SCREENSHOTS = Path(__file__).parent / "screenshots"
OpenBrowser = Callable[..., Browser]
failed = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[failed] = item.stash.get(failed, False) or report.failed
    return report


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if chromium() is None:
        pytest.skip(
            "no Chromium here: python -m tests.house.parts says what to install, or name it: NUONG_TEST_CHROMIUM"
        )
    if not (ROOT / "pwa/dist/index.html").exists():
        pytest.fail("the app is not built: npm --prefix pwa run build")
    expect.set_options(timeout=STEP_TIMEOUT_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated database, people of each role and the forms; copied for each test.

    Of the processes that tests are spread over, the first one makes it, and the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "province"
    # Whoever waits needs it next.
    start_forks()
    with (shared / "province.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            seeding = tmp_path_factory.mktemp("seeding")
            seed(LiveServer(seeding))
            seeding.rename(folder)
    return folder


@pytest.fixture
def live_server(province: Path, tmp_path: Path) -> Iterator[LiveServer]:
    folder = tmp_path / "server"
    shutil.copytree(province, folder)
    server = LiveServer(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def open_browser(
    playwright: Playwright, live_server: LiveServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[OpenBrowser]:
    """Make browser profiles by name; each ends with the test, and none may have had an error in its page."""
    browsers: dict[str, Browser] = {}

    def make(name: str, size: tuple[int, int] = PHONE, url: str = live_server.url, **options: Any) -> Browser:
        browsers[name] = Browser(playwright, tmp_path / f"profile-{name}", url, size, **options)
        return browsers[name]

    yield make
    if request.node.stash.get(failed, False):
        for name, browser in browsers.items():
            if browser.context is not None:
                save_screenshot(browser.page, SCREENSHOTS / "failed", f"{request.node.name}-{name}")
        (SCREENSHOTS / "failed").mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / "failed" / f"{request.node.name}.log").write_text(live_server.log, "utf-8")
    for browser in browsers.values():
        browser.close()
    problems = {name: browser.problems for name, browser in browsers.items() if browser.problems}
    assert not problems, f"errors in the page: {problems}"

"""A real Chromium with a profile on disk: what a phone keeps survives closing, killing and reopening the browser."""

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright
from playwright.sync_api import Error as DriverError

from tests.house.parts import chromium

#: What a browser with a window makes ready beside the page, as much work as the page itself: the address bar's list.
#: Only the last flag of this kind counts, so that what the driver turns off stands here again.
WITHOUT = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *(
        "HttpsFirstBalancedModeAutoEnable",
        "LensOverlay",
        "MediaRouter",
        "PaintHolding",
        "ThirdPartyStoragePartitioning",
    ),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)
FLAGS = (
    f"--disable-features={','.join(WITHOUT)}",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The microphone of a machine without one: a tone.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
PHONE = (390, 844)
DESK = (1280, 800)
#: Sín Chải, inside the commune that the demo's first field worker carries.
PLACE = {"latitude": 21.9301, "longitude": 103.3187, "accuracy": 4}
#: What is waited for comes at once, and here only later than a machine with other work takes.
STEP_TIMEOUT_MS = 30_000
#: Ends when the page has done what it was asked to, however long a busy machine takes for that.
SETTLED = "() => new Promise((done) => requestIdleCallback(() => requestAnimationFrame(done), { timeout: 10000 }))"


@dataclass
class Browser:
    """One browser profile; `open` and `close` as often as a person does."""

    playwright: Playwright
    profile: Path
    url: str
    size: tuple[int, int] = PHONE
    locale: str = "vi-VN"
    place: dict[str, float] = field(default_factory=lambda: dict(PLACE))
    context: BrowserContext | None = None
    problems: list[str] = field(default_factory=list)

    def open(self, path: str = "/", *, offline: bool = False) -> Page:
        """Start the browser with this profile and return its only tab, at `path`; `offline` from the first byte on."""
        program = chromium()
        assert program is not None, "no Chromium: python -m tests.house.parts says what to install"
        width, height = self.size
        self.context = self.playwright.chromium.launch_persistent_context(
            self.profile,
            executable_path=program,
            headless=True,
            args=list(FLAGS),
            viewport={"width": width, "height": height},
            has_touch=self.size == PHONE,
            locale=self.locale,
            timezone_id="Asia/Ho_Chi_Minh",
            geolocation={
                "latitude": self.place["latitude"],
                "longitude": self.place["longitude"],
                "accuracy": self.place["accuracy"],
            },
            permissions=["geolocation", "microphone"],
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(STEP_TIMEOUT_MS)
        self.context.set_offline(offline)
        page = self.context.pages[0]
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.goto(self.url + path)
        return page

    @property
    def page(self) -> Page:
        """The tab that is open."""
        assert self.context is not None, "the browser is closed"
        return self.context.pages[0]

    def go_offline(self, offline: bool = True) -> None:
        """Take the network away, or give it back."""
        assert self.context is not None, "the browser is closed"
        self.context.set_offline(offline)

    def close(self) -> None:
        """Close it the way a person does."""
        if self.context is not None:
            self.context.close()
            self.context = None

    def kill(self) -> None:
        """End every process of this profile at once, as an empty battery does: no handler of the page runs."""
        pids = self._processes()
        assert pids, "no process of this profile runs"
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 10
        while self._processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        ended, self.context = self.context, None
        assert ended is not None
        # The driver's own end of the connection: it may have noticed already that the browser behind it is gone.
        with contextlib.suppress(DriverError):
            ended.close()

    def _processes(self) -> list[int]:
        marker = f"--user-data-dir={self.profile}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if marker in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except OSError:
                continue
        return found


def save_screenshot(page: Page, folder: Path, name: str) -> Path:
    """Return the file with the whole visible page, under a name made safe."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.png"
    page.screenshot(path=path)
    return path

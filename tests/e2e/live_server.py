"""A real server process on a free loopback port, over a folder of its own: stopped, killed and started at will."""

import contextlib
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.command_process import Running, run_command

ROOT = Path(__file__).parents[2]
NUONG = Path(sys.executable).with_name("nuong")
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 15
COMMAND_TIMEOUT_S = 120
#: Below those that a system gives to outgoing connections: one could take the port of a server that is stopped.
PORTS = range(10_240, 32_768)


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    # Not the generator that a test may have seeded: tests run side by side.
    chance = random.SystemRandom()
    while True:
        port = chance.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class LiveServer:
    """`nuong serve` over `folder`; it keeps its port, because an installed app belongs to one address for ever."""

    def __init__(
        self, folder: Path, database_url: str | None = None, *, is_installed: bool = False, **settings: str
    ) -> None:
        """Nothing runs before `start`; its storage is a file in the folder, or `database_url`.

        `is_installed`: run the installed command, which imports everything anew; else one that has it all is forked.
        """
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "nuong.db"
        self.database_url = database_url or f"sqlite:///{self.database}"
        self._settings = {f"NUONG_{name.upper()}": value for name, value in settings.items()}
        self._is_installed = is_installed
        self._process: Running | subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What every `nuong` command over this folder is given; nothing of the caller's own settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUONG_")}
        return inherited | {
            "NUONG_PORT": str(self.port),
            "NUONG_DATABASE_URL": self.database_url,
            "NUONG_MEDIA_DIR": str(self.folder / "media"),
            "NUONG_SECRET_FILE": str(self.folder / "secret"),
            "NUONG_PWA_DIR": str(ROOT / "pwa/dist"),
            **self._settings,
        }

    def run(self, *arguments: str, typed: str = "") -> str:
        """Return what `nuong ARGUMENTS` printed; `typed` is what a person would type at its questions."""
        with tempfile.TemporaryDirectory(prefix="nuong-command-") as folder:
            done = run_command([*arguments], self.environment, typed, Path(folder), COMMAND_TIMEOUT_S)
        assert done.code == 0, f"nuong {' '.join(arguments)} ended with {done.code}:\n{done.written}"
        return done.written

    def run_beside(self, *commands: Sequence[str]) -> None:
        """Run several `nuong` commands at once; return when all have ended well."""
        with tempfile.TemporaryDirectory(prefix="nuong-command-") as folder:
            logs = [Path(folder) / str(number) for number in range(len(commands))]
            running = [Running([*each], self.environment, log) for each, log in zip(commands, logs, strict=True)]
            for command, process, log in zip(commands, running, logs, strict=True):
                code = process.wait(COMMAND_TIMEOUT_S)
                assert code == 0, f"nuong {' '.join(command)} ended with {code}:\n{log.read_text('utf-8')}"

    @property
    def log(self) -> str:
        """Everything that its processes wrote so far."""
        path = self.folder / "server.log"
        return path.read_text("utf-8") if path.exists() else ""

    def start(self) -> None:
        """Return when the server is ready."""
        self.launch()
        self.wait_until_ready()

    @property
    def is_running(self) -> bool:
        """Whether a process was started and not ended by us."""
        return self._process is not None

    def launch(self) -> None:
        """Start the process and return at once."""
        assert self._process is None, "it runs already"
        path = self.folder / "server.log"
        if not self._is_installed:
            self._process = Running(["serve"], self.environment, path)
            return
        with path.open("ab") as log:
            self._process = subprocess.Popen([NUONG, "serve"], cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def wait_until_ready(self, path: str = "/readyz") -> None:
        """Return when the server that was launched is ready, or answers with 200 at another path."""
        assert self._process is not None, "it was not launched"
        deadline = time.monotonic() + START_TIMEOUT_S
        # One client for all the asking: each one that is made reads the certificates anew.
        with httpx.Client(base_url=self.url, timeout=2) as asking:
            while time.monotonic() < deadline:
                assert self._process.poll() is None, f"the server ended while starting:\n{self.log[-4000:]}"
                with contextlib.suppress(httpx.TransportError):
                    if asking.get(path).status_code == 200:
                        return
                time.sleep(0.05)
        raise AssertionError(f"the server was not ready in {START_TIMEOUT_S} s:\n{self.log[-4000:]}")

    def stop(self) -> None:
        """End it the way an operator does; return when it is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it the way a power cut does; return when it is gone."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the server did not stop in {STOP_TIMEOUT_S} s:\n{self.log[-4000:]}") from None
        finally:
            self._process = None

    def follow_until(self, sql: str, wanted: object, timeout_s: float = 15) -> None:
        """Return when `sql`'s single value is `wanted`: what the follower projects comes a moment after the commit."""
        deadline = time.monotonic() + timeout_s
        found: object = None
        while time.monotonic() < deadline:
            rows = self.query(sql)
            found = rows[0][0] if rows else None
            if found == wanted:
                return
            time.sleep(0.1)
        raise AssertionError(f"{sql} gives {found!r}, not {wanted!r}")

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Return the rows of a query, read beside the running server."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(sql).fetchall()

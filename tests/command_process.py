"""`nuong` commands in processes of their own, forked from one that has imported everything: importing takes seconds."""

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from server.forms.conversion.conversion_process import NEEDED

_processes = multiprocessing.get_context("forkserver")


def prepare_forks() -> None:
    """Have commands and conversions forked from a process that has imported all they need."""
    # pytest too: where it is the main program, each process that is forked imports it.
    _processes.set_forkserver_preload(["server.cli", "pytest", *NEEDED])


def start_forks() -> None:
    """Have that process begin to import now, beside what the caller does meanwhile."""
    forkserver.ensure_running()


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it wrote; `code` is None where it was still running and was killed."""

    code: int | None
    written: str


def run_command(words: list[str], environment: dict[str, str], typed: str, folder: Path, limit_s: float) -> Ended:
    """Run `nuong WORDS` for `limit_s` at most; `folder` keeps its input and output."""
    given, written = folder / "given", folder / "written"
    given.write_text(typed, "utf-8")
    process = _processes.Process(target=_work, args=(words, environment, given, written))
    process.start()
    process.join(limit_s)
    code = process.exitcode
    process.kill()
    process.join()
    return Ended(code, written.read_text("utf-8"))


class Running:
    """`nuong WORDS` until it is ended, as `subprocess.Popen` would run it; what it writes goes to the end of a file."""

    def __init__(self, words: list[str], environment: dict[str, str], log: Path) -> None:
        """Start it."""
        # A daemon: it ends with the tests, however they end it.
        self._process: ForkServerProcess = _processes.Process(
            target=_work_on, args=(words, environment, log), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Return its exit code, below 0 where a signal ended it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, how: signal.Signals) -> None:
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self, timeout_s: float | None = None) -> int:
        """Return its exit code when it has ended; raises `subprocess.TimeoutExpired` when that takes longer."""
        self._process.join(timeout_s)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("nuong", timeout_s or 0)
        return code


def _work_on(words: list[str], environment: dict[str, str], log: Path) -> None:
    # A server starts processes of its own, which Python allows no daemon.
    multiprocessing.process.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    _run(words, environment)


def _work(words: list[str], environment: dict[str, str], given: Path, written: Path) -> None:
    with given.open("r", encoding="utf-8") as input_, written.open("w", encoding="utf-8") as output:
        sys.stdin, sys.stdout, sys.stderr = input_, output, output
        _run(words, environment)


def _run(words: list[str], environment: dict[str, str]) -> None:
    # Here alone: whoever asks for commands need not know the server's code.
    from server.cli import main

    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["nuong", *words]
    main()

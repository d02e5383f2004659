"""Several processes that serve at one port: forked from one that waits for them, and begun anew when one dies.

What they share beside the database is handed over before: the port, the rates that hold over all of them, and where
they count.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import structlog

from server.auth.rate_limit import Buckets

#: Between two beginnings of a process, so that one that can't start is not begun without end.
PAUSE_S = 1.0
#: What still runs so long after the end was asked for is killed.
PATIENCE_S = 4.5
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger("nuong.workers")


@dataclass(frozen=True, slots=True)
class Shared:
    """What the processes have in common: buckets of rates, and the folder of their counters."""

    buckets: Buckets
    counters: Path


class Workers:
    """So many processes, each of which does `work`."""

    def __init__(self, count: int, work: Callable[[], None]) -> None:
        """Begin none yet."""
        self._count = count
        self._work = work
        self._running: set[int] = set()
        self._is_ending = False

    def run(self) -> None:
        """Keep them working until this process is told to stop, then end them and return."""
        for each in SIGNALS:
            signal.signal(each, self._end)
        for _ in range(self._count):
            self._begin()
        while self._running:
            process, status = os.wait()
            self._running.discard(process)
            if not self._is_ending:
                log.warning("worker_ended", worker=process, exit_code=os.waitstatus_to_exitcode(status))
                time.sleep(PAUSE_S)
                self._begin()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _begin(self) -> None:
        process = os.fork()
        if process:
            self._running.add(process)
            if self._is_ending:
                # It was told while this one was being forked, and has not heard it.
                os.kill(process, signal.SIGTERM)
            return
        code = 1
        try:
            for each in (*SIGNALS, signal.SIGALRM):
                signal.signal(each, signal.SIG_DFL)
            self._work()
            code = 0
        except BaseException as error:
            log.error("worker_failed", error=type(error).__name__, exc_info=True)
        finally:
            # Nothing of the one that it was forked from is to be ended here.
            os._exit(code)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_ending = True
        self._tell(signal.SIGTERM)
        signal.signal(signal.SIGALRM, lambda *_: self._tell(signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)

    def _tell(self, what: signal.Signals) -> None:
        for process in self._running:
            os.kill(process, what)

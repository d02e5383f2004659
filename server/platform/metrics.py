"""Counters for Prometheus, one registry per app; other stages register theirs on `registry`.

Processes that serve at one port count in files of one folder, so that whichever answers tells of all of them. What one
that died has counted stays counted.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one app."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin at zero; `folder` is where the processes of one server count, and given to one of these alone."""
        self._folder = folder
        if folder is not None:
            _count_in(folder)
        self.registry = CollectorRegistry()
        if folder is None:
            ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "nuong_requests", "Answered requests", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "nuong_request_seconds", "Time to answer", ["method", "route"], registry=self.registry
        )
        self._disk = Gauge(
            "nuong_disk_bytes",
            "What fills the disk, and what is free",
            ["what"],
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def count_request(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count one answer; `route` is the template, never a path with ids."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(took_s)

    def tell_disk(self, use: Mapping[str, int]) -> None:
        """Say how many bytes each kind of what fills the disk takes."""
        for kind, size in use.items():
            self._disk.labels(kind).set(size)

    def render(self) -> bytes:
        """Return the text that Prometheus reads."""
        if self._folder is None:
            return generate_latest(self.registry)
        of_all = CollectorRegistry()
        MultiProcessCollector(of_all, str(self._folder))  # type: ignore[no-untyped-call]
        of_all.register(_Processes())
        return generate_latest(of_all)


class _Processes(Collector):
    """Memory, files and CPU of each process of this server, which are nothing to add up."""

    def collect(self) -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for process in _siblings():
            for family in ProcessCollector(pid=lambda process=process: process, registry=None).collect():  # type: ignore[misc]
                told = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    told.add_sample(sample.name, {"worker": str(process)}, sample.value)
        return found.values()


def _siblings() -> list[int]:
    first = os.getppid()
    try:
        return [int(each) for each in Path(f"/proc/{first}/task/{first}/children").read_text("utf-8").split()]
    except OSError:
        return [os.getpid()]


def _count_in(folder: Path) -> None:
    """Have all counters that this process makes from now on lie in files there."""
    # The library reads where at each counter, and how when it was imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]

"""Counters for Prometheus, one registry per app; other stages register theirs on `registry`."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "nuong_requests", "Answered requests", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "nuong_request_seconds", "Time to answer", ["method", "route"], registry=self.registry
        )
        self._disk = Gauge(
            "nuong_disk_bytes", "What fills the disk, and what is free", ["what"], registry=self.registry
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
        return generate_latest(self.registry)

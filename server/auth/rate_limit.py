"""How often one address may try to sign in: a token bucket each, in memory.

The counters of wrong passwords (`lockout`) stop guessing; this bounds how fast strangers can make the server hash and
write. It is wide: a commune's phones share one address behind their operator's. Several processes of one server share
their buckets (`shared_buckets`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from server.platform.clock import Clock

#: So many addresses are remembered; the ones that have been quiet longest are forgotten first.
REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tries were left at a moment, in seconds since the epoch."""

    left: float
    at_s: float


class Buckets(Protocol):
    """Where buckets are kept."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from buckets while one is looked at and changed."""

    def get(self, address: str) -> Bucket | None:
        """Return an address's bucket, None where none is remembered."""

    def put(self, address: str, bucket: Bucket) -> None:
        """Remember an address's bucket."""


class OwnBuckets:
    """The buckets of one process."""

    def __init__(self) -> None:
        """Remember none."""
        # In the order of their last use: dictionaries keep it, and taking a key out and in again renews it.
        self._buckets: dict[str, Bucket] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else is here."""
        yield

    def get(self, address: str) -> Bucket | None:
        """Return an address's bucket, None where none is remembered."""
        return self._buckets.get(address)

    def put(self, address: str, bucket: Bucket) -> None:
        """Remember an address's bucket, and forget the one that was used longest ago where there are too many."""
        self._buckets.pop(address, None)
        if len(self._buckets) >= REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[address] = bucket


class RateLimiter:
    """Buckets of `burst` tries that fill again at `per_minute`."""

    def __init__(self, clock: Clock, burst: int, per_minute: float, buckets: Buckets | None = None) -> None:
        """Begin with every bucket full, or with those of `buckets`."""
        self._clock = clock
        self._burst = burst
        self._per_second = per_minute / 60
        self._buckets = OwnBuckets() if buckets is None else buckets

    def wait_s(self, address: str) -> float:
        """Take one try for `address`: 0 where there is one, else the seconds until there is."""
        now_s = self._clock().timestamp()
        with self._buckets.held():
            bucket = self._buckets.get(address) or Bucket(float(self._burst), now_s)
            passed_s = max(0.0, now_s - bucket.at_s)
            left = min(self._burst, bucket.left + passed_s * self._per_second)
            self._buckets.put(address, Bucket(left - 1 if left >= 1 else left, now_s))
        return 0.0 if left >= 1 else (1 - left) / self._per_second

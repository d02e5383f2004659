"""How often one address may try to sign in: a token bucket each, in this process's memory.

The counters of wrong passwords (`lockout`) stop guessing; this bounds how fast strangers can make the server hash and
write. It is wide: a commune's phones share one address behind their operator's.
"""

from dataclasses import dataclass
from datetime import datetime

from server.platform.clock import Clock

#: So many addresses are remembered; the ones that have been quiet longest are forgotten first.
REMEMBERED = 20_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


class RateLimiter:
    """Buckets of `burst` tries that fill again at `per_minute`."""

    def __init__(self, clock: Clock, burst: int, per_minute: float) -> None:
        """Begin with every bucket full."""
        self._clock = clock
        self._burst = burst
        self._per_second = per_minute / 60
        # In the order of their last use: dictionaries keep it, and taking a key out and in again renews it.
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, address: str) -> float:
        """Take one try for `address`: 0 where there is one, else the seconds until there is."""
        now = self._clock()
        bucket = self._buckets.pop(address, None) or _Bucket(float(self._burst), now)
        passed_s = max(0.0, (now - bucket.at).total_seconds())
        left = min(self._burst, bucket.left + passed_s * self._per_second)
        if len(self._buckets) >= REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[address] = _Bucket(left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / self._per_second

"""A link of a few kilobytes a second, by the phone's own clock: what does not fit into its person's stay is cut off."""

from dataclasses import dataclass
from random import Random

#: Of a request and an answer beside their bodies.
_HEAD_BYTES = 600
#: 64 kbit/s.
RATE = 8_000
#: How long a person stays where the network is: eight seconds bear a budget's least answer and a part of a photo, and
#: none of these what a phone asks for at first.
STAYS_S = (8, 10, 12)


@dataclass(slots=True)
class Link:
    """A link and when its person walks away from it, both in milliseconds."""

    latency_ms: int
    bytes_per_s: int = RATE
    ends_at_ms: int = 0

    def arrive(self, now_ms: int, random: Random) -> None:
        """Let a person come to where the network is, for a while."""
        self.ends_at_ms = now_ms + 1000 * random.choice(STAYS_S)

    def sent(self, now_ms: int, size: int) -> tuple[int, int]:
        """Return how long a request of that size takes, and how many of its bytes come through."""
        return self._carried(now_ms, self.latency_ms, _HEAD_BYTES, size)

    def received(self, now_ms: int, size: int) -> tuple[int, int]:
        """Return how long an answer of that size takes from its first byte on, and how many of its bytes come."""
        return self._carried(now_ms, 0, 0, size)

    def _carried(self, now_ms: int, latency_ms: int, head: int, size: int) -> tuple[int, int]:
        needed_ms = latency_ms + (head + size) * 1000 // self.bytes_per_s
        left_ms = max(0, self.ends_at_ms - now_ms)
        if needed_ms <= left_ms:
            return needed_ms, size
        carried = (left_ms - latency_ms) * self.bytes_per_s // 1000 - head
        return left_ms, max(-1, min(size - 1, carried))

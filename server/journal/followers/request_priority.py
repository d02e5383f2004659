"""Counts the requests that are being answered, so that followers let them go first.

Doors and followers share a process and its one interpreter: a page of a follower is tens of milliseconds in which
nobody is answered. A phone waits for its acknowledgement and a replica asks a thousand times in a row, while lists can
show a record a little later. So while somebody is at a door, followers take short pages and rest after each for a
multiple of what it took: they go on however busy the doors are, a quarter of the time.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

#: A replica's next request comes after it has stored the last answer, which takes some milliseconds.
NEXT_S = 0.05
#: How much longer than it worked a follower rests while the doors are busy, and how long at most.
REST = 3
MAX_REST_S = 1.0


class OpenRequests:
    """The doors of one process."""

    def __init__(self) -> None:
        """Begin with nobody there."""
        self._inside = 0
        self._left_at = -NEXT_S

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Count somebody who waits for an answer; whoever only listens to a feed is not to be counted."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left_at = asyncio.get_running_loop().time()

    @property
    def are_busy(self) -> bool:
        """Whether somebody waits for an answer, or has just had one and may ask again."""
        return self._inside > 0 or asyncio.get_running_loop().time() - self._left_at < NEXT_S

    async def give_way(self, worked_s: float) -> None:
        """Return once nobody is at the doors, or after the rest that so long a work is followed by."""
        now = asyncio.get_running_loop().time
        until = now() + min(REST * worked_s, MAX_REST_S)
        # No event tells that nobody has come since: only time does.
        while self.are_busy and (left_s := until - now()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left_s, NEXT_S))

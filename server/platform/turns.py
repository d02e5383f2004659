"""Long work on the event loop, in pieces: whoever else waits for the loop gets a turn after each."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TypeVar

#: How long a piece takes: an exchange needs some twenty turns of the loop, and is to be answered within a second.
TURN_S = 0.02
Item = TypeVar("Item")


class Turns:
    """The time since others last had a turn."""

    def __init__(self) -> None:
        """Begin a piece."""
        self._until = time.perf_counter() + TURN_S

    async def pass_on(self) -> None:
        """Let others have their turn if the piece has taken long enough."""
        if time.perf_counter() >= self._until:
            await asyncio.sleep(0)
            self._until = time.perf_counter() + TURN_S


async def in_turns(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Give the items one by one, and others their turns in between."""
    turns = Turns()
    for item in items:
        yield item
        await turns.pass_on()


def slices(items: Iterable[Item], most: int, weight: Callable[[Item], int] = lambda _: 1) -> Iterator[list[Item]]:
    """Give the items in order, in lists that weigh at most so much or hold one item; none where there are none."""
    part: list[Item] = []
    weighs = 0
    for item in items:
        more = weight(item)
        if part and weighs + more > most:
            yield part
            part, weighs = [], 0
        part.append(item)
        weighs += more
    if part:
        yield part

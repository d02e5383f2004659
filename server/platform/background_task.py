"""Work that goes on beside a block of code, and ends with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def running_beside(work: Coroutine[object, object, None], name: str) -> AsyncIterator[None]:
    """Run `work` in a task called `name` until the block ends."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        # Not awaited itself: its cancellation and our own could not be told apart.
        await asyncio.wait({task})

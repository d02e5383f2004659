"""Threads of its own for a kind of work that may take long: however much of it waits, other work finds a thread.

`asyncio.to_thread` has a handful for everything: a few long selectors would keep every file and every large body
waiting. What waits for one of these waits behind its own kind alone.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class OwnThreads:
    """So many threads, which begin with the first work."""

    def __init__(self, name: str, count: int) -> None:
        """Begin none yet; `count` is how much of this work is done at a time."""
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Return what `work` returns, once its turn has come."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))

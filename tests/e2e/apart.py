"""Asynchronous work beside a browser: its driver has an event loop in the test's thread, so that this needs another."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio

Result = TypeVar("Result")


def apart(work: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
    """Return what `work` returns, done in a thread and a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, work, *arguments).result()

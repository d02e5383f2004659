"""Waiting for something in a test, but not for ever."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Result = TypeVar("Result")


async def within(seconds: float, awaited: Awaitable[Result]) -> Result:
    """Return what `awaited` returns; raises `TimeoutError` when it takes longer."""
    async with asyncio.timeout(seconds):
        return await awaited

"""Whether the server can work: each part by name, so that whoever is woken knows where to look."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from sqlalchemy.exc import SQLAlchemyError

from server.platform.db.engine import Storage
from server.platform.db.migrate import is_current
from server.settings import Settings

PATIENCE_S = 5.0


@runtime_checkable
class Folder(Protocol):
    """Tells whether the media folder is there."""

    async def state(self) -> str:
        """Return `ok`, or what is wrong with it in a word."""

    async def use(self) -> Mapping[str, int]:
        """Return what fills the disk, in bytes by kind, and what is free."""


async def check_parts(storage: Storage, settings: Settings, media: Folder) -> dict[str, str]:
    """Return each part's state: `ok`, or what is wrong with it in a word."""
    return {
        "database": await _database(storage),
        "migrations": await _migrations(storage),
        "disk": await asyncio.to_thread(_disk, settings),
        "media": await _media(media),
    }


async def _database(storage: Storage) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await storage.ready()
    except (SQLAlchemyError, OSError, TimeoutError):
        return "unreachable"
    return "ok"


async def _migrations(storage: Storage) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return "ok" if await is_current(storage) else "pending"
    except (SQLAlchemyError, OSError, TimeoutError):
        return "unknown"


async def _media(folder: Folder) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await folder.state()
    except (SQLAlchemyError, OSError, TimeoutError):
        return "unknown"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(_existing(settings.media_dir)).free
    return "ok" if free >= settings.disk_reserve_bytes else "nearly_full"


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path

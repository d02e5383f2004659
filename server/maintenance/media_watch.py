"""A slow look at all files of media, over and over, beside the requests: a length at a time, then a hash at a time.

It reads a few megabytes a second at most and on threads, so that nobody waits for it. Where not one file is to be
found the folder itself is gone, a disk that is not mounted for example: then nothing is taken for lost, and `/readyz`
says so.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.maintenance.disk_use import disk_use
from server.maintenance.lost_media import LostMedia, StoredMedia, contents_after, state_of
from server.media.files import MediaFiles
from server.platform.db.engine import Storage

PAGE = 200
#: So many contents are looked for before the folder counts as gone.
SAMPLE = 5
BYTES_PER_S = 5_000_000
FIRST_S = 60
BETWEEN_S = 3600

log = structlog.get_logger(__name__)


class MediaFolder:
    """The folder of media, asked whether it is there."""

    def __init__(self, storage: Storage, files: MediaFiles) -> None:
        """Look at nothing yet."""
        self.storage = storage
        self.files = files

    async def state(self) -> str:
        """Return `ok`, `gone` where not one of some contents is there, or `unwritable`."""
        some = await contents_after(self.storage, "", SAMPLE)
        return await asyncio.to_thread(self._state, some)

    async def use(self) -> dict[str, int]:
        """Return what fills the disk, in bytes by kind, and what is free."""
        return await disk_use(self.storage, self.files)

    def _state(self, some: list[StoredMedia]) -> str:
        if some and not any(self.files.content_path(one.sha256).exists() for one in some):
            return "gone"
        return "ok" if not self.files.root.exists() or os.access(self.files.root, os.W_OK) else "unwritable"


class MediaWatch:
    """Looks at every content and has those asked for again that are gone or damaged."""

    def __init__(
        self, folder: MediaFolder, lost: LostMedia, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """Rest by `pause`, which takes seconds."""
        self._folder = folder
        self._lost = lost
        self._pause = pause

    async def run(self) -> None:
        """Look for as long as the server lives; one round that fails leaves the next."""
        await self._pause(FIRST_S)
        while True:
            try:
                await self.round()
            except (SQLAlchemyError, OSError) as error:
                log.warning("media_look_failed", error=type(error).__name__)
            await self._pause(BETWEEN_S)

    async def round(self) -> dict[str, int]:
        """Look at all contents once; return how many were found gone and damaged."""
        if await self._folder.state() == "gone":
            log.error("media_folder_gone", folder=str(self._folder.files.root))
            return {}
        return await self.verify()

    async def verify(self) -> dict[str, int]:
        """Do so wherever the folder is."""
        found = await self._pass(reads=False)
        for state, count in (await self._pass(reads=True)).items():
            found[state] = found.get(state, 0) + count
        return found

    async def _pass(self, *, reads: bool) -> dict[str, int]:
        found: dict[str, int] = {}
        after = ""
        while page := await contents_after(self._folder.storage, after, PAGE):
            for one in page:
                state = await asyncio.to_thread(state_of, self._folder.files, one, reads=reads)
                if state != "whole":
                    await self._lost.take_mark(one, state)
                    found[state] = found.get(state, 0) + 1
                if reads:
                    await self._pause(one.bytes / BYTES_PER_S)
            after = page[-1].sha256
            await self._pause(0.1)
        return found

"""The look at media beside the requests, while the app runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from server.background import records_follower
from server.maintenance.lost_media import LostMedia
from server.maintenance.media_watch import MediaWatch


def media_watch(app: Litestar) -> MediaWatch:
    """Return what looks at the media of this app."""
    state = app.state
    records = records_follower(
        state.settings, state.storage, state.journal, clock=state.clock, library=state.library, areas=state.areas
    )
    return MediaWatch(state.media_folder, LostMedia(state.storage, state.journal, state.media_folder.files, records))


@asynccontextmanager
async def watching_media(app: Litestar) -> AsyncIterator[None]:
    """Look while the app runs; a process that follows nothing leaves this to those that do."""
    if not app.state.settings.follow:
        yield
        return
    task = asyncio.create_task(media_watch(app).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

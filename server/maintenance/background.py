"""The look at media beside the requests, while the app runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from litestar import Litestar
from sqlalchemy.exc import SQLAlchemyError

from server.background import records_follower
from server.maintenance.lost_media import LostMedia
from server.maintenance.media_watch import BETWEEN_S, MediaWatch
from server.media.unfinished import drop_unfinished

log = structlog.get_logger(__name__)


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
    tasks = [asyncio.create_task(media_watch(app).run()), asyncio.create_task(_dropping(app))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _dropping(app: Litestar) -> None:
    """Drop old unfinished uploads each hour; one round that fails leaves the next."""
    state = app.state
    while True:
        await asyncio.sleep(BETWEEN_S)
        try:
            await drop_unfinished(state.storage, state.media_folder.files, state.clock)
        except (SQLAlchemyError, OSError) as error:
            log.warning("unfinished_uploads_not_dropped", error=type(error).__name__)

"""Uploads that nobody goes on with are dropped after a week: whoever announces one again begins anew.

Nothing that a record names is lost by this: what is not whole is no content yet, and its phone keeps the file until the
server has it. The announcement that follows answers `Upload-Offset: 0`, which tells the phone.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select

from server.errors import Problem
from server.media.files import MediaFiles, OpenUpload
from server.media.tables import media_uploads
from server.platform.clock import Clock
from server.platform.db.engine import Storage

KEPT = timedelta(days=7)
#: So many are looked at in one go.
PAGE = 200

log = structlog.get_logger(__name__)


async def drop_unfinished(storage: Storage, files: MediaFiles, clock: Clock) -> int:
    """Drop the uploads that were neither announced nor went on for a week; return how many that were."""
    before = clock() - KEPT
    dropped = 0
    after = ("", "")
    while page := await _page(storage, before, after):
        for person, sha256 in page:
            if await asyncio.to_thread(_discarded, files, person, sha256, before):
                async with storage.write() as connection:
                    here = (media_uploads.c.person == person) & (media_uploads.c.sha256 == sha256)
                    # Announced anew meanwhile, it begins anew.
                    await connection.execute(delete(media_uploads).where(here, media_uploads.c.started_at < before))
                dropped += 1
        after = page[-1]
    if dropped:
        log.info("unfinished_uploads_dropped", uploads=dropped)
    return dropped


async def _page(storage: Storage, before: datetime, after: tuple[str, str]) -> list[tuple[str, str]]:
    person, sha256 = media_uploads.c.person, media_uploads.c.sha256
    behind = (person > after[0]) | ((person == after[0]) & (sha256 > after[1]))
    query = select(person, sha256).where(media_uploads.c.started_at < before, behind)
    async with storage.read() as connection:
        rows = await connection.execute(query.order_by(person, sha256).limit(PAGE))
        return [(row.person, row.sha256) for row in rows]


def _discarded(files: MediaFiles, person: str, sha256: str, before: datetime) -> bool:
    """Whether what has come of an upload is gone now; it stays while somebody sends, or has since `before`."""
    path = files.incoming(person, sha256)
    if not path.exists():
        return True
    if path.stat().st_mtime >= before.timestamp():
        return False
    try:
        upload = OpenUpload(path)
    except Problem:
        return False
    try:
        files.discard(person, sha256)
    finally:
        upload.close()
    return True

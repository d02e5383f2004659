"""Contents that the database counts as here and that are gone or damaged: their mark is taken, so that they come again.

Phones hear it as numbers that are missing: they send those saves again, and their files after them. Hubs and the
province find the content among what this server awaits. A damaged file is moved aside, in case a person can mend it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy import delete, select

from server.gateway.sync.numbers import Numbers
from server.gateway.sync.progress import lock_progress, save_progress
from server.journal.followers.follower import Follower
from server.journal.journal import Journal
from server.media.files import MediaFiles, digest_of
from server.media.tables import media, media_links
from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing
from server.read_model.record_tables import awaited_media

State = Literal["whole", "gone", "damaged"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A content as the database counts it."""

    sha256: str
    bytes: int
    received_at: datetime


async def contents_after(storage: Storage, sha256: str, limit: int) -> list[StoredMedia]:
    """Return the next contents that count as here, in the order of their hashes."""
    query = select(media.c.sha256, media.c.bytes, media.c.received_at).order_by(media.c.sha256).limit(limit)
    async with storage.read() as connection:
        return [StoredMedia(*row) for row in await connection.execute(query.where(media.c.sha256 > sha256))]


def state_of(files: MediaFiles, content: StoredMedia, *, reads: bool) -> State:
    """Return how a content's file is, by its length or by reading it; this blocks and belongs on a thread."""
    path = files.content_path(content.sha256)
    try:
        if path.stat().st_size != content.bytes:
            return "damaged"
        return "whole" if not reads or digest_of(path) == content.sha256 else "damaged"
    except FileNotFoundError:
        return "gone"
    except OSError:
        # The disk can't read it: for us it is not there.
        return "damaged"


class LostMedia:
    """Takes marks from contents of one server."""

    def __init__(self, storage: Storage, journal: Journal, files: MediaFiles, records: Follower) -> None:
        """Use the follower of `records` to show at once what is missing of them."""
        self._storage = storage
        self._journal = journal
        self._files = files
        self._records = records

    async def take_mark(self, content: StoredMedia, state: State) -> None:
        """Count a content as not here any more, and have it asked for."""
        async with self._storage.read() as connection:
            here = media_links.c.sha256 == content.sha256
            query = select(media_links.c.database, media_links.c.record).where(here).distinct()
            places = [(row.database, row.record) for row in await connection.execute(query)]
        saves = await self._saves_with(content.sha256, places)
        async with self._storage.write() as connection:
            # One that has come again meanwhile has another moment.
            counted = (media.c.sha256 == content.sha256) & (media.c.received_at == content.received_at)
            if not (await connection.execute(delete(media).where(counted))).rowcount:
                return
            await connection.execute(delete(media_links).where(media_links.c.sha256 == content.sha256))
            rows = [{"sha256": content.sha256, "database": name, "record": record} for name, record in places]
            await insert_missing(connection, awaited_media, rows)
            for enrolment in sorted(saves):
                before = await lock_progress(connection, enrolment)
                lacking = before.lacking | saves[enrolment].within(before.received)
                await save_progress(connection, enrolment, replace(before, lacking=lacking))
        if state == "damaged":
            self._files.set_aside(content.sha256)
        log.error("media_lost", sha256=content.sha256, state=state, records=len(places))
        for name in {name for name, _ in places}:
            await self._records.take_again(name, [record for database, record in places if database == name])

    async def _saves_with(self, sha256: str, places: Sequence[tuple[str, str]]) -> dict[str, Numbers]:
        """Return the numbers of each phone's saves of these records that name the content."""
        found: dict[str, Numbers] = {}
        for database, record in places:
            stored = [(one.enrolment, one.content) for one in await self._journal.history(database, record)]
            waiting = [(one.enrolment, one.content) for one in await self._journal.quarantined(database, record)]
            for enrolment, content in (*stored, *waiting):
                if enrolment is None or sha256.encode() not in content:
                    continue
                number = json.loads(content).get("saved", {}).get("number", "")
                if str(number).isdigit():
                    found[enrolment] = found.get(enrolment, Numbers()) | Numbers.of([int(number)])
        return found

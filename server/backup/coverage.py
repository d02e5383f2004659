"""Up to which number of each phone a backup holds everything, its files included; and the note that it was verified.

The sync door tells phones that number as `safe` once a backup is set up. A save whose file is not in the backup ends
it, and so does a number that had not come: what is above may be lost with the server, and phones keep it.
"""

import json
from collections.abc import Iterable, Set
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.backup.manifest import Manifest
from server.gateway.sync.numbers import Numbers
from server.gateway.sync.tables import backups, sync_numbers
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.server_identity import identify
from server.platform.ids import uuid7

#: Every save of a phone that names a file, the accepted ones and those in quarantine.
SAVES = (
    "SELECT r.enrolment, r.number, b.content FROM revisions r JOIN bodies b"
    " ON b.database = r.database AND b.doc_id = r.doc_id AND b.rev = r.rev"
    " WHERE r.enrolment IS NOT NULL AND r.number IS NOT NULL"
    " UNION ALL SELECT enrolment, number, content FROM quarantine WHERE enrolment IS NOT NULL AND number IS NOT NULL"
)
NUMBERS = "SELECT enrolment, received, discarded FROM sync_numbers"


class NamedFiles:
    """The files that each phone's saves name, noted one by one."""

    def __init__(self) -> None:
        """Know none."""
        self._named: list[tuple[str, int, frozenset[str]]] = []

    def note(self, enrolment: str, number: str, content: bytes) -> None:
        """Note a save."""
        # Most saves name no file, and reading them all takes long.
        if b'"media":{"' not in content:
            return
        files = json.loads(content).get("media")
        if isinstance(files, dict):
            hashes = (file.get("sha256") for file in files.values() if isinstance(file, dict))
            self._named.append((enrolment, int(number), frozenset(one for one in hashes if isinstance(one, str))))

    def covered(self, numbers: Iterable[tuple[str, str, str]], held: Set[str]) -> dict[str, int]:
        """Return the number of each enrolment up to which all is kept, where `held` are the contents in the backup."""
        upto = {
            enrolment: (Numbers.parse(received) | Numbers.parse(discarded)).unbroken
            for enrolment, received, discarded in numbers
        }
        for enrolment, number, files in self._named:
            if not files <= held:
                upto[enrolment] = min(upto.get(enrolment, 0), number - 1)
        return upto


async def note_verified(storage: Storage, manifest: Manifest, place: str, clock: Clock) -> bool:
    """Note in this server that a backup of it was verified; False where it is another server's or of another epoch."""
    who = await identify(storage)
    if (who.server, who.epoch) != (manifest.server, manifest.epoch):
        return False
    async with storage.write() as connection:
        await cover(connection, manifest, place, clock)
    return True


async def cover(connection: AsyncConnection, manifest: Manifest, place: str, clock: Clock) -> None:
    """Note a verified backup and what it covers, in the caller's transaction."""
    row = {"id": uuid7(clock), "made_at": datetime.fromisoformat(manifest.made_at), "verified_at": clock()}
    await connection.execute(backups.insert().values(**row, place=place[:1000]))
    for enrolment, number in manifest.covered.items():
        here = (sync_numbers.c.enrolment == enrolment) & (sync_numbers.c.covered < number)
        await connection.execute(update(sync_numbers).where(here).values(covered=number))

"""Small files that come together: one upload that holds many, so that a day's pictures take a few round trips.

A bundle is gzip of a line of JSON, a list of `{"db", "record", "name", "type", "bytes"}`, and of the contents in that
order. It is sent as any other upload, so that a link that breaks costs nothing twice; once it is whole all of it is
taken, or none.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from server.auth.principal import Principal
from server.errors import Problem
from server.journal.journal import Journal
from server.media.admitted import require_admitted
from server.media.schemas import BundledFile, UploadMetadata
from server.platform.db.engine import Storage
from server.platform.inflate import DamagedGzip, Gunzip

#: On the wire; and all that it holds, unpacked.
MOST_PACKED_BYTES = 300_000
MOST_BYTES = 400_000
MOST_FILES = 200

_FILES = TypeAdapter(list[BundledFile])


@dataclass(frozen=True, slots=True)
class Small:
    """One file of a bundle."""

    promised: UploadMetadata
    content: bytes


class Bundles:
    """Reads bundles and asks whether what they hold may come."""

    def __init__(self, storage: Storage, journal: Journal) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal

    async def files(self, principal: Principal, path: Path) -> list[Small]:
        """Return what a whole bundle holds; raise `upload_metadata`, or what keeps one of them out."""
        found = await asyncio.to_thread(lambda: read_bundle(path.read_bytes()))
        length = sum(len(each.content) for each in found)
        promised = [each.promised for each in found]
        await require_admitted(self._storage, self._journal, principal, promised, length)
        return found


def read_bundle(packed: bytes) -> list[Small]:
    """Return the files of a bundle; raise `upload_metadata` where it holds too much or anything else than it says."""
    try:
        head, _, contents = _unpacked(packed).partition(b"\n")
        listed = _FILES.validate_python(json.loads(head), strict=True)
        if not 0 < len(listed) <= MOST_FILES or sum(each.bytes for each in listed) != len(contents):
            raise ValueError("it does not hold what it says")
        return list(_parted(listed, contents))
    except (ValidationError, ValueError, RecursionError, DamagedGzip) as error:
        raise Problem("upload_metadata", field="") from error


def _unpacked(packed: bytes) -> bytes:
    gunzip, body = Gunzip(), bytearray()
    for piece in gunzip.pieces(packed):
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError("too long")
    if not gunzip.is_complete:
        raise ValueError("too short")
    return bytes(body)


def _parted(listed: list[BundledFile], contents: bytes) -> Iterator[Small]:
    start = 0
    for each in listed:
        content = contents[start : start + each.bytes]
        start += each.bytes
        sha256 = hashlib.sha256(content).hexdigest()
        promised = UploadMetadata(sha256=sha256, type=each.type, db=each.db, record=each.record, name=each.name)
        yield Small(promised, content)

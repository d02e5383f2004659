"""An upload from its announcement to the verified content (tus 1.0: creation and core).

Content-addressed: the upload's address is the hash that it promises, so that announcing twice is one upload and an
interrupted one goes on from any session of the same person. Knowing a hash is not having the content: it is linked to
a record without being sent again only where the person can read it already.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Delete, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.errors import Problem
from server.media.bundles import Bundles, Small
from server.media.files import FULL, MediaFiles, OpenUpload, digest_of
from server.media.pictures import thumbnail
from server.media.schemas import UploadMetadata
from server.media.tables import media, media_links, media_uploads
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing
from server.platform.own_threads import OwnThreads

#: What one person may have under way at once, so that nobody fills the disk with beginnings.
MAX_UPLOADS = 500
MAX_INCOMING_BYTES = 2_000_000_000
#: The type of what holds others; its upload names no database.
BUNDLE = "application/vnd.nuong.bundle"
_WRITE_BYTES = 256 * 1024
#: One photo at a time: as many as phones send at once would take the memory and both cores.
_decoders = OwnThreads("photos", 1)


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How far an upload has come."""

    sha256: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Caps:
    """The operator's limits: bytes of one content, bytes that must stay free on the disk."""

    content_bytes: int
    reserve_bytes: int


class Uploads:
    """The uploads of all people on one storage and one folder."""

    def __init__(
        self, storage: Storage, files: MediaFiles, clock: Clock, caps: Caps, bundles: Bundles | None = None
    ) -> None:
        """Keep the parts; nothing is opened yet. `bundles` reads those, where they may come."""
        self._bundles = bundles
        self._storage = storage
        self._files = files
        self._clock = clock
        self._caps = caps

    async def announce(self, principal: Principal, length: int, promised: UploadMetadata) -> UploadProgress:
        """Begin or find the upload of `promised`; one that needs no sending is finished at once."""
        sha256 = promised.sha256
        async with self._storage.read() as connection:
            known = await readable_bytes(connection, principal, sha256)
        if known is not None:
            if known != length:
                raise Problem("media_hash_mismatch", sha256=sha256)
            async with self._storage.write() as connection:
                await _link(connection, sha256, promised.db, promised.record, promised.name)
            return UploadProgress(sha256, length, length)
        if length > self._caps.content_bytes:
            raise Problem("media_too_large", limit=self._caps.content_bytes)
        about = {
            "type": promised.type,
            "database": promised.db,
            "record": promised.record,
            "name": promised.name,
        }
        return await self._begin(principal, sha256, length, about)

    async def announce_bundle(self, principal: Principal, length: int, sha256: str) -> UploadProgress:
        """Begin or find the upload of a bundle."""
        return await self._begin(principal, sha256, length, {"type": BUNDLE, "database": "", "record": "", "name": ""})

    async def _begin(self, principal: Principal, sha256: str, length: int, about: dict[str, str]) -> UploadProgress:
        async with self._storage.read() as connection:
            begun = await self._begun(connection, principal.person)
        if begun.get(sha256, length) != length:
            # One of the two lengths is wrong. Kept, the first would keep the right one out for ever.
            await self.drop(principal, sha256)
        if sha256 not in begun and (len(begun) >= MAX_UPLOADS or sum(begun.values()) + length > MAX_INCOMING_BYTES):
            raise Problem("media_quota", uploads=len(begun))
        await self._check_space(length)
        row = {"person": principal.person, "sha256": sha256, "bytes": length, "started_at": self._clock(), **about}
        async with self._storage.write() as connection:
            await insert_missing(connection, media_uploads, [row])
            if sha256 in begun:
                # It goes on: old unfinished ones are dropped.
                again = update(media_uploads).where(_is(principal, sha256)).values(started_at=self._clock())
                await connection.execute(again)
        return await self.standing(principal, sha256)

    async def standing(self, principal: Principal, sha256: str) -> UploadProgress:
        """Return how far the upload has come, from the disk; raises `not_found` where none was announced."""
        async with self._storage.read() as connection:
            row = await self._announced(connection, principal.person, sha256)
            known = await readable_bytes(connection, principal, sha256)
        if known is not None:
            return UploadProgress(sha256, known, known)
        if row is None:
            raise Problem("not_found")
        offset = await asyncio.to_thread(self._files.offset, principal.person, sha256)
        if offset == row.bytes:
            # All bytes came, and then the disk was full or the server stopped: finish now, or the client, told that
            # everything is here, would never come back.
            return await self.append(principal, sha256, offset, _nothing())
        return UploadProgress(sha256, offset, row.bytes)

    async def append(
        self, principal: Principal, sha256: str, offset: int, pieces: AsyncIterator[bytes]
    ) -> UploadProgress:
        """Take the next bytes, from `offset` on; the last ones have the content verified and kept."""
        async with self._storage.read() as connection:
            row = await self._announced(connection, principal.person, sha256)
        if row is None:
            return await self._already_whole(principal, sha256, offset)
        await self._check_space(0)
        upload = await asyncio.to_thread(OpenUpload, self._files.incoming(principal.person, sha256))
        try:
            if upload.offset != offset:
                raise Problem("upload_offset", offset=upload.offset)
            await self._take(upload, row.bytes, pieces)
            if upload.offset == row.bytes:
                await self._finish(principal, row)
            return UploadProgress(sha256, upload.offset, row.bytes)
        finally:
            await asyncio.to_thread(upload.close)

    async def drop(self, principal: Principal, sha256: str) -> None:
        """Forget an upload and what it has brought; raises `upload_busy` while another request writes to it."""
        upload = await asyncio.to_thread(OpenUpload, self._files.incoming(principal.person, sha256))
        try:
            await self._forget(principal, sha256)
        finally:
            await asyncio.to_thread(upload.close)

    async def _take(self, upload: OpenUpload, length: int, pieces: AsyncIterator[bytes]) -> None:
        waiting = bytearray()
        try:
            try:
                async for piece in pieces:
                    waiting += piece
                    if upload.offset + len(waiting) > length:
                        raise Problem("upload_too_long", length=length)
                    if len(waiting) >= _WRITE_BYTES:
                        await asyncio.to_thread(upload.write, bytes(waiting))
                        waiting.clear()
            finally:
                # A link that breaks in the middle has still brought what it has brought.
                if waiting and upload.offset + len(waiting) <= length:
                    await asyncio.to_thread(upload.write, bytes(waiting))
                await asyncio.to_thread(upload.sync)
        except OSError as error:
            if error.errno in FULL:
                raise Problem("disk_full") from error
            raise

    async def _finish(self, principal: Principal, row: Any) -> None:
        incoming = self._files.incoming(principal.person, row.sha256)
        if await asyncio.to_thread(digest_of, incoming) != row.sha256:
            # Announced anew it begins anew: that its length was true is no surer than its content.
            await self._forget(principal, row.sha256)
            raise Problem("media_hash_mismatch", sha256=row.sha256)
        if row.database == "":
            await self._finish_bundle(principal, row.sha256)
            return
        readable = True
        try:
            if row.type.startswith("image/"):
                small = await _decoders.run(thumbnail, incoming)
                readable = small is not None
                if small is not None:
                    await asyncio.to_thread(self._files.put_thumbnail, row.sha256, small)
            # The file before its row: a crash between the two leaves the announcement, and sending again mends it.
            await asyncio.to_thread(self._files.keep, principal.person, row.sha256)
        except OSError as error:
            if error.errno in FULL:
                raise Problem("disk_full") from error
            raise
        async with self._storage.write() as connection:
            kept = self._media_row(principal, row.sha256, row.bytes, row.type, readable=readable)
            await insert_missing(connection, media, [kept])
            await _link(connection, row.sha256, row.database, row.record, row.name)
            await connection.execute(_of(principal, row.sha256))

    async def _finish_bundle(self, principal: Principal, sha256: str) -> None:
        """Keep what a whole bundle holds and forget it; one that may not come is forgotten too, and says why."""
        if self._bundles is None:
            raise Problem("not_found")
        try:
            found = await self._bundles.files(principal, self._files.incoming(principal.person, sha256))
        except Problem:
            await self._forget(principal, sha256)
            raise
        rows = [await self._kept(principal, each) for each in found]
        async with self._storage.write() as connection:
            await insert_missing(connection, media, rows)
            for each in found:
                promised = each.promised
                await _link(connection, promised.sha256, promised.db, promised.record, promised.name)
            await connection.execute(_of(principal, sha256))
        await asyncio.to_thread(self._files.discard, principal.person, sha256)

    async def _kept(self, principal: Principal, small: Small) -> dict[str, object]:
        """Return the row of a content, which is on the disk by then."""
        promised, readable = small.promised, True
        try:
            path = await asyncio.to_thread(self._files.put, promised.sha256, small.content)
            if promised.type.startswith("image/"):
                reduced = await _decoders.run(thumbnail, path)
                readable = reduced is not None
                if reduced is not None:
                    await asyncio.to_thread(self._files.put_thumbnail, promised.sha256, reduced)
        except OSError as error:
            if error.errno in FULL:
                raise Problem("disk_full") from error
            raise
        return self._media_row(principal, promised.sha256, len(small.content), promised.type, readable=readable)

    def _media_row(
        self, principal: Principal, sha256: str, size: int, kind: str, *, readable: bool
    ) -> dict[str, object]:
        return {
            "sha256": sha256,
            "bytes": size,
            "type": kind,
            "readable": readable,
            "person": principal.person,
            "enrolment": principal.enrolment,
            "received_at": self._clock(),
        }

    async def _forget(self, principal: Principal, sha256: str) -> None:
        await asyncio.to_thread(self._files.discard, principal.person, sha256)
        async with self._storage.write() as connection:
            await connection.execute(_of(principal, sha256))

    async def _already_whole(self, principal: Principal, sha256: str, offset: int) -> UploadProgress:
        # The answer to the last piece was lost: the client sends nothing more and learns that all is here.
        standing = await self.standing(principal, sha256)
        if standing.offset != offset:
            raise Problem("upload_offset", offset=standing.offset)
        return standing

    async def _check_space(self, length: int) -> None:
        if await asyncio.to_thread(self._files.free_bytes) - length < self._caps.reserve_bytes:
            raise Problem("disk_full")

    async def _announced(self, connection: AsyncConnection, person: str, sha256: str) -> Any:
        statement = select(media_uploads).where(media_uploads.c.person == person, media_uploads.c.sha256 == sha256)
        return (await connection.execute(statement)).one_or_none()

    async def _begun(self, connection: AsyncConnection, person: str) -> dict[str, int]:
        statement = select(media_uploads.c.sha256, media_uploads.c.bytes).where(media_uploads.c.person == person)
        return {row.sha256: row.bytes for row in await connection.execute(statement)}


async def readable_bytes(connection: AsyncConnection, principal: Principal, sha256: str) -> int | None:
    """Return the size of a content that is here and that `principal` may read by one of its records, else None."""
    statement = select(media.c.bytes, media_links.c.database).join(media_links, media.c.sha256 == media_links.c.sha256)
    for row in await connection.execute(statement.where(media.c.sha256 == sha256).distinct()):
        if allowed(principal, "read", row.database):
            return int(row.bytes)
    return None


def _of(principal: Principal, sha256: str) -> Delete:
    return delete(media_uploads).where(_is(principal, sha256))


def _is(principal: Principal, sha256: str) -> ColumnElement[bool]:
    return (media_uploads.c.person == principal.person) & (media_uploads.c.sha256 == sha256)


async def _nothing() -> AsyncIterator[bytes]:
    no_pieces: tuple[bytes, ...] = ()
    for piece in no_pieces:
        yield piece


async def _link(connection: AsyncConnection, sha256: str, database: str, record: str, name: str) -> None:
    row = {"sha256": sha256, "database": database, "record": record, "name": name}
    await insert_missing(connection, media_links, [row])

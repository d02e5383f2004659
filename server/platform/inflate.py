"""Gzip inflated piece by piece, and request bodies read so under a cap.

The body is read as it arrives and inflated piece by piece, so that a bomb costs no more memory than the cap. Three
limits hold: bytes on the wire, bytes after inflating, and their ratio, each over all members together: clients and
proxies that pack as they go may send several (RFC 1952, 2.2).
"""

import zlib
from collections.abc import AsyncIterator, Iterator

from server.errors import Problem

MAX_BODY_BYTES = 10_000_000
MAX_RATIO = 100
#: Below this a high ratio is no danger, and short bodies of like records reach it honestly.
RATIO_FROM_BYTES = 256_000
_STEP_BYTES = 65_536
#: What stands behind a member is copied for the next one: a body of empty members would cost its square.
MAX_MEMBERS = 1000


async def read_body(
    pieces: AsyncIterator[bytes], encoding: str | None, *, limit: int = MAX_BODY_BYTES, announced: int | None = None
) -> bytes:
    """Return the whole body as it was before `encoding` (`gzip` or its old name, `identity` or absent).

    `announced` is the Content-Length: one that is too long is refused before a byte is read.
    """
    coding = (encoding or "identity").strip().lower()
    # RFC 9110, 8.4.1.3.
    coding = "gzip" if coding == "x-gzip" else coding
    if coding not in ("gzip", "identity"):
        raise Problem("unsupported_encoding", encoding=coding[:40])
    if announced is not None and announced > limit:
        raise Problem("too_large", limit=limit)
    if coding == "gzip":
        return await _gunzip(pieces, limit)
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            raise Problem("too_large", limit=limit)
    return bytes(body)


class DamagedGzip(Exception):
    """The bytes are no gzip, or something else follows it."""


class Gunzip:
    """Gzip of one member or several, inflated at most 64 KiB at a time, so that whoever counts the pieces can stop."""

    def __init__(self) -> None:
        """Begin."""
        self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._members = 1

    @property
    def is_complete(self) -> bool:
        """Whether what came ends with the end of a member."""
        return self._inflater.eof

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """Give what `packed` holds, none of it empty; raise `DamagedGzip`."""
        while packed:
            inflater = self._next() if self._inflater.eof else self._inflater
            try:
                piece = inflater.decompress(packed, _STEP_BYTES)
            except zlib.error as error:
                raise DamagedGzip(str(error)) from None
            self._inflater = inflater
            packed = self._inflater.unconsumed_tail or self._inflater.unused_data
            if piece:
                yield piece

    def _next(self) -> "zlib._Decompress":
        if self._members == MAX_MEMBERS:
            raise DamagedGzip("too many members")
        self._members += 1
        return zlib.decompressobj(16 + zlib.MAX_WBITS)


async def _gunzip(pieces: AsyncIterator[bytes], limit: int) -> bytes:
    gunzip = Gunzip()
    body = bytearray()
    received = 0
    try:
        async for packed in pieces:
            received += len(packed)
            if received > limit:
                raise Problem("too_large", limit=limit)
            for piece in gunzip.pieces(packed):
                body += piece
                # The ratio first: a bomb is told from a person's honest but too large body.
                if len(body) > RATIO_FROM_BYTES and len(body) > MAX_RATIO * received:
                    raise Problem("body_bomb", ratio=MAX_RATIO)
                if len(body) > limit:
                    raise Problem("too_large", limit=limit)
    except DamagedGzip as damage:
        raise Problem("body_not_gzip") from damage
    if not gunzip.is_complete:
        raise Problem("body_truncated")
    return bytes(body)

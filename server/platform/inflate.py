"""A request body, inflated under a cap.

The body is read as it arrives and inflated piece by piece, so that a bomb costs no more memory than the cap. Three
limits hold: bytes on the wire, bytes after inflating, and their ratio. Exactly one gzip member is accepted: browsers
and proxies send one, and a second one is a way around the ratio.
"""

import zlib
from collections.abc import AsyncIterator

from server.errors import Problem

MAX_BODY_BYTES = 10_000_000
MAX_RATIO = 100
#: Below this a high ratio is no danger, and short bodies of like records reach it honestly.
RATIO_FROM_BYTES = 256_000
_STEP_BYTES = 65_536


async def read_body(
    pieces: AsyncIterator[bytes], encoding: str | None, *, limit: int = MAX_BODY_BYTES, announced: int | None = None
) -> bytes:
    """Return the whole body as it was before `encoding` (`gzip`, `identity` or absent).

    `announced` is the Content-Length: one that is too long is refused before a byte is read.
    """
    coding = (encoding or "identity").strip().lower()
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


async def _gunzip(pieces: AsyncIterator[bytes], limit: int) -> bytes:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    body = bytearray()
    received = 0
    try:
        async for piece in pieces:
            received += len(piece)
            if received > limit:
                raise Problem("too_large", limit=limit)
            waiting = piece
            while waiting and not inflater.eof:
                body += inflater.decompress(waiting, _STEP_BYTES)
                waiting = inflater.unconsumed_tail
                # The ratio first: a bomb is told from a person's honest but too large body.
                if len(body) > RATIO_FROM_BYTES and len(body) > MAX_RATIO * received:
                    raise Problem("body_bomb", ratio=MAX_RATIO)
                if len(body) > limit:
                    raise Problem("too_large", limit=limit)
            if inflater.unused_data or (inflater.eof and waiting):
                raise Problem("body_not_gzip")
    except zlib.error as broken:
        raise Problem("body_not_gzip") from broken
    if not inflater.eof:
        raise Problem("body_truncated")
    return bytes(body)

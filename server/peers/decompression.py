"""The bytes of a peer's answer as they were before it packed them, a small piece at a time.

The client's own unpacking makes all of a piece at once: half a kilobyte would become gigabytes before anybody counts.
Only gzip is asked for, since it alone can be unpacked step by step; whoever reads counts, and stops.
"""

import zlib
from collections.abc import AsyncIterator

import httpx

from server.peers.failures import PeerFailed

ACCEPTED = "gzip"
_STEP_BYTES = 65_536


async def inflated(response: httpx.Response) -> AsyncIterator[bytes]:
    """Give the bytes; raise `half` where the packing breaks off or is damaged, `garbage` where it is another one."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("gzip", "identity"):
        raise PeerFailed("garbage", f"an answer packed as {coding[:40]}")
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    has_begun = False
    async for piece in response.aiter_raw():
        if coding == "identity":
            yield piece
            continue
        has_begun = has_begun or bool(piece)
        waiting = piece
        while waiting:
            if inflater.eof:
                raise PeerFailed("garbage", "an answer with something behind its end")
            try:
                part = inflater.decompress(waiting, _STEP_BYTES)
            except zlib.error as error:
                raise PeerFailed("half", f"a damaged packing: {error}") from None
            waiting = inflater.unconsumed_tail or inflater.unused_data
            if part:
                yield part
    # An answer to HEAD says how its body would be packed, and has none.
    if has_begun and not inflater.eof:
        raise PeerFailed("half", "a packing without its end")

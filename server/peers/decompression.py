"""The bytes of a peer's answer as they were before it packed them, a small piece at a time.

The client's own unpacking makes all of a piece at once: half a kilobyte would become gigabytes before anybody counts.
Only gzip is asked for, since it alone can be unpacked step by step; whoever reads counts, and stops.
"""

from collections.abc import AsyncIterator

import httpx

from server.peers.failures import PeerFailed
from server.platform.inflate import DamagedGzip, Gunzip

ACCEPTED = "gzip"


async def inflated(response: httpx.Response) -> AsyncIterator[bytes]:
    """Give the bytes; raise `half` where the packing breaks off or is damaged, `garbage` where it is another one."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("gzip", "identity"):
        raise PeerFailed("garbage", f"an answer packed as {coding[:40]}")
    gunzip = Gunzip()
    has_begun = False
    async for packed in response.aiter_raw():
        if coding == "identity":
            yield packed
            continue
        has_begun = has_begun or bool(packed)
        try:
            for piece in gunzip.pieces(packed):
                yield piece
        except DamagedGzip as damage:
            raise PeerFailed("garbage" if gunzip.is_complete else "half", f"a damaged packing: {damage}") from None
    # An answer to HEAD says how its body would be packed, and has none.
    if has_begun and not gunzip.is_complete:
        raise PeerFailed("half", "a packing without its end")

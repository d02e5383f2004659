"""Feeds that wait: woken by commits, kept alive by newlines, ended by a timeout, a limit, a stop, or what is gone.

Gone may be the database or the person's rights to it. Both are looked at before anything new leaves and at least every
`LOOK_S`, whatever else the feed is doing: a stream may be older than a revocation (I9). A feed whose database was
removed ends where it was; who comes back with that checkpoint to one made anew under the name reads from the beginning.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from server.gateway.couchdb.call import Call
from server.gateway.couchdb.feed_reading import Reader
from server.gateway.couchdb.refusals import Refusal

#: No feed goes on for longer without looking at rights and feed: should news of a commit be lost on the way, this
#: bounds the delay.
LOOK_S = 10.0


@dataclass(frozen=True, slots=True)
class FeedTiming:
    """How often to show that the line is alive, and after how long without a row to end; None: never."""

    heartbeat_s: float | None
    timeout_s: float | None


async def longpoll(reader: Reader, pace: FeedTiming) -> AsyncIterator[bytes]:
    """Yield one answer, whose rows are the first that there are."""
    start = b'{"results":[\n'
    yield start
    start = b""
    async for rows in _waiting(reader, pace, once=True):
        if rows is None:
            yield b"\n"
        else:
            yield start + b",\n".join(rows)
            start = b",\n"
    yield b"\n]," + await reader.tail()


async def continuous(reader: Reader, pace: FeedTiming) -> AsyncIterator[bytes]:
    """Yield a line for each row as it comes, and in the end where to go on."""
    # An empty piece lets the headers leave at once.
    yield b""
    async for rows in _waiting(reader, pace, once=False):
        yield b"\n" if rows is None else b"\n".join(rows) + b"\n"
    yield b"{" + await reader.tail()


async def eventsource(reader: Reader, pace: FeedTiming) -> AsyncIterator[bytes]:
    """Yield an event for each row; its id is the checkpoint with which the browser comes back."""
    yield b""
    async for rows in _waiting(reader, pace, once=False):
        if rows is None:
            yield b"\n"
            continue
        last = rows.pop()
        before = b"".join(b"data: %b\n\n" % row for row in rows)
        yield before + b"data: %b\nid: %b\n\n" % (last, reader.last_seq.encode())


async def watched(reader: Reader) -> AsyncIterator[list[bytes]]:
    """Yield pages of rows for as long as the caller sees the database: a slow client may read for hours."""
    now = asyncio.get_running_loop().time
    looked_at = now()
    async for rows in reader.pages():
        if now() >= looked_at + LOOK_S:
            if not await _still_sees(reader.call):
                return
            looked_at = now()
        yield rows


async def _waiting(reader: Reader, pace: FeedTiming, *, once: bool) -> AsyncIterator[list[bytes] | None]:
    """Yield pages of rows, and None where a heartbeat is due; with `once`, no more than stood at the first row."""
    call = reader.call
    now = asyncio.get_running_loop().time
    heard = 0
    quiet_since = beat_at = now()
    while await _still_sees(call):
        looked_at = now()
        has_rows = False
        async for rows in watched(reader):
            has_rows = True
            yield rows
        if reader.is_over or (once and has_rows):
            return
        if has_rows:
            quiet_since = beat_at = now()
        while True:
            # A client comes back with its checkpoint, to this server's successor or to another one.
            if call.parts.journal.is_stopping:
                return
            wait_s = looked_at + LOOK_S - now()
            if pace.heartbeat_s is not None:
                wait_s = min(wait_s, beat_at + pace.heartbeat_s - now())
            if pace.timeout_s is not None:
                wait_s = min(wait_s, quiet_since + pace.timeout_s - now())
            came = await call.parts.journal.wait(heard, max(0.0, wait_s), [call.db.name])
            if pace.timeout_s is not None and came == heard and now() >= quiet_since + pace.timeout_s:
                return
            if pace.heartbeat_s is not None and now() >= beat_at + pace.heartbeat_s:
                beat_at = now()
                yield None
            if came > heard or now() >= looked_at + LOOK_S:
                heard = came
                break


async def _still_sees(call: Call) -> bool:
    """Whether the caller's grants cover the database at this moment."""
    caller = await call.parts.recognition.renewed(call.person)
    if caller is None:
        return False
    try:
        await call.parts.databases.open(call.db.name, caller)
    except Refusal:
        return False
    return True

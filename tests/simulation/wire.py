"""The line between two servers as the product's client sees it: requests, one after the other, of which any may fail.

A request is lost before or after it did its work; its answer breaks off, with or without the client being told; it
arrives twice, or once more long after; the other server dies at it. A line may also be too slow for long batches.
"""

import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from random import Random

import httpx

from tests.simulation.disk import Killed
from tests.simulation.server import Server

#: What may go wrong with one request, and how often: one replication makes some ten for each database.
FAULTS = {
    "well": 92,
    "refused": 1,
    "silence": 1,
    "answer lost": 2,
    "answer broken off": 1,
    "answer shortened": 1,
    "doubled": 1,
    "delayed": 1,
}


@dataclass(slots=True)
class Lines:
    """All lines between servers; `log` takes a sentence for the trace."""

    random: Random
    log: Callable[[str], None]
    seen: Counter[str]
    is_faulty: bool = True
    #: Documents in one request or answer that a line bears before the client's patience ends.
    bears: int = 1000
    #: Requests that some line still carries.
    late: list[tuple[Server, httpx.Request]] = field(default_factory=list)

    async def arrive_late(self) -> None:
        """Let a delayed request arrive; nobody waits for its answer any more."""
        to, request = self.late.pop(self.random.randrange(len(self.late)))
        try:
            answer = await _served(to, request)
        except httpx.TransportError as error:
            self.log(f"  {to.name} does not take it: {error}")
        else:
            self.log(f"  {to.name} answers {answer.status_code}")


class Line(httpx.AsyncBaseTransport):
    """Carries requests to one server."""

    def __init__(self, lines: Lines, to: Server) -> None:
        """Carry nothing yet."""
        self._lines = lines
        self._to = to

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, or fail as a line does."""
        lines, random = self._lines, self._lines.random
        await request.aread()
        fault = random.choices(list(FAULTS), list(FAULTS.values()))[0] if lines.is_faulty else "well"
        if fault != "well":
            lines.log(f"  {request.method} {request.url.path}: {fault}")
            lines.seen[f"line: {fault}"] += 1
        if fault == "refused":
            raise httpx.ConnectError("refused")
        if fault == "delayed":
            lines.late.append((self._to, request))
        if fault in ("silence", "delayed"):
            raise httpx.ReadTimeout("silence")
        if _documents(request) > lines.bears:
            lines.seen["line: too much"] += 1
            raise httpx.ReadTimeout("too much for this line")
        answer = await _served(self._to, request)
        if fault == "doubled":
            second = await _served(self._to, request)
            answer = second if random.random() < 0.5 else answer
        if fault == "answer lost":
            raise httpx.ReadError("the answer is lost")
        content = answer.content
        if fault in ("answer broken off", "answer shortened"):
            content = content[: random.randrange(len(content) + 1)]
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, stream=_Body(content, fault == "answer broken off"))


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes, is_broken: bool) -> None:
        self._content = content
        self._is_broken = is_broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        if self._is_broken:
            raise httpx.ReadError("the answer broke off")


async def _served(to: Server, request: httpx.Request) -> httpx.Response:
    """Return a server's whole answer, its body as it was sent; a server that is dead, or dies at it, gives none."""
    if to.disk.is_dead:
        raise httpx.ConnectError(f"{to.name} is down")
    try:
        with to.alive():
            given = await httpx.ASGITransport(to.door).handle_async_request(request)
            body = b"".join([part async for part in given.stream])  # type: ignore[union-attr]
    except Killed:
        raise httpx.ReadError(f"{to.name} died") from None
    answer = httpx.Response(given.status_code, headers=given.headers)
    answer._content = body
    return answer


def _documents(request: httpx.Request) -> int:
    """Return how many documents a request carries or asks for."""
    if not request.url.path.endswith(("/_bulk_docs", "/_bulk_get")):
        return 0
    is_packed = request.headers.get("content-encoding") == "gzip"
    return len(json.loads(gzip.decompress(request.content) if is_packed else request.content)["docs"])

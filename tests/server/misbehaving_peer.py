"""A peer that misbehaves on the wire: a real server behind a socket that spoils its answers as a test wants them."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from litestar import Litestar

from server.platform.db.engine import Storage

#: Says what to do with the n-th request (method, path): a fault's name, or None.
Plan = Callable[[int, str, str], str | None]

FULL = b'{"error":"insufficient_storage","reason":"the disk is full"}'
FAULTS = ("half", "garbage", "other json", "500", "507", "silent", "answer lost", "refused")


def struck_over(storage: Storage, stride: int = 1) -> Iterator[int]:
    """Give the numbers of the requests that a fault strikes over this kind of store: two, past the other's two, and on.

    Requests have no SQL of their own, and an exchange asks the same of each database: over the two stores each request
    is struck once, and each kind of request over both.
    """
    return (number * stride for number in itertools.count() if number // 2 % 2 == storage.is_postgresql)


@dataclass
class MisbehavingPeer:
    """Stands before `app`; `plan` may be changed at any moment."""

    app: Litestar
    plan: Plan = lambda _number, _method, _path: None
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        length = int(next((value for name, value in headers.items() if name.lower() == "content-length"), "0"))
        body = await reader.readexactly(length)
        path = target.split("?")[0]
        fault = self.plan(len(self.asked), method, path)
        self.asked.append((method, path))
        if fault == "refused":
            return
        if fault == "silent":
            await asyncio.sleep(3)
            return
        canned = {"garbage": (200, b"<html>sign in to the network</html>"), "other json": (200, b'"what?"')}
        canned |= {"500": (500, b"{}"), "507": (507, FULL)}
        told: dict[str, str] = {}
        if fault in canned:
            status, said = canned[fault]
        else:
            status, said, told = await self._real(method, target, headers, body)
        if fault == "other bytes":
            said = bytes(len(said))
        if fault == "no end":
            said += bytes(3_000_000)
        if fault == "answer lost":
            return
        sent = said[: len(said) // 2] if fault == "half" else said
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(said)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in told.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
        await writer.drain()

    async def _real(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            headers = {name: value for name, value in headers.items() if name.lower() != "accept-encoding"}
            answer = await client.request(method, target, content=body, headers=headers)
        told = {name: value for name, value in answer.headers.items() if name.startswith("upload-")}
        return answer.status_code, answer.content, told


@asynccontextmanager
async def misbehaving(app: Litestar) -> AsyncIterator[MisbehavingPeer]:
    """Give the peer on a loopback port."""
    peer = MisbehavingPeer(app)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, limit=2**22)
    async with server:
        port = server.sockets[0].getsockname()[1]
        peer.url = f"http://127.0.0.1:{port}/db"
        yield peer

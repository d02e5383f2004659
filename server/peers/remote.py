"""Requests to a peer: signed, compressed, bounded in time and size, every failure a `PeerFailed`.

What comes back is read strictly. An answer that breaks off, drips for ever, is something else than JSON, or is larger
than a batch can be never counts as an answer.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from server.peers.decompression import ACCEPTED, inflated
from server.peers.failures import AnswerTooLong, PeerFailed, TroubleCode
from sync.contract.counts import read_count
from sync.revisions.canonical import Json, MalformedJson, read

MAX_ANSWER_BYTES = 64_000_000
#: Longest silence, and longest answer in all: a peer that sends a byte a second holds nothing up for ever.
SILENCE_S = 30.0
BULK_SILENCE_S = 120.0
ANSWER_S = 300.0
GZIP_FROM_BYTES = 1024
MAX_NODES = 5_000_000
NUONG = "Nương"

T = TypeVar("T")
Signature = Callable[[], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """A peer's answer: its status, the JSON, and the places in it that no document may hold."""

    status: int
    value: Json
    flaws: tuple[MalformedJson, ...] = ()

    def object(self) -> Mapping[str, Any]:
        """Return the JSON as an object; raise `garbage` when it is none."""
        if not isinstance(self.value, Mapping):
            raise PeerFailed("garbage", "no JSON object")
        return self.value


class Remote:
    """One peer behind its address."""

    def __init__(self, client: httpx.AsyncClient, sign: Signature) -> None:
        """Use `client`, whose base is the peer's address; `sign` gives the headers that say who asks."""
        self._client = client
        self._sign = sign
        self._takes_gzip = True
        self._keeps_history: bool | None = None

    async def keeps_history(self) -> bool:
        """Whether every revision stays readable there, as at a Nương: a CouchDB gives earlier ones up."""
        if self._keeps_history is None:
            said = await self.ask("GET", "", may_fail=(401, 403, 404))
            vendor = said.value.get("vendor") if isinstance(said.value, Mapping) else None
            self._keeps_history = isinstance(vendor, Mapping) and vendor.get("name") == NUONG
        return self._keeps_history

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        may_fail: tuple[int, ...] = (),
        silence_s: float | None = None,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> RemoteAnswer:
        """Return the answer of a request that succeeded or failed with a status in `may_fail`.

        Raise AnswerTooLong where it is longer than `most_bytes`, once they are read.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        asked = _Request(
            method, path, query, content, may_fail, SILENCE_S if silence_s is None else silence_s, most_bytes
        )
        is_packed = content is not None and len(content) >= GZIP_FROM_BYTES and self._takes_gzip
        try:
            return await self._once(asked, is_packed=is_packed)
        except PeerFailed as failure:
            if not is_packed or failure.status not in (400, 415):
                raise
        # It may be the packing that it does not take; asked plainly, it says so itself if it was something else.
        answer = await self._once(asked, is_packed=False)
        self._takes_gzip = False
        return answer

    async def _once(self, asked: "_Request", *, is_packed: bool) -> RemoteAnswer:
        headers = {"Accept": "application/json", **await self._sign()}
        content = asked.content
        if content is not None:
            headers["Content-Type"] = "application/json"
        if is_packed and content is not None:
            headers["Content-Encoding"] = "gzip"
            content = await asyncio.to_thread(gzip.compress, content, 6)
        sending = self._stream(asked, headers, content)
        with _named():
            async with asyncio.timeout(ANSWER_S), sending as response:
                said = await _body(response, asked.most_bytes)
        if response.status_code >= 300 and response.status_code not in asked.may_fail:
            raise _failure(response, said)
        try:
            reading = await asyncio.to_thread(read, said, max_nodes=MAX_NODES)
        except MalformedJson as error:
            if response.status_code in asked.may_fail:
                return RemoteAnswer(response.status_code, None)
            raise PeerFailed("garbage", f"{asked.method} {asked.path}: {error.code}") from None
        return RemoteAnswer(response.status_code, reading.value, reading.flaws)

    async def send(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> Mapping[str, str]:
        """Return the headers of the answer to a request about bytes, lower-case names; raise PeerFailed."""
        asked = _Request(method, path, None, content, (), SILENCE_S)
        sending = self._stream(asked, {**await self._sign(), **headers}, content)
        with _named():
            async with asyncio.timeout(ANSWER_S), sending as response:
                said = await _body(response)
        if response.status_code >= 300:
            raise _failure(response, said)
        return {name.lower(): value for name, value in response.headers.items()}

    async def fetch(self, path: str, most_bytes: int, take: Callable[[AsyncIterator[bytes]], Awaitable[T]]) -> T:
        """Return what `take` makes of the bytes at `path`, as they come; raise PeerFailed where they break off."""
        sending = self._stream(_Request("GET", path, None, None, (), SILENCE_S), await self._sign(), None)
        try:
            async with asyncio.timeout(ANSWER_S), AsyncExitStack() as stack:
                with _named():
                    response = await stack.enter_async_context(sending)
                    if response.status_code >= 300:
                        raise _failure(response, await _body(response))
                # What goes wrong in taking is no failure of the peer.
                return await take(_pieces(response, most_bytes))
        except TimeoutError as error:
            raise PeerFailed("slow", type(error).__name__) from None

    def _stream(
        self, asked: "_Request", headers: Mapping[str, str], content: bytes | None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        timeout = httpx.Timeout(10.0, read=asked.silence_s, write=60.0, pool=60.0)
        headers = {**headers, "Accept-Encoding": ACCEPTED}
        return self._client.stream(
            asked.method, asked.path, params=asked.query, content=content, headers=headers, timeout=timeout
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that can be sent a second time."""

    method: str
    path: str
    query: Mapping[str, str] | None
    content: bytes | None
    may_fail: tuple[int, ...]
    silence_s: float
    most_bytes: int = MAX_ANSWER_BYTES


@contextmanager
def _named() -> Iterator[None]:
    """Say of what goes wrong on the way what it means."""
    try:
        yield
    except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout, TimeoutError) as error:
        raise PeerFailed("slow", type(error).__name__) from None
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
        raise PeerFailed("half", str(error)) from None
    except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
        raise PeerFailed("unreachable", str(error) or type(error).__name__) from None


async def _pieces(response: httpx.Response, most_bytes: int) -> AsyncIterator[bytes]:
    total = 0
    parts = inflated(response)
    while True:
        with _named():
            part = await anext(parts, None)
        if part is None:
            return
        total += len(part)
        if total > most_bytes:
            raise PeerFailed("garbage", "more bytes than were asked for")
        yield part


async def _body(response: httpx.Response, most_bytes: int = MAX_ANSWER_BYTES) -> bytes:
    parts: list[bytes] = []
    total = 0
    async for part in inflated(response):
        total += len(part)
        if total > most_bytes:
            raise AnswerTooLong
        parts.append(part)
    return b"".join(parts)


def _failure(response: httpx.Response, said: bytes) -> PeerFailed:
    status = response.status_code
    codes: dict[int, TroubleCode] = {
        401: "sign_in",
        403: "not_allowed",
        404: "no_database",
        413: "full",
        507: "full",
        429: "busy",
        503: "busy",
    }
    code = codes.get(status, "failing" if status >= 500 else "garbage")
    return PeerFailed(code, f"{status} {_reason(said)}", status=status, wait_s=_wait_s(response))


def _reason(said: bytes) -> str:
    try:
        value = json.loads(said)
        # A Nương's other doors answer with a problem's code.
        return " ".join(str(value[name]) for name in ("error", "reason", "code") if name in value)[:200]
    except (ValueError, TypeError, RecursionError):
        return ""


def _wait_s(response: httpx.Response) -> float | None:
    return read_count(response.headers.get("retry-after", ""), 5)

"""The files of a peer, by its media door: what it awaits, what it has, pieces there and back; nothing is believed."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from server.media.routes import TUS_VERSION
from server.media.schemas import UploadMetadata
from server.peers.failures import PeerFailed
from server.peers.media_door import PIECE_BYTES
from server.peers.remote import Remote
from server.peers.schemas import AwaitedFile, HeldFile
from sync.contract.counts import read_count

TUS = {"Tus-Resumable": TUS_VERSION}
#: A peer that lists without end is none.
MOST_PAGES = 10_000
T = TypeVar("T")
Row = TypeVar("Row", bound=BaseModel)


class RemoteMedia:
    """The media door of a peer."""

    def __init__(self, at: Remote, address: str) -> None:
        """Ask nothing yet; `address` is the peer's, with /db or without."""
        self._remote = at
        self._door = address.removesuffix("/db") + "/api/peers/media"

    async def awaited(self) -> AsyncIterator[list[AwaitedFile]]:
        """Give what the peer awaits of the scopes that it lets this server have, a page at a time."""
        after: str | None = None
        for _ in range(MOST_PAGES):
            query = {"after": after} if after else None
            try:
                said = (await self._remote.ask("GET", f"{self._door}/awaited", query=query)).object()
            except PeerFailed as failure:
                raise PeerFailed("no_media", failure.trouble.told) if failure.status == 404 else failure from None
            yield _rows(AwaitedFile, said.get("awaited"))
            following = said.get("next")
            if following is None:
                return
            if not isinstance(following, str) or following == after:
                break
            after = following
        raise PeerFailed("garbage", "a list of files without end")

    async def held(self, sha256s: Sequence[str]) -> dict[str, HeldFile]:
        """Return which of these contents the peer has for this server."""
        try:
            said = (await self._remote.ask("POST", f"{self._door}/held", body={"sha256s": list(sha256s)})).object()
        except PeerFailed as failure:
            raise PeerFailed("no_media", failure.trouble.told) if failure.status == 404 else failure from None
        asked = set(sha256s)
        return {one.sha256: one for one in _rows(HeldFile, said.get("held")) if one.sha256 in asked}

    async def fetch(self, sha256: str, start: int, take: Callable[[AsyncIterator[bytes]], Awaitable[T]]) -> T:
        """Return what `take` makes of the next piece of a content."""
        return await self._remote.fetch(f"{self._door}/{sha256}?start={start}", PIECE_BYTES, take)

    async def announce(self, length: int, promised: UploadMetadata) -> int:
        """Say what is coming; return how much of it the peer has already."""
        said = promised.model_dump()
        pairs = [f"{key} {base64.b64encode(str(value).encode()).decode()}" for key, value in said.items()]
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": ",".join(pairs)}
        return _offset(await self._remote.send("POST", self._door, headers=headers), length)

    async def standing(self, sha256: str, length: int) -> int:
        """Return how much of an upload the peer has."""
        return _offset(await self._remote.send("HEAD", f"{self._door}/{quote(sha256)}", headers=TUS), length)

    async def append(self, sha256: str, offset: int, piece: bytes, length: int) -> int:
        """Send the next piece; return how much the peer has then, on its disk."""
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        address = f"{self._door}/{quote(sha256)}"
        return _offset(await self._remote.send("PATCH", address, headers=headers, content=piece), length)


def _offset(headers: Mapping[str, str], length: int) -> int:
    offset = read_count(headers.get("upload-offset", ""), 15)
    if offset is None or offset > length:
        raise PeerFailed("garbage", "an upload without an offset")
    return offset


def _rows(kind: type[Row], said: object) -> list[Row]:
    """Return the rows that are usable: one that is not must not keep the others here."""
    if not isinstance(said, Sequence) or isinstance(said, str):
        raise PeerFailed("garbage", "a list of files of another form")
    found: list[Row] = []
    for row in said:
        try:
            found.append(kind.model_validate(row))
        except ValidationError:
            continue
    return found

"""A server's doors beside the exchange of records that the app's phones come to: files, and new tokens.

The handlers are the product's, from a request's headers and body on; only the framework around them is missing.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx

from server.errors import KINDS, Problem
from server.media import routes
from server.media.bundles import Bundles
from server.media.uploads import Caps, Uploads
from server.settings import Settings

if TYPE_CHECKING:
    from tests.simulation.server import Server

_SETTINGS = Settings(media_bytes=10_000_000)
_CAPS = Caps(content_bytes=_SETTINGS.media_bytes, reserve_bytes=0)
#: Pieces in which a body arrives.
_PIECE_BYTES = 50_000


class LinkCut(Exception):
    """A request broke off before its end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the app."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> str | None:
        """Return the access token that it shows."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else None


@dataclass(frozen=True, slots=True)
class _Request:
    """As much of a request as the handlers of files read."""

    headers: httpx.Headers
    body: bytes
    is_cut: bool

    async def stream(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), _PIECE_BYTES):
            yield self.body[start : start + _PIECE_BYTES]
        if self.is_cut:
            raise LinkCut


Answer = tuple[int, dict[str, str], bytes]


async def answer(server: "Server", asked: Asked, carried: int | None) -> Answer:
    """Return a server's status, headers and body; with `carried` the request breaks off after so many bytes."""
    try:
        if asked.path == "/api/auth/refresh":
            return await _renewed(server, asked)
        return await _of_files(server, asked, carried)
    except Problem as problem:
        body = json.dumps({"code": problem.code, "params": {}}).encode()
        return KINDS[problem.code].status, {}, body


async def _renewed(server: "Server", asked: Asked) -> Answer:
    tokens = await server.sessions.refresh(json.loads(asked.body)["refresh_token"])
    told = {"access_token": tokens.access_token, "expires_in": tokens.expires_in, "refresh_token": tokens.refresh_token}
    return 200, {}, json.dumps(told).encode()


async def _of_files(server: "Server", asked: Asked, carried: int | None) -> Answer:
    principal = await server.sessions.principal(asked.token or "")
    bundles = Bundles(server.parts.storage, server.journal)
    uploads = Uploads(server.parts.storage, server.files, server.clock, _CAPS, bundles)
    body = asked.body if carried is None else asked.body[:carried]
    request = cast(Any, _Request(httpx.Headers(asked.headers), body, carried is not None))
    sha256 = asked.path.removeprefix("/api/media").strip("/")
    if asked.method == "POST" and sha256 == "bundles":
        given = await routes.announce_bundle.fn(request=request, uploads=uploads, principal=principal)
    elif asked.method == "POST":
        given = await routes.announce.fn(
            request=request,
            uploads=uploads,
            journal=server.journal,
            storage=server.parts.storage,
            settings=_SETTINGS,
            principal=principal,
        )
    elif asked.method == "HEAD":
        given = await routes.standing.fn(sha256, request, uploads, principal)
    else:
        given = await routes.append.fn(sha256, request, uploads, principal)
    return given.status_code or 200, {name.lower(): str(value) for name, value in given.headers.items()}, b""

"""The door at which another server takes and brings files: the phone's, opened by the account of a server.

GET   /api/peers/media/awaited?after=     what records of its scopes name and is not here
POST  /api/peers/media/held               of these hashes, those that are here and that it may read
GET   /api/peers/media/{sha256}?start=    a piece of a content; none at its end
POST, HEAD, PATCH                         tus 1.0, as phones send (`server.media.routes`)

What it may read are the files of its scopes; what it may send are files that records of its scopes name.
"""

import asyncio
from typing import Annotated

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, Parameter, QueryParameter

from server.areas.areas import Areas
from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.errors import Problem
from server.media.availability import kept
from server.media.files import MediaFiles
from server.media.routes import announce, append, provide_uploads, standing
from server.media.uploads import readable_bytes
from server.peers.media_here import awaited
from server.peers.schemas import AwaitedAnswer, AwaitedFile, HeldAnswer, HeldBody, HeldFile
from server.platform.api_description.declarations import Described, raises
from server.platform.db.engine import Storage
from server.settings import Settings

PIECE_BYTES = 1 << 20
Start = Annotated[int, QueryParameter(ge=0, le=10**15)]


@get("/awaited", summary="What is awaited here")
async def tell_awaited(
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    after: Annotated[str | None, QueryParameter(max_length=8000)] = None,
) -> AwaitedAnswer:
    """Tell a server which files of its scopes have not come; `after` is the last answer's `next`."""
    atlas = await areas.atlas()
    names = [scope.name for scope in atlas.scopes if allowed(principal, "replicate", scope.name)]
    async with storage.read() as connection:
        page = await awaited(connection, names, after)
    return AwaitedAnswer(
        awaited=[AwaitedFile(sha256=row.sha256, database=row.database, record=row.record) for row in page.rows],
        next=page.next,
    )


@post("/held", status_code=200, summary="Which of these contents are here")
async def tell_held(
    data: JSONBody[HeldBody], principal: NamedDependency[Principal], storage: NamedDependency[Storage]
) -> HeldAnswer:
    """Tell a server which of the contents it asks for are here, by records that it may read."""
    async with storage.read() as connection:
        found = await kept(connection, data.sha256s, lambda database: allowed(principal, "read", database))
    once = {one.sha256: one for one in found.values()}
    return HeldAnswer(
        held=[HeldFile(sha256=one.sha256, bytes=one.bytes, type=one.type, name=one.name) for one in once.values()]
    )


# Pictures are compressed already.
@get(
    "/{sha256:str}",
    own_encoding=True,
    summary="A piece of a content",
    described=Described(answers="application/octet-stream"),
)
@raises("not_found")
async def tell_piece(
    sha256: Annotated[FromPath[str], Parameter(pattern=r"^[0-9a-f]{64}$")],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    settings: NamedDependency[Settings],
    start: Start = 0,
) -> Response[bytes]:
    """Return up to a megabyte of a content from `start` on; one of foreign scopes looks as if it did not exist."""
    async with storage.read() as connection:
        if await readable_bytes(connection, principal, sha256) is None:
            raise Problem("not_found")
    try:
        piece = await asyncio.to_thread(MediaFiles(settings.media_dir).piece, sha256, start, PIECE_BYTES)
    except FileNotFoundError:
        raise Problem("not_found") from None
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(piece, media_type="application/octet-stream", headers=headers)


media_router = Router(
    "/media",
    route_handlers=[tell_awaited, tell_held, tell_piece, announce, standing, append],
    dependencies={"uploads": Provide(provide_uploads)},
)

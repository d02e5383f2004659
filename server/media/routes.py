"""The media door: tus 1.0 (POST, HEAD, PATCH, OPTIONS) for sending, GET for reading.

POST    /api/media            Upload-Length, Upload-Metadata: sha256, type, db, record, name → 201, Location
POST    /api/media/bundles    Upload-Length, Upload-Metadata: sha256 → 201, Location
HEAD    /api/media/{sha256}   → Upload-Offset, Upload-Length
PATCH   /api/media/{sha256}   Upload-Offset, application/offset+octet-stream → 204, the new Upload-Offset
GET     /api/media/{sha256}   the content; `?size=thumb` a small WebP
"""

import asyncio
from typing import Annotated, Any, Literal

from litestar import HttpMethod, Request, Response, Router, get, head, patch, post, route
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, Parameter
from litestar.response import File
from sqlalchemy import select

from server.auth.principal import Principal
from server.errors import Problem
from server.journal.journal import Journal
from server.media.admitted import require_admitted
from server.media.bundles import MOST_PACKED_BYTES, Bundles
from server.media.files import MediaFiles
from server.media.schemas import MAX_HEADER_CHARACTERS, parse_bundle_metadata, parse_metadata
from server.media.tables import media
from server.media.uploads import Caps, UploadProgress, Uploads, readable_bytes
from server.platform.api_description.declarations import Described, raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.settings import Settings
from sync.contract.counts import read_count

TUS_VERSION = "1.0.0"
BYTES = "application/offset+octet-stream"
TUS_HEADERS = {"Tus-Resumable": TUS_VERSION, "Cache-Control": "no-store"}
#: What a browser may show in place; anything else is only ever saved.
SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "audio/", "video/")
#: For the API's description.
TUS = {"Tus-Resumable": {"const": TUS_VERSION}}
METADATA = {"type": "string", "maxLength": MAX_HEADER_CHARACTERS}
COUNT = {"type": "string", "pattern": "^[0-9]{1,15}$"}
LENGTH = {"type": "string", "pattern": "^[0-9]*[1-9][0-9]*$", "maxLength": 15}
STANDING = {"Upload-Offset": "How many bytes have come.", "Upload-Length": "How many were announced."}
Sha256 = Annotated[str, Parameter(pattern=r"^[0-9a-f]{64}$")]


def _files(settings: Settings) -> MediaFiles:
    return MediaFiles(settings.media_dir)


async def provide_uploads(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    settings: NamedDependency[Settings],
    clock: NamedDependency[Clock],
) -> Uploads:
    """Return the uploads of this server."""
    caps = Caps(settings.media_bytes, settings.disk_reserve_bytes)
    return Uploads(storage, _files(settings), clock, caps, Bundles(storage, journal))


def _header(request: Request[Any, Any, Any], name: str) -> str:
    return request.headers.get(name, "")


def _count(request: Request[Any, Any, Any], name: str) -> int:
    count = read_count(_header(request, name), 15)
    if count is None:
        raise Problem("upload_header", header=name)
    return count


def _require_tus(request: Request[Any, Any, Any]) -> None:
    if _header(request, "Tus-Resumable") != TUS_VERSION:
        raise Problem("tus_version", version=TUS_VERSION)


def _answer(standing: UploadProgress, status: int, **more: str) -> Response[None]:
    headers = {**TUS_HEADERS, "Upload-Offset": str(standing.offset), "Upload-Length": str(standing.length), **more}
    return Response(None, status_code=status, headers=headers)


@route(
    ["/", "/{sha256:str}"],
    http_method=[HttpMethod.OPTIONS],
    status_code=204,
    summary="What this upload door can",
    described=Described(
        gives={
            "Tus-Version": "The versions of tus that are spoken here.",
            "Tus-Extension": "What of tus is spoken beside its core.",
            "Tus-Max-Size": "How many bytes a content may have.",
        }
    ),
)
async def offers(settings: NamedDependency[Settings]) -> Response[None]:
    """Return the version and extensions of tus that are spoken here."""
    headers = {
        "Tus-Resumable": TUS_VERSION,
        "Tus-Version": TUS_VERSION,
        "Tus-Extension": "creation",
        "Tus-Max-Size": str(settings.media_bytes),
    }
    return Response(None, status_code=204, headers=headers)


@post(
    "/",
    status_code=201,
    summary="Announce a content",
    described=Described(
        headers={**TUS, "Upload-Length": LENGTH, "Upload-Metadata": METADATA},
        gives={**STANDING, "Location": "Where the content is sent and read."},
    ),
)
@raises(
    "tus_version",
    "upload_header",
    "upload_metadata",
    "media_hash_mismatch",
    "media_too_large",
    "media_quota",
    "not_allowed",
    "not_found",
)
async def announce(
    *,
    request: Request[Any, Any, Any],
    uploads: NamedDependency[Uploads],
    journal: NamedDependency[Journal],
    storage: NamedDependency[Storage],
    settings: NamedDependency[Settings],
    principal: NamedDependency[Principal],
) -> Response[None]:
    """Begin the upload that `Upload-Metadata` promises, or find how far it has come."""
    _require_tus(request)
    length = _count(request, "Upload-Length")
    if length == 0:
        raise Problem("upload_header", header="Upload-Length")
    promised = parse_metadata(_header(request, "Upload-Metadata"))
    # What is too long is refused for that below.
    counted = length if length <= settings.media_bytes else 0
    await require_admitted(storage, journal, principal, [promised], counted)
    standing = await uploads.announce(principal, length, promised)
    return _answer(standing, 201, Location=f"/api/media/{promised.sha256}")


@post(
    "/bundles",
    status_code=201,
    summary="Announce small contents that come together",
    described=Described(
        headers={**TUS, "Upload-Length": LENGTH, "Upload-Metadata": METADATA},
        gives={**STANDING, "Location": "Where the bundle is sent."},
    ),
)
@raises("tus_version", "upload_header", "upload_metadata", "media_too_large", "media_quota", "not_found")
async def announce_bundle(
    *, request: Request[Any, Any, Any], uploads: NamedDependency[Uploads], principal: NamedDependency[Principal]
) -> Response[None]:
    """Begin a bundle, or find how far it has come; `Upload-Metadata` has its `sha256` alone. See `bundles.py`."""
    _require_tus(request)
    length = _count(request, "Upload-Length")
    if length == 0:
        raise Problem("upload_header", header="Upload-Length")
    if length > MOST_PACKED_BYTES:
        raise Problem("media_too_large", limit=MOST_PACKED_BYTES)
    sha256 = parse_bundle_metadata(_header(request, "Upload-Metadata"))
    standing = await uploads.announce_bundle(principal, length, sha256)
    return _answer(standing, 201, Location=f"/api/media/{sha256}")


@head(
    "/{sha256:str}",
    summary="How far an upload has come",
    described=Described(headers=TUS, gives=STANDING),
)
@raises("tus_version", "not_found")
async def standing(
    sha256: Sha256,
    request: Request[Any, Any, Any],
    uploads: NamedDependency[Uploads],
    principal: NamedDependency[Principal],
) -> Response[None]:
    """Return the offset from which to go on."""
    _require_tus(request)
    return _answer(await uploads.standing(principal, sha256), 200)


@patch(
    "/{sha256:str}",
    status_code=204,
    request_max_body_size=None,
    summary="Send the next bytes",
    described=Described(body=BYTES, headers={**TUS, "Upload-Offset": COUNT}, gives=STANDING),
)
@raises(
    "tus_version",
    "upload_header",
    "upload_offset",
    "upload_too_long",
    "media_hash_mismatch",
    "upload_busy",
    "body_truncated",
    "not_found",
)
async def append(
    sha256: Sha256,
    request: Request[Any, Any, Any],
    uploads: NamedDependency[Uploads],
    principal: NamedDependency[Principal],
) -> Response[None]:
    """Take bytes from `Upload-Offset` on; with the last one the content is verified and kept."""
    _require_tus(request)
    if _header(request, "Content-Type") != BYTES:
        raise Problem("upload_header", header="Content-Type")
    offset = _count(request, "Upload-Offset")
    return _answer(await uploads.append(principal, sha256, offset, request.stream()), 204)


# Pictures are compressed already.
@get(
    "/{sha256:str}",
    own_encoding=True,
    summary="A content, or its thumbnail",
    described=Described(answers="*/*"),
)
@raises("not_found", "no_thumbnail")
async def content(
    sha256: Sha256,
    storage: NamedDependency[Storage],
    settings: NamedDependency[Settings],
    principal: NamedDependency[Principal],
    size: FromQuery[Literal["thumb"] | None] = None,
) -> File:
    """Return a content of a record that the person may read; any other looks as if it did not exist."""
    async with storage.read() as connection:
        if await readable_bytes(connection, principal, sha256) is None:
            raise Problem("not_found")
        kept = (await connection.execute(select(media.c.type).where(media.c.sha256 == sha256))).one()
    files = _files(settings)
    path = files.thumbnail(sha256) if size else files.content_path(sha256)
    if not await asyncio.to_thread(path.exists):
        raise Problem("no_thumbnail" if size else "not_found")
    kind = "image/webp" if size else kept.type
    return File(
        path,
        media_type=kind if kind.startswith(SHOWN) else "application/octet-stream",
        content_disposition_type="inline" if kind.startswith(SHOWN) else "attachment",
        filename=f"{sha256[:12]}{'.webp' if size else ''}",
        headers={
            # The address is the content's hash: what stands there never changes.
            "Cache-Control": "private, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


router = Router(
    "/api/media",
    route_handlers=[offers, announce, announce_bundle, standing, append, content],
    dependencies={"uploads": Provide(provide_uploads)},
    tags=["media"],
)

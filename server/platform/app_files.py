"""The built app: files of `pwa/dist` with the caching each kind needs, and `index.html` for the app's own addresses.

`/assets/*` carry a hash in their name and are kept for a year; everything else is asked for again each time and
answered with 304 when it is the same. A file's twin as brotli or gzip, made at the build, is sent to who takes it.
Litestar's static files know neither 304 nor twins. Addresses under `/api` never fall back to the app, and whoever takes
JSON and no page gets none.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.errors import Problem
from server.platform.content_coding import accepted_codings
from server.settings import Settings

IMMUTABLE = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
#: What mimetypes does not know, or knows differently on each machine; the framework adds the character set to text.
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
#: By what is added to a file's name; the smallest first.
TWINS = {"br": ".br", "gzip": ".gz"}
#: In the words of CouchDB: its clients are who asks such addresses for JSON (docs/decisions/0038).
NO_PAGE = b'{"error":"not_found","reason":"CouchDB\'s API is under /db/ here."}\n'
NOT_BUILT = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Nương</title></head><body><h1>Nương</h1>
<p lang="vi">Máy chủ đang chạy, nhưng ứng dụng chưa được dựng. Hãy chạy <code>make demo</code> hoặc
<code>npm --prefix pwa run build</code>, rồi tải lại trang này.</p>
<p lang="en">The server runs, but the app has not been built. Run <code>make demo</code> or
<code>npm --prefix pwa run build</code>, then reload this page.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file as it is sent."""

    body: bytes
    etag: str
    modified: str
    encoding: str | None


@route(
    ["/", "/{path:path}"],
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    include_in_schema=False,
    own_encoding=True,
)
async def built_app(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], path: FromPath[str | None] = None
) -> Response[bytes]:
    """Answer a file of the app, or `index.html` for an address of the app's own."""
    name = (path or "").strip("/")
    if name.split("/", 1)[0] in ("api", ".well-known"):
        raise Problem("not_found")
    if (not name or not Path(name).suffix) and _takes_json_alone(request):
        return Response(NO_PAGE, status_code=404, media_type=TYPES[".json"], headers={"Cache-Control": "no-store"})
    codings = accepted_codings(request, tuple(TWINS))
    found = await asyncio.to_thread(_read, settings.pwa_dir, name or "index.html", codings)
    if found is None:
        # A missing script must not be answered with a page: the browser would try to run it.
        if Path(name).suffix and name != "index.html":
            raise Problem("not_found")
        name = "index.html"
        found = await asyncio.to_thread(_read, settings.pwa_dir, name, codings)
    if found is None:
        return Response(NOT_BUILT.encode(), status_code=503, media_type=TYPES[".html"], headers={"Retry-After": "60"})
    return _answer(request, name or "index.html", found)


def _takes_json_alone(request: Request[Any, Any, Any]) -> bool:
    """Whether a client asks for JSON and would take no page: no browser opens one so."""
    types = {each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")}
    is_navigation = request.headers.get("sec-fetch-mode", "").lower() == "navigate"
    return (
        "application/json" in types and types.isdisjoint({"text/html", "application/xhtml+xml"}) and not is_navigation
    )


def _answer(request: Request[Any, Any, Any], name: str, found: BuiltFile) -> Response[bytes]:
    headers = {
        "Cache-Control": IMMUTABLE if name.startswith("assets/") else ASK_AGAIN,
        "ETag": found.etag,
        "Last-Modified": found.modified,
        "Vary": "Accept-Encoding",
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if found.etag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers, media_type=_type(name))
    if found.encoding:
        headers["Content-Encoding"] = found.encoding
    return Response(found.body, headers=headers, media_type=_type(name))


def _type(name: str) -> str:
    return TYPES.get(Path(name).suffix) or guess_type(name)[0] or "application/octet-stream"


def _read(root: Path, name: str, codings: Sequence[str]) -> BuiltFile | None:
    base = root.resolve()
    if "\0" in name:
        return None
    # Resolved before it is compared: neither `..` nor a link leads out of the folder.
    path = (base / name).resolve()
    if not path.is_relative_to(base) or not path.is_file():
        return None
    twins = {coding: path.with_name(path.name + TWINS[coding]) for coding in codings}
    encoding = next((coding for coding, twin in twins.items() if twin.is_file()), None)
    body = (twins[encoding] if encoding else path).read_bytes()
    # One tag for each form of the bytes (RFC 9110, 8.8.3).
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return BuiltFile(body, etag, formatdate(path.stat().st_mtime, usegmt=True), encoding)

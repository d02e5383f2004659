"""`/api/openapi.json` for machines, and the same at `/api` and `/api/docs` for people."""

import asyncio
from functools import lru_cache
from typing import Any

from litestar import Litestar, Request, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.serialization import encode_json

from server.platform.api_description.description import describe
from server.platform.api_description.page import STYLE, render_page


class _NoPages(OpenAPIRenderPlugin):
    """Keeps the framework's own pages, and its HTML page for unknown addresses, out of the API."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return nothing: it is never asked."""
        return b""

    def receive_router(self, router: Router) -> None:
        """Take every route away; those below stand in their places."""
        router.routes.clear()


OPENAPI = OpenAPIConfig(
    title="Nương",
    version="1",
    description="Survey records for Điện Biên.",
    path="/api",
    render_plugins=[_NoPages(path="/docs")],
    use_handler_docstrings=True,
)


# What is described never changes while a process runs: both are made once, for whoever asks first.
@lru_cache(maxsize=1)
def _document(app: Litestar) -> bytes:
    return encode_json(describe(app))


@lru_cache(maxsize=1)
def _page(app: Litestar) -> bytes:
    return render_page(describe(app)).encode()


# In threads: making them takes longer than other requests should wait.
@get("/api/openapi.json", include_in_schema=False, media_type="application/vnd.oai.openapi+json")
async def api_document(request: Request[Any, Any, Any]) -> bytes:
    """Describe the API to machines."""
    return await asyncio.to_thread(_document, request.app)


@get(["/api", "/api/docs"], include_in_schema=False, media_type="text/html")
async def api_page(request: Request[Any, Any, Any]) -> bytes:
    """Describe the API to people."""
    return await asyncio.to_thread(_page, request.app)


@get("/api/docs/style.css", include_in_schema=False, media_type="text/css")
async def api_page_style() -> str:
    """Give that page its looks."""
    return STYLE


routes = (api_document, api_page, api_page_style)

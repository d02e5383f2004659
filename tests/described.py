"""Whether an answer is one that the API's description knows: every client of the tests looks at all that it gets."""

import re
from functools import cache
from typing import Any

import httpx

from server.app import unfurnished
from server.platform.api_description.description import Document, describe
from server.platform.problems import MEDIA_TYPE


@cache
def document() -> Document:
    """Return the OpenAPI document; the same whatever an app is furnished with."""
    return describe(unfurnished(request_bytes=1_000_000))


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    # Words before parameters, as the router goes.
    paths = sorted(document()["paths"], key=lambda path: (path.count("{"), path))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "/?"), path) for path in paths]


def operation_of(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the description of what is asked for; None where nothing is described."""
    for pattern, template in _paths():
        found = document()["paths"][template].get(method.lower())
        if found is not None and pattern.fullmatch(path):
            return f"{method} {template}", found
    return None


def misfit(response: httpx.Response) -> str | None:
    """Return what of an answer its description doesn't know; None where it fits, or nothing is described there."""
    method, path = response.request.method, response.request.url.path
    found = operation_of(method, path)
    if found is None:
        return None
    name, operation = found
    status = response.status_code
    known = operation["responses"].get(str(status))
    if known is None:
        return f"{name} answered {status}, and is said to answer {', '.join(operation['responses'])}"
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if status < 400 or method == "HEAD":
        return None
    if media_type != MEDIA_TYPE:
        return f"{name} answered {status} as {media_type}, which is no problem document"
    codes = known["content"][MEDIA_TYPE]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    return (
        None if (code := response.json()["code"]) in codes else f"{name} answered {code}, and is said to know {codes}"
    )

"""Refuses cookie-authenticated requests that a browser sends for a page of another origin.

Browsers add cookies by themselves, other clients do not send these headers: what is absent is no objection. Our own
page is the one whose `Origin` is this request's `Host`, or the public address of the settings where a proxy changes
the `Host`. Same host and another port or another name of the site is another origin, and is not ours.
"""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from server.gateway.couchdb.refusals import Refusal, forbidden

#: `none` is a person who typed the address.
OWN_FETCHES = frozenset({"same-origin", "none"})
#: What a form of any page sends, without asking first: never what a client of CouchDB sends.
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
PORTS = {"http": 80, "https": 443}

Address = tuple[str, str, int]


def require_own_page(request: Request[Any, Any, Any], public_url: str | None) -> None:
    """Return if nothing says that a page of another origin is behind the request; raise Refusal."""
    fetches = request.headers.getall("sec-fetch-site", [])
    origins = request.headers.getall("origin", [])
    ours = _ours(request, public_url)
    if all(each.strip().lower() in OWN_FETCHES for each in fetches) and all(_address(each) in ours for each in origins):
        return
    raise forbidden("A page of another origin can't use this session.")


def require_no_form(request: Request[Any, Any, Any]) -> None:
    """Return if the request is not of a type that HTML forms send; raise Refusal."""
    for said in request.headers.getall("content-type", []):
        if said.partition(";")[0].strip().lower() in FORM_TYPES:
            raise Refusal(415, "bad_content_type", "Content-Type must be application/json")


def _ours(request: Request[Any, Any, Any], public_url: str | None) -> set[Address | None]:
    scheme, host = str(request.scope.get("scheme", "http")), request.headers.get("host", "")
    # Plain HTTP here may be HTTPS at a proxy that is not trusted to say so.
    schemes = ("https",) if scheme == "https" else ("http", "https")
    found = {_address(f"{each}://{host}") for each in schemes if host}
    return (found | {_address(public_url)} if public_url else found) - {None}


def _address(origin: str) -> Address | None:
    """Return an origin's scheme, host and port; None for `null` and what is no origin."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port

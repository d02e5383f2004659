"""Every door reads `Accept-Encoding` alike, with what browsers, proxies and HTTP libraries send."""

import gzip
from collections.abc import Awaitable, Callable

import brotli
import httpx
import pytest

from tests.builders import Client
from tests.server.couchdb_door import a_database
from tests.server.sync_door import a_phone, packed

pytestmark = pytest.mark.by_turns

Lines = list[str]
Ask = Callable[[Lines], Awaitable[httpx.Response]]

PAGE = b"<!doctype html>"


def _headers(lines: Lines) -> list[tuple[str, str]]:
    # Our client adds a line of its own where there is none: an empty one says the same as none.
    return [("Accept-Encoding", line) for line in lines or [""]]


async def _app(client: Client) -> Ask:
    root = client.app.state["settings"].pwa_dir
    root.mkdir(parents=True)
    (root / "index.html").write_bytes(PAGE)
    (root / "index.html.br").write_bytes(brotli.compress(PAGE))
    (root / "index.html.gz").write_bytes(gzip.compress(PAGE))
    return lambda lines: client.get("/", headers=_headers(lines))


async def _api(client: Client) -> Ask:
    return lambda lines: client.get("/api/openapi.json", headers=_headers(lines))


async def _phone(client: Client) -> Ask:
    phone = await a_phone(client)
    sent = [
        ("Content-Type", "application/json"),
        ("Content-Encoding", "gzip"),
        ("Authorization", f"Bearer {phone.access_token}"),
    ]
    body = packed(phone.request())
    return lambda lines: client.post("/api/sync", content=body, headers=[*sent, *_headers(lines)])


async def _replica(client: Client) -> Ask:
    door = await a_database(client)
    await door.post("/_bulk_docs", {"docs": [{"_id": f"d{n}", "x": "y" * 100} for n in range(20)]}, 201)
    return lambda lines: door.ask("GET", "/_all_docs?include_docs=true", headers=_headers(lines))


#: Lines of the header, what is sent where brotli and gzip are made, what where only gzip is.
SENT: list[tuple[Lines, str | None, str | None]] = [
    (["gzip, deflate, br, zstd"], "br", "gzip"),  # Chrome, Firefox
    (["gzip, deflate"], "gzip", "gzip"),  # Safari on plain HTTP, Python's requests
    (["gzip"], "gzip", "gzip"),  # PouchDB on Node, OkHttp
    (["x-gzip, gzip;q=0.9"], "gzip", "gzip"),  # older proxies
    (["gzip;q=1.0, identity; q=0.5, *;q=0"], "gzip", "gzip"),  # RFC 9110's example
    (["GZIP;Q=0.5"], "gzip", "gzip"),
    (["br;q=0.2,gzip;q=0.8"], "gzip", "gzip"),
    (["deflate", "gzip"], "gzip", "gzip"),  # two lines
    (["*"], "br", "gzip"),  # curl -H, .NET
    (["gzip;q=0, *"], "br", None),
    (["*;q=0.5, br;q=0"], "gzip", "gzip"),
    (["gzip;q=0"], None, None),
    (["gzip;q=0.000, br ; q=0"], None, None),
    (["identity"], None, None),
    (["identity, gzip;q=0.5"], None, None),
    (["not-gzip, libbrotli"], None, None),
    (["gzip;q=much"], None, None),
    (["gzip;q=nan, br;q=inf"], None, None),
    ([], None, None),
]


@pytest.mark.parametrize(("door", "makes_brotli"), [(_app, True), (_api, True), (_phone, True), (_replica, False)])
async def test_every_door_answers_in_the_coding_that_the_client_likes_best(
    client: Client, door: Callable[[Client], Awaitable[Ask]], makes_brotli: bool
) -> None:
    ask = await door(client)
    for lines, of_both, of_gzip in SENT:
        answer = await ask(lines)
        assert answer.is_success, answer.text
        assert answer.headers.get("content-encoding") == (of_both if makes_brotli else of_gzip), lines
        # Reading it also shows that the body is in the coding that the header names.
        assert answer.text.startswith(("{", "<!doctype")), lines

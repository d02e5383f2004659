"""The built app travels compressed: every file that a browser asks for before anybody signs in, from a real server."""

from pathlib import Path

import httpx

from tests.e2e.live_server import ROOT, LiveServer

DIST = ROOT / "pwa/dist"
#: What is packed already.
PACKED = {".png", ".woff2", ".ico"}


def test_the_app_is_sent_as_brotli_and_is_the_same_when_unpacked(live_server: LiveServer) -> None:
    files = [path for path in DIST.rglob("*") if path.is_file() and path.suffix not in {*PACKED, ".br", ".gz"}]
    assert any(path.parent.name == "assets" for path in files)
    with httpx.Client(base_url=live_server.url, headers={"Accept-Encoding": "gzip, deflate, br, zstd"}) as browser:
        for path in files:
            check(browser, "/" + str(path.relative_to(DIST)), path)
        check(browser, "/", DIST / "index.html")


def check(browser: httpx.Client, address: str, path: Path) -> None:
    answer = browser.get(address)
    assert answer.content == path.read_bytes(), address
    # A few hundred bytes may not get smaller.
    if path.stat().st_size > 500:
        assert answer.headers.get("content-encoding") == "br", address
        assert int(answer.headers["content-length"]) < path.stat().st_size

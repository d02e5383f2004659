"""The built app as browsers get it: caching, 304s, brotli twins, deep links."""

import gzip
from pathlib import Path

import brotli
import pytest

from server.settings import Settings
from tests.builders import Client, problem

pytestmark = pytest.mark.one_store("files, not rows")
INDEX = "<!doctype html><title>Nương</title>"
SCRIPT = "console.log('nương')"


@pytest.fixture
def dist(settings: Settings) -> Path:
    root = settings.pwa_dir
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text(INDEX, "utf-8")
    (root / "service-worker.js").write_text("self.skipWaiting()", "utf-8")
    (root / "manifest.webmanifest").write_text("{}", "utf-8")
    (root / "assets" / "index-a1b2c3.js").write_text(SCRIPT, "utf-8")
    (root / "assets" / "index-a1b2c3.js.br").write_bytes(b"\x8b\x00\x80A\x03")
    (root.parent / "outside.txt").write_text("not for the web", "utf-8")
    return root


@pytest.mark.parametrize("path", ["/", "/signin", "/record/agri-03226-2025/0199", "/desk/review", "/index.html"])
async def test_addresses_of_the_app_open_its_page_and_are_asked_for_again(
    client: Client, dist: Path, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_an_unchanged_page_is_answered_with_304_and_a_new_build_is_not(client: Client, dist: Path) -> None:
    tag = (await client.get("/")).headers["etag"]
    same = await client.get("/desk/review", headers={"If-None-Match": f'W/{tag}, "other"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    (dist / "index.html").write_text(INDEX + "<p>mới", "utf-8")
    assert (await client.get("/", headers={"If-None-Match": tag})).status_code == 200


async def test_assets_are_kept_for_ever_and_sent_as_brotli_where_it_is_taken(client: Client, dist: Path) -> None:
    path = "/assets/index-a1b2c3.js"
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert plain.text == SCRIPT
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in plain.headers
    compressed = await client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert compressed.headers["content-encoding"] == "br"
    assert compressed.headers["vary"] == "Accept-Encoding"
    assert compressed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br; q=1.0, gzip; q=1.0", "br"),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("identity, br;q=0.5", None),
        ("deflate", None),
        ("br;q=0, gzip;q=0.000", None),
        ("br;q=much", None),
        ("", None),
    ],
)
async def test_the_twin_that_a_client_likes_best_is_sent(
    client: Client, dist: Path, accepted: str, sent: str | None
) -> None:
    (dist / "index.html.br").write_bytes(brotli.compress(INDEX.encode()))
    (dist / "index.html.gz").write_bytes(gzip.compress(INDEX.encode()))
    for path in ("/", "/desk/review"):
        answer = await client.get(path, headers={"Accept-Encoding": accepted})
        assert (answer.text, answer.headers.get("content-encoding")) == (INDEX, sent)
        assert answer.headers["vary"] == "Accept-Encoding"
        again = await client.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


async def test_the_service_worker_is_asked_for_again(client: Client, dist: Path) -> None:
    answer = await client.get("/service-worker.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    manifest = await client.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"


async def test_a_missing_file_is_no_page(client: Client, dist: Path) -> None:
    problem(await client.get("/assets/index-old.js"), 404, "not_found")
    problem(await client.get("/favicon.ico"), 404, "not_found")


async def test_only_the_folder_of_the_app_is_served(client: Client, dist: Path) -> None:
    (dist / "link.txt").symlink_to(dist.parent / "outside.txt")
    for path in ("/../outside.txt", "/%2e%2e/outside.txt", "/assets/..%2f..%2foutside.txt", "/link.txt", "/a%00b.js"):
        answer = await client.get(path)
        assert "not for the web" not in answer.text
        assert answer.status_code in (400, 404)


async def test_an_app_that_is_not_built_says_so_in_both_languages(client: Client) -> None:
    answer = await client.get("/")
    assert answer.status_code == 503
    assert "make demo" in answer.text
    assert 'lang="vi"' in answer.text
    assert 'lang="en"' in answer.text
    problem(await client.get("/assets/index.js"), 404, "not_found")


async def test_head_answers_like_get_without_a_body(client: Client, dist: Path) -> None:
    answer = await client.head("/signin")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(INDEX.encode()))


@pytest.mark.parametrize("path", ["/", "/agri-03226-2025", "/notes/_changes?since=0", "/desk"])
async def test_a_client_of_couchdb_at_the_root_is_told_where_the_door_is_and_a_browser_gets_its_page(
    client: Client, dist: Path, path: str
) -> None:
    for accepted in ("application/json", "application/json, */*;q=0.1", "multipart/related,application/json"):
        told = await client.get(path, headers={"Accept": accepted})
        assert (told.status_code, told.json()["error"]) == (404, "not_found")
        assert "/db/" in told.json()["reason"]
        assert told.headers["cache-control"] == "no-store"
    opened = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}
    for headers in (opened, {"Accept": "*/*"}, {"Accept": "application/json", "Sec-Fetch-Mode": "navigate"}, {}):
        assert (await client.get(path, headers=headers)).text == INDEX
    # Files are what they are.
    assert (await client.get("/manifest.webmanifest", headers={"Accept": "application/json"})).text == "{}"

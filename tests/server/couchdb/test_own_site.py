"""A cookie at `/db` is not lent to pages of other origins, and clients without a page go on."""

from collections.abc import Iterator

import pytest
from litestar import Litestar

from server.platform.db.engine import Storage
from server.settings import Settings
from tests.builders import PASSWORD, Client, an_app, running
from tests.conftest import StandingClock
from tests.server.couchdb_door import Door, a_database

pytestmark = pytest.mark.one_store("headers alone decide")
FOREIGN = {
    "another site's page": {"Origin": "https://elsewhere.example"},
    "a page without an origin": {"Origin": "null"},
    "another port of the host": {"Origin": "http://testserver:8443"},
    "a name that begins alike": {"Origin": "http://testserver.elsewhere.example"},
    "a broken origin": {"Origin": "http://[::1"},
    "a fetch of another site": {"Sec-Fetch-Site": "cross-site"},
    "a fetch of the same site": {"Sec-Fetch-Site": "same-site"},
    "an own origin beside a foreign fetch": {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
}
OWN = {
    "no page": {},
    "the app's page": {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
    "the default port written out": {"Origin": "http://testserver:80"},
    "TLS that ended at a proxy": {"Origin": "https://testserver"},
    "an address that was typed": {"Sec-Fetch-Site": "none"},
}


async def signed_in(client: Client) -> Door:
    door = await a_database(client)
    begun = await client.post("/db/_session", json={"name": door.username, "password": PASSWORD})
    assert begun.status_code == 200, begun.text
    return door


@pytest.mark.parametrize("name", FOREIGN)
async def test_a_page_of_another_origin_can_not_use_the_cookie(client: Client, name: str) -> None:
    await signed_in(client)
    for method, path, body in (
        ("GET", "/db/notes/_all_docs", None),
        ("PUT", "/db/notes/a", {}),
        ("POST", "/db/notes/_ensure_full_commit", None),
        ("DELETE", "/db/notes", None),
        ("DELETE", "/db/_session", None),
    ):
        answer = await client.request(method, path, json=body, headers=FOREIGN[name])
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), (method, path)
    shown = await client.get("/db/_session", headers=FOREIGN[name])
    assert shown.json()["userCtx"]["name"] is None
    assert (await client.get("/db/notes/_all_docs")).json()["rows"] == []


@pytest.mark.parametrize("name", OWN)
async def test_the_own_page_and_who_has_none_use_the_cookie(client: Client, name: str) -> None:
    await signed_in(client)
    assert (await client.put("/db/notes/a", json={}, headers=OWN[name])).status_code == 201
    assert (await client.get("/db/_session", headers=OWN[name])).json()["userCtx"]["name"] == "dung"


async def test_a_page_of_another_origin_signs_nobody_in(client: Client) -> None:
    door = await a_database(client)
    said = {"name": door.username, "password": PASSWORD}
    answer = await client.post("/db/_session", data=said, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_password_or_a_token_asks_for_no_page(client: Client) -> None:
    # A program on another page sent them itself; no browser adds them.
    door = await a_database(client)
    answer = await door.ask("GET", "/_all_docs", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "TEXT/PLAIN"])
async def test_by_cookie_a_form_is_refused_everywhere_but_at_the_session(client: Client, kind: str) -> None:
    await signed_in(client)
    headers = {"Content-Type": kind}
    for method, path in (
        ("POST", "/db/notes/_ensure_full_commit"),
        ("POST", "/db/notes/_compact"),
        ("POST", "/db/notes/_changes"),
        ("POST", "/db/notes/_bulk_docs"),
        ("PUT", "/db/made"),
    ):
        answer = await client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (415, "bad_content_type"), (method, path)
    begun = await client.post("/db/_session", data={"name": "dung", "password": PASSWORD})
    assert begun.status_code == 200


@pytest.mark.parametrize(
    ("proxied", "origin", "status"),
    [
        # What Caddy hands on: the host that was asked, and that TLS ended there.
        ({"Host": "khaosat.example.vn"}, "https://khaosat.example.vn", 200),
        ({"Host": "khaosat.example.vn"}, "https://elsewhere.example", 403),
        # A proxy that changes the host: the settings say where people open the app.
        ({"Host": "server:8000"}, "https://province.example.vn", 200),
        ({"Host": "server:8000"}, "http://province.example.vn", 403),
    ],
)
async def test_behind_a_proxy_the_own_page_is_known(
    app_with_address: Litestar, proxied: dict[str, str], origin: str, status: int
) -> None:
    async with running(app_with_address), Client(app_with_address) as client:
        await signed_in(client)
        cookie = f"AuthSession={client.cookies['AuthSession']}"
        answer = await client.get("/db/notes/_all_docs", headers=proxied | {"Origin": origin, "Cookie": cookie})
        assert answer.status_code == status


@pytest.fixture
def app_with_address(storage: Storage, settings: Settings, clock: StandingClock) -> Iterator[Litestar]:
    with an_app(settings.model_copy(update={"public_url": "https://province.example.vn"}), storage, clock) as furnished:
        yield furnished


@pytest.mark.parametrize(
    "lines",
    [
        ["{}"],
        ["theme=dark; {}"],
        ["{}; lang=vi; _ga=GA1.1.1.2"],
        # What other apps of the same host may have set: JSON, spaces, brackets, colons, a name alone, nothing.
        ['prefs={{"rows": [1, 2]}}; {}'],
        ["a b=c d; seen[1]=x:y; flag; =; ;; {}"],
        ["name=Lò Văn Hoà; {}"],
        ["AuthSession=; {}"],
        ["theme=dark", "{}"],
        # The longest path's cookie stands first.
        ["{}; AuthSession=of-another-path"],
    ],
)
async def test_the_session_is_found_among_whatever_cookies_a_browser_sends(client: Client, lines: list[str]) -> None:
    await signed_in(client)
    own = f"AuthSession={client.cookies['AuthSession']}"
    client.cookies.clear()
    sent = [(b"Cookie", line.format(own).encode()) for line in lines]
    assert (await client.get("/db/notes/_all_docs", headers=sent)).status_code == 200
    quoted = [(b"Cookie", line.format(own.replace("=", '="') + '"').encode()) for line in lines]
    assert (await client.get("/db/notes/_all_docs", headers=quoted)).status_code == 200
    # A cookie whose name only ends like ours is another one.
    assert (await client.get("/db/notes/_all_docs", headers={"Cookie": f"x{own}"})).status_code == 401

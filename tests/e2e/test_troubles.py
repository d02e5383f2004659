"""What goes wrong, as people meet it: each trouble is a sentence that says what to do, in both languages and themes."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.browser import DESK, PHONE
from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, finish
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import begin, expect_count, go_home, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import ADMINISTRATOR, PASSWORD, SUPERVISOR, WORKER, Member, add
from tests.e2e.tea_trees import FORM, tea_tree
from tests.e2e.touring import LOCALES, go_by, look, look_in_each_theme, tour

OTHER = Member("hanh", "Lường Thị Hạnh", "supervisor", "agri", "11")
SENT_MS = 40_000
#: How a phone's app is named where administrators look at phones.
APP = {"vi": "Ứng dụng 0.", "en": "App 0."}
#: What the tree's number is where a server fails on it.
BAD = "SC-0002"


def problem(route: Route, status: int, code: str, **params: object) -> None:
    """Answer as the server would that gives this problem."""
    told = route.fetch(method="GET", url=route.request.url.replace("/api/sync", "/api/me"), max_redirects=0)
    body = {"type": f"urn:nuong:problem:{code}", "title": code, "status": status, "code": code, "params": params}
    headers = {"Nuong-Server": told.headers["nuong-server"], "Content-Type": "application/problem+json"}
    route.fulfill(status=status, headers=headers, body=json.dumps({**body, **params}))


def pushed(request: Request) -> str:
    """Return what a phone sent, as text."""
    body = request.post_data_buffer or b""
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()


def a_tree(page: Page, number: int) -> None:
    """Record a tree."""
    begin(page, FORM)
    fill(page, tea_tree(number))
    finish(page)


def test_a_record_that_a_server_fails_on_is_set_aside_with_its_reason_and_the_others_go(
    open_browser: OpenBrowser,
) -> None:
    phone = open_browser("worker")
    page = phone.open()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)

    def fail_on_it(route: Route) -> None:
        if BAD in pushed(route.request):
            problem(route, 500, "unexpected_error")
        else:
            route.continue_()

    page.context.route("**/api/sync", fail_on_it)
    for number in (1, 2, 3):
        a_tree(page, number)
    go_home(page)
    expect_count(page, "sent", 2, timeout_ms=SENT_MS)
    tour(page, {"aside": go_by("nav-outbox"), "aside-home": go_by("nav-home", "list-fix")}, trouble=PHONE)
    page.get_by_test_id("nav-outbox").click()
    expect(page.get_by_test_id("outbox-aside")).to_contain_text(BAD)

    # The server has been mended: one tap, and it has arrived.
    page.context.unroute("**/api/sync")
    page.get_by_test_id("aside-again").click()
    expect(page.get_by_test_id("outbox-aside")).to_be_hidden(timeout=SENT_MS)
    go_home(page)
    expect_count(page, "sent", 3, timeout_ms=SENT_MS)


def test_an_app_that_is_too_old_says_so_and_keeps_what_waits(open_browser: OpenBrowser) -> None:
    phone = open_browser("worker")
    page = phone.open()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)
    page.context.route("**/api/sync", lambda route: problem(route, 400, "app_too_old", spoken=2, expected=3))
    a_tree(page, 1)
    page.get_by_test_id("nav-outbox").click()
    page.get_by_test_id("send-now").click()
    expect(page.get_by_test_id("send-now")).to_be_enabled(timeout=SENT_MS)
    tour(page, {"too-old": go_by("nav-outbox"), "too-old-home": go_home}, trouble=PHONE)
    go_home(page)
    expect_count(page, "waiting", 1)


@pytest.fixture
def hub(live_server: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    account = ("person", "add", "tram", "--name", "Trạm Sín Chải", "--role", "peer", "--project", "*")
    live_server.run(*account, "--unit", "03226-2025", typed=f"{PASSWORD}\n")
    (tmp_path / "hub").mkdir()
    server = LiveServer(tmp_path / "hub")
    server.run("peer", "hub", "--of", live_server.url, "--username", "tram", typed=f"{PASSWORD}\n")
    server.start()
    yield server
    server.kill()


def test_who_works_beyond_a_commune_is_told_at_its_hub_to_sign_in_at_the_province(
    open_browser: OpenBrowser, hub: LiveServer
) -> None:
    page = open_browser("supervisor", url=hub.url).open()
    for locale in ("vi", "en"):
        page.get_by_test_id(f"language-{locale}").click()
        page.get_by_test_id("username").fill(SUPERVISOR.username)
        page.get_by_test_id("password").fill(PASSWORD)
        page.get_by_test_id("signin").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look(page, f"trouble-at-the-hub-{locale}")


def test_two_supervisors_who_decide_at_once_and_an_administrator_who_looks_at_phones(
    open_browser: OpenBrowser, live_server: LiveServer
) -> None:
    add(live_server, OTHER)
    phone = open_browser("worker").open()
    sign_in(phone, WORKER)
    wait_until_ready_for_the_field(phone)
    a_tree(phone, 1)
    go_home(phone)
    expect_count(phone, "sent", 1, timeout_ms=SENT_MS)

    pages = []
    for member in (SUPERVISOR, OTHER):
        page = open_browser(member.username, DESK).open()
        sign_in(page, member)
        page.get_by_test_id("nav-review").click()
        page.locator("[data-testid^=queue-row]").first.click()
        expect(page.get_by_test_id("approve")).to_be_enabled()
        pages.append(page)
    first, second = pages
    first.get_by_test_id("approve").click()
    live_server.follow_until("SELECT count(*) FROM revisions WHERE doc_id LIKE 'review:%'", 1)
    # What the second page shows was read before.
    second.get_by_test_id("decision-comment").fill("Chiều cao chưa hợp lý, xin đo lại.")
    second.get_by_test_id("return").click()
    expect(second.get_by_test_id("decided-meanwhile")).to_contain_text(SUPERVISOR.name)
    look(second, "trouble-decided-meanwhile")

    page = open_browser(ADMINISTRATOR.username, DESK).open()
    sign_in(page, ADMINISTRATOR)
    for locale in LOCALES:
        page.get_by_test_id("nav-settings").click()
        page.get_by_test_id(f"language-{locale}").click()
        page.get_by_test_id("nav-people").click()
        page.get_by_test_id(f"person-open-{WORKER.username}").click()
        devices = page.get_by_test_id("devices")
        devices.scroll_into_view_if_needed()
        # Which version the app is, as the phone said when it last met the server.
        expect(devices.get_by_role("listitem")).to_contain_text(APP[locale])
        look_in_each_theme(page, f"trouble-devices-{locale}")

"""Two servers as people meet them: a commune's hub without its uplink, and the screen that says how servers stand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import DESK
from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, finish
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import begin, expect_count, go_home, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import ADMINISTRATOR, PASSWORD, SCOPE, WORKER, Member, add
from tests.e2e.tea_trees import FORM, tea_tree
from tests.e2e.touring import look

#: Who looks after the hub: a hub signs in only people of its own communes.
KEEPER = Member("pa", "Vàng A Pá", "administrator", "*", "03226")
HUB_ACCOUNT, PROVINCE_ACCOUNT = "tram-sinchai", "tinh"
#: The screen looks by itself every ten seconds, and a peer that fails is tried again after some.
SEEN_MS = 60_000
SENT_MS = 60_000
RECORDS = "SELECT count(*) FROM records"


@pytest.fixture
def hub(live_server: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    """Start a mini-computer that was made a hub of the province by the recipe in docs/operations.md."""
    for account in (HUB_ACCOUNT, PROVINCE_ACCOUNT):
        live_server.run(
            *("person", "add", account, "--name", f"Máy chủ {account}", "--role", "peer"),
            *("--project", "*", "--unit", "03226-2025"),
            typed=f"{PASSWORD}\n",
        )
    add(live_server, KEEPER)
    (tmp_path / "hub").mkdir()
    server = LiveServer(tmp_path / "hub")
    said = server.run("peer", "hub", "--of", live_server.url, "--username", HUB_ACCOUNT, typed=f"{PASSWORD}\n")
    assert "0 changes behind" in said
    server.start()
    yield server
    server.kill()


def test_a_hub_takes_records_while_the_province_is_away_and_says_so(
    open_browser: OpenBrowser, live_server: LiveServer, hub: LiveServer
) -> None:
    phone = open_browser("worker", url=hub.url).open()
    sign_in(phone, WORKER)
    wait_until_ready_for_the_field(phone)
    record(phone, 1)
    live_server.follow_until(RECORDS, 1, timeout_s=SENT_MS / 1000)

    desk = open_browser("administrator", DESK, url=hub.url).open()
    sign_in(desk, KEEPER)
    desk.get_by_test_id("nav-peers").click()
    card = desk.get_by_test_id("peer-province")
    expect(card.get_by_test_id("peer-state")).to_have_text("Đã khớp", timeout=SEEN_MS)
    expect(desk.get_by_test_id("peer-add")).to_be_hidden()
    in_both_languages(desk, "peers-hub-well")

    live_server.stop()
    record(phone, 2)
    hub.follow_until(RECORDS, 2)
    trouble = card.get_by_test_id("peer-trouble-unreachable")
    expect(trouble).to_contain_text("Không liên lạc được", timeout=SEEN_MS)
    expect(card.get_by_test_id("peer-behind")).to_contain_text("thay đổi chưa chuyển", timeout=SEEN_MS)
    in_both_languages(desk, "peers-hub-alone")

    live_server.start()
    live_server.follow_until(RECORDS, 2, timeout_s=SENT_MS / 1000)
    expect(card.get_by_test_id("peer-state")).to_have_text("Đã khớp", timeout=SEEN_MS)
    expect(trouble).to_be_hidden()


def test_a_wrong_password_for_another_server_is_a_sentence_and_the_right_one_goes_on(
    open_browser: OpenBrowser, live_server: LiveServer, hub: LiveServer
) -> None:
    page = open_browser("administrator", DESK).open()
    sign_in(page, ADMINISTRATOR)
    page.get_by_test_id("nav-peers").click()
    expect(page.get_by_test_id("peer-add")).to_be_visible()
    in_both_languages(page, "peers-none")

    card = connect(page, hub, "sai-mat-khau-nay")
    expect(card.get_by_test_id("peer-trouble-sign_in")).to_contain_text(
        "Bên kia không nhận tên, mật khẩu hoặc khóa", timeout=SEEN_MS
    )
    in_both_languages(page, "peers-wrong-password")
    card.get_by_test_id("peer-remove").click()
    page.get_by_test_id("dialog-yes").click()
    expect(card).to_be_hidden()

    card = connect(page, hub, PASSWORD)
    expect(card.get_by_test_id("peer-state")).to_have_text("Đã khớp", timeout=SEEN_MS)
    in_both_languages(page, "peers-connected")


def connect(page: Page, other: LiveServer, password: str) -> Locator:
    """Connect with another server on the screen; return its card."""
    page.get_by_test_id("peer-add").click()
    page.get_by_test_id("peer-name").fill("tram-sinchai")
    page.get_by_test_id("peer-url").fill(f"{other.url}/db")
    page.get_by_test_id("peer-scopes").fill(SCOPE)
    page.get_by_test_id("peer-auth").select_option("password")
    page.get_by_test_id("peer-username").fill(PROVINCE_ACCOUNT)
    page.get_by_test_id("peer-password").fill(password)
    look(page, "desk-peers-form")
    page.get_by_test_id("peer-save").click()
    return page.get_by_test_id("peer-tram-sinchai")


def record(page: Page, number: int) -> None:
    """Record a tree on the phone, and see it sent."""
    begin(page, FORM)
    fill(page, tea_tree(number))
    finish(page)
    go_home(page)
    expect_count(page, "sent", number, timeout_ms=SENT_MS)


def in_both_languages(page: Page, name: str) -> None:
    """Keep pictures of the screen in both languages; it is in Vietnamese again afterwards."""
    for locale in ("en", "vi"):
        page.get_by_test_id("nav-settings").click()
        page.get_by_test_id(f"language-{locale}").click()
        page.get_by_test_id("nav-peers").click()
        # Nothing loads any more, neither the servers nor what was set aside.
        expect(page.locator(".page-desk > [role=status]")).to_have_count(0)
        expect(page.get_by_test_id("set-aside-none")).to_be_visible()
        look(page, f"desk-{name}-{locale}")

"""What a follower could not take, as an administrator meets it: named, dated, and tried again by a button."""

import contextlib
import sqlite3

from playwright.sync_api import expect

from tests.e2e.browser import DESK, save_screenshot
from tests.e2e.conftest import SCREENSHOTS, OpenBrowser
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import sign_in
from tests.e2e.province import ADMINISTRATOR, SCOPE

FOUND = "01a1fd1e-8c00-77bc-bb0e-db6c595a64c5"
ERROR = "RecursionError at server.forms.evaluate.nodes:92"


def test_an_administrator_sees_what_was_set_aside_and_tries_it_again(
    open_browser: OpenBrowser, live_server: LiveServer
) -> None:
    page = open_browser("administrator", DESK).open()
    sign_in(page, ADMINISTRATOR)
    # A server that starts tries everything again at once; by now it has.
    put_aside(live_server)
    page.get_by_test_id("nav-peers").click()
    entry = page.get_by_test_id("set-aside-entry")
    expect(entry).to_contain_text("Gộp các lần sửa")
    expect(entry).to_contain_text(ERROR)
    expect(entry).to_contain_text("21/11/2026")
    save_screenshot(page, SCREENSHOTS, "desk-set-aside-vi")
    page.get_by_test_id("nav-settings").click()
    page.get_by_test_id("language-en").click()
    page.get_by_test_id("nav-peers").click()
    expect(entry).to_contain_text("Bringing edits together")
    save_screenshot(page, SCREENSHOTS, "desk-set-aside-en")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    entry.get_by_test_id("set-aside-retry").click()
    # The server has no such document any more; nothing is left to be set aside.
    expect(page.get_by_test_id("set-aside-none")).to_be_visible()
    assert live_server.query("SELECT action FROM audit WHERE action = 'set_aside.retried'")


def put_aside(server: LiveServer) -> None:
    """Leave the row that a follower leaves behind."""
    at = "2026-11-21 08:00:00.000000"
    row = ("branches", SCOPE, FOUND, 1, ERROR, 3, at, at)
    with contextlib.closing(sqlite3.connect(server.database, timeout=10)) as connection, connection:
        connection.execute("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

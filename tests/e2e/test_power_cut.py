"""A phone that dies in the middle of sending loses nothing and doubles nothing, whichever way the request had got."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, finish
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import begin, expect_count, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import SCOPE, WORKER
from tests.e2e.tea_trees import FORM, tea_tree

REVISIONS = f"""
    SELECT count(*), count(DISTINCT doc_id) FROM revisions WHERE database = '{SCOPE}' AND doc_id NOT LIKE 'seal:%'
"""
RECORDS = "SELECT count(*) FROM records WHERE form = 'shan_tea_tree'"


@pytest.mark.parametrize("is_heard", [False, True], ids=["before the server heard", "before the answer came"])
def test_a_phone_killed_while_sending_loses_and_doubles_nothing(
    live_server: LiveServer, open_browser: OpenBrowser, is_heard: bool
) -> None:
    phone = open_browser("worker")
    page = phone.open()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)
    phone.go_offline()
    for number in (1, 2):
        begin(page, FORM)
        fill(page, tea_tree(number))
        finish(page)
        expect(page.get_by_test_id("record-state")).to_have_attribute("data-state", "waiting")

    die_while_sending(page, is_heard)
    phone.kill()
    live_server.follow_until(RECORDS, 2 if is_heard else 0)

    page = phone.open()
    expect_count(page, "sent", 2, timeout_ms=40_000)
    expect_count(page, "waiting", 0)
    live_server.follow_until(RECORDS, 2)
    live_server.follow_until("SELECT count(*) FROM media", 4, timeout_s=30)
    assert live_server.query(REVISIONS) == [(2, 2)]


def die_while_sending(page: Page, is_heard: bool) -> None:
    """Bring the network back and return while a request with records is on its way: it never gets an answer."""
    caught: list[Route] = []

    def hold(route: Route) -> None:
        if is_heard:
            route.fetch()
        caught.append(route)

    page.context.route("**/api/sync", hold)
    page.context.set_offline(False)
    for _ in range(200):
        if caught:
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing was sent when the network came back")

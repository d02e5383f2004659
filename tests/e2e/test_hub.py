"""A phone that meets the commune's hub one day and the province the next, under one address."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.address import Address
from tests.e2e.browser import DESK
from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, finish
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import (
    SEND_TIMEOUT_MS,
    begin,
    expect_count,
    go_home,
    open_record,
    send,
    sign_in,
    wait_until_ready_for_the_field,
)
from tests.e2e.province import PASSWORD, SCOPE, SUPERVISOR, WORKER
from tests.e2e.tea_trees import FORM, tea_tree

KEEPER = "Giàng Thị Mỷ"
#: Revisions of records, and the records: what two servers agree on once they have met.
REVISIONS = f"""
    SELECT count(*), count(DISTINCT doc_id) FROM revisions
    WHERE database = '{SCOPE}' AND doc_id NOT LIKE '%:%'
"""
PHOTOS = "SELECT count(*) FROM media"
#: Pixels of a photo as the phone keeps it.
WIDTH = 1600
DIGEST = f"SELECT digest FROM databases WHERE name = '{SCOPE}'"
#: What the phone keeps of each server: its digest of the scope, and how often it was read from the beginning.
KEPT = """(scope) => new Promise((resolve, reject) => {
    const opening = indexedDB.open('nuong')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
        const asked = opening.result.transaction('servers').objectStore('servers').getAll()
        asked.onsuccess = () => resolve(Object.fromEntries(
            asked.result.map((state) => [state.id, [state.digests[scope], state.pulls[scope] ?? 1]])))
    }
})"""


@pytest.fixture
def hub(live_server: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    """A hub of the province that `live_server` is, after their first exchange."""
    folder = tmp_path / "hub"
    folder.mkdir()
    account = ("person", "add", "tram-sinchai", "--name", "Trạm Sín Chải", "--role", "peer")
    live_server.run(*account, "--project", "*", "--unit", "03226-2025", typed=f"{PASSWORD}\n")
    hub = LiveServer(folder)
    hub.run("migrate")
    hub.run("peer", "hub", "--of", live_server.url, "--username", "tram-sinchai", typed=f"{PASSWORD}\n")
    yield hub
    hub.kill()
    shutil.rmtree(folder)


def test_a_phone_between_hub_and_province_loses_and_doubles_nothing(
    live_server: LiveServer, hub: LiveServer, open_browser: OpenBrowser
) -> None:
    province = live_server
    with Address() as address:
        province.stop()
        hub.start()
        address.lead_to(hub)
        page = open_browser("worker", url=address.url).open()
        sign_in(page, WORKER)
        wait_until_ready_for_the_field(page)
        save(page, 1)
        go_home(page)
        expect_count(page, "sent", 1, timeout_ms=40_000)

        # The hub has no link, and the phone meets the province, which does not know this phone.
        hub.stop()
        province.start()
        address.lead_to(province)
        send(page)
        page.get_by_test_id("sign-in-again").click()
        page.get_by_test_id("password").fill(PASSWORD)
        page.get_by_test_id("signin").click()
        expect(page.get_by_test_id("signin")).to_be_hidden()
        send(page)
        expect(page.get_by_test_id("banner-expired")).to_be_hidden()
        assert province.query(REVISIONS) == [(1, 1)]
        open_record(page, "sent", "SC-0001")
        page.get_by_test_id("edit").click()
        fill(page, {"keeper_name": KEEPER})
        finish(page)
        send(page)

        # Back in the commune, without a link again and without a password.
        province.stop()
        hub.start()
        address.lead_to(hub)
        save(page, 2)
        send(page)
        expect(page.get_by_test_id("banner-expired")).to_be_hidden()
        go_home(page)
        expect_count(page, "sent", 2)
        assert hub.query(REVISIONS) == [(3, 2)]
        hub.follow_until(PHOTOS, 4, timeout_s=30)

        # What the phone took since it met the province, it has given to the hub alone.
        assert province.query(PHOTOS) == [(2,)]
        province.start()
        hub.run("peer", "sync", "province")
        # Only the record tells the province which photos to await.
        province.follow_until("SELECT count(*) FROM records", 2)
        hub.run("peer", "sync", "province")
        province.follow_until(PHOTOS, 4, timeout_s=30)
        see_photos(open_browser("supervisor", DESK).open(), "SC-0002")
        for server in (province, hub):
            address.lead_to(server)
            send(page)
            expect_kept(page, server)

        assert province.query(REVISIONS) == hub.query(REVISIONS) == [(3, 2)]
        assert province.query(DIGEST) == hub.query(DIGEST)
        go_home(page)
        expect_count(page, "sent", 2)
        open_record(page, "sent", "SC-0001")
        expect(page.get_by_test_id("summary-keeper_name")).to_contain_text(KEEPER)


def see_photos(page: Page, title: str) -> None:
    """See both photos of a tree at the desk, whole."""
    sign_in(page, SUPERVISOR)
    page.get_by_test_id("nav-review").click()
    page.get_by_test_id("queue").get_by_role("link").filter(has_text=title).click()
    photos = page.get_by_test_id("media-image")
    expect(photos).to_have_count(2)
    for number in range(2):
        photo = photos.nth(number)
        photo.get_by_role("button").click()
        shown = photo.locator("img[data-whole=true]")
        expect(shown).to_be_visible()
        width = shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth }")
        assert width == WIDTH


def expect_kept(page: Page, server: LiveServer) -> None:
    """See that the phone holds what the server holds, and never had to read it from the beginning again."""
    name = httpx.get(f"{server.url}/db/").json()["uuid"]
    wanted = [server.query(DIGEST)[0][0], 1]
    deadline = time.monotonic() + SEND_TIMEOUT_MS / 1000
    while (kept := page.evaluate(KEPT, SCOPE).get(name)) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert kept == wanted


def save(page: Page, number: int) -> None:
    """Fill a tea tree's form to its end."""
    begin(page, FORM)
    fill(page, tea_tree(number))
    finish(page)

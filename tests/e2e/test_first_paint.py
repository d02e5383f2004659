"""What a phone shows before any script or style has come: on a poor link that is many seconds."""

from playwright.sync_api import expect

from tests.e2e.conftest import OpenBrowser
from tests.e2e.phone import sign_in, wait_until_ready_for_the_field
from tests.e2e.province import WORKER


def test_mark_and_name_are_seen_before_scripts_and_styles_come(open_browser: OpenBrowser) -> None:
    phone = open_browser("worker")
    page = phone.open("/healthz")
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    held: list[str] = []
    # Never answered, as by a link that is busy.
    page.route("**/assets/**", lambda route: held.append(route.request.url))
    page.goto(phone.url + "/", wait_until="commit")
    expect(page.get_by_role("img", name="Nương")).to_be_visible()
    painted = "performance.getEntriesByType('paint').some(({ name }) => name === 'first-contentful-paint')"
    page.wait_for_function(painted)
    assert any(url.endswith(".css") for url in held)
    assert refused == []


def test_the_apps_own_files_wait_until_records_and_forms_have_come(open_browser: OpenBrowser) -> None:
    phone = open_browser("worker")
    page = phone.open()
    asked: list[str] = []
    assert phone.context is not None
    phone.context.on("request", lambda request: asked.append(request.url.removeprefix(phone.url)))
    expect(page.get_by_test_id("signin")).to_be_visible()
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(({ length }) => length)") == 0
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)
    assert asked.index("/worker.js") > asked.index("/api/sync")
    assert page.evaluate("navigator.serviceWorker.controller !== null")

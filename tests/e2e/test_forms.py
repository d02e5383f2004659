"""A form on its way to the phones: proposals, difference, preview, what it does; then it is retired and comes back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import DESK, PHONE, save_screenshot
from tests.e2e.conftest import SCREENSHOTS, OpenBrowser
from tests.e2e.filling import fill, finish, pick
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import sign_in, wait_until_ready_for_the_field
from tests.e2e.province import ADMINISTRATOR, WORKER
from tests.workbooks import GOOD, SETTINGS, question, xlsform

#: As people bring them: an id with capitals and spaces, a version that Excel takes for a date.
BROUGHT = SETTINGS | {"form_id": "Hộ dân 2026", "version": "2026-03-01 00:00:00"}
FORM = "ho_dan_2026"
MORE = question("integer", "cattle", relevant="${has_land} == 'yes'")
#: Drafts that this browser keeps.
KEPT = """() => new Promise((resolve, reject) => {
    const opening = indexedDB.open('nuong')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
        const asked = opening.result.transaction('drafts').objectStore('drafts').count()
        asked.onsuccess = () => resolve(asked.result)
    }
})"""
#: A check takes seconds of work, in a process of its own, and waits for its turn where others are at work.
CHECKED_MS = 120_000
#: Whoever reads English has the words of every proposal in English.
WORDS = {
    "vi": {"id": "chữ thường không dấu", "spelling": "ODK viết biểu thức này cách khác", "added": "câu mới"},
    "en": {"id": "lower-case letters", "spelling": "ODK writes this expression another way", "added": "new question"},
}


@pytest.mark.parametrize("locale", ["vi", "en"])
def test_an_author_accepts_what_is_proposed_and_sees_what_differs(
    locale: str, live_server: LiveServer, open_browser: OpenBrowser, tmp_path: Path
) -> None:
    words = WORDS[locale]
    page = open_browser("administrator", DESK).open()
    sign_in(page, ADMINISTRATOR)
    page.get_by_test_id("nav-settings").click()
    page.get_by_test_id(f"language-{locale}").click()
    page.get_by_test_id("nav-forms").click()
    page.get_by_test_id("form-project").select_option("agri")

    bring(page, tmp_path / "first.xlsx", xlsform(settings=BROUGHT))
    errors = page.get_by_test_id("findings-danger")
    expect(errors).to_contain_text(words["id"])
    expect(page.get_by_test_id("proposal")).to_have_count(2)
    look(page, f"forms-proposals-{locale}", "findings-danger")
    page.get_by_test_id("proposal-accept").first.click()
    expect(page.get_by_test_id("proposal")).to_have_count(1)
    expect(errors).not_to_contain_text(words["id"])
    page.get_by_test_id("proposals-accept").click()
    publish(page, "2026-03-01")

    bring(page, tmp_path / "second.xlsx", xlsform([*GOOD, MORE], settings=BROUGHT | {"form_id": FORM, "version": "2"}))
    expect(errors).to_contain_text(words["spelling"])
    page.get_by_test_id("proposals-accept").click()
    difference = page.get_by_test_id("difference")
    expect(difference).to_contain_text("2026-03-01")
    expect(difference.get_by_role("row").filter(has_text="/cattle")).to_contain_text(words["added"])
    look(page, f"forms-difference-{locale}", "difference")
    preview(page, locale)
    publish(page, "2")
    assert live_server.query(f"SELECT version, status FROM form_versions WHERE form = '{FORM}' ORDER BY version") == [
        ("2", "live"),
        ("2026-03-01", "retired"),
    ]
    kept = live_server.query(f"SELECT accepted FROM accepted_proposals WHERE form = '{FORM}' AND version = '2'")
    retire_and_bring_back(page, locale)
    with page.expect_download() as download:
        page.locator(f'[data-form="{FORM}"][data-version="2"]').get_by_test_id("form-source").click()
    assert download.value.suggested_filename == f"{FORM}-2.xlsx"
    assert download.value.path().read_bytes() == (tmp_path / "second.xlsx").read_bytes()
    assert "${has_land} = 'yes'" in str(kept[0][0])


def test_a_chosen_worker_tries_a_form_without_a_network_and_nobody_else_sees_it(
    live_server: LiveServer, open_browser: OpenBrowser, tmp_path: Path
) -> None:
    desk = open_browser("administrator", DESK).open()
    sign_in(desk, ADMINISTRATOR)
    desk.get_by_test_id("nav-forms").click()
    desk.get_by_test_id("form-project").select_option("agri")
    bring(desk, tmp_path / "form.xlsx", xlsform(settings=SETTINGS | {"form_id": FORM}), "ready")
    desk.get_by_test_id("form-try").click()
    desk.get_by_test_id("trial-choice").get_by_label(WORKER.name).check()
    look(desk, "forms-trial-choice", "trial-choice")
    desk.get_by_test_id("trial-hand").click()
    expect(desk.get_by_test_id("running-trials")).to_contain_text(WORKER.name)
    look(desk, "forms-trial-running", "trial-handed")

    browser = open_browser("phone")
    phone = browser.open()
    sign_in(phone, WORKER)
    wait_until_ready_for_the_field(phone)
    phone.get_by_test_id("new-record").click()
    tried = phone.get_by_test_id(f"trial-{FORM}")
    expect(tried).to_be_visible()
    look(phone, "forms-trial-list", "trials")
    assert phone.context is not None
    phone.context.set_offline(True)
    tried.click()
    expect(phone.get_by_test_id("trial-sign")).to_be_visible()
    fill(phone, {"head_name": "Lò Văn Anh", "has_land": pick("yes")})
    finish(phone)
    expect(phone.get_by_test_id("trial-done")).to_be_visible()
    look(phone, "forms-trial-done", "trial-done")
    assert phone.evaluate(KEPT) == 0
    phone.get_by_test_id("trial-leave").click()
    phone.context.set_offline(False)

    desk.get_by_test_id("trial-end").click()
    expect(desk.get_by_test_id("running-trials")).to_be_hidden()
    phone.reload()
    expect(tried).to_be_hidden()
    assert live_server.query("SELECT count(*) FROM form_versions WHERE form = '" + FORM + "'") == [(0,)]


def bring(page: Page, file: Path, data: bytes, comes_to: str = "refused") -> None:
    """Choose a spreadsheet and have it checked."""
    file.write_bytes(data)
    page.get_by_test_id("form-file").set_input_files(file)
    page.get_by_test_id("form-check").click()
    expect(page.get_by_test_id("form-state")).to_have_attribute("data-state", comes_to, timeout=CHECKED_MS)


def preview(page: Page, locale: str) -> None:
    """Fill the form as on a phone; nothing of that is kept."""
    page.get_by_test_id("form-preview").click()
    frame = page.get_by_test_id("preview")
    expect(frame.get_by_test_id("form-filler")).to_be_visible()
    look(page, f"forms-preview-{locale}", "preview")
    fill(page, {"head_name": "Lò Văn Anh", "has_land": pick("yes"), "cattle": "3"})
    finish(page)
    expect(frame.get_by_test_id("preview-done")).to_be_visible()
    look(page, f"forms-previewed-{locale}", "preview")
    assert page.evaluate(KEPT) == 0
    page.get_by_test_id("form-preview").click()
    expect(frame).to_be_hidden()


def retire_and_bring_back(page: Page, locale: str) -> None:
    """Take the form from the phones, and give it back to them."""
    card = page.locator(f'[data-form="{FORM}"][data-version="2"]')
    for status in ("retired", "live"):
        card.get_by_test_id("form-status").click()
        look(page, f"forms-{status}-{locale}", "dialog-yes")
        page.get_by_test_id("dialog-yes").click()
        expect(card.locator(".chip")).to_have_attribute("data-tone", "draft" if status == "retired" else "sent")


def publish(page: Page, version: str) -> None:
    """Publish what is ready, asked once more."""
    page.get_by_test_id("form-publish").click()
    page.get_by_test_id("dialog-yes").locator("visible=true").click()
    expect(page.get_by_test_id("form-published")).to_contain_text(version)


def look(page: Page, name: str, shown: str) -> None:
    """Take pictures at the desk and on a phone; neither scrolls sideways."""
    for kind, (width, height) in (("phone", PHONE), ("desk", DESK)):
        page.set_viewport_size({"width": width, "height": height})
        page.get_by_test_id(shown).locator("visible=true").first.evaluate("(element) => element.scrollIntoView()")
        save_screenshot(page, SCREENSHOTS, f"{kind}-{name}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), kind

"""What a form records by itself while it is filled: only after a yes, with a sign, and as files of the record."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.browser import DESK, save_screenshot
from tests.e2e.conftest import SCREENSHOTS, OpenBrowser
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import begin, send, sign_in
from tests.e2e.province import ADMINISTRATOR, WORKER
from tests.e2e.test_forms import bring, publish
from tests.workbooks import SETTINGS, question, xlsform

FORM = "interview"
SURVEY = [
    {
        "type": "audit",
        "name": "audit",
        "parameters": "location-priority=balanced location-min-interval=60 location-max-age=120",
    },
    {"type": "background-audio", "name": "talk"},
    question("text", "head_name"),
]


def test_a_form_records_sound_and_a_log_while_its_worker_agrees(
    live_server: LiveServer, open_browser: OpenBrowser, tmp_path: Path
) -> None:
    desk = open_browser("administrator", DESK).open()
    sign_in(desk, ADMINISTRATOR)
    desk.get_by_test_id("nav-forms").click()
    desk.get_by_test_id("form-project").select_option("agri")
    bring(desk, tmp_path / "interview.xlsx", xlsform(SURVEY, settings=SETTINGS | {"form_id": FORM}), "ready")
    desk.get_by_test_id("form-preview").click()
    expect(desk.get_by_test_id("preview")).to_be_visible()
    save_screenshot(desk, SCREENSHOTS, "recording-preview")
    publish(desk, "1")

    page = open_browser("worker").open()
    sign_in(page, WORKER)
    page.get_by_test_id("new-record").click()
    expect(page.get_by_test_id(f"form-{FORM}")).to_be_enabled(timeout=40_000)
    begin(page, FORM)
    expect(page.get_by_test_id("log-note")).to_be_visible()
    expect(page.get_by_test_id("sound-sign")).to_have_count(0)
    save_screenshot(page, SCREENSHOTS, "recording-asked")
    page.get_by_test_id("consent-sound-yes").click()
    page.get_by_test_id("consent-places-no").click()
    expect(page.get_by_test_id("sound-sign")).to_contain_text("0:02", timeout=20_000)
    page.get_by_test_id("question-head_name").get_by_role("textbox").fill("Lò Văn Ban")
    save_screenshot(page, SCREENSHOTS, "recording-on")
    page.get_by_test_id("fill-next").click()
    expect(page.get_by_test_id("sound-sign")).to_be_visible()
    page.get_by_test_id("fill-finish").click()
    expect(page.get_by_test_id("summary-recorded").get_by_role("figure")).to_have_count(2)
    save_screenshot(page, SCREENSHOTS, "recording-record")
    send(page)
    files = live_server.query("SELECT type FROM media ORDER BY type")
    assert [kind for (kind,) in files] == ["audio/webm", "text/csv"]

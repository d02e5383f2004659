"""What was begun and not completed outlives a dead battery, and nothing is finished over it."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, go_to, go_to_the_end, pick
from tests.e2e.phone import begin, go_home, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import WORKER

FORM = "forest_plot"
CONSENT = {"consent": pick("yes"), "consent_method": pick("signed")}
CORNERS = ((21.9301, 103.3187), (21.9311, 103.3187), (21.9311, 103.3199))


def test_a_walk_goes_on_after_the_browser_was_killed_and_is_asked_about_at_the_end(open_browser: OpenBrowser) -> None:
    phone = open_browser("worker")
    page = phone.open()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)
    phone.go_offline()
    begin(page, FORM)
    go_to(page, "survey_date")
    # A part of a day, as a picker holds it: no value yet, and no blank either.
    page.get_by_test_id("answer-survey_date").press_sequentially("12")
    page.get_by_test_id("answer-survey_date").blur()
    expect(page.get_by_test_id("question-survey_date")).to_contain_text("ghi chưa đủ")
    fill(page, CONSENT)
    go_to(page, "outline")
    page.get_by_test_id("answer-outline").click()
    for count, corner in enumerate(CORNERS, 1):
        walk_to(page, corner, count)

    expect(page.get_by_test_id("save-sign")).to_have_attribute("data-state", "saved")
    phone.kill()
    page = phone.open(offline=True)
    go_home(page)
    page.get_by_test_id("list-drafts").click()
    page.get_by_test_id("list").get_by_role("link").click()
    expect(page.get_by_test_id("question-outline")).to_contain_text("Đã ghi 3 điểm")

    go_to_the_end(page)
    expect(page.get_by_test_id("fill-finish")).to_be_hidden()
    open_ring = page.locator("[data-kind=missing]").filter(has_text="chưa bấm «Khép lại»")
    expect(page.locator("[data-kind=missing]").filter(has_text="ghi chưa đủ")).to_have_count(1)
    open_ring.click()
    page.get_by_test_id("cancel-outline").click()
    expect(page.get_by_test_id("corner-outline")).to_be_hidden()
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("question-outline")).to_contain_text("Đã ghi 3 điểm")
    page.get_by_test_id("close-outline").click()
    expect(page.get_by_test_id("outline-outline")).to_contain_text("3 điểm")
    go_to_the_end(page)
    expect(open_ring).to_have_count(0)


def walk_to(page: Page, corner: tuple[float, float], count: int) -> None:
    """Go to the corner and keep it."""
    page.context.set_geolocation({"latitude": corner[0], "longitude": corner[1], "accuracy": 4})
    page.get_by_test_id("corner-outline").click()
    expect(page.get_by_test_id("question-outline")).to_contain_text(f"Đã ghi {count} điểm")

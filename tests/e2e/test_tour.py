"""Every screen, in both languages and both themes: pictures to look at, and what no screen may do."""

from playwright.sync_api import Page, expect

from tests.e2e.browser import DESK, PHONE
from tests.e2e.colleague import COLLEAGUE, Colleague
from tests.e2e.conftest import OpenBrowser
from tests.e2e.disagreeing import MANAGER, add_people, disagree
from tests.e2e.filling import fill, finish, go_to, go_to_the_end
from tests.e2e.households import Twice
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import begin, expect_count, go_home, open_record, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import ADMINISTRATOR, SUPERVISOR, WORKER, Member, add
from tests.e2e.tea_trees import FORM, tea_tree
from tests.e2e.touring import LOCALES, Screen, Screens, Way, go_by, leave_the_form, look, resize, tour


def test_every_phone_screen_reads_well(open_browser: OpenBrowser) -> None:
    phone = open_browser("worker")
    page = phone.open()
    expect(page.get_by_test_id("signin")).to_be_visible()
    for locale in LOCALES:
        page.get_by_test_id(f"language-{locale}").click()
        look(page, f"phone-signin-{locale}")
    page.get_by_test_id("language-vi").click()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)
    begin(page, FORM)
    fill(page, tea_tree(1))
    finish(page)
    go_home(page)
    expect_count(page, "sent", 1, timeout_ms=40_000)
    begin(page, FORM)
    fill(page, dict(list(tea_tree(2).items())[:10]))
    leave_the_form(page)
    screens: Screens = {
        "home": go_home,
        "sent": go_by("nav-home", "list-sent"),
        "forms": go_by("nav-home", "new-record"),
        "fill-end": open_draft,
        "fill-first": Screen(go_by("page-1"), goes_on=True),
        "fill-choices": Screen(lambda page: go_to(page, "height_m"), goes_on=True),
        "record": lambda page: open_record(page, "sent", "SC-0001"),
        "outbox": go_by("nav-outbox"),
        "settings": go_by("nav-settings"),
    }
    tour(page, screens, phone=PHONE)


def test_every_desk_screen_reads_well(live_server: LiveServer, open_browser: OpenBrowser) -> None:
    add(live_server, COLLEAGUE)
    title = Colleague(live_server).record()
    live_server.follow_until(f"SELECT count(*) FROM records WHERE title = '{title}'", 1)
    live_server.follow_until("SELECT count(*) > 0 FROM media", 1)

    tours: dict[Member, Screens] = {
        SUPERVISOR: {"review": review_list, "review-record": review_record},
        ADMINISTRATOR: {name: go_by(f"nav-{name}") for name in ("quarantine", "forms", "people", "areas", "settings")},
    }
    for member, screens in tours.items():
        desk = open_browser(member.username, DESK)
        page = desk.open()
        sign_in(page, member)
        tour(page, screens, desk=DESK)
        desk.close()


def test_every_conflict_screen_reads_well(live_server: LiveServer, open_browser: OpenBrowser) -> None:
    add_people(live_server)
    page = open_browser("manager", DESK).open()
    sign_in(page, MANAGER)
    tour(page, {"conflicts-empty": go_by("nav-conflicts"), "pairs-empty": go_by("nav-pairs")}, desk=DESK)
    waiting = disagree(live_server)
    Twice(live_server)
    live_server.follow_until("SELECT count(*) > 0 FROM likenesses", 1)
    screens: Screens = {
        "conflicts": conflict_list,
        "conflict": conflict_page,
        "conflict-places": Screen(conflict_of("forest_plot"), show=places),
        "conflict-deleted": conflict_of("shan_tea_tree"),
        "conflict-form": conflict_form,
        "conflict-ask": conflict_ask,
        "conflicts-alike": conflicts_alike,
        "pairs": pair_list,
        "pair": pair_page,
    }
    tour(page, screens, **{"desk": DESK, "small-desk": PHONE})
    for size in (PHONE, DESK):
        resize(page, size)
        expect(page.get_by_test_id("conflicts-badge")).to_contain_text(str(waiting))


def open_draft(page: Page) -> None:
    """Open the only draft, at its last page, which lists all the others."""
    go_home(page)
    page.get_by_test_id("list-drafts").click()
    page.get_by_test_id("list").get_by_role("link").first.click()
    expect(page.get_by_test_id("form-filler")).to_be_visible()
    go_to_the_end(page)


def review_list(page: Page) -> None:
    """Go to the supervisor's queue."""
    page.get_by_test_id("nav-review").click()
    expect(page.get_by_test_id("queue")).to_be_visible()


def review_record(page: Page) -> None:
    """Open the first record of the queue."""
    review_list(page)
    page.get_by_test_id("queue").get_by_role("link").first.click()
    expect(page.get_by_test_id("record-summary")).to_be_visible()


def conflict_list(page: Page) -> None:
    """Go to the data manager's queue of conflicts, out of whatever is open."""
    page.keyboard.press("Escape")
    page.get_by_test_id("nav-conflicts").click()
    expect(page.get_by_test_id("conflicts")).to_be_visible()


def conflict_page(page: Page) -> None:
    """Open the conflict that has waited longest."""
    conflict_list(page)
    page.get_by_test_id("conflicts").get_by_role("link").first.click()
    expect(page.get_by_test_id("conflict-question").first).to_be_visible()


def conflict_of(form: str) -> Way:
    """Return the way to the conflict about a record of this form."""

    def go(page: Page) -> None:
        conflict_list(page)
        page.locator(f'[data-testid="conflicts"] a[data-form="{form}"]').first.click()
        expect(page.get_by_test_id("conflict-question").first).to_be_visible()

    return go


def places(page: Page) -> None:
    """Bring the drawing of two outlines into view."""
    page.get_by_test_id("conflict-map").last.evaluate("(map) => map.scrollIntoView({ block: 'center' })")


def conflict_form(page: Page) -> None:
    """Open the result of a choice in the record's form."""
    conflict_of("household_crop")(page)
    page.get_by_test_id("choose-2").first.check()
    page.locator('[data-testid="conflict-check"]:visible, [data-testid="conflict-check-narrow"]:visible').click()
    expect(page.get_by_test_id("form-use")).to_be_enabled()


def conflict_ask(page: Page) -> None:
    """Begin to ask the workers about a question."""
    page.get_by_test_id("form-leave").click()
    conflict_of("household_crop")(page)
    page.get_by_test_id("ask").first.click()
    expect(page.get_by_test_id("ask-dialog")).to_be_visible()


def conflicts_alike(page: Page) -> None:
    """Look at what one rule would make of several conflicts."""
    conflict_list(page)
    page.get_by_test_id("group-alike").first.click()
    page.get_by_test_id("alike-look").click()
    expect(page.get_by_test_id("alike-preview")).to_be_visible()


def pair_list(page: Page) -> None:
    """Go to the records that may be of one household."""
    page.get_by_test_id("nav-pairs").click()
    expect(page.get_by_test_id("pairs")).to_be_visible()


def pair_page(page: Page) -> None:
    """Open the pair that is most alike."""
    pair_list(page)
    page.get_by_test_id("pairs").get_by_role("link").first.click()
    expect(page.get_by_test_id("pair-fields")).to_be_visible()

"""Two phones without signal on the same record, a third that comes late, and the desk where a person decides."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.browser import DESK, Browser
from tests.e2e.conftest import OpenBrowser
from tests.e2e.disagreeing import COLLEAGUE, MANAGER, OPEN, add_people, disagree
from tests.e2e.filling import fill, finish
from tests.e2e.households import Twice
from tests.e2e.live_server import LiveServer
from tests.e2e.parting import ELSEWHERE, NAME, NEIGHBOUR, NUMBER, VILLAGE, Parted
from tests.e2e.phone import begin, expect_count, go_home, open_record, send, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import PASSWORD, SCOPE, WORKER, Member
from tests.e2e.tea_trees import FORM, tea_tree

#: What stands of the plot's answers.
PLOT = """
    SELECT json_extract(CAST(content AS TEXT), '$.answers') FROM records
    JOIN bodies ON bodies.doc_id = records.id AND bodies.rev = records.rev WHERE form = 'forest_plot'
"""
DECIDED = """
    FROM records JOIN bodies ON bodies.doc_id = records.id AND bodies.rev = records.rev
    WHERE form = 'forest_plot' AND json_extract(CAST(content AS TEXT), '$.decided') IS NOT NULL
"""
#: Who is the head of a household, as a record stands.
NAMED = """
    SELECT json_extract(CAST(content AS TEXT), '$.answers.household.head_name') FROM records
    JOIN bodies ON bodies.doc_id = records.id AND bodies.rev = records.rev WHERE records.id = '{}'
"""
LATECOMER = Member("chia", "Giàng Thị Chía", "field_worker", "agri", "03226")
TREE = "SC-0001"
KEEPER, OTHER = "Giàng Thị Mỷ", "Vàng A Súng"
#: Revisions that nothing follows and that are alive: one, once the branches are closed.
ALIVE = f"""
    SELECT count(*) FROM revisions AS one WHERE database = '{SCOPE}' AND NOT deleted AND doc_id NOT LIKE '%:%'
    AND NOT EXISTS (SELECT 1 FROM revisions AS other WHERE other.parent = one.rev AND other.doc_id = one.doc_id)
"""


def test_what_two_phones_did_to_one_tree_becomes_one_tree(live_server: LiveServer, open_browser: OpenBrowser) -> None:
    add_people(live_server)
    add(live_server, LATECOMER)
    first = phone_of(open_browser, WORKER)
    begin(first.page, FORM)
    fill(first.page, tea_tree(1))
    finish(first.page)
    send(first.page)
    second, third = phone_of(open_browser, COLLEAGUE), phone_of(open_browser, LATECOMER)
    both = (first, second)

    # Disjoint answers merge by themselves, and both phones show both.
    for phone in both:
        phone.go_offline()
    edit(first, {"height_m": "8,1"})
    edit(second, {"canopy_ns_m": "6,3"})
    for phone in both:
        back_online(phone)
    live_server.follow_until(ALIVE, 1)
    assert live_server.query(OPEN) == [(0,)]
    for phone in both:
        expect_tree(phone, height_m=r"8[.,]1", canopy_ns_m=r"6[.,]3")

    # The same answer goes to the desk. The third phone has seen one side of it, and goes on from there.
    for phone in both:
        phone.go_offline()
    edit(first, {"keeper_name": KEEPER})
    edit(second, {"keeper_name": OTHER})
    back_online(first)
    expect_tree(third, keeper_name=KEEPER)
    third.go_offline()
    edit(third, {"base_girth_cm": "171"})
    back_online(second)
    live_server.follow_until(OPEN, 1)
    for phone in both:
        open_tree(phone)
        expect(phone.page.get_by_test_id("open")).to_be_visible()

    desk = open_browser("manager", DESK).open()
    sign_in(desk, MANAGER)
    open_conflict(desk, TREE)
    choose(desk, OTHER)
    save(desk)
    live_server.follow_until(OPEN, 0)
    for phone in both:
        expect_tree(phone, keeper_name=OTHER)

    # Whoever extends the side that lost, without touching that answer, doesn't flip it.
    back_online(third)
    live_server.follow_until(ALIVE, 1)
    assert live_server.query(OPEN) == [(0,)]
    for phone in (first, second, third):
        expect_tree(phone, keeper_name=OTHER, base_girth_cm="171", height_m=r"8[.,]1", canopy_ns_m=r"6[.,]3")


def test_a_deletion_an_outline_a_place_and_a_form_version_are_decided(
    live_server: LiveServer, open_browser: OpenBrowser
) -> None:
    add_people(live_server)
    waiting = disagree(live_server)
    desk = open_browser("manager", DESK).open()
    sign_in(desk, MANAGER)

    open_conflict_about(desk, "shan_tea_tree")
    expect(desk.get_by_test_id("conflict-kind")).to_contain_text("Bên xoá, bên sửa")
    choose(desk, "Giữ phiếu")
    save(desk)
    live_server.follow_until(OPEN, waiting - 1)
    assert live_server.query("SELECT is_deleted FROM records WHERE form = 'shan_tea_tree'") == [(0,)]

    open_conflict_about(desk, "forest_plot")
    outline = desk.locator('[data-testid="conflict-question"][data-path$="/outline"]')
    expect(outline).to_contain_text("trùng nhau")
    for question in desk.get_by_test_id("conflict-question").all():
        question.get_by_test_id("choose-2").check()
    [(before,)] = live_server.query(PLOT)
    save(desk)
    live_server.follow_until(OPEN, waiting - 2)
    live_server.follow_until(f"SELECT count(*) {DECIDED}", 1)
    assert live_server.query(PLOT) != [(before,)]

    # Where a record belongs is decided from one of its areas, and taken back in both.
    parted = Parted(live_server)
    elsewhere = f"SELECT is_deleted FROM records WHERE id = '{parted.moved}' AND database = '{ELSEWHERE}'"
    here = f"SELECT is_deleted FROM records WHERE id = '{parted.moved}' AND database = '{SCOPE}'"
    open_record_of(desk, parted.moved)
    expect(desk.get_by_test_id("conflict-question")).to_contain_text(VILLAGE)
    expect(desk.get_by_test_id("conflict-question")).to_contain_text(NEIGHBOUR.name)
    choose(desk, "Thuộc Sín Chải")
    save(desk)
    live_server.follow_until(elsewhere, 1)
    open_record_of(desk, parted.moved)
    expect(desk.get_by_test_id("conflict-decisions")).to_contain_text("Thuộc Sín Chải")
    desk.get_by_test_id("undo-decision").click()
    expect(desk.get_by_test_id("conflict-undone")).to_be_visible()
    live_server.follow_until(elsewhere, 0)
    choose(desk, "Thuộc Sín Thầu")
    save(desk)
    live_server.follow_until(here, 1)
    assert live_server.query(elsewhere) == [(0,)]

    # Of two form versions without a way between, one side is taken as it is.
    open_record_of(desk, parted.versions)
    question = desk.get_by_test_id("conflict-question")
    expect(question.get_by_role("heading")).to_have_text("Mọi câu trả lời")
    expect(question).to_contain_text(f"{NAME} A")
    choose(desk, COLLEAGUE.name)
    save(desk)
    live_server.follow_until(NAMED.format(parted.versions), NUMBER)
    open_record_of(desk, parted.versions)
    desk.get_by_test_id("undo-decision").click()
    choose(desk, WORKER.name)
    save(desk)
    live_server.follow_until(NAMED.format(parted.versions), f"{NAME} A")


def test_a_household_recorded_twice_is_joined_corrected_late_and_parted(
    live_server: LiveServer, open_browser: OpenBrowser
) -> None:
    add_people(live_server)
    twice = Twice(live_server)
    desk = open_browser("manager", DESK).open()
    sign_in(desk, MANAGER)
    live_server.follow_until("SELECT count(*) FROM likenesses WHERE verdict = 'open'", 1)

    desk.get_by_test_id("nav-pairs").click()
    desk.get_by_test_id("pairs").get_by_role("link").click()
    desk.get_by_test_id(f"survivor-{twice.older}").check()
    desk.get_by_test_id(f"take-{twice.newer}-members").click()
    desk.get_by_test_id("pair-same").click()
    expect(desk.get_by_test_id("pairs-empty")).to_be_visible()
    live_server.follow_until("SELECT count(*) FROM likenesses WHERE verdict = 'same'", 1)
    twice.expect_members(twice.older, "6")

    twice.correct_the_newer(members="7")
    twice.expect_members(twice.older, "7")

    desk.get_by_test_id("pairs-tab-same").locator("xpath=..").click()
    desk.get_by_test_id("pairs").get_by_role("link").click()
    desk.get_by_test_id("pair-part").click()
    expect(desk.get_by_test_id("pair-same")).to_be_visible()
    live_server.follow_until("SELECT count(*) FROM likenesses WHERE verdict = 'open'", 1)
    twice.expect_members(twice.older, "5")
    twice.expect_members(twice.newer, "7")


def add(server: LiveServer, member: Member) -> None:
    """Add a person."""
    server.run(
        *("person", "add", member.username, "--name", member.name, "--locale", member.locale),
        *("--role", member.role, "--project", member.project, "--unit", member.unit),
        typed=f"{PASSWORD}\n",
    )


def phone_of(open_browser: OpenBrowser, member: Member) -> Browser:
    """Return somebody's phone, ready for the field."""
    phone = open_browser(member.username)
    sign_in(phone.open(), member)
    wait_until_ready_for_the_field(phone.page)
    return phone


def open_tree(phone: Browser) -> None:
    """Open the tree from all records of the area, as the server has it now."""
    send(phone.page)
    open_record(phone.page, "all", TREE)


def edit(phone: Browser, answers: dict[str, str]) -> None:
    """Correct the tree; it waits on the phone."""
    open_record(phone.page, "all", TREE)
    phone.page.get_by_test_id("edit").click()
    fill(phone.page, answers)
    finish(phone.page)
    expect(phone.page.get_by_test_id("record-state")).to_have_attribute("data-state", "waiting")


def back_online(phone: Browser) -> None:
    """Give the phone its network back; return when nothing waits on it."""
    phone.go_offline(False)
    go_home(phone.page)
    expect_count(phone.page, "waiting", 0, timeout_ms=40_000)


def expect_tree(phone: Browser, **answers: str) -> None:
    """See these answers on the phone, each as a pattern."""
    open_tree(phone)
    for name, answer in answers.items():
        expect(phone.page.get_by_test_id(f"summary-{name}")).to_contain_text(re.compile(answer))


def open_conflict(page: Page, title: str) -> None:
    """Open the conflict about a record from the queue."""
    page.get_by_test_id("nav-conflicts").click()
    page.get_by_test_id("conflicts").get_by_role("link").filter(has_text=title).click()
    expect(page.get_by_test_id("conflict-question").first).to_be_visible()


def open_record_of(page: Page, record: str) -> None:
    """Open the conflict about a record by its address."""
    page.goto(page.url.partition("/desk")[0] + f"/desk/conflicts/{SCOPE}/{record}")
    expect(page.get_by_test_id("conflict-bar")).to_be_visible()


def open_conflict_about(page: Page, form: str) -> None:
    """Open the first conflict about a record of this form."""
    page.get_by_test_id("nav-conflicts").click()
    page.locator(f'[data-testid="conflicts"] a[data-form="{form}"]').first.click()
    expect(page.get_by_test_id("conflict-question").first).to_be_visible()


def choose(page: Page, words: str) -> None:
    """Choose the side that says these words, of the only question."""
    page.get_by_test_id("conflict-question").locator(".option").filter(has_text=words).get_by_role("radio").check()


def save(page: Page) -> None:
    """Save what was chosen; the next conflict or the queue comes up."""
    at = page.url
    page.locator('[data-testid="conflict-save"]:visible').click()
    expect(page).not_to_have_url(at)

"""The whole way once, as its people walk it: from a phone without signal to the province's tables."""

from playwright.sync_api import Page, expect

from tests.e2e.browser import DESK
from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, finish
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import begin, expect_count, go_home, open_record, send, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import SUPERVISOR, WORKER
from tests.e2e.tea_trees import FORM, tea_tree

KEEPER = "Giàng Thị Mỷ"
CHO = "Sùng A Chớ"
#: What the server holds of each tree, and in how many branches.
PROJECTED = """
    SELECT json_extract(CAST(content AS TEXT), '$.answers.tree.tree_code'),
           json_extract(CAST(content AS TEXT), '$.answers.tree.keeper_name'), branches
    FROM records JOIN bodies ON bodies.doc_id = records.id AND bodies.rev = records.rev
    WHERE form = 'shan_tea_tree' ORDER BY 1
"""
PUBLISHED = """
    SELECT tree_tree_code, size_height_m, typeof(size_height_m), typeof(tree_is_heritage)
    FROM published_shan_tea_tree ORDER BY tree_tree_code
"""
COMMENT = "Số hiệu trên biển là SC-0013, xin xem lại ảnh gốc."


def test_a_record_travels_from_a_phone_without_signal_to_the_published_table(
    live_server: LiveServer, open_browser: OpenBrowser
) -> None:
    phone = open_browser("worker")
    page = phone.open()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)

    live_server.stop()
    phone.go_offline()
    expect(page.get_by_test_id("banner-offline")).to_be_visible()
    for number in (1, 2, 3):
        begin(page, FORM)
        fill(page, tea_tree(number))
        finish(page)
        expect(page.get_by_test_id("record-state")).to_have_attribute("data-state", "waiting")
    go_home(page)
    expect_count(page, "waiting", 3)

    phone.close()
    page = phone.open(offline=True)
    # Nothing answers at this address any more: what is shown comes from the phone.
    expect_count(page, "waiting", 3)
    open_record(page, "waiting", "SC-0002")
    page.get_by_test_id("edit").click()
    fill(page, {"keeper_name": KEEPER})
    finish(page)
    expect(page.get_by_test_id("summary-keeper_name")).to_contain_text(KEEPER)

    live_server.start()
    phone.go_offline(False)
    go_home(page)
    # Nobody presses anything: the phone sends because the network is back.
    expect_count(page, "sent", 3, timeout_ms=40_000)
    expect_count(page, "waiting", 0)
    open_record(page, "sent", "SC-0002")
    expect(page.get_by_test_id("record-state")).to_have_attribute("data-state", "received")
    expect(page.get_by_test_id("receipt")).to_be_visible()

    live_server.follow_until("SELECT count(*) FROM records WHERE form = 'shan_tea_tree'", 3)
    live_server.follow_until("SELECT count(*) FROM media", 6, timeout_s=30)
    assert live_server.query(PROJECTED) == [("SC-0001", CHO, 1), ("SC-0002", KEEPER, 1), ("SC-0003", CHO, 1)]

    desk = open_browser("supervisor", DESK)
    review = desk.open()
    sign_in(review, SUPERVISOR)
    open_in_queue(review, "SC-0001")
    review.get_by_test_id("approve").click()
    expect(review.get_by_test_id("decided")).to_be_visible()
    open_in_queue(review, "SC-0003")
    pin(review, "/answers/tree/tree_code", COMMENT)
    review.get_by_test_id("return").click()
    expect(review.get_by_test_id("decided")).to_be_visible()

    send(page)
    go_home(page)
    expect_count(page, "fix", 1)
    open_record(page, "fix", "SC-0003")
    expect(page.get_by_test_id("record-state")).to_have_attribute("data-state", "returned")
    expect(page.get_by_test_id("comment-tree_code")).to_contain_text(COMMENT)
    page.get_by_test_id("edit").click()
    fill(page, {"tree_code": "SC-0013"})
    finish(page)
    send(page)
    go_home(page)
    expect_count(page, "fix", 0)

    live_server.follow_until("SELECT count(*) FROM records WHERE title LIKE '%SC-0013%'", 1)
    open_in_queue(review, "SC-0013")
    expect(review.get_by_test_id("standing-return")).to_be_visible()
    expect(review.get_by_test_id("comment-tree_code")).to_contain_text(COMMENT)
    review.get_by_test_id("approve").click()
    expect(review.get_by_test_id("decided")).to_be_visible()

    live_server.follow_until("SELECT count(*) FROM published_shan_tea_tree", 2)
    assert live_server.query(PUBLISHED) == [("SC-0001", 7.4, "real", "text"), ("SC-0013", 7.4, "real", "text")]


def open_in_queue(page: Page, words: str) -> None:
    """Open the record that carries these words from the supervisor's queue."""
    page.get_by_test_id("nav-review").click()
    page.get_by_test_id("queue").get_by_role("link").filter(has_text=words).click()
    expect(page.get_by_test_id("decision-panel")).to_be_visible()


def pin(page: Page, pointer: str, comment: str) -> None:
    """Write a comment at one question."""
    page.get_by_test_id(f"pin-{pointer}").click()
    page.get_by_test_id(f"comment-{pointer}").fill(comment)

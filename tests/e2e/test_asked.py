"""Two people disagree about a field: a manager asks, the phone answers without signal, and hears what was decided."""

from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.colleague import COLLEAGUE, Colleague
from tests.e2e.conftest import OpenBrowser
from tests.e2e.filling import fill, finish
from tests.e2e.live_server import LiveServer
from tests.e2e.phone import go_home, open_record, send, sign_in, wait_until_ready_for_the_field
from tests.e2e.province import PASSWORD, SCOPE, WORKER, Member, add
from tests.e2e.touring import LOCALES, look_in_each_theme

MANAGER = Member("binh", "Trần Thị Bình", "data_manager", "agri", "11")
KEEPER = "Giàng Thị Mỷ"
OTHER = "Giàng Thị Mai"
HEIGHT = "9.1"
REASON = "Đã hỏi trưởng bản Hấu Chua."
REPLIES = "SELECT count(*) FROM questions WHERE type = 'reply'"
OPEN = f"SELECT count(*) FROM open_questions WHERE database = '{SCOPE}'"


def test_a_question_is_answered_offline_and_the_decision_is_heard(
    live_server: LiveServer, open_browser: OpenBrowser
) -> None:
    for member in (COLLEAGUE, MANAGER):
        add(live_server, member)
    colleague = Colleague(live_server)
    title = colleague.record()
    phone = open_browser("worker")
    page = phone.open()
    sign_in(page, WORKER)
    wait_until_ready_for_the_field(page)

    # Both correct the tree's keeper where neither sees the other; the colleague measures its height again, too.
    open_record(page, "all", title)
    page.get_by_test_id("edit").click()
    fill(page, {"keeper_name": KEEPER})
    finish(page)
    send(page)
    colleague.correct(keeper_name=OTHER, height_m=HEIGHT)
    live_server.follow_until(OPEN, 1)
    desk = Desk(live_server)
    desk.ask()

    send(page)
    go_home(page)
    asked = page.get_by_test_id("asked")
    expect(asked).to_contain_text(OTHER)
    expect(page.get_by_test_id("record-open")).to_be_visible()
    see(page, "asked", home=True)
    asked.get_by_test_id("answer-question").click()
    expect(page.get_by_test_id("open")).to_be_visible()
    expect(page.get_by_test_id("changes-by")).to_contain_text(COLLEAGUE.name)
    expect(page.get_by_test_id("change-height_m")).to_be_visible()
    see(page, "question")

    phone.go_offline()
    page.get_by_role("radio", name=OTHER).check()
    page.get_by_test_id("reply-text").fill("Chủ mới từ tháng trước.")
    # Gone to and come back to, it is read from the phone's own store; so it is after the app was closed.
    go_home(page)
    page.go_back()
    expect(page.get_by_test_id("reply-text")).to_have_value("Chủ mới từ tháng trước.")
    page.reload()
    expect(page.get_by_test_id("reply-text")).to_have_value("Chủ mới từ tháng trước.")
    page.get_by_test_id("send-reply").click()
    expect(page.get_by_test_id("reply-state")).to_have_attribute("data-tone", "waiting")
    see(page, "answered")
    phone.go_offline(False)
    expect(page.get_by_test_id("reply-state")).to_have_attribute("data-tone", "sent", timeout=40_000)
    live_server.follow_until(REPLIES, 1)
    [question] = desk.page()["questions"]
    [reply] = question["asked"][0]["replies"]
    assert (reply["by_name"], reply["value"]["value"], reply["text"]) == (
        WORKER.name,
        OTHER,
        "Chủ mới từ tháng trước.",
    )

    desk.decide(reply["id"])
    send(page)
    go_home(page)
    expect(page.get_by_test_id("asked")).to_be_hidden()
    open_record(page, "sent", title)
    expect(page.get_by_test_id("change-keeper_name")).to_contain_text(f"{MANAGER.name} đã quyết định: {REASON}")
    expect(page.get_by_test_id("change-keeper_name")).to_contain_text(KEEPER)
    expect(page.get_by_test_id("open")).to_be_hidden()
    see(page, "decided")


class Desk:
    """The data manager, over the API."""

    def __init__(self, server: LiveServer) -> None:
        """Sign in and find the only conflict."""
        self._client = httpx.Client(base_url=server.url, timeout=30)
        body = {"username": MANAGER.username, "password": PASSWORD}
        self._client.headers["Authorization"] = "Bearer " + self._asked("POST", "/api/auth/login", body)["access_token"]
        [line] = self._asked("GET", "/api/conflicts")["conflicts"]
        self._address = f"/api/conflicts/{line['database']}/{line['record']}"

    def page(self) -> dict[str, Any]:
        """Return the conflict's page."""
        return self._asked("GET", self._address)

    def ask(self) -> None:
        """Ask those who wrote the candidates."""
        [question] = self.page()["questions"]
        self._asked("POST", f"{self._address}/ask", {"path": question["path"], "text": ""})

    def decide(self, reply: str) -> None:
        """Decide as a worker has answered."""
        page = self.page()
        choices = [{"path": page["questions"][0]["path"], "reply": reply}]
        self._asked("POST", f"{self._address}/decide", {"rev": page["rev"], "choices": choices, "comment": REASON})

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        told: dict[str, Any] = answer.json()
        return told


def see(page: Page, name: str, *, home: bool = False) -> None:
    """Keep a picture of the page in every look; it stays where it is, in the language that it has."""
    for locale in reversed(LOCALES):
        page.get_by_test_id("nav-settings").click()
        page.get_by_test_id(f"language-{locale}").click()
        page.go_back()
        expect(page.get_by_test_id("asked" if home else "record-summary").first).to_be_visible()
        look_in_each_theme(page, f"phone-{name}-{locale}")
        if not home:
            page.get_by_test_id("changes").evaluate("element => element.scrollIntoView()")
            look_in_each_theme(page, f"phone-{name}-changes-{locale}")

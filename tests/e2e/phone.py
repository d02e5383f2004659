"""What a field worker does on the phone, in the words of the screens."""

from playwright.sync_api import Page, expect

from tests.e2e.province import FORMS, PASSWORD, Member

FETCH_TIMEOUT_MS = 40_000
SEND_TIMEOUT_MS = 40_000


def sign_in(page: Page, member: Member, password: str = PASSWORD) -> None:
    """Sign in on the page that asks for it."""
    page.get_by_test_id("username").fill(member.username)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("signin").click()
    expect(page.get_by_test_id("signin")).to_be_hidden()


def wait_until_ready_for_the_field(page: Page, forms: tuple[str, ...] = FORMS["agri"]) -> None:
    """Return when the phone says that it can be taken where there is no network, and has every one of these forms."""
    expect(page.get_by_test_id("ready")).to_be_visible(timeout=FETCH_TIMEOUT_MS)
    page.get_by_test_id("new-record").click()
    for form in forms:
        expect(page.get_by_test_id(f"form-{form}")).to_be_enabled()
    go_home(page)


def begin(page: Page, form: str) -> None:
    """Begin a new record from the home screen's button."""
    go_home(page)
    page.get_by_test_id("new-record").click()
    page.get_by_test_id(f"form-{form}").click()
    expect(page.get_by_test_id("form-filler")).to_be_visible()


def go_home(page: Page) -> None:
    """Go to the lists."""
    page.get_by_test_id("nav-home").click()
    expect(page.get_by_test_id("new-record")).to_be_visible()


def expect_count(page: Page, name: str, count: int, timeout_ms: int = 10_000) -> None:
    """See the number beside a list of the home screen."""
    expect(page.get_by_test_id(f"count-{name}")).to_have_text(str(count), timeout=timeout_ms)


def open_record(page: Page, name: str, title: str) -> None:
    """Open the record with this title from one of the lists."""
    go_home(page)
    page.get_by_test_id(f"list-{name}").click()
    page.get_by_test_id("list").get_by_role("link").filter(has_text=title).click()


def send(page: Page) -> None:
    """Press «Gửi» and wait until nothing waits any more."""
    page.get_by_test_id("nav-outbox").click()
    page.get_by_test_id("send-now").click()
    expect(page.get_by_test_id("send-now")).to_be_enabled(timeout=SEND_TIMEOUT_MS)

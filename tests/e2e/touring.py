"""Pictures of screens, in both languages, both themes and where asked both sizes, and what no screen may do.

No screen scrolls sideways, shows a message key instead of words, or names what only programmers know. A screen is
opened once in each language; themes are colours alone, and sizes are what a turned or resized window has.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.e2e.browser import SETTLED, save_screenshot
from tests.e2e.conftest import SCREENSHOTS

LOCALES = ("vi", "en")
THEMES = ("light", "outdoor")
#: `frame.home.link` instead of «Phiếu»; a photo's file name has only one dot.
MESSAGE_KEY = re.compile(r"\b[a-z_]+\.[a-z_]+\.[a-z_]+\b")
NOT_FOR_PEOPLE = re.compile(r"\b(sync|token|JSON|conflict|undefined|NaN|null)\b|\[object", re.IGNORECASE)
Way = Callable[[Page], None]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen by its way: from anywhere, or from the screen before it if it `goes_on`."""

    go: Way
    goes_on: bool = False
    #: Brings into view what the picture is of, in whichever size.
    show: Way = lambda page: None


Screens = Mapping[str, Screen | Way]


def tour(page: Page, screens: Screens, **sizes: Size) -> None:
    """Visit every screen in every language, and keep pictures of it in every size, by its name, and every theme.

    The first size is gone about in in the first language, the next one in the next: the ways are walked in both.
    """
    names = list(sizes)
    for number, locale in enumerate(LOCALES):
        turn = number % len(names)
        resize(page, sizes[names[turn]])
        leave_the_form(page)
        choose_language(page, locale)
        for name, way in screens.items():
            screen = way if isinstance(way, Screen) else Screen(way)
            if not screen.goes_on:
                leave_the_form(page)
            screen.go(page)
            for kind in names[turn:] + names[:turn]:
                resize(page, sizes[kind])
                screen.show(page)
                look_in_each_theme(page, f"{kind}-{name}-{locale}")
            resize(page, sizes[names[turn]])


def look(page: Page, name: str) -> None:
    """Keep a picture of the page, and check what holds for every screen."""
    expect(page.locator("h1").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    save_screenshot(page, SCREENSHOTS, name)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
    words = page.locator("body").inner_text()
    assert not MESSAGE_KEY.findall(words), f"{name} shows message keys"
    assert not NOT_FOR_PEOPLE.findall(words), f"{name} speaks of what only programmers know"


def look_in_each_theme(page: Page, name: str) -> None:
    """Look at the page in each theme, where it stands, first in the one that it has; it keeps the last."""
    worn = page.locator("html").get_attribute("data-theme")
    for theme in sorted(THEMES, key=lambda theme: theme != worn):
        wear(page, theme)
        # Lines get thicker and the page longer: a picture of what still moves is shifted.
        page.evaluate(SETTLED)
        look(page, f"{name}-{theme}")


def choose_language(page: Page, locale: str) -> None:
    """Choose a language in the settings."""
    go_by("nav-settings", f"language-{locale}")(page)


def wear(page: Page, theme: str) -> None:
    """Choose a theme where it can be chosen; elsewhere put on the page what that changes, which is one attribute."""
    choice = page.get_by_test_id(f"theme-{theme}")
    if choice.is_visible():
        choice.click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    else:
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)


def resize(page: Page, size: Size) -> None:
    """Give the page another size, and time to go by it."""
    width, height = size
    if page.viewport_size != {"width": width, "height": height}:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(SETTLED)


def leave_the_form(page: Page) -> None:
    """Leave a form that is open; it has no navigation of its own."""
    if page.get_by_test_id("fill-leave").is_visible():
        page.get_by_test_id("fill-leave").click()
        expect(page.get_by_test_id("fill-leave")).to_be_hidden()


def go_by(*test_ids: str) -> Way:
    """Return the way through these links, one after the other, until the last one's screen is there."""

    def go(page: Page) -> None:
        for test_id in test_ids:
            link = page.get_by_test_id(test_id)
            address = link.get_attribute("href")
            link.click()
            if address:
                wait_until_at(page, address)
        page.evaluate(SETTLED)

    return go


def wait_until_at(page: Page, address: str) -> None:
    """Return when the page is where a link leads: until its code has come, the screen before it still stands."""
    page.wait_for_url(lambda url: urlsplit(url).path == urlsplit(address).path)

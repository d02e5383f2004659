"""Fills a form as a person does: question after question, page after page, through what is on the screen."""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.browser import SETTLED


@dataclass(frozen=True, slots=True)
class Pick:
    """Choices by their codes; `search` finds the one in a list too long to be shown whole."""

    codes: tuple[str, ...]
    search: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """The place where the phone is."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture from the camera; the same seed gives the same picture."""

    seed: int


@dataclass(frozen=True, slots=True)
class Today:
    """The day of today, by its button."""


Answer = str | Pick | Here | Photo | Today


def pick(*codes: str, search: str = "") -> Pick:
    """Return the choices `codes`."""
    return Pick(codes, search)


def picture(seed: int, size: tuple[int, int] = (1600, 1200)) -> bytes:
    """Return a JPEG as a camera makes it: large, and no two alike."""
    chance = random.Random(seed)
    image = Image.effect_noise((size[0] // 8, size[1] // 8), 60).resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        colour = (chance.randrange(40, 120), chance.randrange(90, 200), chance.randrange(40, 110))
        draw.ellipse((x, y, x + chance.randrange(40, 300), y + chance.randrange(40, 300)), fill=colour)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    return stream.getvalue()


def fill(page: Page, answers: Mapping[str, Answer]) -> None:
    """Answer the questions by name, in the form's order, going on to the next page wherever one does not stand here."""
    expect(page.get_by_test_id("form-filler")).to_be_visible()
    for name, answer in answers.items():
        go_to(page, name)
        _answer(page, name, answer)


def go_to(page: Page, name: str) -> None:
    """Go on until the question stands on the page."""
    question = page.get_by_test_id(f"question-{name}")
    further = page.get_by_test_id("fill-next")
    for _ in range(30):
        expect(question.or_(further).first, f"there is no question {name}").to_be_visible()
        # What the last answer makes of the page is there as soon as the page has nothing to do.
        page.evaluate(SETTLED)
        if question.first.is_visible():
            return
        further.click()
    raise AssertionError(f"there is no question {name}")


def go_to_the_end(page: Page) -> None:
    """Go on to the last page."""
    last = page.get_by_test_id("finish-page")
    while not last.is_visible():
        page.get_by_test_id("fill-next").click()


def finish(page: Page) -> None:
    """Go to the last page and finish; nothing may be missing."""
    go_to_the_end(page)
    missing = page.locator("[data-kind=missing]").all_inner_texts()
    assert not missing, f"the form still asks for {missing}"
    page.get_by_test_id("fill-finish").click()


def _answer(page: Page, name: str, answer: Answer) -> None:
    match answer:
        case str():
            place = page.get_by_test_id(f"answer-{name}")
            place.fill(answer)
            place.blur()
        case Today():
            page.get_by_test_id(f"now-{name}").click()
        case Here():
            page.get_by_test_id(f"answer-{name}").click()
            expect(page.get_by_test_id(f"point-{name}")).to_be_visible()
        case Photo(seed):
            file: FilePayload = {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": picture(seed)}
            page.get_by_test_id(f"answer-{name}").set_input_files(file)
            expect(page.get_by_test_id(f"preview-{name}")).to_be_visible()
        case Pick(codes, search):
            if search:
                page.get_by_test_id(f"search-{name}").fill(search)
            for code in codes:
                # The whole row is the target, as it is for a thumb; the box inside it is only drawn.
                page.get_by_test_id(f"choice-{name}-{code}").locator("xpath=..").click()

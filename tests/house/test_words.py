"""The app's words are there in both languages, also those whose keys are put together when they are shown.

Keys that stand whole in the code are looked for by the linter (`no-missing-keys`); what it can't see is a key in one
language alone, and what a code of the server is called.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from server.desk.review.schemas import Flag

WORDS = Path(__file__).parents[2] / "pwa" / "src" / "locales"
LANGUAGES = ("vi", "en")
FILES = sorted({path.name for language in LANGUAGES for path in (WORDS / language).glob("*.json")})


def keys(words: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in words.items():
        if isinstance(value, dict):
            yield from keys(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def words_of(language: str, file: str) -> set[str]:
    return set(keys(json.loads((WORDS / language / file).read_text("utf-8"))))


@pytest.mark.parametrize("file", FILES)
def test_both_languages_have_the_same_words(file: str) -> None:
    vietnamese, english = (words_of(language, file) for language in LANGUAGES)
    assert vietnamese
    assert vietnamese ^ english == set()


def test_every_flag_has_its_name_and_what_it_means() -> None:
    told = words_of("vi", "desk.json")
    assert not {f"desk.flag.{flag}.{part}" for flag in get_args(Flag) for part in ("name", "hint")} - told

"""Passwords that may not be set: short ones, common ones, and the person's own name or the product's.

The kept list (`data/common_passwords.txt`) holds stems. A password is compared as a guesser varies them: without case,
marks and what is no letter or digit, with `4` for `a` and the like, with a year or a few digits at its ends, and
written several times over. There are no rules about its characters, which only make it guessable.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

SHORTEST = 10
LONGEST_BYTES = 1024
LIST = Path(__file__).parent / "data" / "common_passwords.txt"
PRODUCT = "nuong"
#: Longer ends are more than a date, and are taken for a secret unless they are common themselves.
ENDING = 8
ENDS = re.compile(r"([\W\d_]*)(.*?)([\W\d_]*)", re.DOTALL)
INSTEAD = (str.maketrans("013457@$!", "oleastasi"), str.maketrans("013457@$!", "oieastasi"))

Weakness = Literal["short", "long", "common", "name"]


def weakness(password: str, own: Iterable[str]) -> Weakness | None:
    """Return why `password` may not be set for somebody with these `own` names, None where it may."""
    if len(password.encode("utf-8", "replace")) > LONGEST_BYTES:
        return "long"
    if len(password) < SHORTEST or len(set(password)) <= 3:
        return "short"
    stems = set(_stems(password))
    if stems & {PRODUCT, *(_folded(name) for name in own)}:
        return "name"
    return None if stems.isdisjoint(_common()) else "common"


def _stems(password: str) -> Iterator[str]:
    """Yield what the password may be a variation of."""
    lowered = _unmarked(password)
    for inner in (lowered, *_within_ends(lowered)):
        for written in (inner, *(inner.translate(table) for table in INSTEAD)):
            plain = _folded(written)
            yield plain
            yield _once(plain)


def _within_ends(text: str) -> Iterator[str]:
    found = ENDS.fullmatch(text)
    assert found is not None
    before, middle, after = found.groups()
    if all(len(end) <= ENDING or end in _common() for end in (_folded(before), _folded(after))):
        yield middle


def _once(text: str) -> str:
    """Return what `text` is a repetition of, itself where it is none."""
    again = (text + text).find(text, 1)
    return text[:again] if 0 < again < len(text) else text


def _folded(text: str) -> str:
    return "".join(each for each in _unmarked(text) if each.isalnum())


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(each for each in decomposed if not unicodedata.combining(each))


@cache
def _common() -> frozenset[str]:
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))

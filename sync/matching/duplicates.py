"""How alike two records are as descriptions of one household, and which are worth comparing at all.

Two workers may record one household under two ids; no id can tell, so the answers must. Comparing every pair of a
province costs days, so records are filed under *keys* (Newcombe's blocking): the telephone, the folded name with the
year of birth, the 150 m cell of the house, the code of the dwelling, each within one area. What shares a key is
compared, and each particular speaks for or against in a sum of weights (after Fellegi and Sunter, "A Theory for Record
Linkage", 1969, with weights chosen rather than estimated). What isn't known says nothing.

A likeness is a question for a person, never an answer: nothing here joins records. Everything is a pure function of the
particulars, the same from either side.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import cos, floor, hypot, radians
from typing import Literal, get_args

from sync.matching.text_normalisation import fold

Identifier = Literal["name", "birth_year", "phone", "dwelling", "place"]
IDENTIFIERS: tuple[Identifier, ...] = get_args(Identifier)
Agreement = Literal["same", "close", "far", "different"]

METRES_PER_DEGREE = 111_320.0
#: A cell is 150 m high and, between 8° and 23.5° north, from 148 to 160 m wide: the grid must not depend on the place.
CELL_LATITUDE = 150 / METRES_PER_DEGREE
CELL_LONGITUDE = 0.00145
SAME_PLACE_M, CLOSE_PLACE_M, FAR_PLACE_M = 40.0, 150.0, 1000.0
#: Shorter names differ by a letter because they are different names.
TYPO_LETTERS = 7

#: What each particular says, in the same unit as the threshold. A telephone is often a neighbour's, a name often a
#: namesake's, houses stand close together: no one of them alone reaches the usual threshold of 6.
WEIGHTS: Mapping[tuple[Identifier, Agreement], float] = {
    ("name", "same"): 4.0,
    ("name", "close"): 2.5,
    ("name", "far"): -2.0,
    ("name", "different"): -5.0,
    ("birth_year", "same"): 2.5,
    ("birth_year", "close"): 0.5,
    ("birth_year", "different"): -3.0,
    ("phone", "same"): 5.0,
    ("phone", "different"): -0.5,
    ("dwelling", "same"): 5.0,
    ("dwelling", "different"): -2.0,
    ("place", "same"): 2.0,
    ("place", "close"): 1.0,
    ("place", "far"): -0.5,
    ("place", "different"): -3.0,
}


@dataclass(frozen=True, slots=True)
class Particulars:
    """Particulars of the household that a record describes, made comparable; empty or None where it says nothing.

    `words` are the folded name's; `phone` has ten digits with a leading 0; `place` is (latitude, longitude) in degrees.
    """

    id: str
    area: str
    words: tuple[str, ...] = ()
    birth_year: int | None = None
    phone: str = ""
    dwelling: str = ""
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two records are: the sum, and what each particular that both tell says."""

    score: float
    agreements: tuple[tuple[Identifier, Agreement], ...]


def particulars(record: str, area: str, told: Mapping[Identifier, str]) -> Particulars | None:
    """Return the particulars in a record's lexical answers; None when too little is told to find another by.

    What doesn't read as what it should be counts as not told.
    """
    found = Particulars(
        record,
        area,
        _words(told.get("name", "")),
        _year(told.get("birth_year", "")),
        _phone(told.get("phone", "")),
        re.sub(r"[^0-9a-z]", "", fold(told.get("dwelling", ""))),
        _place(told.get("place", "")),
    )
    return found if keys(found) else None


def keys(of: Particulars) -> tuple[str, ...]:
    """Return the keys under which a record is filed."""
    found = []
    if of.phone:
        found.append(f"phone {of.phone}")
    if of.words and of.birth_year is not None:
        found.append(f"name {' '.join(of.words)} {of.birth_year}")
    if of.dwelling:
        found.append(f"dwelling {of.dwelling}")
    if of.place is not None:
        found.append("cell {} {}".format(*_cell(of.place)))
    return tuple(found)


def probes(of: Particulars) -> tuple[str, ...]:
    """Return the keys under which records like this one are filed: its own, and the cells around the house."""
    around: tuple[str, ...] = ()
    if of.place is not None:
        row, column = _cell(of.place)
        around = tuple(f"cell {row + y} {column + x}" for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))
    return keys(of) + around


def compare(one: Particulars, other: Particulars) -> Likeness:
    """Return how alike two records of one area are; the same whichever comes first."""
    agreements: list[tuple[Identifier, Agreement]] = []
    if one.words and other.words:
        agreements.append(("name", _names(one.words, other.words)))
    if one.birth_year is not None and other.birth_year is not None:
        agreements.append(("birth_year", _years(one.birth_year, other.birth_year)))
    if one.phone and other.phone:
        agreements.append(("phone", "same" if one.phone == other.phone else "different"))
    if one.dwelling and other.dwelling:
        agreements.append(("dwelling", "same" if one.dwelling == other.dwelling else "different"))
    if one.place is not None and other.place is not None:
        agreements.append(("place", _places(one.place, other.place)))
    return Likeness(sum(WEIGHTS[agreement] for agreement in agreements), tuple(agreements))


def likely(among: Iterable[Particulars], threshold: float) -> Iterator[tuple[Particulars, Particulars, Likeness]]:
    """Give each pair of one area whose likeness reaches the threshold, once; a lesser id comes first in it."""
    filed: dict[tuple[str, str], list[Particulars]] = {}
    for arriving in among:
        met: dict[str, Particulars] = {}
        for key in probes(arriving):
            for other in filed.get((arriving.area, key), ()):
                met[other.id] = other
        for other in met.values():
            if (likeness := compare(arriving, other)).score >= threshold:
                first, second = sorted((arriving, other), key=lambda each: each.id)
                yield first, second, likeness
        for key in keys(arriving):
            filed.setdefault((arriving.area, key), []).append(arriving)


def survivor_of(content: Mapping[str, object]) -> str | None:
    """Return the record that a record says to be the same as; None of one that stands for itself."""
    same_as = content.get("same_as")
    record = same_as.get("record") if isinstance(same_as, dict) else None
    return record if isinstance(record, str) and record else None


def _words(text: str) -> tuple[str, ...]:
    # What stands in brackets is a remark, not part of a name.
    return tuple(re.sub(r"[^0-9a-z ]", " ", re.sub(r"\(.*?\)", " ", fold(text))).split())


def _year(text: str) -> int | None:
    found = re.fullmatch(r"\s*((?:19|20)\d\d)(?:-\d\d-\d\d)?\s*", text, re.ASCII)
    return int(found.group(1)) if found else None


def _phone(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    if digits.startswith("84") and len(digits) > 10:
        digits = "0" + digits[2:]
    return digits if len(digits) in {10, 11} else ""


def _place(text: str) -> tuple[float, float] | None:
    pieces = text.split()[:2]
    try:
        latitude, longitude = (float(piece) for piece in pieces)
    except ValueError:
        return None
    # Also keeps infinities and NaN out, and 0 0, which phones without a fix tell.
    is_on_earth = -90 <= latitude <= 90 and -180 <= longitude <= 180 and (latitude, longitude) != (0, 0)
    return (latitude, longitude) if is_on_earth else None


def _cell(place: tuple[float, float]) -> tuple[int, int]:
    return floor(place[0] / CELL_LATITUDE), floor(place[1] / CELL_LONGITUDE)


def _names(one: tuple[str, ...], other: tuple[str, ...]) -> Agreement:
    if one == other:
        return "same"
    # The family's name stands first and the given one last; what is between is often left out.
    if one[0] == other[0] and one[-1] == other[-1] and min(len(one), len(other)) >= 2:
        middle = sorted((one[1:-1], other[1:-1]), key=len)
        return "close" if not middle[0] or set(middle[0]) <= set(middle[1]) else "far"
    if _is_a_letter_apart("".join(one), "".join(other)):
        return "close"
    return "far" if one[-1] == other[-1] else "different"


def _is_a_letter_apart(one: str, other: str) -> bool:
    """Whether one letter was mistyped, left out, added or changed places with the next, in words long enough."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < TYPO_LETTERS or len(longer) - len(shorter) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    swapped = shorter[:at] + shorter[at + 1 : at + 2] + shorter[at : at + 1] + shorter[at + 2 :]
    return shorter[at + 1 :] == longer[at + 1 :] or swapped == longer


def _years(one: int, other: int) -> Agreement:
    if one == other:
        return "same"
    # Years are counted from birth or from conception, and told from memory.
    return "close" if abs(one - other) <= 1 else "different"


def _places(one: tuple[float, float], other: tuple[float, float]) -> Agreement:
    north = (one[0] - other[0]) * METRES_PER_DEGREE
    east = (one[1] - other[1]) * METRES_PER_DEGREE * cos(radians((one[0] + other[0]) / 2))
    distance_m = hypot(north, east)
    if distance_m <= SAME_PLACE_M:
        return "same"
    if distance_m <= CLOSE_PLACE_M:
        return "close"
    return "far" if distance_m <= FAR_PLACE_M else "different"

"""Which records look like one household, and that it doesn't matter from which side one looks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.matching.duplicates import Identifier, Particulars, compare, keys, likely, particulars, probes

THRESHOLD = 5.0


def household(record: str = "a", **told: str) -> Particulars:
    usual: dict[Identifier, str] = {
        "name": "Lò Thị Hoa",
        "birth_year": "1980",
        "phone": "0912345678",
        "dwelling": "NL-041",
        "place": "21.38612 103.02301 480 6",
    }
    found = particulars(record, "03226", {**usual, **told})  # type: ignore[dict-item]
    assert found is not None
    return found


def likeness(**told: str) -> float:
    return compare(household(), household("b", **told)).score


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"name": "lo thi hoa", "phone": "", "dwelling": ""},
        {"name": "Lò Hoa", "phone": "+84 912 345 678", "dwelling": ""},
        {"name": "Lò Thị Hoai", "dwelling": ""},
        {"birth_year": "1981", "phone": "", "dwelling": "nl 041"},
        {"place": "", "dwelling": ""},
    ],
)
def test_a_second_record_of_a_household_is_found(told: dict[str, str]) -> None:
    assert likeness(**told) >= THRESHOLD


@pytest.mark.parametrize(
    "told",
    [
        # A brother next door who gave the same telephone.
        {"name": "Lò Văn Páo", "birth_year": "1984", "dwelling": "", "place": "21.38630 103.02310"},
        # A namesake at the other end of the commune.
        {"birth_year": "1961", "phone": "0987654321", "dwelling": "", "place": "21.45 103.10"},
        # A neighbour of whom nothing else is known.
        {"name": "Quàng Văn Sơn", "birth_year": "", "phone": "", "dwelling": ""},
    ],
)
def test_a_neighbour_or_a_namesake_is_left_alone(told: dict[str, str]) -> None:
    assert likeness(**told) < THRESHOLD


def test_what_is_not_told_or_cannot_be_read_says_nothing() -> None:
    found = household(birth_year="abc", phone="12", dwelling="—")
    assert (found.birth_year, found.phone, found.dwelling) == (None, "", "")
    assert compare(found, household("b")).agreements == (("name", "same"), ("place", "same"))
    assert household(place="0 0").place is None


def test_a_record_that_tells_nothing_to_find_another_by_is_passed_over() -> None:
    assert particulars("a", "03226", {"name": "Lò Thị Hoa"}) is None
    assert particulars("a", "03226", {}) is None


def test_houses_on_both_sides_of_a_cell_border_find_each_other() -> None:
    step = 0.0004
    line = [household(str(n), place=f"{21.4 + n * step:.5f} 103.0", phone="", dwelling="") for n in range(40)]
    for one, other in pairwise(line):
        assert set(keys(other)) & set(probes(one))


def test_only_records_of_one_area_are_compared() -> None:
    here = household("a")
    there = Particulars("b", "03229", here.words, here.birth_year, here.phone, here.dwelling, here.place)
    assert not list(likely([here, there], THRESHOLD))


def test_each_pair_is_given_once_whichever_record_came_first() -> None:
    records = [household("c"), household("a"), household("b", phone="", dwelling="")]
    forwards = {(one.id, other.id) for one, other, _ in likely(records, THRESHOLD)}
    assert forwards == {("a", "b"), ("a", "c"), ("b", "c")}
    assert sorted(forwards) == sorted((one.id, other.id) for one, other, _ in likely(reversed(records), THRESHOLD))


TOLD = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Lò Thị Hoa", "Lo Hoa", "Lò Thị Hao", "Vàng A Páo", "A", ""]) | st.text(max_size=12),
        "birth_year": st.sampled_from(["1980", "1981", "1999-02-01", ""]) | st.text(max_size=5),
        "phone": st.sampled_from(["0912345678", "+84912345678", "0900000000", ""]) | st.text(max_size=12),
        "dwelling": st.sampled_from(["NL-041", "nl041", "7", ""]) | st.text(max_size=5),
        "place": st.sampled_from(["21.4 103.0", "21.4001 103.0", "21.5 103.0", "nan 1", "inf 0", ""])
        | st.text(max_size=9),
    }
)


@given(TOLD, TOLD)
def test_likeness_is_the_same_from_either_side(one: dict[Identifier, str], other: dict[Identifier, str]) -> None:
    a, b = particulars("a", "x", one), particulars("b", "x", other)
    if a is not None and b is not None:
        assert compare(a, b) == compare(b, a)
        assert bool(set(probes(a)) & set(keys(b))) == bool(set(probes(b)) & set(keys(a)))

"""What stands of several candidates: the forms' own rules, and where they do not reach."""

from typing import Any

import pytest

from sync.merging.field_schema import ABSENT, FieldPlace, FieldShape, Role
from sync.merging.policy import Candidate, settle


def settled(shape: FieldShape, *values: Any, base: Any = None, role: Role = "atom", **more: Any) -> Any:
    """Settle candidates given from the smallest revision to the greatest."""
    candidates = [Candidate(f"2-{number:032x}", value, False) for number, value in enumerate(values)][::-1]
    return settle(FieldPlace("/answers/q", role, shape, "/answers/q"), candidates, lambda: base, **more)


@pytest.mark.parametrize(
    ("type_", "merge", "values", "expected"),
    [
        ("integer", "max", ("9", "10"), "10"),
        ("integer", "min", ("9", "10"), "9"),
        ("integer", "min", ("-9", "-10"), "-10"),
        ("decimal", "max", ("1.5", "1.25", "+1.50"), "+1.50"),
        ("decimal", "max", ("1e3", "999"), "1e3"),
        ("date", "max", ("2026-02-28", "2025-12-31"), "2026-02-28"),
        ("date", "min", ("2024-03-01", "2024-02-29"), "2024-02-29"),
        ("date", "max", ("2023-12-31", "2024-01-01"), "2024-01-01"),
        ("time", "max", ("08:30", "08:30:10.5"), "08:30:10.5"),
        ("time", "min", ("08:30+07:00", "02:00Z"), "08:30+07:00"),
        ("dateTime", "max", ("2026-02-28T23:30:00-02:00", "2026-03-01T01:00:00Z"), "2026-02-28T23:30:00-02:00"),
        ("dateTime", "max", ("2026-03-01T01:00:00Z", "2026-03-01T08:30:00+0700"), "2026-03-01T08:30:00+0700"),
        ("dateTime", "min", ("2000-02-29T12:00:59", "2000-03-01T00:00:00"), "2000-02-29T12:00:59"),
        ("dateTime", "max", ("1900-02-28T23:59:00", "1900-03-01T00:00:00"), "1900-03-01T00:00:00"),
        # Across months, leap days and centuries: of equal ones the last would stand, so the expected one is first.
        ("date", "min", ("2026-07-31", "2026-08-01"), "2026-07-31"),
        ("date", "min", ("2024-02-29", "2024-03-01"), "2024-02-29"),
        ("date", "min", ("2020-02-29", "2020-03-01"), "2020-02-29"),
        ("date", "min", ("1919-02-28", "1919-03-01"), "1919-02-28"),
        ("date", "min", ("2023-12-31", "2024-01-01"), "2023-12-31"),
        # With an offset, across a month's end: where a day is too long or too short, the other one is greater.
        ("dateTime", "max", ("1900-02-28T23:30:00-02:00", "1900-03-01T01:00:00Z"), "1900-02-28T23:30:00-02:00"),
        ("dateTime", "max", ("2024-02-29T23:30:00-02:00", "2024-03-01T01:00:00Z"), "2024-02-29T23:30:00-02:00"),
        ("dateTime", "min", ("2026-05-01T06:30:00+07:00", "2026-04-30T23:45:00Z"), "2026-05-01T06:30:00+07:00"),
        ("dateTime", "min", ("2026-05-01T05:00:00+05:45", "2026-04-30T23:16:00Z"), "2026-05-01T05:00:00+05:45"),
        ("dateTime", "max", ("2026-05-01T06:30:00+07:00", "2026-04-30T23:30:00.5Z"), "2026-04-30T23:30:00.5Z"),
        ("time", "max", ("08:30+07:00", "01:29Z"), "08:30+07:00"),
        ("time", "max", ("08:30+07:00", "01:30:05Z"), "01:30:05Z"),
        ("time", "max", ("08:30", "08:30:00.5"), "08:30:00.5"),
    ],
)
def test_the_greater_or_lesser_stands(type_: str, merge: Any, values: tuple[str, ...], expected: str) -> None:
    found = settled(FieldShape(type=type_, merge=merge), *values)
    assert (found.value, found.how, found.cause) == (expected, "policy", None)
    assert found.source == f"2-{values.index(expected):032x}"


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("integer", ("9", None)),
        ("integer", ("9", ABSENT)),
        ("integer", ("9", "many")),
        ("decimal", ("9", "Infinity")),
        ("date", ("2026-01-01", "yesterday")),
        ("date", ("2026-01-01", "")),
        ("time", ("08:30", "08:30Z")),
    ],
)
def test_what_cannot_be_compared_is_asked(type_: str, values: tuple[Any, ...]) -> None:
    found = settled(FieldShape(type=type_, merge="max"), *values)
    assert (found.value, found.how, found.cause) == (values[-1], "stands", "value")


@pytest.mark.parametrize(
    ("base", "values", "expected"),
    [
        ("a", ("a b", "a c"), "a b c"),
        ("a", ("ab", "ac"), "ab\nc"),
        (None, ("one", "two", "one"), "one\ntwo"),
        (ABSENT, ("one", "\ttwo"), "one\ttwo"),
        ("a", ("ab", "a"), "ab"),
        ("a", ("b", "ab"), None),
        ("a", (None, "ab"), None),
    ],
)
def test_what_was_added_is_joined_by_revision(base: Any, values: tuple[Any, ...], expected: str | None) -> None:
    found = settled(FieldShape(merge="append"), *values, base=base)
    assert found.value == (values[-1] if expected is None else expected)
    assert found.cause == ("value" if expected is None else None)
    assert found.source == (f"2-{len(values) - 1:032x}" if expected is None else None)


def test_additions_join_by_generation_before_hash() -> None:
    candidates = [Candidate("10-" + "0" * 32, "late", False), Candidate("9-" + "f" * 32, "early", False)]
    place = FieldPlace("/answers/q", "atom", FieldShape(merge="append"), "/answers/q")
    assert settle(place, candidates, lambda: None).value == "early\nlate"


def test_orders_that_agree_on_the_rows_they_share_are_one() -> None:
    repeat = FieldShape("repeat")
    assert settled(repeat, ["a", "b", "c"], ["a", "d", "c"], role="order").how == "alike"
    assert settled(repeat, ["a", "b"], ["b", "a"], ["a", "b"], role="order").cause == "value"
    assert settled(repeat, ["c", "b"], ["a", "b"], ["b", "a"], role="order").cause == "value"
    assert settled(repeat, ["a"], [{"odd": "row"}, "a"], role="order").how == "alike"
    assert settled(repeat, ["a"], "odd", role="order").cause == "value"
    assert settled(repeat, "odd", ["a"], role="order").cause == "value"


def test_what_is_there_stands_of_choices_and_groups() -> None:
    assert settled(FieldShape("choices"), True, ABSENT, role="choice").value is True
    assert settled(FieldShape("group"), {}, ABSENT, role="group", is_parent_unknown=True).value == {}


def test_a_rule_is_no_rule_beside_an_unknown_parent() -> None:
    found = settled(FieldShape(type="integer", merge="max"), "9", "1", is_parent_unknown=True)
    assert (found.value, found.cause) == ("1", "parent_unknown")


def test_one_candidate_or_a_computed_value_is_never_asked() -> None:
    assert settled(FieldShape(merge="ask"), "1").how == "only"
    assert settled(FieldShape(is_calculated=True), "1", "2").how == "recomputed"
    assert settled(FieldShape(merge="ask"), "1", "1").how == "alike"
    assert settled(FieldShape(merge="ask"), "1", "2").cause == "asked"

"""Decisions that are taken back: what others said stays, and what stands is computed from the edits that are left."""

from collections.abc import Sequence
from typing import Any

import pytest

from sync.merging.merge import Combined, combine
from tests.sync.merge_world import Story, answers_of, rows

A, B, C = {"area": "1"}, {"area": "2"}, {"area": "3"}


def combined(story: Story, *lacking: str) -> Combined:
    """Return what a server makes of a story that has heard of some revisions only by name."""
    found = combine(story.lacking(*lacking), story.forms)
    assert isinstance(found, Combined)
    return found


def two_decisions(last: Sequence[str]) -> tuple[Story, str, str]:
    """Return a story in which one manager chose pest and another one, who knew it, this list: with both decisions."""
    story = Story()
    first = story.decide(story.first({"losses": None}), ["/answers/losses"], {"losses": ["pest"]})
    # Right after the first, the same `decided` would be a repeated one, which is no decision.
    between = story.edit(first, {"phone": "1"})
    return story, first, story.decide(between, ["/answers/losses"], {"losses": [*last]})


@pytest.mark.parametrize("last", [["frost", "pest"], ["pest"]])
def test_an_undo_leaves_a_later_decision_that_knew_it(last: list[str]) -> None:
    story, first, later = two_decisions(last)
    story.undo(later, first)
    assert answers_of(story.combined())["losses"] == last
    assert story.combined().open == {}


def test_an_undo_leaves_a_later_decision_about_the_row_around_its_cell() -> None:
    story = Story()
    first = story.decide(
        story.first({"plots": rows(a={})}), ["/answers/plots/a/crop"], {"plots": rows(a={"crop": "chè"})}
    )
    later = story.decide(story.edit(first, {"phone": "1"}), ["/answers/plots/a"])
    story.undo(later, first)
    assert answers_of(story.combined())["plots"] == rows(a={"crop": "chè"})


def test_an_undo_leaves_a_later_decision_about_one_value() -> None:
    story = Story()
    first = story.decide(story.first({"crop": "ngô"}), ["/answers/crop"], {"crop": "lúa"})
    later = story.decide(story.edit(first, {"phone": "1"}), ["/answers/crop"], {"crop": "chè"})
    story.undo(later, first)
    assert answers_of(story.combined())["crop"] == "chè"
    assert answers_of(combined(story, later))["crop"] == "chè"


def test_an_undo_at_a_hub_that_lacks_the_later_decision_asks_or_keeps() -> None:
    """Nobody there can compute what was left, so what the undo holds counts."""
    story, first, later = two_decisions(["frost"])
    undo = story.undo(later, first)
    held = story.revisions[undo].content["answers"]
    there = combined(story, later)
    assert answers_of(there) == held == {"losses": ["frost"], "phone": "1"}
    # Beside what the undo did not know it is asked about, for the parent's body is unknown.
    story.edit(next(iter(story.revisions)), {"losses": ["none"]})
    assert set(combined(story, later).open) == {"/answers/losses"}


def test_an_undo_at_a_hub_that_lacks_the_decision_itself_keeps_what_it_holds() -> None:
    story = Story()
    decision = story.decide(story.first({"area": "1"}), ["/answers/area"], {"area": "2"})
    story.undo(decision, decision)
    assert answers_of(combined(story, decision)) == {"area": "1"}


def test_an_edit_of_whose_ancestors_only_names_are_here_holds_all_that_it_says() -> None:
    story = Story()
    first = story.first({"area": "1"})
    story.edit(first, {"phone": "1"})
    story.edit(first, {"crop": "lúa"})
    assert answers_of(combined(story, first)) == {"area": "1", "phone": "1", "crop": "lúa"}
    assert combined(story, first).open == {}


@pytest.mark.parametrize(
    ("name", "one", "other", "decided", "last"),
    [("losses", ["none"], ["frost"], ["pest"], ["frost"]), ("crops", ["rice"], ["maize"], ["none"], ["tea"])],
)
def test_an_undo_at_a_hub_that_lacks_the_later_decision_makes_no_list_of_its_own(
    name: str, one: list[str], other: list[str], decided: list[str], last: list[str]
) -> None:
    story = Story()
    start = story.first({name: None})
    story.edit(start, {name: one})
    story.edit(start, {name: other})
    first = story.decide(story.merge(), [f"/answers/{name}"], {name: decided})
    later = story.decide(story.edit(first, {"phone": "1"}), [f"/answers/{name}"], {name: last})
    undo = story.undo(later, first)
    held: Any = story.revisions[undo].content["answers"]
    there = combined(story, later)
    assert answers_of(there)[name] == held[name] == last
    assert there.open == {}


@pytest.mark.parametrize("last", [["frost", "pest"], ["frost"]])
def test_an_undo_leaves_the_whole_list_of_who_marked_it_right_after_the_decision(last: list[str]) -> None:
    """The same `decided` as the parent's is no decision, but they saw the whole list and said what becomes of it."""
    story = Story()
    first = story.decide(story.first({"losses": None}), ["/answers/losses"], {"losses": ["pest"]})
    repeated = story.decide(first, ["/answers/losses"], {"losses": last})
    story.undo(repeated, first)
    assert answers_of(story.combined())["losses"] == last
    assert story.combined().open == {}


def test_an_undo_leaves_the_whole_row_of_who_marked_it_right_after_the_decision() -> None:
    story = Story()
    first = story.decide(story.first({"plots": rows(a=A)}), ["/answers/plots/a"], {"plots": rows(a={"crop": "chè"})})
    repeated = story.decide(first, ["/answers/plots/a"], {"plots": rows(a={"crop": "chè", "area": "7"})})
    story.undo(repeated, first)
    assert answers_of(story.combined())["plots"] == rows(a={"crop": "chè", "area": "7"})


def test_a_mark_repeated_beside_another_change_leaves_the_list_to_who_decided_it() -> None:
    story = Story()
    first = story.decide(story.first({"losses": None}), ["/answers/losses"], {"losses": ["pest"]})
    story.undo(story.decide(first, ["/answers/losses"], {"phone": "1"}), first)
    assert answers_of(story.combined()) == {"losses": None, "phone": "1"}


def test_an_exclusive_choice_that_an_undo_brings_back_beside_another_is_asked_about() -> None:
    """And the list of who worked on after the decision stands whole meanwhile, until somebody says another."""
    story = Story()
    none = story.edit(story.first({"losses": None}), {"losses": ["none"]})
    first = story.decide(none, ["/answers/losses"], {"losses": ["pest"]})
    worker = story.edit(first, {"losses": ["frost", "pest"]})
    undo = story.undo(worker, first)
    assert story.combined().open == {"/answers/losses": (worker,)}
    assert answers_of(story.combined())["losses"] == ["frost", "pest"]
    story.edit(undo, {"losses": ["frost"]})
    assert story.combined().open == {}
    assert answers_of(story.combined())["losses"] == ["frost"]


BESIDE = [
    pytest.param(rows(a={"area": "9"}, b=B, c=C), rows(a={"area": "9"}, b=B, c=C), id="a cell"),
    pytest.param(rows(c=C, b=B, a=A), rows(c=C, b=B, a=A), id="the order"),
    pytest.param(rows(b=B, c=C), rows(b=B, c=C), id="the same row deleted"),
    pytest.param(rows(a=A, c=C), rows(a=A, c=C), id="another row deleted"),
]


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(("said", "stands"), BESIDE)
def test_undoing_the_removal_of_a_row_leaves_what_a_worker_said(said: Any, stands: Any, is_late: bool) -> None:
    """A worker's 9, turned rows, a row that a worker deleted: also where the undo, which holds all, knew of none."""
    story = Story()
    first = story.first({"plots": rows(a=A, b=B, c=C)})
    removal = story.decide(first, ["/answers/plots/a"], {"plots": rows(b=B, c=C)})
    if not is_late:
        story.edit(first, {"plots": said})
    story.undo(removal, removal, [first, removal])
    if is_late:
        story.edit(first, {"plots": said})
    assert answers_of(story.combined())["plots"] == stands
    assert story.combined().open == {}


def test_undoing_the_removal_of_a_row_brings_it_back() -> None:
    story = Story()
    removal = story.decide(story.first({"plots": rows(a=A, b=B)}), ["/answers/plots/a"], {"plots": rows(b=B)})
    assert answers_of(story.combined())["plots"] == rows(b=B)
    story.undo(removal, removal)
    assert answers_of(story.combined())["plots"] == rows(a=A, b=B)

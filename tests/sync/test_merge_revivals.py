"""Records that somebody makes anew after a deletion: what the revival leaves out is gone, and nothing else is."""

from typing import Any

import pytest

from sync.merging.causal_history import read
from sync.merging.merge import WaitingMerge
from sync.merging.resolution import combined
from sync.revisions.canonical import canonical
from tests.sync.merge_world import Story, answers_of, rows

FULL: dict[str, Any] = {"crop": "ngô", "phone": "1", "area": "1", "plots": rows(a={}, b={"crop": "chè"})}
#: The crop and a row are left out.
PART: dict[str, Any] = {"phone": "1", "area": "1", "plots": rows(a={})}


def two_revivals() -> tuple[Story, str, str, str]:
    """Return a story of two who made a deleted record anew: the last revision before, the whole one, the other."""
    story = Story()
    alive = story.first(FULL)
    gone = story.delete(alive)
    return story, alive, story.revive(gone, FULL), story.revive(gone, PART)


def but(answers: Any, *names: str) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if name not in names}


def test_two_revivals_without_a_row_keep_what_both_kept() -> None:
    """One of them left a crop and a row out: that is an edit, and who wrote them again as they were edited nothing."""
    story, *_ = two_revivals()
    assert answers_of(story.combined()) == PART
    assert story.combined().open == {}


@pytest.mark.parametrize("is_early", [False, True])
def test_a_late_edit_of_another_field_changes_nothing_else(is_early: bool) -> None:
    story, alive, whole, _ = two_revivals()
    before = story.combined()
    story.edit(alive if is_early else whole, {"area": "3"})
    after = story.combined()
    assert answers_of(after)["area"] == "3"
    assert but(answers_of(after), "area") == but(answers_of(before), "area")
    assert set(after.open) == set(before.open)


def test_undoing_a_decision_about_another_field_drops_nothing() -> None:
    story = Story()
    first = story.first(FULL)
    decision = story.decide(first, ["/answers/phone"], {"phone": "2"})
    gone = story.delete(decision)
    story.revive(gone, {**FULL, "phone": "2"})
    story.revive(gone, {**PART, "phone": "2"})
    merge = story.merge()
    before = story.combined()
    story.undo(story.edit(merge, {"remarks": "seen"}), decision)
    after = story.combined()
    assert but(answers_of(after), "remarks", "phone") == but(answers_of(before), "phone")
    assert answers_of(after)["phone"] == "1"
    assert after.open == before.open == {}


def test_a_late_edit_of_a_field_that_a_revival_left_as_it_was_stands() -> None:
    story = Story()
    alive = story.first(FULL)
    story.revive(story.delete(alive), PART)
    story.edit(alive, {"phone": "9"})
    assert answers_of(story.combined()) == {**PART, "phone": "9"}
    assert story.combined().open == {}


def test_the_base_is_a_shortcut_and_changes_no_result() -> None:
    """A late edit on an early revision moves the base back; what else stands is the same with it, and without any."""
    story, alive, whole, _ = two_revivals()
    told = [answers_of(story.combined())]
    story.edit(alive, {"remarks": "late"})
    told.append(but(answers_of(story.combined()), "remarks"))
    story.edit(whole, {"since": "2020-01-01"})
    told.append(but(answers_of(story.combined()), "remarks", "since"))
    assert [canonical(each) for each in told] == [canonical(PART)] * 3
    history = read(story.document(), story.forms, has_base=False)
    assert not isinstance(history, WaitingMerge)
    assert history.base is None
    without = combined(history, story.forms)
    assert canonical(without.content) == canonical(story.combined().content)
    assert without.open == story.combined().open

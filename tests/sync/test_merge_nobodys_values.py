"""What stands while a person is asked, or where a body is missing, is always something that somebody said."""

from typing import Any

import pytest

from sync.merging.field_diff import FieldSchema
from sync.merging.merge import Combined, combine
from tests.sync.merge_histories import without
from tests.sync.merge_world import FORM, SHAPE, VERSION, PlainForms, Story, answers_of, rows

PHOTOS = {"a.jpg": {"sha256": "1"}, "b.jpg": {"sha256": "2"}}


@pytest.mark.parametrize(
    ("name", "base", "one", "other"),
    [
        ("losses", None, ["none"], ["frost"]),
        ("rights", None, ["own"], ["rent"]),
        ("rights", ["own", "rent"], ["own"], ["rent"]),
        ("rights", ["own", "rent"], None, ["rent"]),
    ],
)
def test_an_open_question_of_choices_shows_the_greatest_candidates_whole_list(
    name: str, base: Any, one: Any, other: Any
) -> None:
    story = Story()
    first = story.first({name: base})
    story.edit(first, {name: one})
    greatest = story.edit(story.edit(first, {"phone": "1"}), {name: other})
    combined = story.combined()
    outcome = combined.fields[f"/answers/{name}"]
    assert f"/answers/{name}" in combined.open
    assert outcome.source == outcome.candidates[0].rev == greatest
    assert answers_of(combined)[name] == outcome.value == other


@pytest.mark.parametrize(
    ("name", "one", "other", "then", "later"),
    [
        ("losses", ["none"], ["frost"], ["frost", "pest"], ["pest"]),
        ("rights", ["own"], ["rent"], None, ["own"]),
        ("crops", "odd", ["tea"], ["maize"], ["maize", "rice"]),
    ],
)
def test_who_answers_an_open_question_of_choices_says_the_whole_list(
    name: str, one: Any, other: Any, then: Any, later: Any
) -> None:
    """They saw the list that stood, and none of the others' choices join what they wrote."""
    story = Story()
    first = story.first({name: None})
    story.edit(first, {name: one})
    story.edit(story.edit(first, {"phone": "1"}), {name: other})
    answer = story.edit(story.merge(), {name: then})
    assert answers_of(story.combined())[name] == then
    assert story.combined().open == {}
    story.edit(answer, {name: later})
    assert answers_of(story.combined())[name] == later


def test_who_edits_a_list_that_nobody_asks_about_says_only_what_they_changed() -> None:
    story = Story()
    first = story.first({"crops": ["maize", "rice"]})
    one = story.edit(first, {"crops": ["maize", "rice", "tea"]})
    story.edit(one, {"crops": ["rice", "tea"]})
    story.edit(first, {"crops": ["maize"]})
    assert answers_of(story.combined())["crops"] == ["tea"]
    assert story.combined().open == {}


def test_a_decided_list_stands_whole_while_it_is_asked_about() -> None:
    """A decision is greater than any edit, however long its line."""
    story = Story()
    first = story.first({"rights": ["own"]})
    story.decide(first, ["/answers/rights"], {"rights": ["rent"]})
    late = story.edit(first, {"phone": "1"})
    story.edit(story.edit(late, {"phone": "2"}), {"rights": []})
    assert "/answers/rights" in story.combined().open
    assert answers_of(story.combined())["rights"] == ["rent"]


def test_a_second_deletion_revives_nothing_that_a_managers_deletion_settled() -> None:
    """It did not know the edits that the manager's deletion knew; that they are gone is said already."""
    story = Story()
    first = story.first({"crop": "ngô"})
    one, other = story.edit(first, {"phone": "1"}), story.edit(first, {"crop": "lúa"})
    merge = story.merge()
    elsewhere = {**story.combined().content, "merged": [merge]}
    story.delete(merge, decided=[""])
    story.delete(first, note="second")
    # Another server's merge of the same edits keeps a leaf alive.
    story.add(one if story.revisions[merge].parent == other else other, elsewhere)
    assert story.combined().is_deleted


def test_a_second_removal_of_a_row_asks_nothing_that_a_manager_settled() -> None:
    story = Story()
    first = story.first({"plots": rows(a={"area": "1"}, b={})})
    edited = story.edit(first, {"plots": rows(a={"area": "2"}, b={})})
    story.decide(edited, ["/answers/plots/a"], {"plots": rows(b={})})
    story.edit(first, {"plots": rows(b={}), "phone": "1"})
    assert story.combined().open == {}
    assert answers_of(story.combined()) == {"plots": rows(b={}), "phone": "1"}


def test_an_edit_that_no_deletion_knew_is_still_asked_about() -> None:
    story = Story()
    first = story.first({"crop": "ngô"})
    gone = story.delete(story.edit(first, {"crop": "lúa"}))
    second, late = story.delete(first, note="second"), story.edit(first, {"phone": "1"})
    assert story.combined().open == {"": tuple(sorted([gone, second, late]))}


def test_a_repeated_decided_does_not_outrank_a_workers_edit() -> None:
    story = Story()
    decision = story.decide(story.first({"area": "1"}), ["/answers/area"], {"area": "2"})
    repeated = story.decide(decision, ["/answers/area"], {"area": "3"})
    worker = story.edit(story.edit(story.edit(decision, {"phone": "1"}), {"phone": "2"}), {"area": "9"})
    combined = story.combined()
    assert combined.open == {"/answers/area": tuple(sorted([repeated, worker]))}
    assert answers_of(combined)["area"] == "9"


@pytest.mark.parametrize("is_named", [False, True])
def test_a_decision_on_a_merge_whose_body_is_not_here_counts(is_named: bool) -> None:
    """It marks what the decision before the merge marked; whether that is repeated cannot be known without the body."""
    story = Story()
    first = story.first({"area": "1"})
    line = story.edit(story.edit(first, {"phone": "1"}), {"phone": "2"})
    before = story.decide(line, ["/answers/area"], {"area": "2"})
    other = story.edit(first, {"area": "3"})
    merge = story.merge()
    assert story.revisions[merge].parent == before
    decision = story.decide(merge, ["/answers/area"])
    for number in "3456":
        other = story.edit(other, {"phone": number})
    late = story.edit(other, {"area": "7"})
    for document in (story.document(), story.lacking(merge) if is_named else without(story, [merge])):
        combined = combine(document, story.forms)
        assert isinstance(combined, Combined)
        outcome = combined.fields["/answers/area"]
        assert [(each.rev, each.is_decision) for each in outcome.candidates] == [(decision, True), (late, False)]
        assert answers_of(combined)["area"] == "2"


def no_way() -> PlainForms:
    """Return a form in two versions; answers with a large area have no way from one to the other."""
    return PlainForms(
        (SHAPE, FieldSchema(FORM, "2", SHAPE.fields)), lambda given, *_: None if given["area"] == "large" else given
    )


def said(answers: Any, **members: Any) -> dict[str, Any]:
    return {"type": "record", "form": FORM, "form_version": VERSION, "answers": answers, **members}


@pytest.mark.parametrize("is_in_newer", [False, True])
def test_without_a_way_between_versions_removed_photos_and_of_stay_removed(is_in_newer: bool) -> None:
    """Only the answers are asked about as a whole: who took a photo away has taken it away."""
    story = Story(forms=no_way())
    first = story.add(None, said({"area": "large"}, media=PHOTOS, of="household"), saved=True)
    left = {"media": {"b.jpg": PHOTOS["b.jpg"]}}
    newer = {"form_version": "2"}
    removed = {**said({"area": "2"}, **left), **newer} if is_in_newer else said({"area": "large"}, **left)
    story.add(first, {**removed}, saved=True)
    if is_in_newer:
        story.add(first, said({"area": "large", "crop": "lúa"}, media=PHOTOS, of="household"), saved=True)
    else:
        story.add(first, {**said({"area": "2"}, media=PHOTOS, of="household"), **newer}, saved=True)
    combined = story.combined()
    assert combined.content["media"] == left["media"]
    assert "of" not in combined.content
    assert set(combined.open) <= {"/answers"}

"""What forms have to say in merges: constraints, calculations, versions and ways between them."""

from collections.abc import Mapping
from typing import Any

import pytest

from sync.merging.field_diff import FieldSchema, FieldShape
from sync.merging.merge import Candidate, Checked
from tests.sync.merge_world import FORM, SHAPE, PlainForms, Story, answers_of


def test_merged_answers_that_break_a_constraint_are_asked_and_kept() -> None:
    def check(answers: Mapping[str, Any]) -> Checked:
        is_broken = answers.get("crop") == "lúa" and answers.get("area") == "2"
        return Checked(answers, frozenset({"/answers/area"} if is_broken else ()))

    story = Story(forms=PlainForms(checking=check))
    r1 = story.first({"crop": "ngô", "area": "1"})
    area, crop = story.edit(r1, {"area": "2"}), story.edit(r1, {"crop": "lúa"})
    combined = story.combined()
    assert combined.open == {"/answers/area": (area,)}
    assert combined.fields["/answers/area"].cause == "constraint"
    assert answers_of(combined) == {"crop": "lúa", "area": "2"}
    merge = story.merge()
    # An edit of something else doesn't settle it; one that lays hand on the field does, and so does mending the other.
    story.edit(merge, {"phone": "1"})
    assert story.combined().open == {"/answers/area": (area,)}
    story.decide(story.combined().winner, ["/answers/area"])
    assert story.combined().open == {}
    assert crop in {each.rev for each in combined.fields["/answers/crop"].candidates}


def test_a_constraint_on_what_nobody_edited_names_who_said_it_last() -> None:
    def check(answers: Mapping[str, Any]) -> Checked:
        is_broken = answers.get("crop") == "lúa" and answers.get("area") == "2"
        return Checked(answers, frozenset({"/answers/phone"} if is_broken else ()))

    story = Story(forms=PlainForms(checking=check))
    r1 = story.first({"crop": "ngô", "area": "1", "phone": "0912"})
    story.edit(r1, {"area": "2"})
    story.edit(r1, {"crop": "lúa"})
    assert story.combined().open == {"/answers/phone": (r1,)}


@pytest.mark.parametrize("breaks_at", ["base", "edit"])
def test_what_a_person_broke_alone_is_not_the_merges_matter(breaks_at: str) -> None:
    def check(answers: Mapping[str, Any]) -> Checked:
        return Checked(answers, frozenset({"/answers/area"} if answers.get("area") == "-1" else ()))

    story = Story(forms=PlainForms(checking=check))
    r1 = story.first({"area": "-1" if breaks_at == "base" else "1"})
    story.edit(r1, {"area": "-1"} if breaks_at == "edit" else {"crop": "lúa"})
    story.edit(r1, {"phone": "1"})
    assert story.combined().open == {}


def test_what_is_asked_already_is_not_asked_twice_for_a_constraint() -> None:
    def check(answers: Mapping[str, Any]) -> Checked:
        return Checked(answers, frozenset({"/answers/area"} if answers.get("crop") == "lúa" else ()))

    story = Story(forms=PlainForms(checking=check))
    r1 = story.first({"area": "1", "crop": "ngô"})
    story.edit(r1, {"area": "2"})
    story.edit(r1, {"area": "3"})
    story.edit(r1, {"crop": "lúa"})
    assert story.combined().fields["/answers/area"].cause == "value"


def test_calculated_fields_come_from_the_forms() -> None:
    def check(answers: Mapping[str, Any]) -> Checked:
        return Checked({**answers, "yield": f"{answers['area']} of {answers['crop']}"})

    story = Story(forms=PlainForms(checking=check))
    r1 = story.first({"area": "1", "crop": "ngô", "yield": "1 of ngô"})
    story.edit(r1, {"area": "2", "yield": "2 of ngô"})
    story.edit(r1, {"crop": "lúa", "yield": "1 of lúa"})
    combined = story.combined()
    assert answers_of(combined)["yield"] == "2 of lúa"
    assert combined.fields["/answers/yield"].how == "recomputed"
    assert combined.open == {}


TWO = FieldSchema(FORM, "2", {"/area_m2": FieldShape(type="decimal", was="area"), "/crop": FieldShape()})


def lifting(answers: Mapping[str, Any], from_version: str, to_version: str) -> Mapping[str, Any] | None:
    """Rename area; there is no way for what is no number."""
    if from_version == to_version:
        return answers
    lifted = dict(answers)
    if "area" in lifted:
        lifted["area_m2"] = lifted.pop("area")
    return None if lifted.get("area_m2") == "large" else lifted


def versions() -> PlainForms:
    return PlainForms((SHAPE, TWO), lifting, renamed={"/answers/area": "/answers/area_m2"})


def test_the_newest_version_among_the_leaves_is_the_merges() -> None:
    story = Story(forms=versions())
    r1 = story.first({"area": "1", "crop": "ngô"})
    older = story.edit(r1, {"area": "2"})
    story.edit(r1, {"area_m2": "1", "crop": "lúa"}, form_version="2", drop=["area"])
    combined = story.combined()
    assert combined.content["form_version"] == "2"
    assert answers_of(combined) == {"area_m2": "2", "crop": "lúa"}
    assert combined.fields["/answers/area_m2"].source == older


def test_leaves_that_name_a_version_but_no_form_are_merged_without_one() -> None:
    story = Story(forms=versions())
    r1 = story.first({"crop": "ngô"}, form="")
    story.edit(r1, {"crop": "lúa"}, form="", form_version="1")
    story.edit(r1, {"area": "2"}, form="", form_version="2")
    assert answers_of(story.combined()) == {"crop": "lúa", "area": "2"}


def test_answers_without_a_way_between_versions_are_asked_as_a_whole() -> None:
    story = Story(forms=versions())
    r1 = story.first({"area": "1", "crop": "ngô"})
    apart = story.edit(r1, {"area": "large"}, of="household")
    newer = story.edit(r1, {"area_m2": "1", "crop": "lúa"}, form_version="2", drop=["area"])
    combined = story.combined()
    assert combined.open == {"/answers": tuple(sorted([apart, newer]))}
    assert combined.fields["/answers"].cause == "form_version"
    assert answers_of(combined) == {"area_m2": "1", "crop": "lúa"}
    # What is not in the answers needs no way.
    assert combined.content["of"] == "household"
    values = {each.rev: each.value for each in combined.fields["/answers"].candidates}
    assert values[apart] == {"area": "large", "crop": "ngô"}
    merge = story.merge()
    story.decide(merge, ["/answers"], {"area_m2": "3"})
    assert story.combined().open == {}
    assert answers_of(story.combined()) == {"area_m2": "3", "crop": "lúa"}


def test_who_goes_on_where_there_was_no_way_has_said_everything() -> None:
    story = Story(forms=versions())
    r1 = story.first({"area": "large", "crop": "ngô"})
    moved = story.edit(r1, {"area_m2": "9", "crop": "ngô"}, form_version="2", drop=["area"])
    combined = story.combined()
    assert combined.open == {}
    assert answers_of(combined) == {"area_m2": "9", "crop": "ngô"}
    apart = story.edit(r1, {"crop": "chè"})
    assert story.combined().open == {"/answers": tuple(sorted([apart, moved]))}
    # Not every edit of a version without a way touches the answers.
    again = Story(forms=versions())
    first = again.first({"area": "large"})
    again.edit(first, of="household")
    again.edit(first, {"area_m2": "9"}, form_version="2", drop=["area"])
    assert again.combined().open == {}


def test_a_decision_is_about_the_field_under_its_new_name() -> None:
    story = Story(forms=versions())
    r1 = story.first({"area": "1"})
    one, _ = story.edit(r1, {"area": "2"}), story.edit(r1, {"area": "3"})
    decision = story.decide(one, ["/answers/area"])
    story.edit(r1, {"area_m2": "4"}, form_version="2", drop=["area"])
    candidates = story.combined().fields["/answers/area_m2"].candidates
    assert candidates[0].rev == decision
    assert candidates[0].is_decision


def test_a_decision_in_the_newest_version_is_about_the_field_that_it_names() -> None:
    """A question of the newest version may bear the name that another one had before: only older paths are renamed."""
    story = Story(forms=versions())
    first = story.first({"area": "1"}, form_version="2")
    decision = story.decide(first, ["/answers/area"])
    story.edit(first, {"area": "2"})
    outcome = story.combined().fields["/answers/area"]
    assert (outcome.source, outcome.candidates[0].is_decision) == (decision, True)
    assert "/answers/area_m2" not in story.combined().fields


@pytest.mark.parametrize("inside", ["house", "plots"])
def test_what_a_newer_form_dropped_inside_a_group_or_a_row_merges_member_by_member(inside: str) -> None:
    """Lifting keeps it under `$extra` where it was: two who changed two of its members don't disagree."""

    def with_extra(**members: str) -> Any:
        extra = {"$extra": {"kept": "0", **members}}
        return {"house": {"roof": "tin", **extra}} if inside == "house" else {"plots": [{"_rid": "a", **extra}]}

    story = Story()
    first = story.first(with_extra(old="1", older="1"))
    story.edit(first, with_extra(old="2", older="1"))
    story.edit(first, with_extra(old="1", older="2"))
    assert answers_of(story.combined()) == with_extra(old="2", older="2")
    assert story.combined().open == {}


def test_answers_of_another_form_have_no_way() -> None:
    story = Story(forms=PlainForms((SHAPE, FieldSchema("tree", "1", {"/height": FieldShape()}))))
    r1 = story.first({"area": "1"})
    other = story.edit(r1, {"height": "3"}, form="tree", drop=["area"])
    mine = story.edit(r1, {"area": "2"})
    combined = story.combined()
    assert combined.open == {"/answers": tuple(sorted([mine, other]))}
    assert combined.content["form"] == story.revisions[combined.winner].content["form"]


def test_a_constraint_is_looked_at_where_answers_are() -> None:
    """A base without answers breaks nothing, nor do edits whose answers the version cannot hold."""

    def check(answers: Mapping[str, Any]) -> Checked:
        is_broken = answers.get("crop") == answers.get("phone")
        return Checked(answers, frozenset({"/answers/crop", "/answers/members"} if is_broken else ()))

    story = Story(forms=versions())
    story.forms.checking = check
    first = story.add(None, {"type": "record", "form": FORM, "form_version": "2"})
    crop, phone = story.edit(first, {"crop": "a", "area_m2": "1"}), story.edit(first, {"phone": "a", "area_m2": "2"})
    apart = story.edit(first, {"area": "large", "crop": "a"}, form_version="1")
    assert set(story.combined().open) == {"/answers"}
    # Who answers anew in the newer version ends the question; what others said beside it is asked field by field.
    story.edit(apart, {"crop": "b"}, form_version="2", drop=["area"])
    assert set(story.combined().open) == {"/answers/area_m2", "/answers/crop", "/answers/phone"}
    story.edit(story.edit(crop, {"of": "x"}), {"crop": "c"})
    story.edit(story.edit(story.edit(phone, {"of": "y"}), {"phone": "d"}), {"phone": "c"})
    combined = story.combined()
    assert combined.open["/answers/members"] == ()
    assert combined.fields["/answers/members"].cause == "constraint"
    assert combined.fields["/answers/crop"].cause == "value"


def test_a_decision_without_a_way_has_decided_the_answers_as_a_whole() -> None:
    story = Story(forms=versions())
    r1 = story.first({"area": "1", "crop": "ngô"})
    one, _ = story.edit(r1, {"area": "large"}), story.edit(r1, {"phone": "1"})
    decision = story.decide(one, ["/answers/area", "/of"])
    newer = story.edit(r1, {"area_m2": "4"}, form_version="2", drop=["area"])
    combined = story.combined()
    assert {decision, newer} <= set(combined.open["/answers"])
    assert combined.fields["/answers"].candidates[0] == Candidate(decision, {"area": "large", "crop": "ngô"}, True)
    assert answers_of(combined) == {"area_m2": "4", "crop": "ngô", "phone": "1"}
    assert combined.fields["/of"].source == decision


def no_way() -> PlainForms:
    """Return a form in two versions; answers with a large area have no way from one to the other."""
    return PlainForms(
        (SHAPE, FieldSchema(FORM, "2", SHAPE.fields)), lambda given, *_: None if given.get("area") == "large" else given
    )


def test_who_answered_anew_without_a_way_left_out_rows_in_which_others_went_on() -> None:
    story = Story(forms=no_way())
    first = story.first({"area": "large"})
    story.edit(first, of="household")
    anew = story.edit(first, {"area": "2"}, form_version="2")
    one = story.edit(anew, {"crops": ["tea"], "plots": [{"_rid": "a", "area": "1"}]})
    story.edit(one, {"crops": ["rice"], "plots": [{"_rid": "a", "area": "3"}]})
    story.edit(anew, {"phone": "1"})
    assert answers_of(story.combined()) == {
        "area": "2",
        "crops": ["rice"],
        "phone": "1",
        "plots": [{"_rid": "a", "area": "3"}],
    }
    assert story.combined().open == {}


def test_without_a_way_and_without_any_answers_that_can_be_held_none_are_shown() -> None:
    story = Story(forms=no_way())
    first = story.first({"area": "large"})
    large = story.edit(first, {"crop": "lúa"})
    none = story.add(first, {"type": "record", "form": FORM, "form_version": "2"}, saved=True)
    combined = story.combined()
    assert combined.open == {"/answers": tuple(sorted([large, none]))}
    assert "answers" not in combined.content


def test_a_list_that_the_form_computes_is_nobodys_answer() -> None:
    computed = {**SHAPE.fields, "/crops": FieldShape("choices", "select_multiple", is_calculated=True)}
    story = Story(forms=PlainForms((FieldSchema(FORM, "1", computed),)))
    first = story.first({"crops": []})
    one = story.edit(first, {"crops": ["tea"]})
    story.edit(one, {"crops": ["rice"]})
    story.edit(first, {"crops": ["maize"]})
    assert story.combined().open == {}


def test_who_only_computed_anew_was_not_at_work_in_a_row_that_is_gone() -> None:
    story = Story()
    first = story.first({"plots": [{"_rid": "a"}, {"_rid": "b"}], "yield": "2"})
    story.edit(first, {"plots": [{"_rid": "b"}], "yield": "1"})
    story.edit(first, {"yield": "3"})
    assert story.combined().open == {}
    assert answers_of(story.combined())["plots"] == [{"_rid": "b"}]


def test_what_is_added_is_told_from_what_all_who_added_knew() -> None:
    story = Story()
    first = story.first({"remarks": "a"})
    story.edit(first, {"phone": "1"})
    known = story.edit(first, {"remarks": "a b"})
    added = {story.edit(known, {"remarks": "a b c"}): " c", story.edit(known, {"remarks": "a b d"}): " d"}
    assert answers_of(story.combined())["remarks"] == "a b" + "".join(added[rev] for rev in sorted(added))

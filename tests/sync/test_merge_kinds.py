"""What merges by itself and what a person is asked, a test for each row of the table, and the kinds of questions."""

from typing import Any

import pytest

from sync.merging.field_diff import ABSENT
from sync.merging.merge import WaitingMerge, combine, counting_leaves
from tests.sync.merge_world import Story, answers_of


def side_by_side(base: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> tuple[Story, str, str]:
    """Return a story of two people who edited one record without knowing of each other."""
    story = Story()
    r1 = story.first(base)
    return story, story.edit(r1, one), story.edit(r1, other)


def both(*revs: str) -> tuple[str, ...]:
    return tuple(sorted(revs))


def test_one_candidate_stands() -> None:
    story, one, other = side_by_side({"crop": "ngô", "area": "1"}, {"crop": "lúa"}, {"area": "2"})
    combined = story.combined()
    assert answers_of(combined) == {"crop": "lúa", "area": "2"}
    assert combined.open == {}
    assert combined.fields["/answers/crop"].source == one
    assert combined.fields["/answers/area"].how == "only"
    assert combined.fields["/answers/area"].source == other


def test_alike_candidates_stand() -> None:
    story, *_ = side_by_side({"crop": "ngô"}, {"crop": "lúa", "area": "1"}, {"crop": "lúa", "area": "2"})
    combined = story.combined()
    assert combined.fields["/answers/crop"].how == "alike"
    assert set(combined.open) == {"/answers/area"}


def test_a_scalar_is_asked_and_the_greatest_candidate_stands_wherever_the_winners_line_lies() -> None:
    story = Story()
    r1 = story.first({"area": "1.0"})
    r2 = story.edit(r1, {"phone": "0912"})
    longer = story.edit(r2, {"crop": "lúa"})
    winner = story.edit(story.edit(longer, {"phone": "0913"}), {"phone": "0914"})
    early = story.edit(r1, {"area": "1.2"})
    late = story.edit(story.edit(r1, {"crop": "chè"}), {"area": "0.8"})
    combined = story.combined()
    assert combined.winner == winner
    assert combined.open["/answers/area"] == both(early, late)
    assert combined.fields["/answers/area"].value == "0.8"
    assert combined.fields["/answers/area"].source == late
    assert combined.fields["/answers/area"].cause == "value"


@pytest.mark.parametrize(
    ("name", "base", "one", "other", "expected"),
    [("members", "4", "5", "10", "10"), ("since", "2020-01-01", "2019-12-31", "2019-02-28", "2019-02-28")],
)
def test_the_forms_own_rule_merges(name: str, base: str, one: str, other: str, expected: str) -> None:
    story, *_ = side_by_side({name: base}, {name: one}, {name: other})
    outcome = story.combined().fields[f"/answers/{name}"]
    assert (outcome.value, outcome.how, outcome.cause) == (expected, "policy", None)


@pytest.mark.parametrize(("name", "one", "other"), [("members", "5", None), ("remarks", "new", "dry more")])
def test_where_the_forms_rule_does_not_apply_a_person_is_asked(name: str, one: Any, other: Any) -> None:
    story, *revs = side_by_side({name: "dry"}, {name: one}, {name: other})
    assert story.combined().open == {f"/answers/{name}": both(*revs)}


def test_what_several_added_is_appended_once_and_by_revision_id() -> None:
    story = Story()
    r1 = story.first({"remarks": "a"})
    added = {story.edit(r1, {"remarks": f"a{text}", "phone": text}): text for text in (" b", " c")}
    story.edit(r1, {"remarks": "a b", "crop": "lúa"})
    outcome = story.combined().fields["/answers/remarks"]
    first = min(each.rev for each in outcome.candidates)
    assert outcome.value == ("a c b" if added.get(first) == " c" else "a b c")
    assert outcome.source is None


def test_each_choice_is_a_field_and_setting_wins_over_clearing() -> None:
    story, *_ = side_by_side(
        {"crops": ["maize", "rice"]}, {"crops": ["rice"]}, {"crops": ["tea", "maize", "rice", "other"]}
    )
    combined = story.combined()
    assert answers_of(combined)["crops"] == ["rice", "tea", "other"]
    assert combined.open == {}
    assert combined.fields["/answers/crops"].how == "policy"
    later = side_by_side({"crops": ["maize"]}, {"crops": None}, {"crops": ["maize", "rice"]})[0].combined()
    assert answers_of(later)["crops"] == ["rice"]


def test_an_exclusive_choice_beside_others_is_asked() -> None:
    story, *revs = side_by_side({"losses": None}, {"losses": ["none"]}, {"losses": ["frost"]})
    combined = story.combined()
    assert combined.open == {"/answers/losses": both(*revs)}
    outcome = combined.fields["/answers/losses"]
    assert outcome.cause == "exclusive"
    assert outcome.value == answers_of(combined)["losses"] == outcome.candidates[0].value
    assert {str(each.value) for each in outcome.candidates} == {"['none']", "['frost']"}
    merge = story.merge()
    story.decide(merge, ["/answers/losses"], {"losses": ["frost"]})
    assert story.combined().open == {}
    assert answers_of(story.combined())["losses"] == ["frost"]


def test_an_exclusive_choice_that_one_person_left_beside_others_is_not_the_merges_matter() -> None:
    story, *_ = side_by_side({"losses": None}, {"losses": ["none", "frost"]}, {"phone": "0912"})
    assert story.combined().open == {}


def test_choices_that_are_not_relevant_to_one_and_chosen_by_another_are_asked() -> None:
    story = Story()
    r1 = story.first({"crops": ["maize"]})
    gone, chosen = story.edit(r1, drop=["crops"]), story.edit(r1, {"crops": ["maize", "tea"]})
    combined = story.combined()
    assert combined.open == {"/answers/crops": both(gone, chosen)}
    assert answers_of(combined).get("crops", ABSENT) == combined.fields["/answers/crops"].candidates[0].value


def test_choices_that_decide_rights_are_asked_as_a_whole() -> None:
    story, *revs = side_by_side({"rights": ["own"]}, {"rights": ["own", "rent"]}, {"rights": ["rent"]})
    combined = story.combined()
    assert combined.open == {"/answers/rights": both(*revs)}
    assert combined.fields["/answers/rights"].cause == "asked"
    assert answers_of(combined)["rights"] == combined.fields["/answers/rights"].candidates[0].value


def test_a_decision_about_choices_covers_all_of_them() -> None:
    """A late clearing on a lost branch does not undo what a person confirmed."""
    story = Story()
    r1 = story.first({"crops": ["maize", "rice"]})
    a, _ = story.edit(r1, {"phone": "1"}), story.edit(r1, {"phone": "2"})
    merge = story.merge()
    story.decide(merge, ["/answers/crops"])
    story.edit(a, {"crops": ["rice"]})
    assert answers_of(story.combined())["crops"] == ["maize", "rice"]


def test_rows_merge_by_their_ids_cell_by_cell() -> None:
    rows = [{"_rid": "a", "crop": "ngô", "area": "1"}, {"_rid": "b", "crop": "lúa"}]
    story, *_ = side_by_side(
        {"plots": rows},
        {"plots": [{**rows[0], "area": "2"}, rows[1], {"_rid": "z"}, {"_rid": "c"}]},
        {"plots": [{**rows[0], "crop": "chè"}, {"_rid": "d"}]},
    )
    combined = story.combined()
    merged = answers_of(combined)["plots"]
    assert [row["_rid"] for row in merged][:1] == ["a"]
    assert {row["_rid"] for row in merged} == {"a", "z", "c", "d"}
    assert merged[0] == {"_rid": "a", "crop": "chè", "area": "2"}
    assert combined.open == {}


def test_a_row_edited_here_and_deleted_there_is_asked() -> None:
    rows = [{"_rid": "a", "area": "1"}, {"_rid": "b"}]
    story, edited, deleted = side_by_side(
        {"plots": rows}, {"plots": [{"_rid": "a", "area": "2"}, {"_rid": "b"}]}, {"plots": [{"_rid": "b"}]}
    )
    combined = story.combined()
    assert combined.open == {"/answers/plots/a": both(edited, deleted)}
    outcome = combined.fields["/answers/plots/a"]
    assert outcome.cause == "row"
    stands = outcome.candidates[0].rev
    is_there = any(row["_rid"] == "a" for row in answers_of(combined)["plots"])
    assert is_there == (stands == edited)
    assert [each.value for each in outcome.candidates if each.rev == edited] == [{"_rid": "a", "area": "2"}]
    assert ("/answers/plots/a/area" in combined.fields) == is_there


def test_what_stands_in_a_row_that_is_gone_is_no_question() -> None:
    story = Story()
    r1 = story.first({"plots": [{"_rid": "a", "area": "1"}]})
    a = story.edit(r1, {"plots": [{"_rid": "a", "area": "2"}]})
    b = story.edit(r1, {"plots": [{"_rid": "a", "area": "3"}]})
    merge = story.merge()
    assert set(story.combined().open) == {"/answers/plots/a/area"}
    story.edit(merge, {"plots": []})
    combined = story.combined()
    assert combined.open == {}
    assert "plots" not in answers_of(combined) or answers_of(combined)["plots"] == []
    assert {a, b}.isdisjoint(each.rev for each in combined.fields["/answers/plots/a"].candidates)


def test_a_row_that_comes_back_is_as_its_maker_says() -> None:
    story = Story()
    r1 = story.first({"plots": [{"_rid": "a", "area": "1", "crop": "ngô"}]})
    gone = story.edit(r1, {"plots": []})
    story.edit(gone, {"plots": [{"_rid": "a", "crop": "lúa"}]})
    story.edit(r1, {"phone": "1"})
    assert answers_of(story.combined())["plots"] == [{"_rid": "a", "crop": "lúa"}]


def test_the_order_of_rows_is_one_field() -> None:
    rows = [{"_rid": name} for name in "abc"]
    turned = rows[::-1]
    story, *_ = side_by_side({"plots": rows}, {"plots": turned}, {"plots": [*rows, {"_rid": "d"}]})
    combined = story.combined()
    assert set(combined.open) == {"/answers/plots"}
    alike = side_by_side({"plots": rows}, {"plots": [*rows, {"_rid": "e"}]}, {"plots": [*rows, {"_rid": "d"}]})[0]
    assert alike.combined().open == {}
    assert [row["_rid"] for row in answers_of(alike.combined())["plots"]][:3] == ["a", "b", "c"]


def test_photos_are_fields_by_name() -> None:
    photo = {"sha256": "a" * 64, "bytes": "1", "type": "image/jpeg"}
    story = Story()
    r1 = story.first({"photo": "a.jpg"}, media={"a.jpg": photo})
    one = story.edit(r1, media={"a.jpg": photo, "b.jpg": photo})
    other = story.edit(r1, media={"a.jpg": {**photo, "sha256": "b" * 64}})
    combined = story.combined()
    assert combined.open == {}
    assert combined.content["media"] == {"a.jpg": {**photo, "sha256": "b" * 64}, "b.jpg": photo}
    third = story.edit(one, media={"a.jpg": {**photo, "sha256": "c" * 64}})
    assert story.combined().open == {"/media/a.jpg": both(other, third)}


@pytest.mark.parametrize(("name", "cause"), [("place", "place"), ("outline", "place"), ("needs", "value")])
def test_a_point_an_outline_and_a_rank_are_one_atom_each(name: str, cause: str) -> None:
    values = (["a", "b"], ["b", "a"]) if name == "needs" else ("21 103 0 5", "21 103 0 9")
    story, *revs = side_by_side({name: None}, {name: values[0]}, {name: values[1]})
    combined = story.combined()
    assert combined.open == {f"/answers/{name}": both(*revs)}
    assert combined.fields[f"/answers/{name}"].cause == cause
    assert combined.fields[f"/answers/{name}"].value in values


def test_calculated_fields_are_never_candidates() -> None:
    story, *_ = side_by_side({"yield": "1"}, {"yield": "2"}, {"yield": "3"})
    combined = story.combined()
    assert combined.open == {}
    assert combined.fields["/answers/yield"].how == "recomputed"


def test_consent_is_always_asked() -> None:
    story, *revs = side_by_side({"consent": "yes"}, {"consent": "no"}, {"consent": None})
    combined = story.combined()
    assert combined.open == {"/answers/consent": both(*revs)}
    assert combined.fields["/answers/consent"].cause == "asked"


def test_absent_and_blank_are_two_values() -> None:
    story = Story()
    r1 = story.first({"phone": "0912"})
    blank, absent = story.edit(r1, {"phone": None}), story.edit(r1, drop=["phone"])
    combined = story.combined()
    assert combined.open == {"/answers/phone": both(blank, absent)}
    values = {each.rev: each.value for each in combined.fields["/answers/phone"].candidates}
    assert values == {blank: None, absent: ABSENT}


def test_a_group_that_is_not_relevant_to_one_stays_for_what_another_wrote_in_it() -> None:
    story = Story()
    r1 = story.first({"house": {"roof": "tin", "walls": "wood"}})
    gone, wrote = story.edit(r1, drop=["house"]), story.edit(r1, {"house": {"roof": "palm", "walls": "wood"}})
    combined = story.combined()
    assert combined.open == {"/answers/house/roof": both(gone, wrote)}
    stands = combined.fields["/answers/house/roof"].value
    assert answers_of(combined).get("house", {}) == ({} if stands is ABSENT else {"roof": "palm"})


def test_two_who_made_the_same_group_relevant_agree() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô"})
    story.edit(story.edit(r1, {"house": {"roof": "tin"}}), drop=["house"])
    story.edit(r1, {"house": {"walls": "wood"}})
    assert answers_of(story.combined())["house"] == {"walls": "wood"}


def test_fields_that_the_form_does_not_know_are_kept_and_merged_whole() -> None:
    story, one, other = side_by_side(
        {"odd": {"a": ["1"]}, "$extra": {"x": ["1"]}},
        {"odd": {"a": ["2"]}, "$extra": {"x": ["1"], "y": ["2"]}},
        {"odd": {"a": ["3"]}, "$extra": {"x": ["3"]}},
    )
    combined = story.combined()
    assert combined.open == {"/answers/odd": both(one, other)}
    assert answers_of(combined)["$extra"] == {"x": ["3"], "y": ["2"]}


def test_a_deletion_beside_an_edit_is_asked_and_the_record_lives_meanwhile() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô"})
    gone, edited = story.delete(r1), story.edit(r1, {"crop": "lúa"})
    combined = story.combined()
    assert combined.open == {"": both(gone, edited)}
    assert combined.fields[""].cause == "delete"
    assert not combined.is_deleted
    merge = story.merge()
    assert story.revisions[merge].content["open"] == {"": sorted([gone, edited])}
    # An edit of something else does not settle whether it lives.
    later = story.edit(merge, {"phone": "0912"})
    assert story.combined().open == {"": both(gone, edited)}
    story.decide(later, [""])
    assert story.combined().open == {}
    assert story.combined().fields[""].how == "only"


def test_a_deletion_that_knew_all_edits_stays() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô"})
    a, b = story.edit(r1, {"crop": "lúa"}), story.edit(r1, {"area": "2"})
    merge = story.merge()
    gone = story.delete(merge)
    # Another server had merged the same two the other way round.
    other = story.add(min(a, b), {**story.revisions[merge].content, "merged": [max(a, b)]})
    assert set(counting_leaves(story.document())) == {gone, other}
    combined = story.combined()
    assert combined.is_deleted
    assert combined.open == {}
    closing = story.close()
    assert closing is not None
    assert closing.merge is None
    assert [each.parent for each in closing.tombstones] == [other]
    assert story.combined().is_deleted


def test_two_deletions_agree() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô"})
    story.delete(r1)
    story.delete(r1)
    combined = story.combined()
    assert combined.is_deleted
    assert combined.content == {}
    assert story.close() is None


def test_a_decided_deletion_stands_against_what_was_known_and_is_asked_again_beside_what_was_not() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô"})
    story.delete(r1)
    known = story.edit(r1, {"crop": "lúa"})
    decided = story.delete(story.merge(), decided=[""])
    assert story.combined().is_deleted
    late = story.edit(known, {"crop": "chè"})
    combined = story.combined()
    assert combined.open == {"": both(decided, late)}
    assert combined.fields[""].candidates[0].is_decision


def test_an_edit_whose_parents_body_is_unknown_is_asked_whatever_the_policy() -> None:
    story = Story()
    r1 = story.first({"members": "4", "crops": ["maize"], "crop": "ngô"})
    r2 = story.edit(r1, {"phone": "1"})
    far = story.edit(r2, {"members": "9", "crops": ["maize", "tea"]})
    near = story.edit(r1, {"members": "5", "crops": ["maize", "rice"], "crop": "lúa"})
    here = [rev for rev in story.revisions if rev != r2]
    document = story.document(here)
    graph = document.graph.naming(far, (r2, r1))
    combined = combine(type(document)(document.doc_id, graph, document.revisions), story.forms)
    assert not isinstance(combined, WaitingMerge)
    assert combined.open == {"/answers/members": both(near, far), "/answers/crops": both(near, far)}
    assert {each.cause for each in combined.fields.values() if each.cause} == {"parent_unknown"}
    # What the unknown one changed besides is seen against the nearest ancestor that is here.
    assert combined.fields["/answers/phone"].source == far
    assert answers_of(combined)["crop"] == "lúa"


def test_an_edit_of_which_no_ancestor_is_here_holds_all_that_it_says() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô", "area": "1"})
    far = story.edit(story.edit(r1, {"phone": "1"}), {"crop": "lúa"})
    document = story.document([r1, far])
    graph = type(document.graph)().adding(r1, (), deleted=False).adding(far, (), deleted=False)
    combined = combine(type(document)(document.doc_id, graph, document.revisions), story.forms)
    assert not isinstance(combined, WaitingMerge)
    assert combined.open == {"/answers/crop": both(r1, far)}
    assert answers_of(combined) == {"crop": "lúa", "area": "1", "phone": "1"}


def test_a_merge_whose_inputs_are_not_here_is_waited_for() -> None:
    story, one, other = side_by_side({"crop": "ngô"}, {"crop": "lúa"}, {"area": "2"})
    merge = story.merge()
    lost = one if story.revisions[merge].parent == other else other
    held = [rev for rev in story.revisions if rev != lost and story.revisions[rev].parent != lost]
    assert combine(story.document(held), story.forms) == WaitingMerge("inputs", (lost,))
    parent = str(story.revisions[merge].parent)
    held = [rev for rev in story.revisions if rev != parent]
    assert combine(story.document(held), story.forms) == WaitingMerge("inputs", (parent,))


def test_a_leaf_without_its_body_is_waited_for() -> None:
    story, one, _ = side_by_side({"crop": "ngô"}, {"crop": "lúa"}, {"area": "2"})
    document = story.document()
    bodies = {rev: each for rev, each in document.revisions.items() if rev != one}
    document = type(document)(document.doc_id, document.graph, bodies)
    assert combine(document, story.forms) == WaitingMerge("inputs", (one,))


def test_the_same_choices_of_two_are_alike() -> None:
    for name, choices in (("losses", ["none"]), ("rights", ["own", "rent"])):
        story, *_ = side_by_side({name: None}, {name: choices}, {name: choices[::-1]})
        assert story.combined().fields[f"/answers/{name}"].how == "alike"
        assert story.combined().open == {}

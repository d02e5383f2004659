"""Decisions, undos and what closes branches, act by act."""

from typing import Any

import pytest

from sync.merging.causal_history import read
from sync.merging.field_diff import ABSENT
from sync.merging.merge import (
    Combined,
    Document,
    Reconciled,
    Revision,
    WaitingMerge,
    close,
    combine,
    edits_of,
    is_machine_merge,
    reconcile,
    taken_back,
)
from sync.merging.resolution import value_before
from sync.revisions.graph import Graph
from sync.revisions.revision_id import rank
from tests.sync.merge_world import Story, answers_of


def disagreement() -> tuple[Story, str, str, str]:
    """Return a story whose follower has merged two areas: the first revision, both candidates and the merge."""
    story = Story()
    r1 = story.first({"area": "1.0", "crop": "ngô"})
    one, other = story.edit(r1, {"area": "1.2"}), story.edit(r1, {"area": "0.8"})
    story.merge()
    return story, r1, one, other


def test_a_decision_that_confirms_what_stands_has_decided() -> None:
    story, *_ = disagreement()
    combined = story.combined()
    decision = story.decide(combined.winner, ["/answers/area"])
    assert story.combined().open == {}
    assert story.combined().fields["/answers/area"].source == decision


def test_a_repeated_mark_says_nothing() -> None:
    """Who got a decision by the CouchDB door, changed something else and put it has decided nothing."""
    story, _, one, _ = disagreement()
    decision = story.decide(story.combined().winner, ["/answers/area"], {"area": "1.2"})
    again = story.add(decision, {**story.revisions[decision].content, "comment": "put again"})
    story.edit(one, {"area": "1.3"})
    candidates = story.combined().fields["/answers/area"].candidates
    assert decision == candidates[0].rev
    assert again not in {each.rev for each in candidates}


def test_a_repeated_decided_is_an_edit_and_no_decision_where_the_field_changes() -> None:
    """A worker who gets a decision by the CouchDB door and corrects the field ranks as any worker does."""
    story, _, one, _ = disagreement()
    decision = story.decide(story.combined().winner, ["/answers/area"], {"area": "1.2"})
    corrected = story.decide(decision, ["/answers/area"], {"area": "1.1"})
    late = story.edit(story.edit(one, {"phone": "1"}), {"area": "1.3"})
    late = story.edit(late, {"area": "1.4"})
    outcome = story.combined().fields["/answers/area"]
    assert [each.is_decision for each in outcome.candidates] == [False, False]
    assert {each.rev for each in outcome.candidates} == {corrected, late}


def test_an_undo_takes_the_decision_out_and_the_question_is_open_again() -> None:
    story, _, one, other = disagreement()
    merge = story.combined().winner
    open_before = story.combined().open
    decision = story.decide(merge, ["/answers/area"], {"area": "5"})
    undo = story.undo(decision, decision)
    combined = story.combined()
    assert combined.open == open_before
    assert answers_of(combined)["area"] in {"1.2", "0.8"}
    assert {each.rev for each in combined.fields["/answers/area"].candidates} == {one, other}
    assert story.revisions[undo].content["answers"] == answers_of(combined)
    # An undo of the undo brings the decision back.
    story.undo(undo, undo)
    assert story.combined().open == {}
    assert answers_of(story.combined())["area"] == "5"


def test_an_undo_edits_nothing_itself() -> None:
    story, *_ = disagreement()
    stood = story.combined()
    decision = story.decide(stood.winner, ["/answers/area"], {"area": "5"})
    content = {**stood.content, "answers": {"area": "0.8", "crop": "chè"}, "undoes": [decision], "decided": ["/of"]}
    story.add(decision, content)
    combined = story.combined()
    assert combined.open == stood.open
    assert answers_of(combined) == answers_of(stood)


def test_an_undo_of_choices_gives_the_question_back() -> None:
    story = Story()
    r1 = story.first({"losses": None})
    story.edit(r1, {"losses": ["none"]})
    story.edit(r1, {"losses": ["frost"]})
    merge = story.merge()
    stood = answers_of(story.combined())
    decision = story.decide(merge, ["/answers/losses"], {"losses": ["pest"]})
    story.undo(decision, decision)
    assert set(story.combined().open) == {"/answers/losses"}
    assert answers_of(story.combined()) == stood


def test_only_a_decision_that_was_known_can_be_taken_back() -> None:
    story, r1, one, _ = disagreement()
    merge = story.combined().winner
    story.add(merge, {**story.combined().content, "undoes": [one, "9-" + "0" * 32, merge, r1]})
    assert story.combined().open != {}
    unknown = story.decide(merge, ["/answers/area"], {"area": "5"})
    story.add(one, {**story.revisions[one].content, "undoes": [unknown]})
    assert answers_of(story.combined())["area"] == "5"


def test_taking_a_decided_deletion_back_leaves_the_record_as_it_was() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô", "phone": "1"})
    gone, edited = story.delete(r1), story.edit(r1, {"crop": "lúa"})
    other = story.edit(r1, {"crop": "chè"})
    merge = story.merge()
    decided = story.delete(merge, decided=[""])
    assert story.combined().is_deleted
    back = taken_back(story.document(), [decided], story.forms)
    assert isinstance(back, Combined)
    assert answers_of(back) == answers_of(story.combined([rev for rev in story.revisions if rev != decided]))
    story.undo(decided, decided)
    assert set(story.combined().open) == {"", "/answers/crop"}
    assert story.combined().open[""] == tuple(sorted([gone, edited, other]))


def test_what_waits_cannot_be_taken_back() -> None:
    story, *_ = disagreement()
    story.forms.shapes = ()
    assert taken_back(story.document(), [story.combined_winner()], story.forms) == WaitingMerge(
        "form_version", ("plot/1",)
    )
    assert combine(story.document(), story.forms) == WaitingMerge("form_version", ("plot/1",))
    assert edits_of(story.document(), story.forms) == WaitingMerge("form_version", ("plot/1",))
    story.edit(story.combined_winner(), {"area": "2"})
    story.edit(next(iter(story.revisions)), {"area": "3"})
    assert close(story.document(), story.forms) == WaitingMerge("form_version", ("plot/1",))


def test_edits_and_what_was_before_them_can_be_asked_for() -> None:
    story, r1, one, other = disagreement()
    document = story.document()
    edits = edits_of(document, story.forms)
    assert edits == {one: {"/answers/area": "1.2"}, other: {"/answers/area": "0.8"}}
    history = read(document, story.forms)
    assert not isinstance(history, WaitingMerge)
    assert value_before(history, "/answers/area", [one, other]) == "1.0"
    assert value_before(history, "/answers/area", [r1, one]) is ABSENT


def test_nothing_is_closed_where_one_leaf_is_left_or_all_are_deleted() -> None:
    story = Story()
    r1 = story.first({"crop": "ngô"})
    assert story.close() is None
    story.delete(r1)
    assert story.close() is None


def test_the_greatest_leaf_that_knows_all_edits_stays_and_no_merge_is_written() -> None:
    story, _, one, other = disagreement()
    merge = story.combined().winner
    # Elsewhere the same two were merged the other way round, and somebody went on from there.
    content = story.revisions[merge].content
    elsewhere = story.add(min(one, other), {**content, "merged": [max(one, other)]})
    assert is_machine_merge(story.document(), elsewhere)
    later = story.edit(elsewhere, {"phone": "1"})
    closing = story.close()
    assert closing is not None
    assert closing.merge is None
    assert [each.parent for each in closing.tombstones] == [merge]
    assert story.combined().winner == later
    assert story.close() is None


def test_criss_cross_merges_lose_nothing() -> None:
    """Two servers each merge what they have, people go on from both merges, and then all of it meets."""
    story = Story()
    r1 = story.first({"crop": "ngô"})
    a = story.edit(r1, {"area": "1"})
    b = story.edit(r1, {"phone": "1"})
    c = story.edit(r1, {"members": "3"})
    d = story.edit(r1, {"since": "2020-01-01"})
    story.close([r1, a, b])
    story.close([r1, c, d])
    left = story.edit(story.combined([*story.revisions]).winner, {"crop": "lúa"})
    merges = [rev for rev in story.revisions if story.revisions[rev].content.get("merged")]
    right = story.edit(next(rev for rev in merges if rev != story.revisions[left].parent), {"remarks": "steep"})
    combined = story.combined()
    assert {left, right} <= set(combined.leaves)
    assert answers_of(combined) == {
        "crop": "lúa",
        "area": "1",
        "phone": "1",
        "members": "3",
        "since": "2020-01-01",
        "remarks": "steep",
    }
    assert combined.open == {}


def test_a_put_again_merge_is_a_persons_edit() -> None:
    story, *_ = disagreement()
    merge = story.combined().winner
    put = story.add(merge, {**story.revisions[merge].content, "answers": {"area": "7", "crop": "ngô"}})
    assert not is_machine_merge(story.document(), put)
    assert story.combined().open == {}
    assert answers_of(story.combined())["area"] == "7"


@pytest.mark.parametrize("members", [{"saved": {"by": "a"}}, {"decided": ["/answers/area"]}, {"undoes": ["1-a"]}])
def test_what_a_person_says_with_it_is_no_machine_merge(members: dict[str, Any]) -> None:
    story = Story()
    r1 = story.first({"area": "1"})
    one, other = story.edit(r1, {"area": "2"}), story.edit(r1, {"area": "3"})
    joined = story.add(one, {**story.combined().content, "merged": [other], **members})
    assert not is_machine_merge(story.document(), joined)


def test_an_id_that_is_no_digest_makes_no_machine_merge() -> None:
    story = Story()
    r1 = story.first({"area": "1"})
    one, other = story.edit(r1, {"area": "2"}), story.edit(r1, {"area": "3"})
    forged = "3-" + "f" * 32
    content = {**story.combined().content, "merged": [other], "answers": {"area": "9"}}
    story.revisions[forged] = Revision(forged, one, False, content)
    story.graph = story.graph.adding(forged, (one,), deleted=False, merged=[other])
    assert not is_machine_merge(story.document(), forged)
    assert answers_of(story.combined())["area"] == "9"
    assert story.combined().open == {}


def test_what_a_machine_merge_holds_is_never_read() -> None:
    story = Story()
    r1 = story.first({"area": "1"})
    one, other = story.edit(r1, {"area": "2"}), story.edit(r1, {"phone": "3"})
    story.add(one, {**story.combined().content, "merged": [other], "answers": {"area": "nonsense"}})
    assert answers_of(story.combined()) == {"area": "2", "phone": "3"}


def test_edges_that_a_forger_closed_to_a_circle_end_somewhere() -> None:
    story = Story()
    r1 = story.first({"area": "1"})
    one = story.edit(r1, {"area": "2"})
    later = story.edit(one, {"crop": "lúa"})
    story.graph = Graph(story.graph.parents, story.graph.held, {r1: (later,), one: (later,)})
    story.edit(r1, {"area": "3"})
    combined = story.combined()
    assert not combined.is_deleted
    assert set(answers_of(combined)) == {"area", "crop"}


def test_documents_that_are_no_records_merge_member_by_member() -> None:
    story = Story()
    first = story.add(None, {"type": "note", "text": "a", "list": ["1"]})
    one = story.add(first, {"type": "note", "text": "b", "list": ["1"]})
    other = story.add(first, {"type": "note", "text": "c", "list": ["2"], "more": "d"})
    combined = story.combined()
    assert combined.open == {"/text": tuple(sorted([one, other]))}
    assert combined.content["list"] == ["2"]
    assert combined.content["more"] == "d"
    assert "form" not in combined.content


def test_the_first_candidate_is_the_greatest() -> None:
    story, *_ = disagreement()
    candidates = story.combined().fields["/answers/area"].candidates
    ranks = [rank(each.rev, deleted=False) for each in candidates]
    assert ranks == sorted(ranks, reverse=True)


def test_a_document_is_not_changed_by_trying_a_revision_on_it() -> None:
    document = Document("a", Graph(), {})
    tried = document.following(None, {"type": "record"})
    assert document.revisions == {}
    assert tried.document.graph.winner() == tried.revision.rev
    after = tried.document.following(tried.revision.rev, {"type": "record"}, deleted=True)
    assert after.document.graph.held[after.revision.rev]


def test_reconciling_is_combining_and_closing() -> None:
    story, _, _, other = disagreement()
    story.edit(other, {"area": "7"})
    document = story.document()
    assert reconcile(document, story.forms) == Reconciled(story.combined(), close(document, story.forms))  # type: ignore[arg-type]
    story.close()
    assert reconcile(story.document(), story.forms) == Reconciled(story.combined(), None)
    gone = Story()
    gone.delete(gone.first({"crop": "ngô"}))
    assert reconcile(gone.document(), gone.forms) == Reconciled(gone.combined(), None)
    empty = Document("a", Graph(), {})
    assert reconcile(empty, story.forms) == WaitingMerge("inputs", ())
    story.forms.shapes = ()
    assert reconcile(document, story.forms) == WaitingMerge("form_version", ("plot/1",))


def test_two_first_revisions_of_one_id_follow_the_forms_rule() -> None:
    """Nothing is unknown of them: each is all that was said on its side."""
    story = Story()
    story.first({"members": "4"})
    story.first({"members": "5"})
    assert story.combined().open == {}
    assert answers_of(story.combined()) == {"members": "5"}


def test_rows_inside_a_row_that_is_gone_are_no_fields() -> None:
    story = Story()
    r1 = story.first({"plots": [{"_rid": "a", "trees": [{"_rid": "t"}]}]})
    planted = story.edit(r1, {"plots": [{"_rid": "a", "trees": [{"_rid": "t"}, {"_rid": "u", "height": "2"}]}]})
    story.edit(planted, {"plots": []})
    story.edit(r1, {"phone": "1"})
    combined = story.combined()
    assert set(combined.fields) == {"/answers/plots/a", "/answers/phone"}
    assert answers_of(combined) == {"phone": "1"}


def test_a_record_that_two_people_deleted_stays_deleted_beside_a_merge_of_what_they_knew() -> None:
    """Two servers merged alike edits in two ways; both people had seen one of the merges, then the other one came."""
    story = Story()
    first = story.first({"crop": "ngô"})
    one, other = story.edit(first, {"phone": "1"}), story.edit(first, {"crop": "lúa"})
    merge = story.merge()
    content = {**story.combined().content, "merged": [merge]}
    for number in ("1", "2"):
        story.delete(merge, note=number)
    late = story.add(one if story.revisions[merge].parent == other else other, content)
    assert late in story.graph.leaves()
    assert story.combined().is_deleted
    story.close()
    assert story.combined().is_deleted
    assert all(story.graph.held[leaf] for leaf in story.graph.leaves())
    assert story.close() is None

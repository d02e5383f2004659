"""Merges that say otherwise than what they brought together does, and what becomes of them."""

from collections.abc import Mapping
from typing import Any

from sync.merging.merge import CORRECTIONS, Checked, Closing, WaitingMerge, close, is_machine_merge, reconcile
from sync.revisions.canonical import Json, canonical
from sync.revisions.revision_id import revision_id
from tests.sync.merge_world import PlainForms, Story, answers_of


def hasty_merge(story: Story, *lacking: str) -> str:
    """Add what a server writes that lacks these bodies; return its merge."""
    closing = close(story.lacking(*lacking), story.forms)
    assert isinstance(closing, Closing)
    assert closing.merge is not None
    for new in closing.revisions:
        story.add(new.parent, new.content, deleted=new.deleted)
    return closing.merge.rev


def two_valleys() -> tuple[Story, tuple[str, str], str]:
    """Return a story whose crop was changed and changed again while somebody who knew only the first measured the area.

    Beside it stands the merge of a server that lacks two bodies: to it the crop's first change is the later person's.
    """
    story = Story()
    first = story.first({"crop": "ngô", "area": "1.0"})
    inner = story.edit(first, {"crop": "sắn"})
    story.edit(inner, {"crop": "lúa"})
    between = story.edit(inner, {"phone": "0912"})
    story.edit(between, {"area": "0.8"})
    return story, (inner, between), hasty_merge(story, inner, between)


def shown(story: Story) -> Mapping[str, Any]:
    """Return the answers that everybody shows."""
    return story.revisions[story.combined_winner()].content["answers"]  # type: ignore[return-value]


def test_what_was_merged_without_a_body_is_set_right_when_the_body_comes() -> None:
    story, (inner, between), hasty = two_valleys()
    assert shown(story)["crop"] == "sắn"
    assert close(story.lacking(inner, between), story.forms) is None
    assert close(story.lacking(inner), story.forms) is None
    closing = story.close()
    assert closing is not None
    assert closing.merge is not None
    assert closing.merge.parent == hasty
    assert is_machine_merge(story.document(), closing.merge.rev)
    assert shown(story)["crop"] == "lúa"
    assert "open" not in story.revisions[story.combined_winner()].content
    assert story.close() is None


def test_what_was_edited_since_stays() -> None:
    story, _, hasty = two_valleys()
    edit = story.edit(hasty, {"phone": "0915"})
    assert reconcile(story.document(), story.forms).closing == story.close()  # type: ignore[union-attr]
    assert answers_of(story.combined()) == shown(story)
    assert shown(story)["crop"] == "lúa"
    assert shown(story)["phone"] == "0915"
    assert story.revisions[story.combined_winner()].parent == edit
    assert story.close() is None


def test_a_server_that_had_the_body_and_one_that_had_not_agree_and_a_leaf_lives() -> None:
    """Each would end the other's merge if the one that says what it reckons stayed."""
    story, lacking, hasty = two_valleys()
    before = {rev for rev in story.revisions if rev != hasty and not story.revisions[rev].deleted}
    story.close(before)
    assert len([leaf for leaf in story.graph.leaves() if not story.graph.held[leaf]]) == 2
    without = close(story.lacking(*lacking), story.forms)
    having = close(story.document(), story.forms)
    assert isinstance(without, Closing)
    assert isinstance(having, Closing)
    for new in (*without.revisions, *having.revisions):
        story.add(new.parent, new.content, deleted=new.deleted)
    story.close()
    assert len([leaf for leaf in story.graph.leaves() if not story.graph.held[leaf]]) == 1
    assert shown(story)["crop"] == "lúa"
    assert story.close() is None
    assert close(story.lacking(*lacking), story.forms) is None


def test_a_forged_merge_says_nothing() -> None:
    story = Story()
    first = story.first({"crop": "ngô", "area": "1.0"})
    one, other = story.edit(first, {"crop": "lúa"}), story.edit(first, {"phone": "1"})
    honest = story.combined()
    winner, loser = (one, other) if honest.winner == one else (other, one)
    forged = story.add(winner, {**honest.content, "answers": {"crop": "bông", "area": "9"}, "merged": [loser]})
    story.close()
    assert shown(story) == {"crop": "lúa", "area": "1.0", "phone": "1"}
    story.edit(story.combined_winner(), {"area": "1.1"})
    assert story.close() is None
    assert forged in story.graph.reached([story.combined_winner()])


def test_a_forged_merge_of_what_was_known_is_taken_back_as_well() -> None:
    """It names the end of a branch, which its parent does not reach and which says nothing."""
    story = Story()
    first = story.first({"crop": "ngô"})
    story.edit(first, {"crop": "lúa"})
    story.edit(first, {"phone": "1"})
    merge = story.merge()
    (end,) = (leaf for leaf in story.graph.leaves() if story.graph.held[leaf])
    content = {**story.revisions[merge].content, "answers": {"crop": "bông"}, "merged": [end]}
    story.add(merge, content)
    story.close()
    assert shown(story) == {"crop": "lúa", "phone": "1"}
    assert story.close() is None


def test_a_forged_merge_of_a_deleted_record_is_not_made_again() -> None:
    story = Story()
    first = story.first({"crop": "ngô"})
    other = story.edit(first, {"crop": "lúa"})
    gone = story.delete(first)
    said = {name: value for name, value in story.revisions[other].content.items() if name != "saved"}
    forged = story.add(gone, {**said, "merged": [other]})
    assert is_machine_merge(story.document(), forged)
    closing = close(story.document(), story.forms)
    assert not isinstance(closing, WaitingMerge)
    assert closing is None or closing.again == ()


def test_a_record_that_nobody_merged_has_nothing_to_be_made_again() -> None:
    story = Story()
    story.edit(story.first({"crop": "ngô"}), {"crop": "lúa"})
    reconciled = reconcile(story.document(), story.forms)
    assert not isinstance(reconciled, WaitingMerge)
    assert reconciled.closing is None


def test_a_merge_without_a_parent_is_not_made_again() -> None:
    story = Story()
    first = story.first({"crop": "ngô"})
    content: dict[str, Json] = {"type": "record", "form": "plot", "form_version": "1", "merged": [first]}
    rev = revision_id(story.doc_id, deleted=False, parent=None, content=canonical(content))
    assert story.add(None, content) == rev
    closing = story.close()
    assert closing is None or closing.again == ()


def test_servers_whose_forms_judge_differently_come_to_rest() -> None:
    """They never should; where they do, the record lives and nobody writes for ever."""
    story = Story()
    first = story.first({"crop": "ngô"})
    story.edit(first, {"crop": "lúa"})
    story.edit(first, {"phone": "1"})
    forms = [
        PlainForms(checking=lambda answers: Checked({**answers, "yield": "1"})),
        PlainForms(checking=lambda answers: Checked({**answers, "yield": "2"})),
    ]
    written = 0
    for turn in range(40):
        story.forms = forms[turn % 2]
        closing = story.close()
        written += closing is not None
    assert written <= CORRECTIONS + 2
    assert len([leaf for leaf in story.graph.leaves() if not story.graph.held[leaf]]) == 1

"""Whose a record is, whatever servers and desks have written on top of what workers did."""

from typing import Any

from sync.merging.document import RESOLVED
from sync.revisions.authorship import Act, Authorship, act_of, authorship
from tests.sync.merge_world import DOC, Story

PLACE = "/answers/area"


def said(story: Story, rev: str) -> dict[str, Any]:
    """Return what a desk writes of a revision before it says something itself."""
    members = ("saved", "decided", "undoes", "merged", "same_as")
    return {name: value for name, value in story.revisions[rev].content.items() if name not in members}


def decide(story: Story, rev: str, **more: Any) -> str:
    return story.add(rev, {**said(story, rev), "decided": [PLACE], **more})


def undo(story: Story, rev: str, decision: str) -> str:
    return story.add(rev, {**said(story, rev), "undoes": [decision]})


def whose(story: Story, rev: str) -> Authorship:
    return authorship(rev, story.revisions.get)


def acts(story: Story, *revs: str) -> list[Act]:
    found = [story.revisions[rev] for rev in revs]
    return [act_of(each, story.revisions.get(each.parent or "")) for each in found]


def test_a_decided_record_stays_that_of_the_worker_and_tells_the_decision() -> None:
    story = Story()
    edit = story.edit(story.first({"area": "1.0"}), {"area": "1.2"})
    decision = decide(story, edit)
    assert whose(story, edit) == Authorship(edit, None)
    assert whose(story, decision) == Authorship(edit, decision)
    later = story.edit(decision, {"area": "1.3"})
    assert whose(story, later) == Authorship(later, None)


def test_a_decision_that_was_taken_back_is_no_longer_told() -> None:
    story = Story()
    edit = story.first({"area": "1.0"})
    first = decide(story, edit)
    second = decide(story, undo(story, first, first), comment="anew")
    assert whose(story, undo(story, first, first)) == Authorship(edit, None)
    assert whose(story, second) == Authorship(edit, second)
    taken_back = undo(story, second, second)
    assert whose(story, taken_back) == Authorship(edit, None)
    # What takes the taking back back lets the decision hold again.
    assert whose(story, undo(story, taken_back, taken_back)) == Authorship(edit, second)


def test_below_a_merge_the_latest_edit_counts_however_long_the_desks_line_is() -> None:
    story = Story()
    first = story.first({"area": "1.0"})
    one, other = story.edit(first, {"area": "1.2"}), story.edit(first, {"area": "0.8"})
    winner, loser = max(one, other), min(one, other)
    merged = story.add(winner, {**said(story, winner), "merged": [loser]})
    decision = decide(story, merged)
    assert whose(story, merged) == Authorship(winner, None)
    assert whose(story, decision) == Authorship(winner, decision)
    late = story.edit(story.edit(loser, {"crop": "rice"}), {"crop": "maize"})
    again = story.add(decision, {**said(story, decision), "merged": [late]})
    assert whose(story, again) == Authorship(late, decision)


def test_a_joined_record_stays_that_of_its_worker_and_so_when_it_is_parted() -> None:
    story = Story()
    first = story.first({"area": "1.0"})
    joined = story.add(first, {**said(story, first), "same_as": {"record": DOC, "rev": first}})
    parted = story.add(joined, said(story, joined))
    assert acts(story, first, joined, parted) == ["edit", "joined", "parted"]
    assert whose(story, joined) == Authorship(first, joined)
    assert whose(story, parted) == Authorship(first, None)


def test_a_record_that_a_desk_deleted_or_brought_back_stays_the_workers() -> None:
    story = Story()
    first = story.first({"area": "1.0"})
    gone = story.add(first, {"type": "record", "decided": [""]}, deleted=True)
    assert whose(story, gone) == Authorship(first, gone)
    deletion = story.add(first, {"type": "record"}, deleted=True)
    assert whose(story, deletion) == Authorship(deletion, None)
    alive = story.add(deletion, {**said(story, first), "decided": [""]})
    assert whose(story, alive) == Authorship(first, alive)


def test_what_a_replica_repeats_it_does_not_say() -> None:
    story = Story()
    first = story.first({"area": "1.0"})
    decision = decide(story, first)
    repeated = story.add(decision, {**story.revisions[decision].content, "answers": {"area": "2.0"}})
    assert acts(story, first, decision, repeated) == ["edit", "decision", "edit"]
    assert whose(story, repeated) == Authorship(repeated, None)


def test_the_end_of_a_branch_is_nobodys_and_an_unknown_beginning_leaves_the_winner() -> None:
    story = Story()
    first = story.first({"area": "1.0"})
    end = story.add(first, RESOLVED, deleted=True)
    assert acts(story, end) == ["resolved"]
    assert whose(story, end) == Authorship(first, None)
    decision = decide(story, first)
    del story.revisions[first]
    assert whose(story, decision) == Authorship(decision, decision)

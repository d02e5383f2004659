"""I4, I5 and I6 over random documents whose edits conflict, and servers that merge alone and meet."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.merging.document import Document
from sync.merging.field_diff import ABSENT, changes, place_of, value_at
from sync.merging.merge import Combined, FieldOutcome, close, combine
from tests.sync.merge_strategies import edited, human_edits, stories
from tests.sync.merge_world import SHAPE, Story

pytestmark = pytest.mark.slow
EXAMPLES = settings(deadline=None, max_examples=150)


def shuffled(story: Story, random: Random) -> Document:
    """Return the document as a server has it that got the same revisions in another order."""
    revs = list(story.revisions)
    random.shuffle(revs)
    return story.document(revs)


@EXAMPLES
@given(stories(), st.randoms(use_true_random=False))
def test_i4_the_same_revisions_in_any_order_combine_and_close_alike(story: Story, random: Random) -> None:
    document = shuffled(story, random)
    assert combine(document, story.forms) == combine(story.document(), story.forms)
    assert close(document, story.forms) == close(story.document(), story.forms)


@EXAMPLES
@given(stories())
def test_closing_changes_nothing_and_leaves_nothing_to_close(story: Story) -> None:
    before = story.combined()
    story.close()
    after = story.combined()
    assert after.content == before.content
    assert after.open == before.open
    assert after.is_deleted == before.is_deleted
    assert close(story.document(), story.forms) is None
    assert len(after.leaves) <= 1 or after.is_deleted


@EXAMPLES
@given(stories())
def test_what_is_left_after_closing_holds_what_all_edits_say(story: Story) -> None:
    is_deleted = story.combined().is_deleted
    story.close()
    combined = story.combined()
    assert story.graph.held[combined.winner] == is_deleted
    if not is_deleted:
        left = story.revisions[combined.winner].content
        assert changes(left, combined.content, SHAPE) == {}


@EXAMPLES
@given(stories())
def test_i5_every_edit_is_in_the_result_superseded_or_asked_about(story: Story) -> None:
    combined = story.combined()
    edits = human_edits(story)
    undone = {rev for edit in edits for rev in _strings(story.revisions[edit].content.get("undoes"))}
    reaches = {rev: story.graph.reached([rev]) for rev in edits}
    touched = {rev: edited(story, rev) for rev in edits if rev not in undone}
    for rev, fields in touched.items():
        later = [other for other in touched if other != rev and rev in reaches[other]]
        is_undo = "undoes" in story.revisions[rev].content
        for path, value in fields.items():
            assert (
                is_undo
                or _is_in(combined, path, value)
                or _is_candidate(combined, path, rev)
                or any(_supersedes(story, other, touched[other], path) for other in later)
            ), (rev, path, value)
        if story.revisions[rev].deleted:
            assert (
                combined.is_deleted
                or rev in combined.open.get("", ())
                or any(story.revisions[other].deleted or _says_it_lives(story, other) for other in later)
            )


@EXAMPLES
@given(stories())
def test_i6_what_a_person_decided_changes_only_by_a_persons_edit_that_did_not_know_it(story: Story) -> None:
    combined = story.combined()
    edits = human_edits(story)
    for rev in edits:
        revision = story.revisions[rev]
        for path in _strings(revision.content.get("decided")):
            if revision.deleted or path == "" or combined.is_deleted:
                continue
            decided = value_at(revision.content, path, SHAPE)
            if value_at(combined.content, path, SHAPE) == decided:
                continue
            known = story.graph.reached([rev])
            around = [
                other
                for other in edits
                if other not in known
                and (
                    any(_is_near(each, path) for each in edited(story, other))
                    or rev in _strings(story.revisions[other].content.get("undoes"))
                )
            ]
            assert around, (rev, path)


@EXAMPLES
@given(stories(with_merges=False), st.integers(2, 5), st.data())
def test_i4_servers_in_a_ring_that_merge_alone_come_to_rest_and_agree(
    story: Story, count: int, data: st.DataObject
) -> None:
    """Each server first holds a part, closed under ancestors; each round it gets all that the one before it has."""
    revs = list(story.revisions)
    tips = [data.draw(st.lists(st.sampled_from(revs), min_size=1, max_size=3)) for _ in range(count)]
    tips[0] = revs
    held: list[set[str]] = [{rev for rev in revs if rev in story.graph.reached(each)} for each in tips]
    rounds = settle(story, held)
    assert rounds <= 2 * count + 2
    assert all(each == held[0] for each in held)
    assert close(story.document(held[0]), story.forms) is None


def settle(story: Story, held: list[set[str]]) -> int:
    """Let servers in a ring close and pass on what they hold until nothing moves; return the rounds that it took."""
    for rounds in range(200):
        before = [set(server) for server in held]
        for server in held:
            if closing := story.close([rev for rev in story.revisions if rev in server]):
                server.update(new.rev for new in closing.revisions)
        closed = [set(server) for server in held]
        for position, server in enumerate(held):
            server.update(closed[position - 1])
        if held == before:
            return rounds
    raise AssertionError("no rest in 200 rounds")


def _is_in(combined: Combined, path: str, value: Any) -> bool:
    outcome = combined.fields.get(path)
    if outcome is None:
        # Not edited since everybody knew: what stands there was said last by whom everybody knew.
        return True
    if place_of(path, SHAPE).role in {"group", "choices", "row", "order"}:
        return (value is ABSENT) == (outcome.value is ABSENT)
    return bool(outcome.value == value)


def _is_candidate(combined: Combined, path: str, rev: str) -> bool:
    def has(outcome: FieldOutcome | None) -> bool:
        return outcome is not None and any(each.rev == rev for each in outcome.candidates)

    at = combined.fields.get(path)
    if has(at) and at is not None and at.how in {"policy", "alike"}:
        return True
    around = path
    while around:
        if rev in combined.open.get(around, ()):
            return True
        around = around.rpartition("/")[0]
    return rev in combined.open.get("", ()) or combined.is_deleted


def _supersedes(story: Story, other: str, fields: dict[str, Any], path: str) -> bool:
    """Whether an edit that knew another one edited this field, or took away the row or record around it."""
    if story.revisions[other].deleted or path in fields:
        return True
    decided = _strings(story.revisions[other].content.get("decided"))
    return any(_is_near(each, path) for each in decided) or any(path.startswith(each + "/") for each in fields)


def _says_it_lives(story: Story, rev: str) -> bool:
    parent = story.revisions[rev].parent
    revived = parent is not None and story.revisions[parent].deleted
    return revived or "" in _strings(story.revisions[rev].content.get("decided"))


def _is_near(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def _strings(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else []

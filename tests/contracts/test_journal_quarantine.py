"""Quarantine stands beside the graph, and acceptance leads out of it, on SQLite and PostgreSQL alike."""

from dataclasses import replace

import pytest

from server.journal.journal import Journal
from server.journal.model import NewRevision, NotWaiting
from server.platform.db.engine import Storage
from sync.revisions.admission import MAX_GENERATION_JUMP, MAX_LEAVES
from sync.revisions.canonical import canonical
from sync.revisions.digest import EMPTY, digest_of
from sync.revisions.revision_id import RESOLVED_TOMBSTONE
from tests.conftest import StandingClock
from tests.contracts.building import ANOTHER, AREA, SOMEBODY, edit, foreign, outcomes, rev


async def test_a_revision_that_a_door_holds_back_is_kept_and_shown_to_nobody(journal: Journal) -> None:
    held = replace(edit("a", "maize"), quarantine="misfit_answers", number="7")
    assert outcomes(await journal.write(AREA, [held], SOMEBODY)) == ["quarantined: misfit_answers"]
    assert (await journal.changes(AREA)).rows == ()
    assert await journal.document(AREA, "a") is None
    state = await journal.state(AREA)
    assert (state.seq, state.digest, state.documents) == (0, EMPTY, 0)
    [waiting] = await journal.quarantined(AREA)
    assert (waiting.doc_id, waiting.rev, waiting.content) == ("a", held.rev, held.content)
    assert (waiting.reason, waiting.person, waiting.number) == ("misfit_answers", "person-1", "7")


async def test_a_repeat_finds_it_waiting_for_the_same_reason(journal: Journal) -> None:
    held = replace(edit("a", "maize"), quarantine="rights_lost")
    await journal.write(AREA, [held], SOMEBODY)
    again = [held, replace(held, quarantine=None), replace(held, quarantine="unknown_form")]
    assert outcomes(await journal.write(AREA, again, SOMEBODY)) == ["quarantined: rights_lost"] * 3
    assert len(await journal.quarantined()) == 1


@pytest.mark.parametrize("is_first", [True, False])
async def test_an_edit_is_judged_by_itself_whether_it_comes_before_what_is_held_back_or_after(
    journal: Journal, is_first: bool
) -> None:
    first = replace(edit("a", "maize"), quarantine="misfit_answers")
    second = edit("a", "rice", first)
    third = replace(edit("a", "tea", second), quarantine="rights_lost")
    for each in (first, second, third) if is_first else (third, second, first):
        await journal.write(AREA, [each], SOMEBODY)
    assert {(one.rev, one.reason) for one in await journal.quarantined(AREA)} == {
        (first.rev, "misfit_answers"),
        (third.rev, "rights_lost"),
    }
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == (second.rev,)
    # Let in later, it is what the edit was made from.
    await journal.accept(AREA, "a", first.rev, ANOTHER)
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == (second.rev,)
    assert await journal.faults(AREA) == []


async def test_acceptance_moves_a_revision_and_those_that_waited_for_it_in_under_their_ids(
    journal: Journal, clock: StandingClock
) -> None:
    root = edit("a", "maize")
    await journal.write(AREA, [root], SOMEBODY)
    first = replace(edit("a", "rice", root), quarantine="unknown_form")
    said = {"type": "record", "colour": "red"}
    second = NewRevision.following("a", said, first.rev)
    second = replace(second.overstepping("unknown_member", "peer"), ancestors=(first.rev, root.rev))
    first = replace(first, content=canonical(said), verify=False)
    third = replace(edit("a", "coffee", second), quarantine="misfit_answers")
    await journal.write(AREA, [first, second, third], SOMEBODY)
    came = clock()
    clock.move(days=2)
    moved = await journal.accept(AREA, "a", first.rev, ANOTHER)
    assert [(one.rev, one.outcome) for one in moved] == [(first.rev, "stored"), (second.rev, "stored")]
    [change] = (await journal.changes(AREA, since=1)).rows
    assert (change.rev, change.leaves) == (second.rev, (second.rev,))
    winner = await journal.document(AREA, "a")
    assert winner is not None
    assert (winner.person, winner.received_at) == ("person-1", came)
    assert [(one.rev, one.reason) for one in await journal.quarantined()] == [(third.rev, "misfit_answers")]
    assert outcomes(await journal.write(AREA, [first, replace(second, quarantine=None)], SOMEBODY)) == ["duplicate"] * 2
    assert (await journal.state(AREA)).digest == digest_of([("a", second.rev)])
    assert outcomes(await journal.accept(AREA, "a", third.rev, ANOTHER)) == ["stored"]
    assert await journal.quarantined() == []
    assert await journal.faults(AREA) == []


async def test_nobody_accepts_a_revision_whose_parent_still_waits(journal: Journal) -> None:
    first = replace(edit("a", "maize"), quarantine="unknown_form")
    second = replace(edit("a", "rice", first), quarantine="unknown_form")
    third = replace(edit("a", "tea", second), quarantine="unknown_form")
    await journal.write(AREA, [first, second, third], SOMEBODY)
    for one in (second, third):
        with pytest.raises(NotWaiting):
            await journal.accept(AREA, "a", one.rev, ANOTHER)
    assert (await journal.state(AREA)).seq == 0


async def test_only_what_waits_can_be_accepted_and_only_once(journal: Journal) -> None:
    held = replace(edit("a", "maize"), quarantine="unknown_form")
    await journal.write(AREA, [held], SOMEBODY)
    await journal.accept(AREA, "a", held.rev, ANOTHER)
    for doc_id in ("a", "b"):
        with pytest.raises(NotWaiting):
            await journal.accept(AREA, doc_id, held.rev, ANOTHER)


async def test_acceptance_and_what_hangs_on_it_are_one_transaction(journal: Journal, storage: Storage) -> None:
    held = replace(edit("a", "maize"), quarantine="unknown_form")
    await journal.write(AREA, [held], SOMEBODY)

    async def crash() -> None:
        async with storage.write() as connection:
            await journal.accept_within(connection, AREA, "a", held.rev, ANOTHER)
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        await crash()
    assert (await journal.state(AREA)).seq == 0
    assert len(await journal.quarantined()) == 1


async def test_a_known_id_with_other_content_is_quarantined_and_never_a_duplicate(journal: Journal) -> None:
    known = edit("a", "maize")
    forged = replace(known, content=canonical({"type": "record", "said": "forged"}))
    await journal.write(AREA, [known], SOMEBODY)
    state = await journal.state(AREA)
    for _ in range(2):
        written = await journal.write(AREA, [forged, replace(forged, verify=False)], ANOTHER)
        assert outcomes(written) == ["quarantined: known_id_other_content"] * 2
    assert await journal.state(AREA) == state
    assert outcomes(await journal.write(AREA, [known], SOMEBODY)) == ["duplicate"]
    assert len(await journal.quarantined()) == 1
    # A child of the known id is a child of the known content, whatever waits beside it.
    assert outcomes(await journal.write(AREA, [edit("a", "rice", known)], SOMEBODY)) == ["stored"]


async def test_a_known_id_with_another_parent_or_flag_is_quarantined(journal: Journal) -> None:
    known = foreign("a", rev(2, "b"), rev(1, "a"))
    await journal.write(AREA, [known], SOMEBODY)
    others = [replace(known, ancestors=(rev(1, "c"),)), replace(known, deleted=True)]
    assert outcomes(await journal.write(AREA, others, SOMEBODY)) == ["quarantined: known_id_other_content"] * 2


async def test_accepted_other_content_becomes_an_edit_of_the_revision_that_has_the_id(journal: Journal) -> None:
    known = foreign("a", rev(1, "a"), said="maize")
    other = foreign("a", rev(1, "a"), said="rice")
    await journal.write(AREA, [known, other], SOMEBODY)
    await journal.accept(AREA, "a", rev(1, "a"), ANOTHER)
    winner = await journal.document(AREA, "a")
    assert winner is not None
    assert (winner.parent, winner.content) == (rev(1, "a"), other.content)
    state = await journal.state(AREA)
    assert outcomes(await journal.write(AREA, [known, other], SOMEBODY)) == ["duplicate"] * 2
    assert await journal.state(AREA) == state
    assert await journal.faults(AREA) == []


async def test_a_waiting_id_with_other_content_waits_beside_it(journal: Journal) -> None:
    first = replace(foreign("a", rev(1, "a"), said="maize"), quarantine="unknown_form")
    other = foreign("a", rev(1, "a"), said="rice")
    assert outcomes(await journal.write(AREA, [first, other], SOMEBODY)) == [
        "quarantined: unknown_form",
        "quarantined: known_id_other_content",
    ]
    assert len(await journal.quarantined()) == 2


async def test_a_generation_far_ahead_of_its_document_is_quarantined(journal: Journal) -> None:
    await journal.write(AREA, [foreign("a", rev(5, "a"))], SOMEBODY)
    near, far = 5 + MAX_GENERATION_JUMP, 6 + 2 * MAX_GENERATION_JUMP
    batch = [foreign("a", rev(near, "b")), foreign("a", rev(far, "c")), foreign("b", rev(MAX_GENERATION_JUMP + 1, "d"))]
    assert outcomes(await journal.write(AREA, batch, SOMEBODY)) == [
        "stored",
        "quarantined: forged_generation",
        "quarantined: forged_generation",
    ]


async def test_a_forged_generation_does_not_come_in_under_another_reason(journal: Journal) -> None:
    far = foreign("a", rev(3 * MAX_GENERATION_JUMP, "b"))
    await journal.write(AREA, [foreign("a", rev(1, "a")), replace(far, quarantine="unknown_form")], SOMEBODY)
    state = await journal.state(AREA)
    assert outcomes(await journal.accept(AREA, "a", far.rev, ANOTHER)) == ["quarantined: forged_generation"]
    assert [one.reason for one in await journal.quarantined()] == ["forged_generation"]
    assert await journal.state(AREA) == state
    # Now that this is what a person looks at, it is theirs to decide.
    assert outcomes(await journal.accept(AREA, "a", far.rev, ANOTHER)) == ["stored"]
    assert await journal.faults(AREA) == []


async def test_a_leaf_too_many_is_quarantined_until_a_branch_is_closed(journal: Journal) -> None:
    first = edit("a", "maize")
    branches = [edit("a", str(number), first) for number in range(MAX_LEAVES + 1)]
    written = await journal.write(AREA, [first, *branches], SOMEBODY)
    assert outcomes(written) == ["stored"] * (MAX_LEAVES + 1) + ["quarantined: too_many_leaves"]
    assert outcomes(await journal.write(AREA, [branches[-1]], SOMEBODY)) == ["quarantined: too_many_leaves"]
    # An edit of a leaf adds none, and a resolved tombstone takes one away.
    assert outcomes(await journal.write(AREA, [edit("a", "tea", branches[0])], SOMEBODY)) == ["stored"]
    merge = NewRevision.following("a", {"type": "record", "merged": [branches[1].rev]}, branches[2].rev)
    closing = replace(foreign("a", rev(3, "f"), branches[1].rev, first.rev), deleted=True, content=RESOLVED_TOMBSTONE)
    assert outcomes(await journal.write(AREA, [merge, closing], SOMEBODY)) == ["stored", "stored"]
    # The place that this leaves is for the one that waited.
    assert await journal.quarantined(AREA) == []
    late = edit("a", "late", first)
    assert outcomes(await journal.write(AREA, [late], SOMEBODY)) == ["quarantined: too_many_leaves"]
    assert outcomes(await journal.accept(AREA, "a", late.rev, ANOTHER)) == ["stored"]
    [change] = (await journal.changes(AREA)).rows
    assert len(change.leaves) == MAX_LEAVES + 2
    assert await journal.faults(AREA) == []


async def test_deletions_that_a_merge_took_in_no_longer_count_against_the_limit(journal: Journal) -> None:
    first = edit("a", "maize")
    live = edit("a", "rice", first)
    deletions = [edit("a", str(number), first, deleted=True) for number in range(MAX_LEAVES)]
    written = await journal.write(AREA, [first, live, *deletions], SOMEBODY)
    assert outcomes(written)[-2:] == ["stored", "quarantined: too_many_leaves"]
    content = {"type": "record", "said": "rice", "merged": [one.rev for one in deletions[:-1]]}
    merge = NewRevision.following("a", content, live.rev)
    # In one batch and in batches of their own: what was merged is read from the bodies.
    assert outcomes(await journal.write(AREA, [merge, edit("a", "tea", first)], SOMEBODY)) == ["stored", "stored"]
    # The deletion that waited has come in, too.
    for number in range(MAX_LEAVES - 3):
        assert outcomes(await journal.write(AREA, [edit("a", f"more {number}", first)], SOMEBODY)) == ["stored"]
    too_many = await journal.write(AREA, [edit("a", "one more", first)], SOMEBODY)
    assert outcomes(too_many) == ["quarantined: too_many_leaves"]
    # Every other replica sees the deleted branches as leaves all the same.
    [change] = (await journal.changes(AREA)).rows
    assert len(change.leaves) == 2 * MAX_LEAVES - 1
    assert await journal.faults(AREA) == []


async def test_what_somebody_has_written_meanwhile_can_be_let_in_all_the_same(journal: Journal) -> None:
    """Content under a known id becomes an edit of it; here a person has made the very edit by hand."""
    one = edit("a", "maize")
    await journal.write(AREA, [one], SOMEBODY)
    other = NewRevision("a", one.rev, (), deleted=False, content=edit("a", "rice").content, verify=False)
    assert outcomes(await journal.write(AREA, [other], ANOTHER)) == ["quarantined: known_id_other_content"]
    by_hand = edit("a", "rice", one)
    await journal.write(AREA, [by_hand], SOMEBODY)
    assert outcomes(await journal.accept(AREA, "a", one.rev, SOMEBODY)) == ["stored"]
    assert await journal.quarantined(AREA) == []
    assert (await journal.documents(AREA, ["a"]))["a"].rev == by_hand.rev
    assert await journal.faults(AREA) == []

"""What machines made of branches waits beside the graph for what it was made of, on SQLite and PostgreSQL alike.

Nobody is shown it, nobody may let it in, and it comes in with the revision that was missing.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from server.journal import quarantine
from server.journal.journal import Journal
from server.journal.model import NewRevision, NotWaiting
from server.platform.db.engine import Storage
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RESOLVED_TOMBSTONE
from tests.conftest import StandingClock
from tests.contracts.building import ANOTHER, AREA, SOMEBODY, edit, foreign, outcomes, rev

TOMBSTONE: dict[str, Json] = {"type": "record", "resolved": True}


@dataclass(frozen=True)
class Closed:
    """Two branches and what a machine made of them: the merge, child of the winner, and the end of the other one."""

    root: NewRevision
    winner: NewRevision
    other: NewRevision
    merge: NewRevision
    end: NewRevision

    @property
    def all(self) -> list[NewRevision]:
        return [self.root, self.winner, self.other, self.merge, self.end]


def with_line(made: NewRevision, parent: NewRevision) -> NewRevision:
    return replace(made, ancestors=(parent.rev, *parent.ancestors))


def merge_of(parent: NewRevision, *others: NewRevision, **content: Json) -> NewRevision:
    merged: list[Json] = [*sorted(one.rev for one in others)]
    made = NewRevision.following("a", {"type": "record", "merged": merged, **content}, parent.rev)
    return with_line(made, parent)


def end_of(branch: NewRevision) -> NewRevision:
    return with_line(NewRevision.following("a", TOMBSTONE, branch.rev, deleted=True), branch)


@pytest.fixture
def closed() -> Closed:
    root = edit("a", "maize")
    one, other = sorted((edit("a", "rice", root), edit("a", "tea", root)), key=lambda each: each.rev)
    return Closed(root, other, one, merge_of(other, one), end_of(one))


async def leaves(journal: Journal) -> tuple[str, ...]:
    return (await journal.changes(AREA)).rows[0].leaves


async def test_a_merge_and_the_end_of_its_branch_are_one_batch(journal: Journal, closed: Closed) -> None:
    await journal.write(AREA, closed.all[:3], SOMEBODY)
    written = await journal.write(AREA, [closed.merge, closed.end], ANOTHER)
    assert outcomes(written) == ["stored", "stored"]
    assert await leaves(journal) == (closed.merge.rev, closed.end.rev)
    assert await journal.faults(AREA) == []


async def test_the_end_of_a_branch_waits_until_something_has_taken_the_branch_in(
    journal: Journal, closed: Closed
) -> None:
    await journal.write(AREA, closed.all[:3], SOMEBODY)
    state = await journal.state(AREA)
    for _ in range(2):
        assert outcomes(await journal.write(AREA, [closed.end], ANOTHER)) == ["quarantined: waits_for_merge"]
    assert await journal.state(AREA) == state
    assert await leaves(journal) == (closed.winner.rev, closed.other.rev)
    # Nobody has to look, nobody may, and it holds nothing back.
    assert await journal.quarantined() == []
    assert await journal.quarantined_in(AREA, ["a"]) == set()
    with pytest.raises(NotWaiting):
        await journal.accept(AREA, "a", closed.end.rev, ANOTHER)
    assert outcomes(await journal.write(AREA, [closed.merge], SOMEBODY)) == ["stored"]
    assert await leaves(journal) == (closed.merge.rev, closed.end.rev)
    assert outcomes(await journal.write(AREA, [closed.end], ANOTHER)) == ["duplicate"]
    [end] = [one for one in await journal.history(AREA, "a") if one.rev == closed.end.rev]
    assert end.person == "person-2"
    assert await journal.faults(AREA) == []


async def test_the_end_before_its_merge_in_one_batch_comes_in_with_it(journal: Journal, closed: Closed) -> None:
    written = await journal.write(AREA, [closed.end, closed.other, closed.root, closed.winner, closed.merge], SOMEBODY)
    assert outcomes(written) == ["stored"] * 5
    assert await leaves(journal) == (closed.merge.rev, closed.end.rev)


async def test_a_merge_waits_for_everything_that_it_was_made_of(journal: Journal, closed: Closed) -> None:
    await journal.write(AREA, [closed.root, closed.winner], SOMEBODY)
    assert outcomes(await journal.write(AREA, [closed.merge], ANOTHER)) == ["quarantined: waits_for_inputs"]
    assert await leaves(journal) == (closed.winner.rev,)
    assert outcomes(await journal.write(AREA, [closed.other], SOMEBODY)) == ["stored"]
    assert await leaves(journal) == (closed.merge.rev, closed.other.rev)
    assert await journal.faults(AREA) == []


async def test_whatever_the_order_the_same_stands_in_the_end(storage: Storage, clock: StandingClock) -> None:
    """I4: the same revisions in any order give the same leaves and winner."""
    root = edit("a", "maize")
    one, other = sorted((edit("a", "rice", root), edit("a", "tea", root)), key=lambda each: each.rev)
    late = edit("a", "coffee", one)
    merge = merge_of(other, one)
    again = merge_of(max(merge, late, key=lambda each: each.rev), min(merge, late, key=lambda each: each.rev))
    behind = min(merge, late, key=lambda each: each.rev)
    made = [root, one, other, late, merge, again, end_of(behind)]
    journal = Journal(storage, clock)
    orders = list(itertools.permutations(made))[:: 5040 // 12]
    await journal.ensure([f"agri-{number:05}-2025" for number in range(len(orders))])
    for number, order in enumerate(orders):
        database = f"agri-{number:05}-2025"
        for revision in order:
            await journal.write(database, [revision], SOMEBODY)
        [change] = (await journal.changes(database)).rows
        assert change.leaves == (again.rev, end_of(behind).rev), number
        assert await journal.faults(database) == []


async def test_a_merge_of_what_a_person_must_look_at_waits_for_that_person(journal: Journal, closed: Closed) -> None:
    held = replace(closed.other, quarantine="misfit_answers")
    written = await journal.write(AREA, [closed.root, closed.winner, held, closed.merge, closed.end], SOMEBODY)
    assert outcomes(written)[2:] == [
        "quarantined: misfit_answers",
        "quarantined: waits_for_inputs",
        "quarantined: waits_for_merge",
    ]
    assert [one.rev for one in await journal.quarantined()] == [held.rev]
    await journal.accept(AREA, "a", held.rev, ANOTHER)
    assert await leaves(journal) == (closed.merge.rev, closed.end.rev)
    assert await journal.faults(AREA) == []


async def test_the_branch_of_a_merge_that_another_covers_may_be_closed(journal: Journal) -> None:
    """Two servers merged alone: one merge has all edits of the other, and no third one is written."""
    root = edit("a", "maize")
    edits = sorted((edit("a", said, root) for said in ("rice", "tea", "coffee")), key=lambda each: each.rev)
    less = merge_of(edits[1], edits[0])
    more = merge_of(edits[2], edits[1], edits[0])
    await journal.write(AREA, [root, *edits, less, more], SOMEBODY)
    assert outcomes(await journal.write(AREA, [end_of(more)], SOMEBODY)) == ["quarantined: waits_for_merge"]
    assert outcomes(await journal.write(AREA, [end_of(less)], SOMEBODY)) == ["stored"]


async def test_the_branch_of_a_merge_that_a_deletion_knew_may_be_closed(journal: Journal) -> None:
    root = edit("a", "maize")
    edits = sorted((edit("a", said, root) for said in ("rice", "tea", "coffee")), key=lambda each: each.rev)
    less = merge_of(edits[1], edits[0])
    more = merge_of(edits[2], edits[1], edits[0])
    deletion = edit("a", "gone", more, deleted=True)
    await journal.write(AREA, [root, *edits, less, more, deletion], SOMEBODY)
    assert outcomes(await journal.write(AREA, [end_of(less), end_of(edits[0])], SOMEBODY)) == ["stored", "stored"]
    assert [one.rev for one in await journal.history(AREA, "a") if one.is_leaf and not one.deleted] == []


async def test_an_edit_of_what_waits_is_an_edit_of_what_is_not_here(journal: Journal, closed: Closed) -> None:
    written = await journal.write(AREA, [closed.root, closed.winner, closed.merge], SOMEBODY)
    assert outcomes(written)[-1] == "quarantined: waits_for_inputs"
    later = edit("a", "coffee", closed.merge)
    assert outcomes(await journal.write(AREA, [later], SOMEBODY)) == ["stored"]
    assert await leaves(journal) == (later.rev,)
    await journal.write(AREA, [closed.other], SOMEBODY)
    assert set(await leaves(journal)) == {later.rev, closed.other.rev}
    assert {one.rev for one in await journal.history(AREA, "a")} >= {closed.merge.rev}
    assert await journal.faults(AREA) == []


async def test_what_repeats_the_merge_that_it_edits_is_an_edit(journal: Journal, closed: Closed) -> None:
    await journal.write(AREA, closed.all, SOMEBODY)
    again = merge_of(closed.merge, closed.other, said="typed")
    assert outcomes(await journal.write(AREA, [again], SOMEBODY)) == ["stored"]


async def test_a_forged_end_closes_no_live_branch(journal: Journal) -> None:
    root = edit("a", "maize")
    leaf = edit("a", "rice", root)
    await journal.write(AREA, [root, leaf], SOMEBODY)
    ends: Sequence[NewRevision] = [
        end_of(leaf),
        replace(foreign("a", rev(3, "f"), leaf.rev, root.rev), deleted=True, content=RESOLVED_TOMBSTONE),
        replace(foreign("a", rev(9, "f")), deleted=True, content=RESOLVED_TOMBSTONE),
    ]
    assert outcomes(await journal.write(AREA, ends, ANOTHER)) == ["quarantined: waits_for_merge"] * 3
    assert await leaves(journal) == (leaf.rev,)
    winner = await journal.document(AREA, "a")
    assert winner is not None
    assert not winner.deleted


async def test_who_guesses_what_a_machine_will_write_keeps_it_from_nothing(journal: Journal, closed: Closed) -> None:
    guessed = [replace(closed.merge, quarantine="servers_only"), replace(closed.end, quarantine="not_a_record")]
    written = await journal.write(AREA, [*closed.all[:3], *guessed], SOMEBODY)
    assert outcomes(written)[3:] == ["quarantined: servers_only", "quarantined: waits_for_merge"]
    assert await leaves(journal) == (closed.winner.rev, closed.other.rev)
    assert outcomes(await journal.write(AREA, [closed.merge, closed.end], ANOTHER)) == ["stored", "stored"]
    assert await journal.quarantined() == []
    assert await leaves(journal) == (closed.merge.rev, closed.end.rev)
    assert outcomes(await journal.write(AREA, guessed, SOMEBODY)) == ["duplicate", "duplicate"]
    assert await journal.faults(AREA) == []


async def test_an_end_that_comes_twice_in_one_batch_is_kept_once(
    journal: Journal, closed: Closed, storage: Storage
) -> None:
    written = await journal.write(AREA, [closed.end, *closed.all[:4], closed.end, closed.end], SOMEBODY)
    assert outcomes(written)[-2:] == ["stored", "duplicate"]
    async with storage.read() as connection:
        assert await quarantine.waiting_for_revisions(connection) == []


async def test_how_many_wait_for_revisions_is_told(journal: Journal, closed: Closed, storage: Storage) -> None:
    await journal.write(AREA, [closed.root, closed.other, closed.merge, closed.end], SOMEBODY)
    async with storage.read() as connection:
        told = await quarantine.waiting_for_revisions(connection)
    assert [(each[0], each[1], each[2]) for each in told] == [
        (AREA, "waits_for_inputs", 1),
        (AREA, "waits_for_merge", 1),
    ]

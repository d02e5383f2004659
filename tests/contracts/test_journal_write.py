"""Writing to the journal, on SQLite and PostgreSQL alike."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from server.journal.journal import Journal
from server.journal.model import NewRevision, UnknownDatabase
from server.platform.db.engine import Storage
from sync.revisions.canonical import canonical
from sync.revisions.digest import EMPTY, digest_of
from tests.conftest import StandingClock
from tests.contracts.building import ANOTHER, AREA, OTHER_AREA, SOMEBODY, edit, foreign, outcomes, rev
from tests.waiting import within


async def test_i3_the_same_batch_twice_equals_once_and_burns_no_sequence(journal: Journal) -> None:
    first = edit("a", "maize")
    batch = [first, edit("a", "rice", first), edit("b", "tea"), edit("c", "gone", deleted=True)]
    assert outcomes(await journal.write(AREA, batch, SOMEBODY)) == ["stored"] * 4
    state, page = await journal.state(AREA), await journal.changes(AREA, include_docs=True)
    assert outcomes(await journal.write(AREA, batch, ANOTHER)) == ["duplicate"] * 4
    assert await journal.state(AREA) == state
    assert await journal.changes(AREA, include_docs=True) == page
    assert (state.seq, state.documents, state.deleted) == (4, 2, 1)


async def test_a_revision_that_stands_twice_in_a_batch_is_stored_once(journal: Journal) -> None:
    one = edit("a", "maize")
    assert outcomes(await journal.write(AREA, [one, one], SOMEBODY)) == ["stored", "duplicate"]
    assert (await journal.state(AREA)).seq == 1


async def test_the_outcome_carries_the_number_of_the_save(journal: Journal) -> None:
    [outcome] = await journal.write(AREA, [replace(edit("a", "maize"), number="41")], SOMEBODY)
    assert (outcome.doc_id, outcome.number) == ("a", "41")
    stored = await journal.document(AREA, "a")
    assert stored is not None
    assert stored.number == "41"


async def test_an_edit_becomes_the_winner_and_its_parent_stays_in_the_history(
    journal: Journal, clock: StandingClock
) -> None:
    first = edit("a", "maize")
    await journal.write(AREA, [first], SOMEBODY)
    morning = clock()
    clock.move(hours=3)
    second = edit("a", "rice", first)
    await journal.write(AREA, [second], ANOTHER)
    winner = await journal.document(AREA, "a")
    assert winner is not None
    assert (winner.rev, winner.parent, winner.content) == (second.rev, first.rev, second.content)
    assert (winner.person, winner.enrolment, winner.received_at) == ("person-2", "enrolment-2", clock())
    history = await journal.history(AREA, "a")
    assert [(one.rev, one.is_leaf, one.received_at) for one in history] == [
        (first.rev, False, morning),
        (second.rev, True, clock()),
    ]
    assert await journal.faults(AREA) == []


async def test_two_edits_of_one_parent_are_two_leaves_and_the_greater_wins(journal: Journal) -> None:
    first = edit("a", "maize")
    branches = [edit("a", "rice", first), edit("a", "tea", first)]
    await journal.write(AREA, [first, *branches], SOMEBODY)
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == tuple(sorted((one.rev for one in branches), reverse=True))
    assert change.rev == change.leaves[0]
    assert await journal.faults(AREA) == []


async def test_a_live_branch_wins_over_a_longer_one_that_ends_in_a_tombstone(journal: Journal) -> None:
    first = edit("a", "maize")
    second = edit("a", "rice", first)
    tombstone = edit("a", "", second, deleted=True)
    alive = edit("a", "tea", first)
    await journal.write(AREA, [first, second, tombstone, alive], SOMEBODY)
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == (alive.rev, tombstone.rev)
    assert not change.deleted
    state = await journal.state(AREA)
    assert (state.documents, state.deleted) == (1, 0)


async def test_an_edit_of_a_tombstone_brings_the_document_back(journal: Journal) -> None:
    first = edit("a", "maize")
    tombstone = edit("a", "", first, deleted=True)
    await journal.write(AREA, [first, tombstone], SOMEBODY)
    assert (await journal.state(AREA)).digest == EMPTY
    again = edit("a", "rice", tombstone)
    await journal.write(AREA, [again], SOMEBODY)
    state = await journal.state(AREA)
    assert (state.documents, state.deleted, state.digest) == (1, 0, digest_of([("a", again.rev)]))


async def test_a_revision_whose_parent_is_unknown_is_stored_with_the_ancestors_that_it_names(journal: Journal) -> None:
    first = edit("a", "maize")
    second = edit("a", "rice", first)
    third = edit("a", "tea", second)
    assert outcomes(await journal.write(AREA, [third], SOMEBODY)) == ["stored"]
    assert await journal.document(AREA, "a", second.rev) is None
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == (third.rev,)
    # The body in between comes later, from another phone: kept, shown in the feed, and no leaf.
    assert outcomes(await journal.write(AREA, [second], ANOTHER)) == ["stored"]
    [change] = (await journal.changes(AREA, since=1)).rows
    assert (change.seq, change.leaves) == (2, (third.rev,))
    assert await journal.faults(AREA) == []


async def test_late_ancestors_join_two_truncated_lines_into_one(journal: Journal) -> None:
    await journal.write(AREA, [foreign("a", rev(2, "b")), foreign("a", rev(5, "e"))], SOMEBODY)
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == (rev(5, "e"), rev(2, "b"))
    known = foreign("a", rev(5, "e"), rev(4, "d"), rev(3, "c"), rev(2, "b"))
    assert outcomes(await journal.write(AREA, [known], ANOTHER)) == ["duplicate"]
    [change] = (await journal.changes(AREA, since=2)).rows
    assert change.leaves == (rev(5, "e"),)
    state = await journal.state(AREA)
    assert outcomes(await journal.write(AREA, [known], ANOTHER)) == ["duplicate"]
    assert await journal.state(AREA) == state
    assert await journal.faults(AREA) == []


async def test_late_ancestors_that_change_no_leaf_move_no_sequence(journal: Journal) -> None:
    await journal.write(AREA, [foreign("a", rev(3, "c"), rev(2, "b"))], SOMEBODY)
    state = await journal.state(AREA)
    await journal.write(AREA, [foreign("a", rev(3, "c"), rev(2, "b"), rev(1, "a"))], SOMEBODY)
    assert await journal.state(AREA) == state
    # The edge is kept all the same: what had been the end of a line is known to go on.
    await journal.write(AREA, [foreign("a", rev(1, "a"))], SOMEBODY)
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == (rev(3, "c"),)
    assert await journal.faults(AREA) == []


async def test_late_ancestors_of_a_tombstone_leave_it_one(journal: Journal) -> None:
    await journal.write(AREA, [foreign("a", rev(3, "c"), deleted=True), foreign("a", rev(1, "a"))], SOMEBODY)
    known = foreign("a", rev(3, "c"), rev(2, "b"), rev(1, "a"), deleted=True)
    await journal.write(AREA, [known], SOMEBODY)
    [change] = (await journal.changes(AREA)).rows
    assert (change.deleted, change.leaves) == (True, (rev(3, "c"),))
    assert [one.deleted for one in await journal.history(AREA, "a")] == [True, False]
    assert await journal.faults(AREA) == []


async def test_an_edge_that_comes_in_the_batch_of_its_revision_is_kept(journal: Journal) -> None:
    batch = [
        foreign("a", rev(2, "b")),
        foreign("a", rev(3, "c"), rev(2, "b")),
        foreign("a", rev(2, "b"), rev(1, "a")),
        foreign("a", rev(1, "a")),
    ]
    assert outcomes(await journal.write(AREA, batch, SOMEBODY)) == ["stored", "stored", "duplicate", "stored"]
    assert [one.parent for one in await journal.history(AREA, "a")] == [rev(1, "a"), rev(2, "b"), None]
    assert await journal.faults(AREA) == []


async def test_the_parent_that_a_revision_names_outweighs_what_a_path_said_of_it(journal: Journal) -> None:
    path = foreign("a", rev(3, "c"), rev(2, "b"), rev(1, "f"))
    own = foreign("a", rev(2, "b"), rev(1, "a"))
    await journal.write(AREA, [path, own], SOMEBODY)
    await journal.write(OTHER_AREA, [own, path], SOMEBODY)
    for database in (AREA, OTHER_AREA):
        parents = {one.rev: one.parent for one in await journal.history(database, "a")}
        assert parents == {rev(3, "c"): rev(2, "b"), rev(2, "b"): rev(1, "a")}
        assert await journal.faults(database) == []


async def test_what_cannot_be_a_revision_is_refused_and_spoils_nothing_beside_it(journal: Journal) -> None:
    good = edit("a", "maize")
    batch = [
        replace(good, doc_id=""),
        replace(good, doc_id="_local/x"),
        replace(good, doc_id="a\nb"),
        replace(good, rev="0-" + "a" * 32),
        replace(good, rev=good.rev.upper()),
        replace(good, content=canonical({"type": "record", "said": "forged"})),
        replace(good, rev=rev(3, "c"), ancestors=(rev(1, "a"),)),
        replace(good, deleted=True),
        good,
    ]
    assert outcomes(await journal.write(AREA, batch, SOMEBODY)) == [
        *["refused: malformed"] * 4,
        "refused: malformed",
        "refused: id_mismatch",
        "refused: malformed",
        "refused: id_mismatch",
        "stored",
    ]
    assert [change.doc_id for change in (await journal.changes(AREA)).rows] == ["a"]


async def test_a_seal_is_kept_with_what_it_covers_and_only_once(journal: Journal) -> None:
    seal = canonical({"type": "seal", "jws": "e30..sig"})
    batch = [edit("a", "maize"), edit("b", "rice")]
    await journal.write(AREA, batch, SOMEBODY, seal=seal)
    rows = (await journal.changes(AREA, include_docs=True)).rows
    assert [row.doc_id.partition(":")[0] for row in rows] == ["a", "b", "seal"]
    assert rows[2].content == seal
    state = await journal.state(AREA)
    # Phones get no seals, so a seal must not count in what they compare.
    assert state.digest == digest_of((one.doc_id, one.rev) for one in batch)
    await journal.write(AREA, batch, SOMEBODY, seal=seal)
    assert await journal.state(AREA) == state
    assert [row.doc_id for row in (await journal.changes(AREA, for_phones=True)).rows] == ["a", "b"]


async def test_a_seal_over_a_quarantined_revision_is_kept_too(journal: Journal) -> None:
    batch = [replace(edit("a", "maize"), quarantine="unknown_form")]
    await journal.write(AREA, batch, SOMEBODY, seal=b'{"type":"seal"}')
    await journal.write(AREA, batch, SOMEBODY, seal=b'{"type":"seal"}')
    assert [row.doc_id[:5] for row in (await journal.changes(AREA)).rows] == ["seal:"]


async def test_others_write_between_the_parts_of_a_large_batch(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.journal.parts.MOST_WEIGHT", 20)
    done: list[str] = []

    async def write(database: str, batch: list[NewRevision]) -> None:
        assert outcomes(await journal.write(database, batch, SOMEBODY)) == ["stored"] * len(batch)
        done.append(database)

    line = [edit("a", "1")]
    for number in range(2, 30):
        line.append(NewRevision.following("a", {"type": "record", "said": str(number)}, line[-1].rev))
    await asyncio.gather(write(AREA, line), write(OTHER_AREA, [edit("b", "rice")]))
    assert done == [OTHER_AREA, AREA]
    assert [change.rev for change in (await journal.changes(AREA)).rows] == [line[-1].rev]
    assert await journal.faults(AREA) == []


async def test_a_crash_inside_the_transaction_leaves_nothing(journal: Journal, storage: Storage) -> None:
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    state = await journal.state(AREA)

    batch = [edit("b", "rice"), replace(edit("c", "tea"), quarantine="unknown_form")]

    async def crash() -> None:
        async with storage.write() as connection:
            written = await journal.write_within(connection, AREA, batch, SOMEBODY, seal=b'{"type":"seal"}')
            assert outcomes(written) == ["stored", "quarantined: unknown_form"]
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        await crash()
    assert await journal.state(AREA) == state
    assert await journal.document(AREA, "b") is None
    assert await journal.quarantined() == []
    assert await journal.faults(AREA) == []
    assert outcomes(await journal.write(AREA, batch, SOMEBODY)) == ["stored", "quarantined: unknown_form"]
    assert await Journal(storage, datetime.now().astimezone).state(AREA) == await journal.state(AREA)


async def test_concurrent_writers_lose_nothing_and_a_reader_never_sees_a_gap(journal: Journal) -> None:
    async def writer(name: str) -> None:
        for number in range(6):
            await journal.write(AREA, [edit(f"{name}-{number}-{k}", "maize") for k in range(3)], SOMEBODY)

    seen: list[int] = []

    async def reader() -> None:
        while len(seen) < 4 * 6 * 3:
            page = await journal.changes(AREA, since=seen[-1] if seen else 0)
            seen.extend(row.seq for row in page.rows)
            await asyncio.sleep(0)

    await within(60, asyncio.gather(reader(), *(writer(name) for name in "abcd")))
    # Every document was written once: a sequence that became visible late would be missing here for ever.
    assert seen == list(range(1, 4 * 6 * 3 + 1))
    assert await journal.faults(AREA) == []


async def test_a_batch_that_fails_among_others_leaves_no_gap_and_fails_nobody(
    journal: Journal, storage: Storage
) -> None:
    async def write(number: int, batch: list[NewRevision]) -> None:
        async with storage.write() as connection:
            await journal.write_within(connection, (AREA, OTHER_AREA)[number % 2], batch, SOMEBODY)
            if number % 3 == 0:
                raise RuntimeError("the next stage failed")

    first = edit("same", "maize")
    batches = [[edit(f"doc-{number}", "rice"), first] for number in range(9)]
    ends = await asyncio.gather(*(write(number, batch) for number, batch in enumerate(batches)), return_exceptions=True)
    assert [isinstance(end, RuntimeError) for end in ends] == [number % 3 == 0 for number in range(9)]
    for database, written in ((AREA, {2, 4, 8}), (OTHER_AREA, {1, 5, 7})):
        rows = (await journal.changes(database)).rows
        assert {row.doc_id for row in rows} == {"same", *(f"doc-{number}" for number in written)}
        assert [row.seq for row in rows] == [1, 2, 3, 4]
        assert await journal.faults(database) == []
    # Only what was committed was told.
    assert await journal.wait(0, 0) == 6


async def test_concurrent_edits_of_one_document_are_all_leaves(journal: Journal) -> None:
    first = edit("a", "maize")
    await journal.write(AREA, [first], SOMEBODY)
    branches = [edit("a", str(number), first) for number in range(8)]
    await asyncio.gather(*(journal.write(AREA, [one], SOMEBODY) for one in branches))
    [change] = (await journal.changes(AREA)).rows
    assert change.leaves == tuple(sorted((one.rev for one in branches), reverse=True))
    assert await journal.faults(AREA) == []


async def test_the_same_batch_from_two_requests_at_once_is_stored_once(journal: Journal) -> None:
    batch = [edit(f"doc-{number}", "maize") for number in range(5)]
    both = await asyncio.gather(*(journal.write(AREA, batch, SOMEBODY) for _ in range(2)))
    assert sorted(outcomes(both[0]) + outcomes(both[1])) == ["duplicate"] * 5 + ["stored"] * 5
    assert (await journal.state(AREA)).seq == 5


async def test_databases_stand_apart(journal: Journal) -> None:
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    assert await journal.document(OTHER_AREA, "a") is None
    assert outcomes(await journal.write(OTHER_AREA, [edit("a", "maize")], SOMEBODY)) == ["stored"]
    assert [(state.name, state.seq) for state in await journal.databases()] == [(AREA, 1), (OTHER_AREA, 1)]


async def test_an_unknown_database_takes_nothing(journal: Journal) -> None:
    with pytest.raises(UnknownDatabase):
        await journal.write("agri-00000-2025", [edit("a", "maize")], SOMEBODY)


async def test_making_a_database_again_keeps_what_it_holds(journal: Journal) -> None:
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    await journal.ensure([AREA])
    assert (await journal.state(AREA)).seq == 1


async def test_i2_a_line_of_many_edits_keeps_every_body(journal: Journal) -> None:
    line: list[NewRevision] = [edit("a", "0")]
    for number in range(1, 40):
        made = edit("a", str(number), line[-1])
        line.append(replace(made, ancestors=made.ancestors[:3]))
    for one in line:
        assert outcomes(await journal.write(AREA, [one], SOMEBODY)) == ["stored"]
    assert [one.content for one in await journal.history(AREA, "a")] == [one.content for one in line]
    assert await journal.faults(AREA) == []

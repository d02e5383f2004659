"""The changes feed and its checkpoints, on SQLite and PostgreSQL alike."""

import pytest

from server.journal.journal import Journal
from server.journal.model import UnknownDatabase
from server.platform.db.engine import Storage
from sync.revisions.digest import EMPTY, digest_of
from tests.conftest import StandingClock
from tests.contracts.building import AREA, OTHER_AREA, SOMEBODY, edit


async def filled(journal: Journal, count: int) -> None:
    await journal.write(AREA, [edit(f"doc-{number:03}", "maize") for number in range(count)], SOMEBODY)


async def test_a_document_stands_once_in_the_feed_at_its_latest_sequence(journal: Journal) -> None:
    first, other = edit("a", "maize"), edit("b", "rice")
    await journal.write(AREA, [first, other, edit("a", "tea", first)], SOMEBODY)
    assert [(row.seq, row.doc_id) for row in (await journal.changes(AREA)).rows] == [(2, "b"), (3, "a")]


async def test_pages_are_exact_and_tell_what_is_pending(journal: Journal) -> None:
    await filled(journal, 5)
    page = await journal.changes(AREA, limit=2)
    assert ([row.seq for row in page.rows], page.last_seq, page.pending) == ([1, 2], 2, 3)
    page = await journal.changes(AREA, since=2, limit=3)
    assert ([row.seq for row in page.rows], page.last_seq, page.pending) == ([3, 4, 5], 5, 0)
    page = await journal.changes(AREA, since=5, limit=3)
    assert (page.rows, page.last_seq, page.pending) == ((), 5, 0)
    page = await journal.changes(AREA, limit=0)
    assert (page.rows, page.last_seq, page.pending) == ((), 0, 5)


async def test_pending_is_exact_wherever_a_reader_stands(journal: Journal) -> None:
    await filled(journal, 9)
    moved = edit("doc-001", "maize")
    await journal.write(
        AREA, [edit("doc-001", "rice", moved), edit("doc-003", "", edit("doc-003", "maize"), deleted=True)], SOMEBODY
    )
    seqs = [row.seq for row in (await journal.changes(AREA)).rows]
    assert seqs == [1, 3, 5, 6, 7, 8, 9, 10, 11]
    for since in range(12):
        for limit in (0, 1, 3):
            behind = [seq for seq in seqs if seq > since][limit:]
            page = await journal.changes(AREA, since, limit=limit)
            assert page.pending == len(behind)
            page = await journal.changes(AREA, since, limit=limit, up_to=8)
            assert page.pending == len([seq for seq in behind if seq <= 8])
            page = await journal.changes(AREA, since, limit=limit, for_phones=True, counts_pending=False)
            assert page.pending == (1 if behind else 0)


async def test_a_page_can_end_at_a_sequence(journal: Journal) -> None:
    await filled(journal, 5)
    page = await journal.changes(AREA, since=1, up_to=3)
    assert ([row.seq for row in page.rows], page.last_seq, page.pending) == ([2, 3], 3, 0)
    assert (await journal.changes(AREA, since=4, up_to=3)).last_seq == 4


async def test_a_page_brings_the_winners_content_only_where_it_is_asked_for(journal: Journal) -> None:
    one = edit("a", "maize")
    await journal.write(AREA, [one], SOMEBODY)
    assert [row.content for row in (await journal.changes(AREA)).rows] == [None]
    assert [row.content for row in (await journal.changes(AREA, include_docs=True)).rows] == [one.content]


async def test_what_phones_never_get_is_passed_over_and_the_page_goes_beyond_it(journal: Journal) -> None:
    await filled(journal, 2)
    await journal.write(AREA, [edit(f"seal:{number}", "") for number in range(4)], SOMEBODY)
    page = await journal.changes(AREA, for_phones=True, limit=2)
    assert ([row.seq for row in page.rows], page.last_seq, page.pending) == ([1, 2], 6, 0)
    page = await journal.changes(AREA, since=2, for_phones=True)
    assert (page.rows, page.last_seq) == ((), 6)


async def test_phones_get_exactly_what_the_digest_counts(journal: Journal) -> None:
    ids = ["seal:1", "Seal:2", "seal", "_design/a", "xseal:3", "sealX4"]
    await journal.write(AREA, [edit(doc_id, "") for doc_id in ids], SOMEBODY)
    page = await journal.changes(AREA, for_phones=True)
    assert [row.doc_id for row in page.rows] == ["Seal:2", "seal", "xseal:3", "sealX4"]
    assert page.state.digest == digest_of((row.doc_id, row.rev) for row in page.rows)


async def test_a_page_carries_the_state_of_its_own_moment(journal: Journal) -> None:
    await filled(journal, 3)
    page = await journal.changes(AREA, limit=1)
    assert page.state == await journal.state(AREA)
    assert page.state.since == await journal.since_text(AREA, 3)


async def test_i7_a_checkpoint_is_found_again_exactly(journal: Journal) -> None:
    await filled(journal, 3)
    for seq in range(4):
        assert await journal.position(AREA, await journal.since_text(AREA, seq)) == seq


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "3-",
        "-",
        "three-00000000",
        "3-0000000g",
        "3-0",
        "03226",
        "-1-00000000",
        "٣-00000000",
        "9" * 30 + "-00000000",
    ],
)
async def test_a_checkpoint_that_is_none_means_from_the_beginning(journal: Journal, text: str) -> None:
    await filled(journal, 3)
    assert await journal.position(AREA, text) == 0


async def test_i7_a_checkpoint_of_another_history_means_from_the_beginning(journal: Journal) -> None:
    await filled(journal, 3)
    await journal.write(OTHER_AREA, [edit(f"doc-{number:03}", "rice") for number in range(3)], SOMEBODY)
    for seq in range(1, 4):
        assert await journal.position(AREA, await journal.since_text(OTHER_AREA, seq)) == 0
    beyond = (await journal.since_text(AREA, 3)).replace("3-", "4-")
    assert await journal.position(AREA, beyond) == 0


async def test_there_is_no_checkpoint_beyond_the_feed(journal: Journal) -> None:
    with pytest.raises(LookupError):
        await journal.since_text(AREA, 1)


async def test_the_chain_depends_on_who_brought_what_and_when(
    storage: Storage, journal: Journal, clock: StandingClock
) -> None:
    await filled(journal, 1)
    before = await journal.state(AREA)
    clock.move(seconds=1)
    later = Journal(storage, clock)
    await later.ensure(["agri-later-2025"])
    await later.write("agri-later-2025", [edit("doc-000", "maize")], SOMEBODY)
    after = await later.state("agri-later-2025")
    assert before.digest == after.digest
    assert before.since != after.since


async def test_the_digest_is_that_of_the_live_winners_at_every_moment(journal: Journal) -> None:
    first = edit("a", "maize")
    second = edit("a", "rice", first)
    branch = edit("a", "tea", first)
    steps = [
        [first],
        [edit("b", "rice")],
        [second, branch],
        [edit("a", "", second, deleted=True)],
        [edit("_design/x", "")],
    ]
    assert (await journal.state(AREA)).digest == EMPTY
    for step in steps:
        await journal.write(AREA, step, SOMEBODY)
        rows = (await journal.changes(AREA, for_phones=True)).rows
        assert (await journal.state(AREA)).digest == digest_of((row.doc_id, row.rev) for row in rows if not row.deleted)


async def test_an_unknown_database_has_no_feed(journal: Journal) -> None:
    with pytest.raises(UnknownDatabase):
        await journal.changes("agri-00000-2025")
    with pytest.raises(UnknownDatabase):
        await journal.state("agri-00000-2025")
    assert await journal.position("agri-00000-2025", "1-00000000") == 0

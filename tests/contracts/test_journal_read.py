"""Documents, and what the journal notices of its own damage, on SQLite and PostgreSQL alike."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from server.ingest.document import read_document
from server.journal import self_check
from server.journal.journal import Journal
from server.journal.model import NewRevision
from server.journal.store.tables import bodies, databases, documents, entries, revisions
from server.platform.db.engine import Storage
from sync.revisions.canonical import Json
from tests.contracts.building import AREA, SOMEBODY, edit, foreign, rev


async def test_documents_are_found_by_id_however_many_are_asked_for(journal: Journal) -> None:
    batch = [edit(f"doc-{number}", "maize") for number in range(300)]
    await journal.write(AREA, batch, SOMEBODY)
    found = await journal.documents(AREA, [*(one.doc_id for one in batch), "none"])
    assert {doc_id: one.rev for doc_id, one in found.items()} == {one.doc_id: one.rev for one in batch}
    assert await journal.documents(AREA, []) == {}


async def test_ids_of_every_alphabet_are_kept_as_they_are(journal: Journal) -> None:
    # The second is the first in decomposed form: two names, since nobody changes a byte of an id here.
    ids = ["Bi\u00ean", "Bie\u0302n", "review:x'; DROP TABLE documents;--", "%_", "🌾"]
    await journal.write(AREA, [edit(doc_id, doc_id) for doc_id in ids], SOMEBODY)
    assert set(await journal.documents(AREA, ids)) == set(ids)
    assert [row.doc_id for row in (await journal.changes(AREA)).rows] == ids


async def test_histories_of_many_documents_come_at_once(journal: Journal) -> None:
    first, other = edit("a", "maize"), edit("b", "rice")
    second = edit("a", "tea", first)
    await journal.write(AREA, [first, other, second], SOMEBODY)
    found = await journal.histories(AREA, ["a", "b", "none"])
    assert {doc_id: [one.rev for one in line] for doc_id, line in found.items()} == {
        "a": [first.rev, second.rev],
        "b": [other.rev],
    }
    assert await journal.history(AREA, "none") == []


async def test_an_older_revision_is_found_by_its_id(journal: Journal) -> None:
    first = edit("a", "maize")
    await journal.write(AREA, [first, edit("a", "rice", first)], SOMEBODY)
    found = await journal.document(AREA, "a", first.rev)
    assert found is not None
    assert (found.content, found.is_leaf, found.generation) == (first.content, False, 1)
    assert await journal.document(AREA, "a", "1-" + "0" * 32) is None


def test_a_document_with_members_that_mean_nothing_here_is_no_revision() -> None:
    good: dict[str, Json] = {"_id": "a", "_rev": "1-" + "0" * 32, "type": "record"}
    assert read_document(good).content == b'{"type":"record"}'
    assert not read_document(good).is_flawed
    flaws: list[dict[str, Json]] = [
        {"_attachments": {}},
        {"_id": None},
        {"_rev": 1},
        {"_deleted": "yes"},
        {"x": "\ud800"},
    ]
    for bad in flaws:
        assert read_document({**good, **bad}).is_flawed


async def test_damage_is_noticed(journal: Journal, storage: Storage) -> None:
    first = edit("a", "maize")
    await journal.write(AREA, [first, edit("b", "rice"), replace(edit("c", "tea"), number="3")], SOMEBODY)
    damages = [
        (update(bodies).where(bodies.c.doc_id == "a").values(content=b"{}"), "body"),
        (update(databases).where(databases.c.name == AREA).values(digest="0" * 32), "digest"),
        (update(documents).where(documents.c.doc_id == "b").values(leaves=first.rev), "leaves"),
        (update(entries).where(entries.c.seq == 2).values(chain=b"\0" * 32), "chain"),
    ]
    assert await journal.faults(AREA) == []
    for damage, word in damages:
        async with storage.write() as connection:
            await connection.execute(damage)
        assert any(word in fault for fault in await journal.faults(AREA))


async def test_what_is_shown_and_what_is_held_are_each_found_without_the_other(
    journal: Journal, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Documents lie across the pages in which they are read.
    monkeypatch.setattr(self_check, "PAGE", 2)
    first = edit("a", "maize")
    second = edit("a", "rice", first)
    lines = [first, second, edit("a", "tea", second), edit("b", "rice"), edit("c", "tea"), edit("d", "", deleted=True)]
    await journal.write(AREA, lines, SOMEBODY)
    assert await journal.faults(AREA) == []
    async with storage.write() as connection:
        await connection.execute(delete(documents).where(documents.c.doc_id == "b"))
        await connection.execute(delete(entries).where(entries.c.seq == 5))
    assert await journal.faults(AREA) == ["the chain breaks at sequence 6"]
    async with storage.write() as connection:
        await connection.execute(delete(revisions).where(revisions.c.doc_id.in_(["c", "d"])))
        await connection.execute(delete(entries))
    assert await journal.faults(AREA) == [
        "the head stands at 6, the chain ends at 0",
        "b is not shown with its leaves",
        "c is shown without revisions",
        "d is shown without revisions",
        "counts or digest are not those of the documents",
    ]


async def test_documents_are_read_whole_with_what_paths_only_named(journal: Journal) -> None:
    root = edit("a", "maize")
    winner, other = sorted((edit("a", "rice", root), edit("a", "tea", root)), key=lambda each: each.rev, reverse=True)
    merge = NewRevision.following("a", {"type": "record", "merged": [other.rev]}, winner.rev)
    cut = foreign("b", rev(3, "c"), rev(2, "b"))
    await journal.write(AREA, [root, winner, other, merge, cut, edit("c", "tea")], SOMEBODY)
    found = await journal.whole(AREA, ["a", "b", "nowhere", "\0"])
    assert found.keys() == {"a", "b"}
    assert found["a"].graph.leaves() == (merge.rev, other.rev)
    assert found["a"].graph.merged == {merge.rev: (other.rev,)}
    assert {each for each in found["a"].revisions.values() if each.is_leaf} == {
        found["a"].revisions[merge.rev],
        found["a"].revisions[other.rev],
    }
    assert found["a"].revisions[root.rev] == await journal.document(AREA, "a", root.rev)
    assert found["b"].graph.parents == {rev(3, "c"): rev(2, "b"), rev(2, "b"): None}
    assert found["b"].graph.held.keys() == found["b"].revisions.keys() == {rev(3, "c")}


async def test_who_holds_a_database_learns_what_has_moved_since_it_was_read(journal: Journal, storage: Storage) -> None:
    stays, moves = edit("a", "maize"), edit("b", "maize")
    await journal.write(AREA, [stays, moves], SOMEBODY)
    read = {"a": (stays.rev,), "b": (moves.rev,), "nowhere": (stays.rev,)}
    await journal.write(AREA, [edit("b", "rice", moves)], SOMEBODY)
    async with storage.write() as connection:
        assert await journal.standing_within(connection, AREA, read) == {"a"}

"""Taking a whole database away beside those who write to it, on SQLite and PostgreSQL alike."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from server.journal.journal import Journal
from server.journal.model import UnknownDatabase
from server.platform.db.engine import Storage
from tests.contracts.building import AREA, SOMEBODY, edit, outcomes


async def test_a_write_under_way_leaves_nothing_in_a_database_that_is_removed(
    journal: Journal, storage: Storage
) -> None:
    async def remove() -> None:
        async with storage.write() as connection:
            await journal.remove_within(connection, AREA)

    async with storage.write() as connection:
        await journal.write_within(connection, AREA, [edit("secret", "maize")], SOMEBODY)
        removing = asyncio.create_task(remove())
        # Time enough for it to come to where it has to wait.
        await asyncio.sleep(0.2)
    await removing
    with pytest.raises(UnknownDatabase):
        await journal.write(AREA, [edit("late", "rice")], SOMEBODY)
    await journal.ensure([AREA])
    assert await journal.documents(AREA, ["secret"]) == {}
    assert outcomes(await journal.write(AREA, [edit("new", "tea")], SOMEBODY)) == ["stored"]
    assert await journal.faults(AREA) == []


async def test_ids_that_no_document_has_are_asked_about_in_vain(journal: Journal) -> None:
    await journal.write(AREA, [edit("a", "maize")], SOMEBODY)
    ids = ["a", "a\0b", "\ud800", ""]
    assert set(await journal.documents(AREA, ids)) == {"a"}
    assert set(await journal.histories(AREA, ids)) == {"a"}
    assert [change.doc_id for change in await journal.changes_of(AREA, ids)] == ["a"]


async def test_what_fails_tells_nothing_of_what_people_answered(storage: Storage) -> None:
    said = {"database": AREA, "said": "a secret answer"}
    with pytest.raises(IntegrityError) as caught:
        async with storage.write() as connection:
            await connection.execute(text("INSERT INTO revisions (database, doc_id) VALUES (:database, :said)"), said)
    assert "secret" not in str(caught.value)

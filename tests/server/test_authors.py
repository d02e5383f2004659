"""Whose a revision is, where its seal came later: what is to be told is found without reading what has been."""

from sqlalchemy import insert, text

from server.journal.store import authors
from server.journal.store.author_tables import sealed_revisions
from server.platform.db.engine import Storage


async def test_only_what_holds_and_is_not_told_is_asked_for(storage: Storage) -> None:
    rows = [_row("told", holds=True, is_told=True), _row("announced", holds=False, is_told=False)]
    async with storage.write() as connection:
        await connection.execute(insert(sealed_revisions), [*rows, _row("new", holds=True, is_told=False)])
        assert await authors.untold(connection) == {"agri-1": {"new"}}
        await authors.mark_told(connection, "agri-1", {"new"})
        assert await authors.untold(connection) == {}


async def test_the_question_reads_an_index_of_what_is_untold_alone(storage: Storage) -> None:
    async with storage.read() as connection:
        if storage.is_postgresql:
            # PostgreSQL would rather read an empty table.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        said = f"{'EXPLAIN' if storage.is_postgresql else 'EXPLAIN QUERY PLAN'} {_compiled(storage)}"
        plan = " ".join(str(row) for row in await connection.execute(text(said)))
    assert "ix_sealed_revisions_untold" in plan


def _compiled(storage: Storage) -> str:
    return str(authors.UNTOLD.compile(dialect=storage.engine.dialect))


def _row(record: str, *, holds: bool, is_told: bool) -> dict[str, object]:
    names = {"database": "agri-1", "doc_id": record, "rev": "1-" + "0" * 32, "enrolment": "phone", "person": "hoa"}
    return {**names, "holds": holds, "is_told": is_told}

"""Looking for records whose forms have come: what a look costs depends on what has come, not on what waits."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, event, insert, select, text

from server.ingest.awaited_forms import MOST_BATCHES, judge_what_awaited_forms
from server.journal import awaited
from server.journal.quarantine import AT_ONCE
from server.journal.store.tables import quarantine
from server.platform.db.engine import Storage
from tests.builders import Client
from tests.server.couchdb_door import record
from tests.server.published_forms import publish
from tests.server.sync_door import DATABASE, XFORM, with_form

NAMES = 5000
LATE = "2026113001"
AT = datetime(2026, 11, 30, tzinfo=UTC)


def _waiting(doc_id: str, version: str) -> dict[str, Any]:
    content = json.dumps({**record(), "form_version": version}).encode()
    return {
        "database": DATABASE,
        "doc_id": doc_id,
        "rev": "1-" + hashlib.md5(doc_id.encode(), usedforsecurity=False).hexdigest(),
        "fingerprint": hashlib.sha256(b"+" + content).digest(),
        "ancestors": "",
        "deleted": False,
        "content": content,
        "reason": "unknown_form",
        "awaits": json.dumps(["shan_tea", version]),
    }


async def _held(client: Client, rows: Sequence[dict[str, Any]]) -> None:
    async with client.app.state["storage"].write() as connection:
        await connection.execute(insert(quarantine), [row | {"received_at": AT} for row in rows])


async def _look(client: Client) -> int:
    state = client.app.state
    return await judge_what_awaited_forms(state["storage"], state["journal"], state["library"])


async def test_a_look_costs_the_same_however_many_names_are_waited_for(client: Client) -> None:
    await with_form(client)
    await _held(client, [_waiting(f"never-{number}", f"never {number}") for number in range(NAMES)])
    said: list[str] = []
    engine = client.app.state["storage"].engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    assert await _look(client) == 0
    assert len(said) < 10


async def test_one_look_takes_so_many_and_the_next_goes_on(client: Client) -> None:
    await with_form(client)
    count = MOST_BATCHES * AT_ONCE + 1
    await _held(client, [_waiting(f"late-{number}", LATE) for number in range(count)])
    await publish(client, "shan_tea", LATE, "agri", XFORM)
    assert [await _look(client) for _ in range(3)] == [count - 1, 1, 0]
    assert (await client.app.state["journal"].state(DATABASE)).documents >= count
    assert await client.app.state["journal"].faults(DATABASE) == []


async def test_the_question_reads_an_index_of_what_waits_alone(storage: Storage) -> None:
    async with storage.read() as connection:
        if storage.is_postgresql:
            # PostgreSQL would rather read an empty table.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        query = select(quarantine.c.database).where(awaited.waits_for(connection, ['["a", "1"]'])).limit(1)
        compiled = query.compile(dialect=storage.engine.dialect, compile_kwargs={"literal_binds": True})
        said = f"{'EXPLAIN' if storage.is_postgresql else 'EXPLAIN QUERY PLAN'} {compiled}"
        plan = " ".join(str(row) for row in await connection.execute(text(said.replace(":", "\\:"))))
    assert "ix_quarantine_awaits" in plan


async def test_what_waited_before_this_was_noted_is_noted_by_the_migration(storage: Storage) -> None:
    module = import_module("server.platform.db.migrations.versions.0014_what_is_awaited")
    count = 2 * module.AT_ONCE + 1
    rows = [_waiting(f"late-{number}", LATE) | {"received_at": AT} for number in range(count)]
    rows[7] |= {"reason": "misfit_answers"}

    def upgrade(connection: Connection) -> None:
        connection.execute(text("DROP INDEX ix_quarantine_awaits"))
        connection.execute(text("ALTER TABLE quarantine DROP COLUMN awaits"))
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()

    async with storage.write() as connection:
        await connection.execute(insert(quarantine), rows)
        await connection.run_sync(upgrade)
        noted = (await connection.execute(select(quarantine.c.doc_id, quarantine.c.awaits))).all()
    assert {row.doc_id: row.awaits for row in noted} == {
        row["doc_id"]: None if row["reason"] == "misfit_answers" else json.dumps(["shan_tea", LATE]) for row in rows
    }

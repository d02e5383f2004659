"""The migrations build exactly what the code's tables say."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import ColumnClause, Connection, column, insert, select, table

import server.app  # noqa: F401  (registers every stage's tables)
from server.auth.audit import acts_on
from server.auth.tables import audit, grants, people
from server.gateway.couchdb.tables import made_databases
from server.journal.followers.tables import checkpoints, dead_letters
from server.journal.store.tables import databases, revisions
from server.platform.db.engine import Storage
from server.platform.db.metadata import metadata
from server.platform.db.migrate import configuration, is_current, migrate
from server.read_model.record_tables import records

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def differences(connection: Connection) -> list[object]:
    # Compared without types, which SQLite reports in its own words; names, columns, indexes and keys it tells exactly.
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


async def test_a_migrated_database_has_exactly_the_tables_of_the_code(storage: Storage) -> None:
    async with storage.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(storage: Storage) -> None:
    await migrate(storage)
    assert await is_current(storage)


async def test_an_empty_database_is_not_current(tmp_path: Path) -> None:
    empty = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    assert not await is_current(empty)
    await empty.close()


async def test_records_that_a_desk_had_taken_over_are_computed_anew_after_the_upgrade(tmp_path: Path) -> None:
    database = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    row: dict[str, Any] = {
        "id": "r",
        "rev": "2-b",
        "project": "agri",
        "unit": "u",
        "form": "f",
        "form_version": "1",
        "title": "t",
    }
    row |= {"state": "received", "is_corrected": False, "is_deleted": False, "is_erased": False, "by_name": "khang"}
    row |= {"recorded_at": "", "received_at": NOW, "flags": [], "urgency": 0, "branches": 1, "folded": ""}
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), "0003"))
        for name, enrolment in (("agri-decided", None), ("agri-saved", "phone")):
            await connection.execute(insert(records).values(row | {"database": name}))
            stored = {"database": name, "doc_id": "r", "rev": "2-b", "deleted": False, "enrolment": enrolment}
            await connection.execute(insert(revisions).values(stored))
            for follower in ("records", "closing"):
                await connection.execute(insert(checkpoints).values(follower=follower, database=name, seq=7))
    await migrate(database)
    async with database.read() as connection:
        left = {(each.follower, each.database) for each in await connection.execute(select(checkpoints))}
    assert left == {("records", "agri-saved"), ("branches", "agri-saved"), ("branches", "agri-decided")}
    await database.close()


async def test_followers_go_on_under_their_new_names_after_the_upgrade(tmp_path: Path) -> None:
    database = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    letter = {"database": "agri-u", "doc_id": "r", "seq": 3, "error": "ValueError", "attempts": 3}
    letter |= {"first_at": str(NOW), "last_at": str(NOW)}
    names = {"closing": "branches", "records": "records", "still_open": "open_documents", "forwarding": "aliases"}
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), "0015"))
        columns: list[ColumnClause[Any]] = [column(each) for each in ("follower", *letter)]
        before = table("follower_set_aside", *columns)
        for follower in names:
            await connection.execute(insert(checkpoints).values(follower=follower, database="agri-u", seq=7))
            await connection.execute(insert(before).values(letter | {"follower": follower}))
    await migrate(database)
    async with database.read() as connection:
        followed = {(each.follower, each.seq) for each in await connection.execute(select(checkpoints))}
        letters = {(each.follower, each.error, each.last_at) for each in await connection.execute(select(dead_letters))}
    assert followed == {(name, 7) for name in names.values()}
    assert letters == {(name, "ValueError", NOW) for name in names.values()}
    await database.close()


async def test_databases_that_administrators_made_take_anything_after_the_upgrade(tmp_path: Path) -> None:
    database = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), "0008"))
        made = {"name": "notes", "security": {}, "made_by": "somebody", "made_at": NOW}
        await connection.execute(insert(made_databases).values(**made))
        for name in ("notes", "agri-03226-2025"):
            row = {"name": name, "seq": 0, "chain": b"", "digest": "", "documents": 0, "deleted": 0, "created_at": NOW}
            columns: list[ColumnClause[Any]] = [column(each) for each in row]
            await connection.execute(insert(table("databases", *columns)).values(**{**row, "created_at": str(NOW)}))
    await migrate(database)
    async with database.read() as connection:
        found = await connection.execute(select(databases.c.name, databases.c.takes_anything).order_by("name"))
        assert [tuple(row) for row in found] == [("agri-03226-2025", False), ("notes", True)]
    await database.close()


async def test_a_servers_account_that_nobody_entitled_gave_is_taken_away_by_the_upgrade(tmp_path: Path) -> None:
    database = Storage(f"sqlite:///{tmp_path / 'nuong.db'}")
    everything = ("administrator", "*", "11")
    held = [("dung", *everything), ("xa", "administrator", "agri", "u")]
    given = {"by-console": None, "by-dung": "dung", "by-xa": "xa", "xa": "xa", "untold": "nobody"}
    async with database.write() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), "0009"))
        for name in ("dung", *given):
            row = {"id": name, "username": name, "name": name, "locale": "vi", "password": "", "is_active": True}
            await connection.execute(insert(people).values(row | {"created_at": NOW}))
        for person, role, project, unit in [*held, *((name, "peer", "agri", "u") for name in given)]:
            await connection.execute(insert(grants).values(person=person, role=role, project=project, unit=unit))
        for name, by in given.items():
            if name == "untold":
                continue
            entry = {"id": f"1-{name}", "at": NOW, "person": by, "subject": name}
            told = {"before": ["administrator agri u"], "after": ["administrator agri u", "peer agri u"]}
            action = "person_added" if name == "by-dung" else "grants_set"
            details = {"username": name, "grants": ["peer agri u"]} if action == "person_added" else told
            await connection.execute(insert(audit).values(**entry, action=action, details=details))
    await migrate(database)
    async with database.read() as connection:
        query = select(grants.c.person, grants.c.role)
        left = {(row.person, row.role) for row in await connection.execute(query)}
        acts = [act for act in await acts_on(connection, "xa") if act.action == "peer_taken_away"]
    peers = {person for person, role in left if role == "peer"}
    assert peers == {"by-console", "by-dung", "untold"}
    assert {("dung", "administrator"), ("xa", "administrator")} <= left
    assert [act.details for act in acts] == [{"taken": "peer agri u", "given_by": "xa"}]
    await database.close()

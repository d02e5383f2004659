"""The journal's SQL, built once for a store; every list of ids goes in as one parameter, every batch as one call."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    LargeBinary,
    Text,
    Update,
    any_,
    bindparam,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Table

from server.journal.store.rows import BodyRow, DocumentRow, EntryRow, HeadRow, RevisionRow
from server.journal.store.tables import bodies, databases, documents, entries, quarantine, revisions
from server.platform.db.types import UtcDateTime
from sync.revisions.admission import REJUDGED, is_any_doc_id

Insert = postgresql.Insert | sqlite.Insert


class Statements:
    """The SQL that differs between SQLite and PostgreSQL, and statements that are compiled once."""

    def __init__(self, *, is_postgresql: bool) -> None:
        """Build for one of the two."""
        self.is_postgresql = is_postgresql
        self._dialect = _dialect(is_postgresql=is_postgresql)
        self._to_driver = UtcDateTime().dialect_impl(self._dialect).bind_processor(self._dialect)
        of_database: BindParameter[str] = bindparam("database")
        self.head = select(databases).where(databases.c.name == of_database)
        # The lock makes writers of one database stand in line until the commit, so that sequences become visible in
        # order: a reader never sees 8 before 7 and checkpoints past it. SQLite has one writer anyway.
        self.locked_head = self.head.with_for_update()
        self.documents_of = select(documents).where(
            documents.c.database == of_database, self.is_one_of(documents.c.doc_id)
        )
        self.revisions_of = select(
            revisions.c.doc_id, revisions.c.rev, revisions.c.parent, revisions.c.deleted, revisions.c.fingerprint
        ).where(revisions.c.database == of_database, self.is_one_of(revisions.c.doc_id))
        # Nearly no body names what it brings together (see `merged_of`).
        merged, content = literal(b'"merged":[', LargeBinary), bodies.c.content
        place = func.position(merged.op("IN")(content)) if is_postgresql else func.instr(content, merged)
        self.merging_of = select(bodies.c.doc_id, bodies.c.rev, content).where(
            bodies.c.database == of_database, self.is_one_of(bodies.c.doc_id), place > 0
        )
        self.beside_of = select(
            quarantine.c.doc_id,
            quarantine.c.rev,
            quarantine.c.fingerprint,
            quarantine.c.reason,
            quarantine.c.accepted_at.is_not(None).label("is_settled"),
        ).where(quarantine.c.database == of_database, self.is_one_of(quarantine.c.doc_id))
        self.ids_beside_of = select(quarantine.c.doc_id, quarantine.c.rev).where(
            quarantine.c.database == of_database, self.is_one_of(quarantine.c.doc_id)
        )
        self.lines_beside_of = select(quarantine.c.doc_id, quarantine.c.rev, quarantine.c.ancestors).where(
            quarantine.c.database == of_database,
            self.is_one_of(quarantine.c.doc_id),
            quarantine.c.accepted_at.is_(None),
        )
        self.leaves_of = select(documents.c.doc_id, documents.c.leaves).where(
            documents.c.database == of_database, self.is_one_of(documents.c.doc_id)
        )
        self.rejudged_of = select(*(column for column in quarantine.c if column.name != "content")).where(
            quarantine.c.database == of_database,
            self.is_one_of(quarantine.c.doc_id),
            quarantine.c.accepted_at.is_(None),
            quarantine.c.reason.in_(sorted(REJUDGED)),
        )
        self.release = (
            update(quarantine)
            .where(
                quarantine.c.database == bindparam("of_database"),
                quarantine.c.doc_id == bindparam("of_doc"),
                quarantine.c.rev == bindparam("of_rev"),
                quarantine.c.fingerprint == bindparam("of_fingerprint"),
            )
            .values(accepted_at=bindparam("at"))
        )
        self.name_reason = (
            update(quarantine)
            .where(
                quarantine.c.database == bindparam("of_database"),
                quarantine.c.doc_id == bindparam("of_doc"),
                quarantine.c.rev == bindparam("of_rev"),
                quarantine.c.fingerprint == bindparam("of_fingerprint"),
            )
            .values(reason=bindparam("of_reason"))
        )
        self.new_database = self.insert(databases).on_conflict_do_nothing()
        moved = HeadRow._fields[:-1]
        self.move_head = self._in_order(
            update(databases)
            .where(databases.c.name == bindparam("of_name"))
            .values({name: bindparam(name) for name in moved}),
            (*moved, "of_name"),
        )
        # Parameters are not named like columns: an UPDATE sets every column that one of its parameters is named after.
        self.name_revision = (
            self.insert(revisions)
            .values(
                {
                    "database": bindparam("of_database"),
                    "doc_id": bindparam("of_doc"),
                    "rev": bindparam("of_rev"),
                    "parent": bindparam("of_parent"),
                    "deleted": literal(False),
                }
            )
            .on_conflict_do_nothing()
        )
        self.fill_edge = (
            update(revisions)
            .where(
                revisions.c.database == bindparam("of_database"),
                revisions.c.doc_id == bindparam("of_doc"),
                revisions.c.rev == bindparam("of_rev"),
            )
            .values(parent=bindparam("of_parent"))
        )
        self.put_revisions = self._bulk(revisions, RevisionRow, overwrite=True)
        self.put_bodies = self._bulk(bodies, BodyRow)
        self.put_entries = self._bulk(entries, EntryRow)
        self.put_documents = self._bulk(documents, DocumentRow, overwrite=True)
        self.put_quarantine = self.insert(quarantine).on_conflict_do_nothing()

    def insert(self, table: Table) -> Insert:
        """Return the store's own INSERT, which knows ON CONFLICT."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def is_one_of(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that `column` is one of the parameter `ids` (see `ids`)."""
        if self.is_postgresql:
            return column == any_(bindparam("ids", type_=ARRAY(Text)))
        values = func.json_each(bindparam("ids", type_=Text)).table_valued("value")
        return column.in_(select(values.c.value))

    def ids(self, ids: Iterable[str]) -> object:
        """Return documents' ids as the one parameter that `among` expects: no SQL text depends on how many there are.

        Ids that no document can have are left out: PostgreSQL takes no NUL and no half of a letter.
        """
        askable = [doc_id for doc_id in ids if is_any_doc_id(doc_id)]
        return askable if self.is_postgresql else json.dumps(askable)

    def moment(self, value: datetime) -> object:
        """Return a moment as the driver takes it, for rows that go there as they are."""
        return self._to_driver(value) if self._to_driver is not None else value

    def _bulk(self, table: Table, row: type[tuple[object, ...]], *, overwrite: bool = False) -> str:
        """Return the SQL that inserts tuples of this type, in their order, perhaps over rows with the same key."""
        fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
        statement = self.insert(table).values({name: bindparam(name) for name in fields})
        if overwrite:
            keys = [column.name for column in table.primary_key]
            values = {name: statement.excluded[name] for name in fields if name not in keys}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
        return self._in_order(statement, fields)

    def _in_order(self, statement: Insert | Update, parameters: tuple[str, ...]) -> str:
        """Return the SQL of a statement that takes its parameters in this order; raise TypeError if it doesn't."""
        compiled = statement.compile(dialect=self._dialect)
        if tuple(compiled.positiontup or ()) != parameters:
            raise TypeError(f"a row has another order than {compiled.positiontup}")
        return str(compiled)


@cache
def statements(*, is_postgresql: bool) -> Statements:
    """Return the statements for one of the two, built once in a process: building takes as long as a request."""
    return Statements(is_postgresql=is_postgresql)


def _dialect(*, is_postgresql: bool) -> Dialect:
    made: Dialect = (PGDialect_asyncpg if is_postgresql else SQLiteDialect_aiosqlite)()
    return made

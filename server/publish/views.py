"""One typed SQL view per form, and one per simple repeat, for whoever reads the province's tables with SQL.

A view is remade only when its definition changes, and only ever gets columns at its end, so that views of others that
stand on it keep working. A column that became sensitive stays and is empty. On SQLite, which has no types for them,
dates, times and moments are ISO 8601 text (moments in UTC) and decimals are REAL.
"""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.upsert import put
from server.publish.columns import ROW_ID, Column, Table, short
from server.publish.tables import publication_views
from server.publish.values import ColumnType

PREFIX = "published_"

POSTGRESQL_TYPES: dict[ColumnType, str] = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "float": "double precision",
    "date": "date",
    "time": "time",
    "moment": "timestamptz",
    "json": "jsonb",
}
SQLITE_TYPES: dict[ColumnType, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "decimal": "REAL",
    "float": "REAL",
    "date": "TEXT",
    "time": "TEXT",
    "moment": "TEXT",
    "json": "TEXT",
}


def view_name(form: str, repeat: str = "") -> str:
    """Return the name of a form's view, or of the view of one of its repeats."""
    return short(f"{PREFIX}{form}__{repeat}" if repeat else f"{PREFIX}{form}")


def definitions(table: Table, form: str, *, is_postgresql: bool) -> Iterator[tuple[str, str]]:
    """Give the name and the query of every view of a form."""
    dialect = _Postgresql() if is_postgresql else _Sqlite()
    yield view_name(form), _form_view(table, form, dialect)
    for repeat in table.repeats:
        # Rows within rows have no plain table; they stand as JSON in their column.
        if not repeat.repeats:
            yield view_name(form, repeat.name), _repeat_view(repeat, form, dialect)


async def make_views(connection: AsyncConnection, table: Table, form: str) -> None:
    """Bring the views of a form to its present columns."""
    is_postgresql = connection.dialect.name == "postgresql"
    known = {
        row.name: row.definition
        for row in await connection.execute(select(publication_views).where(publication_views.c.form == form))
    }
    for name, query in definitions(table, form, is_postgresql=is_postgresql):
        if known.get(name) == query:
            continue
        if is_postgresql:
            await connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {_quoted(name)} AS {query}")
        else:
            await connection.exec_driver_sql(f"DROP VIEW IF EXISTS {_quoted(name)}")
            await connection.exec_driver_sql(f"CREATE VIEW {_quoted(name)} AS {query}")
        await put(connection, publication_views, [{"name": name, "form": form, "definition": query}])


class _Postgresql:
    """How PostgreSQL gets at values inside `data`."""

    def value(self, source: str, key: str, kind: ColumnType) -> str:
        arrow = "->" if kind == "json" else "->>"
        return f"({source} {arrow} {_literal(key)})::{POSTGRESQL_TYPES[kind]}"

    def null(self, kind: ColumnType) -> str:
        return f"NULL::{POSTGRESQL_TYPES[kind]}"

    def rows(self, key: str) -> str:
        # Without rows the key is absent, and of nothing there are no elements.
        each = f"jsonb_array_elements(p.data -> {_literal(key)})"
        return f"CROSS JOIN LATERAL {each} WITH ORDINALITY AS e(value, position)"

    def row_number(self) -> str:
        return "e.position::bigint"

    def moment(self, column: str) -> str:
        return column


class _Sqlite:
    """How SQLite gets at values inside `data`."""

    def value(self, source: str, key: str, kind: ColumnType) -> str:
        path = _literal('$."' + key + '"')
        return f"CAST(json_extract({source}, {path}) AS {SQLITE_TYPES[kind]})"

    def null(self, kind: ColumnType) -> str:
        return f"CAST(NULL AS {SQLITE_TYPES[kind]})"

    def rows(self, key: str) -> str:
        path = _literal('$."' + key + '"')
        return f"JOIN json_each(p.data, {path}) AS e"

    def row_number(self) -> str:
        return "e.key + 1"

    def moment(self, column: str) -> str:
        # The same form as moments among the answers.
        return f"{column} || '+00:00'"


def _form_view(table: Table, form: str, dialect: _Postgresql | _Sqlite) -> str:
    chosen = [
        f"p.record AS {_quoted('record_id')}",
        f"p.rev AS {_quoted('revision')}",
        "p.form_version",
        "p.project",
        "p.unit",
        f"p.approved_by_name AS {_quoted('approved_by')}",
        f"{dialect.moment('p.approved_at')} AS {_quoted('approved_at')}",
        *_chosen(table, "p.data", dialect),
    ]
    return " ".join(["SELECT", ", ".join(chosen), "FROM published p WHERE p.form =", _literal(form)])


def _repeat_view(repeat: Table, form: str, dialect: _Postgresql | _Sqlite) -> str:
    chosen = [
        f"p.record AS {_quoted('record_id')}",
        f"{dialect.row_number()} AS {_quoted('row')}",
        f"{dialect.value('e.value', ROW_ID, 'text')} AS {_quoted('row_id')}",
        *_chosen(repeat, "e.value", dialect),
    ]
    rows = dialect.rows(repeat.name)
    return " ".join(["SELECT", ", ".join(chosen), "FROM published p", rows, "WHERE p.form =", _literal(form)])


def _chosen(table: Table, source: str, dialect: _Postgresql | _Sqlite) -> Iterator[str]:
    for item in table.items:
        kind: ColumnType = item.type if isinstance(item, Column) else "json"
        is_hidden = table.is_sensitive or item.is_sensitive or _hides_cells(item)
        value = dialect.null(kind) if is_hidden else dialect.value(source, item.name, kind)
        yield f"{value} AS {_quoted(item.name)}"


def _hides_cells(item: Column | Table) -> bool:
    # The rows of a repeat as JSON would carry its sensitive cells along; the repeat's own view has the others.
    return isinstance(item, Table) and any(inner.is_sensitive or _hides_cells(inner) for inner in item.items)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

"""The queue of records about which people disagree, read from the rows that the follower keeps of open questions.

A record stands in it once, whatever the number of its questions, at the time at which its oldest came up. The page, the
counts and the groups are under the same filters; the page goes on after a key, so that what is decided meanwhile
neither repeats nor hides a record.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, Text, and_, cast, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.desk.conflicts.labels import ANY_ROW
from server.desk.conflicts.queue_schemas import Order
from server.platform.db.keyset import Keyset, Page
from server.platform.paging import Paging
from server.read_model.record_tables import open_questions, records

_Q = open_questions.c


@dataclass(frozen=True, slots=True)
class ConflictFilters:
    """Filters of the queue; `databases` are those that the person may look at. Empty means not narrowed."""

    databases: tuple[str, ...]
    project: str = ""
    units: tuple[str, ...] = ()
    form: str = ""
    kinds: tuple[str, ...] = ()
    person: str = ""
    #: With `*` for any row.
    path: str | None = None
    came_before: datetime | None = None
    came_after: datetime | None = None
    folded_text: str = ""

    def aged(self, now: datetime, waiting_days: int | None, newest_days: int | None) -> "ConflictFilters":
        """Return the filters with what has waited at least, and at most, so many days."""
        before = None if waiting_days is None else now - timedelta(days=waiting_days)
        after = None if newest_days is None else now - timedelta(days=newest_days)
        return replace(self, came_before=before, came_after=after)


@dataclass(frozen=True, slots=True)
class Key:
    """A record, and since when it waits: its place in the queue."""

    since: datetime
    database: str
    record: str


async def page(connection: AsyncConnection, filters: ConflictFilters, order: Order, paging: Paging) -> Page[Key]:
    """Return keys of records."""
    keyset = Keyset(func.min(_Q.since), _Q.database, _Q.record, descending=order == "newest")
    query = select(func.min(_Q.since), _Q.database, _Q.record).where(admits(filters))
    query = query.group_by(_Q.database, _Q.record).having(keyset.behind(paging.before)).order_by(*keyset.order)
    found = [Key(*row) for row in await connection.execute(query.limit(paging.limit + 1))]
    return keyset.page(found, paging.limit, lambda key: (key.since, key.database, key.record))


async def counts(connection: AsyncConnection, filters: ConflictFilters) -> dict[str, int]:
    """Return how many records have questions of each cause, whatever cause is asked for."""
    each = select(_Q.cause, _Q.database, _Q.record).where(admits(replace(filters, kinds=()))).distinct().subquery()
    query = select(each.c.cause, func.count()).group_by(each.c.cause)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def total(connection: AsyncConnection, filters: ConflictFilters) -> int:
    """Return how many records there are."""
    each = select(_Q.database, _Q.record).where(admits(filters)).distinct().subquery()
    return int((await connection.execute(select(func.count()).select_from(each))).scalar_one())


@dataclass(frozen=True, slots=True)
class AtPath:
    """How many records have a question of a cause at a path; `one_of_them` tells rows of one record from others'."""

    cause: str
    form: str
    path: str
    records: int
    one_of_them: str


async def by_place(connection: AsyncConnection, filters: ConflictFilters) -> list[AtPath]:
    """Return how many questions of each cause every form has at each path."""
    columns = (_Q.cause, _Q.form, _Q.path)
    record = func.min(_Q.database + literal("/", Text) + _Q.record)
    query = select(*columns, func.count(), record).where(admits(filters)).group_by(*columns)
    return [AtPath(*row) for row in await connection.execute(query)]


async def rows_like(connection: AsyncConnection, filters: ConflictFilters, limit: int) -> Sequence[RowMapping]:
    """Return the rows of the questions under the filters, the oldest first."""
    query = select(open_questions).where(admits(filters)).order_by(_Q.since, _Q.database, _Q.record, _Q.path)
    return (await connection.execute(query.limit(limit))).mappings().all()


async def questions_of(connection: AsyncConnection, database: str, record: str) -> Sequence[RowMapping]:
    """Return the rows of a record's questions, in the order of their paths."""
    here = (_Q.database == database) & (_Q.record == record)
    return (await connection.execute(select(open_questions).where(here).order_by(_Q.path))).mappings().all()


async def tallies(connection: AsyncConnection, databases: Sequence[str]) -> dict[str, Counter[str]]:
    """Return how many records wait, by `unit`, `project`, `form`, `cause` and `person`."""
    columns = (_Q.unit, _Q.project, _Q.form, _Q.cause, _Q.people)
    query = select(_Q.database, _Q.record, *columns).where(_Q.database.in_(databases))
    found: dict[str, set[tuple[str, str, str]]] = {
        each: set() for each in ("unit", "project", "form", "cause", "person")
    }
    for database, record, unit, project, form, cause, people in await connection.execute(query):
        for name, value in (("unit", unit), ("project", project), ("form", form), ("cause", cause)):
            found[name].add((value, database, record))
        found["person"].update((person, database, record) for person in people)
    return {name: Counter(value for value, _, _ in each) for name, each in found.items()}


def admits(filters: ConflictFilters) -> ColumnElement[bool]:
    """Return the condition on rows of `open_questions`."""
    clauses: list[ColumnElement[bool]] = [_Q.database.in_(filters.databases)]
    if filters.project:
        clauses.append(_Q.project == filters.project)
    if filters.units:
        clauses.append(_Q.unit.in_(filters.units))
    if filters.form:
        clauses.append(_Q.form == filters.form)
    if filters.kinds:
        clauses.append(_Q.cause.in_(filters.kinds))
    if filters.person:
        clauses.append(cast(_Q.people, Text).contains(f'"{filters.person}"', autoescape=True))
    if filters.path is not None:
        clauses.append(_is_at(filters.path))
    if filters.came_before is not None:
        clauses.append(_Q.since <= filters.came_before)
    if filters.came_after is not None:
        clauses.append(_Q.since >= filters.came_after)
    clauses += [_Q.folded.contains(word, autoescape=True) for word in filters.folded_text.split()]
    return and_(*clauses)


def _is_at(pattern: str) -> ColumnElement[bool]:
    steps = pattern.split("/")
    if ANY_ROW not in steps:
        return _Q.path == pattern
    escaped = [each.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for each in steps]
    like = "/".join("%" if each == ANY_ROW else escaped[number] for number, each in enumerate(steps))
    # As many steps as the pattern has: then what stands for a row holds no further step.
    depth = func.length(_Q.path) - func.length(func.replace(_Q.path, "/", ""))
    return and_(_Q.path.like(like, escape="\\"), depth == len(steps) - 1)


async def questions_at(connection: AsyncConnection, keys: Sequence[Key]) -> dict[tuple[str, str], list[RowMapping]]:
    """Return the rows of all questions of these records by (database, record), also those filtered for another."""
    if not keys:
        return {}
    # The version that a record stands in gives its questions their words.
    query = (
        select(open_questions, records.c.form_version)
        .outerjoin(records, (records.c.database == _Q.database) & (records.c.id == _Q.record))
        .where(tuple_(_Q.database, _Q.record).in_([(each.database, each.record) for each in keys]))
        .order_by(_Q.path)
    )
    found: dict[tuple[str, str], list[RowMapping]] = {}
    for row in (await connection.execute(query)).mappings():
        found.setdefault((row["database"], row["record"]), []).append(row)
    return found

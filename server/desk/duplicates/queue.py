"""The queue of pairs that may be one household, read from what the follower found; the most alike first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Float, RowMapping, Text, and_, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import Problem
from server.read_model.household_tables import likenesses
from server.read_model.record_tables import records

_L = likenesses.c


@dataclass(frozen=True, slots=True)
class Filters:
    """What the queue is narrowed to; `databases` are those that the person may look at. Empty means not narrowed."""

    databases: tuple[str, ...]
    form: str = ""
    verdict: str = "open"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of `likenesses`, the rows of `records` that they are about, and where to go on."""

    rows: Sequence[RowMapping]
    records: Mapping[tuple[str, str], RowMapping]
    next: str | None


async def page(connection: AsyncConnection, filters: Filters, mark: str | None, limit: int) -> Page:
    """Return `limit` pairs after the mark."""
    place = (_L.score, _L.database, _L.one, _L.other)
    query = select(likenesses).where(_admits(filters)).order_by(*(each.desc() for each in place))
    if mark is not None:
        query = query.where(tuple_(*place) < _key(mark))
    found = (await connection.execute(query.limit(limit + 1))).mappings().all()
    rows = found[:limit]
    last = rows[-1] if len(found) > limit else None
    further = "~".join([repr(last["score"]), last["database"], last["one"], last["other"]]) if last else None
    return Page(rows, await records_of(connection, rows), further)


async def counts(connection: AsyncConnection, filters: Filters) -> dict[str, int]:
    """Return how many pairs there are of each verdict, whatever verdict is asked for."""
    query = select(_L.verdict, func.count()).where(_admits(replace(filters, verdict=""))).group_by(_L.verdict)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def pair(connection: AsyncConnection, database: str, one: str, other: str) -> RowMapping | None:
    """Return the row of a pair, in whichever order its records are named."""
    first, second = sorted((one, other))
    query = select(likenesses).where(_L.database == database, _L.one == first, _L.other == second)
    return (await connection.execute(query)).mappings().one_or_none()


async def joined_to(connection: AsyncConnection, database: str, record: str) -> list[str]:
    """Return the records that say to be the same as this one, and those that this one says to be the same as."""
    here = (_L.database == database) & (_L.verdict == "same") & or_(_L.one == record, _L.other == record)
    rows = await connection.execute(select(_L.one, _L.other).where(here))
    return [row.other if row.one == record else row.one for row in rows]


async def records_of(connection: AsyncConnection, rows: Sequence[RowMapping]) -> dict[tuple[str, str], RowMapping]:
    """Return the rows of `records` that pairs are about, by (database, record)."""
    wanted = {(row["database"], row[side]) for row in rows for side in ("one", "other")}
    if not wanted:
        return {}
    query = select(records).where(tuple_(records.c.database, records.c.id).in_(sorted(wanted)))
    return {(row["database"], row["id"]): row for row in (await connection.execute(query)).mappings()}


def _admits(filters: Filters) -> ColumnElement[bool]:
    clauses: list[ColumnElement[bool]] = [_L.database.in_(filters.databases)]
    if filters.form:
        clauses.append(_L.form == filters.form)
    if filters.verdict:
        clauses.append(_L.verdict == filters.verdict)
    return and_(*clauses)


def _key(mark: str) -> ColumnElement[Any]:
    try:
        score, database, one, other = mark.split("~")
        return tuple_(literal(float(score), Float), *(literal(each, Text) for each in (database, one, other)))
    except ValueError:
        raise Problem("invalid_request", parameter="before") from None

"""The queue of pairs that may be one household, read from what the follower found; the most alike first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.keyset import Keyset, Page
from server.platform.paging import Paging
from server.read_model.household_tables import likenesses
from server.read_model.record_tables import records

_L = likenesses.c


@dataclass(frozen=True, slots=True)
class PairFilters:
    """Filters of the queue; `databases` are those that the person may look at. Empty means not narrowed."""

    databases: tuple[str, ...]
    form: str = ""
    verdict: str = "open"


_ORDER = Keyset(_L.score, _L.database, _L.one, _L.other, descending=True)


async def page(connection: AsyncConnection, filters: PairFilters, paging: Paging) -> Page[RowMapping]:
    """Return rows of `likenesses`."""
    query = select(likenesses).where(_admits(filters), _ORDER.behind(paging.before)).order_by(*_ORDER.order)
    found = (await connection.execute(query.limit(paging.limit + 1))).mappings().all()
    return _ORDER.page(found, paging.limit, lambda row: [row["score"], row["database"], row["one"], row["other"]])


async def counts(connection: AsyncConnection, filters: PairFilters) -> dict[str, int]:
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


def _admits(filters: PairFilters) -> ColumnElement[bool]:
    clauses: list[ColumnElement[bool]] = [_L.database.in_(filters.databases)]
    if filters.form:
        clauses.append(_L.form == filters.form)
    if filters.verdict:
        clauses.append(_L.verdict == filters.verdict)
    return and_(*clauses)

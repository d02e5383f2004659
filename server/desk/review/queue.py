"""The queue of records that a person may look at: the doubtful first, then the newest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, RowMapping, Text, and_, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.errors import Problem
from server.platform.db.types import UtcDateTime
from server.read_model.record_tables import records


@dataclass(frozen=True, slots=True)
class Filters:
    """What the queue is narrowed to; `databases` are those that the person may read. Empty means not narrowed."""

    databases: tuple[str, ...]
    form: str = ""
    states: tuple[str, ...] = ()
    folded_text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of `records` with the mark to go on from."""

    rows: Sequence[RowMapping]
    next: str | None


_ORDER = (records.c.urgency, records.c.received_at, records.c.id)


async def page(connection: AsyncConnection, filters: Filters, before: str | None, limit: int) -> Page:
    """Return `limit` records after the mark `before`."""
    query = select(records).where(_admits(filters, with_state=True)).order_by(*(each.desc() for each in _ORDER))
    if before is not None:
        query = query.where(tuple_(*_ORDER) < _mark(before))
    found = (await connection.execute(query.limit(limit + 1))).mappings().all()
    rows = found[:limit]
    last = rows[-1] if len(found) > limit else None
    mark = f"{last['urgency']}~{last['received_at'].isoformat()}~{last['id']}" if last else None
    return Page(rows, mark)


async def counts(connection: AsyncConnection, filters: Filters) -> dict[str, int]:
    """Return how many records stand in each state, whatever state is asked for."""
    query = select(records.c.state, func.count()).where(_admits(filters, with_state=False)).group_by(records.c.state)
    return {row[0]: row[1] for row in await connection.execute(query)}


def _admits(filters: Filters, *, with_state: bool) -> ColumnElement[bool]:
    clauses = [
        records.c.database.in_(filters.databases),
        records.c.is_erased.is_(False),
        # A record that was deleted before anybody approved it asks nothing of a reviewer.
        or_(records.c.is_deleted.is_(False), records.c.published_rev.is_not(None)),
    ]
    if filters.form:
        clauses.append(records.c.form == filters.form)
    if filters.states and with_state:
        clauses.append(records.c.state.in_(filters.states))
    clauses += [records.c.folded.contains(word, autoescape=True) for word in filters.folded_text.split()]
    return and_(*clauses)


def _mark(text: str) -> ColumnElement[Any]:
    urgency, _, rest = text.partition("~")
    received_at, _, record = rest.partition("~")
    try:
        moment = datetime.fromisoformat(received_at)
        if moment.tzinfo is None:
            raise ValueError
        return tuple_(literal(int(urgency), Integer), literal(moment, UtcDateTime), literal(record, Text))
    except ValueError:
        raise Problem("invalid_request", parameter="before") from None

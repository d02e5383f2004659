"""The queue of records that a person may look at: the doubtful first, then the newest."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.keyset import Keyset, Page
from server.platform.paging import Paging
from server.read_model.record_tables import records


@dataclass(frozen=True, slots=True)
class RecordFilters:
    """Filters of the queue; `databases` are those that the person may read. Empty means not narrowed."""

    databases: tuple[str, ...]
    form: str = ""
    states: tuple[str, ...] = ()
    folded_text: str = ""


_KEY = (records.c.urgency, records.c.received_at, records.c.id)
_ORDER = Keyset(*_KEY, descending=True)


async def page(connection: AsyncConnection, filters: RecordFilters, paging: Paging) -> Page[RowMapping]:
    """Return rows of `records`."""
    query = select(records).where(_admits(filters, with_state=True), _ORDER.behind(paging.before))
    found = (await connection.execute(query.order_by(*_ORDER.order).limit(paging.limit + 1))).mappings().all()
    return _ORDER.page(found, paging.limit, lambda row: [row[column.name] for column in _KEY])


async def counts(connection: AsyncConnection, filters: RecordFilters) -> dict[str, int]:
    """Return how many records stand in each state, whatever state is asked for."""
    query = select(records.c.state, func.count()).where(_admits(filters, with_state=False)).group_by(records.c.state)
    return {row[0]: row[1] for row in await connection.execute(query)}


def _admits(filters: RecordFilters, *, with_state: bool) -> ColumnElement[bool]:
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

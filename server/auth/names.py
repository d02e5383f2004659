"""Names of people by id, for the stages that show who did something."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.tables import people


async def names_of(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of those people who are known here."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = await connection.execute(select(people.c.id, people.c.name).where(people.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}

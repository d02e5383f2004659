"""Seals that came from another server before their key was known here: looked at again when it is."""

from sqlalchemy import Column, String, Table, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.tables import enrolments
from server.platform.db.insert_missing import insert_missing
from server.platform.db.metadata import metadata

waiting_seals = Table(
    "waiting_seals",
    metadata,
    Column("database", Text, primary_key=True),
    Column("doc_id", Text, primary_key=True),
    Column("enrolment", String, nullable=False, index=True),
)


async def note_waiting_seal(connection: AsyncConnection, database: str, doc_id: str, enrolment: str) -> None:
    """Remember a seal whose key is not known."""
    await insert_missing(connection, waiting_seals, [{"database": database, "doc_id": doc_id, "enrolment": enrolment}])


async def forget_waiting_seal(connection: AsyncConnection, database: str, doc_id: str) -> None:
    """Forget a seal that has been looked at."""
    here = (waiting_seals.c.database == database) & (waiting_seals.c.doc_id == doc_id)
    await connection.execute(delete(waiting_seals).where(here))


async def seals_with_a_key_now(connection: AsyncConnection) -> list[tuple[str, str]]:
    """Return (database, document) of the seals whose key has become known."""
    query = select(waiting_seals.c.database, waiting_seals.c.doc_id).join(
        enrolments, enrolments.c.id == waiting_seals.c.enrolment
    )
    return [(row.database, row.doc_id) for row in await connection.execute(query)]

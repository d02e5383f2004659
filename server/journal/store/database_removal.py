"""Takes a whole database out of the journal: only such as an administrator has made, never a scope's."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.followers.tables import checkpoints, dead_letters
from server.journal.store import write
from server.journal.store.attachment_tables import attachments
from server.journal.store.local_tables import local_documents
from server.journal.store.statements import Statements
from server.journal.store.tables import bodies, databases, documents, entries, quarantine, revisions

JOURNAL = (quarantine, entries, documents, bodies, revisions)


async def remove(connection: AsyncConnection, sql: Statements, database: str) -> None:
    """Delete every row of `database`; the caller has made sure that nobody needs it any more. Raise UnknownDatabase."""
    # Who is writing to it ends first, and who comes later finds nothing to write to.
    await write.lock(connection, sql, database)
    for table in (*JOURNAL, attachments, local_documents, checkpoints, dead_letters):
        await connection.execute(delete(table).where(table.c.database == database))
    await connection.execute(delete(databases).where(databases.c.name == database))

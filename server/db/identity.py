"""Which server this is: a random id made once with the database, by which phones keep apart what each server has said.

It stays when the database is restored or moved; that a restored journal went back in time shows in its chain digests.
"""

import uuid

from sqlalchemy import Column, Integer, String, Table, select

from server.db.engine import Storage
from server.db.metadata import metadata
from server.db.upsert import insert_missing

identity = Table(
    "identity",
    metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("server", String(36), nullable=False),
)


async def server_id(storage: Storage) -> str:
    """Return this server's id; made at the first call."""
    async with storage.write() as connection:
        await insert_missing(connection, identity, [{"row": 1, "server": str(uuid.uuid4())}])
        return str(await connection.scalar(select(identity.c.server)))

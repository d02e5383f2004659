"""The server's id and its epoch: two random ids that are kept in the database.

`server` is made once, and by it phones keep apart what each server has said; it stays when the database is restored or
moved. `epoch` is new after each restore: what was acknowledged before may be gone, so phones send it again.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import Column, Integer, String, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing
from server.platform.db.metadata import metadata

identity = Table(
    "identity",
    metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("server", String(36), nullable=False),
    Column("epoch", String(36), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids of this server and of its present epoch."""

    server: str
    epoch: str


async def identify(storage: Storage) -> Identity:
    """Return who this server is; both ids are made at the first call."""
    async with storage.write() as connection:
        row = {"row": 1, "server": str(uuid.uuid4()), "epoch": str(uuid.uuid4())}
        await insert_missing(connection, identity, [row])
        found = (await connection.execute(select(identity.c.server, identity.c.epoch))).one()
        return Identity(found.server, found.epoch)


async def begin_epoch(connection: AsyncConnection) -> None:
    """Begin a new epoch, in the transaction that restores this database."""
    await connection.execute(update(identity).values(epoch=str(uuid.uuid4())))

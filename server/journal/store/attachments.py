"""Attachments' bytes in databases that take anything: documents name them by digest, nothing ever drops one of them."""

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store.attachment_tables import attachments as table
from server.platform.db.insert_missing import insert_missing

#: A statement has only so many parameters.
AT_ONCE = 500


class ForgedDigest(Exception):
    """Other bytes are here under this digest."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes under the digest by which documents name them."""

    digest: str
    sha256: bytes
    content: bytes

    @classmethod
    def of(cls, content: bytes) -> "Blob":
        """Return them with their digests."""
        md5 = hashlib.md5(content, usedforsecurity=False).digest()
        return cls(f"md5-{base64.b64encode(md5).decode()}", hashlib.sha256(content).digest(), content)


async def keep(connection: AsyncConnection, database: str, blobs: Sequence[Blob]) -> None:
    """Store bytes that are not here yet; raise ForgedDigest."""
    wanted = {blob.digest: blob for blob in blobs}
    rows = [
        {"database": database, "digest": each.digest, "sha256": each.sha256, "content": each.content}
        for each in wanted.values()
    ]
    await insert_missing(connection, table, rows)
    stored = await _of(connection, database, wanted, table.c.sha256)
    if any(stored.get(blob.digest) != blob.sha256 for blob in blobs):
        raise ForgedDigest


async def lengths(connection: AsyncConnection, database: str, digests: Collection[str]) -> dict[str, int]:
    """Return how long those are that are here, by digest."""
    return await _of(connection, database, digests, func.length(table.c.content))


async def find(connection: AsyncConnection, database: str, digests: Collection[str]) -> dict[str, bytes]:
    """Return the bytes of those that are here, by digest."""
    return await _of(connection, database, digests, table.c.content)


async def _of(
    connection: AsyncConnection, database: str, digests: Collection[str], column: ColumnElement[Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = iter(digests)
    while some := list(islice(left, AT_ONCE)):
        here = select(table.c.digest, column).where(table.c.database == database, table.c.digest.in_(some))
        found.update({digest: value for digest, value in await connection.execute(here)})  # noqa: C416 - no pairs to mypy
    return found

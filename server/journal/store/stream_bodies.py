"""Bodies of revisions in an order, a bounded number of bytes at a time: a document may be ten megabytes long.

Short ones, which nearly all are, come together in one statement, which tells of the others how long they are; those are
read as many at a time as are few enough bytes.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store.branches import Key, contents
from server.journal.store.statements import Statements
from server.platform.db.engine import Storage
from sync.revisions.admission import is_any_doc_id

#: What is longer is read apart.
SHORT_BYTES = 16 * 1024
#: So many bytes of long ones are in memory at a time, or one body that is longer still.
AT_ONCE_BYTES = 4_000_000

_LENGTHS = """
    SELECT b.doc_id, b.rev, CASE WHEN length(b.content) <= :short THEN b.content END, length(b.content)
    FROM {wanted} bodies b ON b.database = :database AND {match}
"""
# To SQLite a CROSS JOIN is an order: it would rather go through all bodies of the database, and the list for each.
_ON_SQLITE = text(
    _LENGTHS.format(
        wanted="json_each(:keys) w CROSS JOIN",
        match="b.doc_id = json_extract(w.value, '$[0]') AND b.rev = json_extract(w.value, '$[1]')",
    )
)
_ON_POSTGRESQL = text(
    _LENGTHS.format(
        wanted="unnest(CAST(:ids AS text[]), CAST(:revs AS text[])) AS w(doc_id, rev) JOIN",
        match="b.doc_id = w.doc_id AND b.rev = w.rev",
    )
)


async def stream_bodies(
    storage: Storage, sql: Statements, database: str, keys: Sequence[Key | None]
) -> AsyncIterator[list[bytes | None]]:
    """Yield the contents of `keys` in their order, some at a time; None for what is not here and where no key stands.

    Together the lists are as long as `keys`. No connection is held between two of them.
    """
    wanted = {key for key in keys if key is not None}
    short: dict[Key, bytes] = {}
    lengths: dict[Key, int] = {}
    if wanted:
        async with storage.read() as connection:
            short, lengths = await _lengths(connection, sql, database, wanted)
    for start, end, long in _stretches(keys, lengths):
        found = short
        if long:
            async with storage.read() as connection:
                found = short | await contents(connection, sql, database, long)
        yield [None if key is None else found.get(key) for key in keys[start:end]]


def _stretches(keys: Sequence[Key | None], lengths: Mapping[Key, int]) -> Iterator[tuple[int, int, set[Key]]]:
    """Yield where stretches of `keys` begin and end, and the long bodies that each of them needs."""
    start, total = 0, 0
    long: set[Key] = set()
    for position, key in enumerate(keys):
        if key is None or key not in lengths or key in long:
            continue
        if long and total + lengths[key] > AT_ONCE_BYTES:
            yield start, position, long
            start, total, long = position, 0, set()
        long.add(key)
        total += lengths[key]
    if start < len(keys):
        yield start, len(keys), long


async def _lengths(
    connection: AsyncConnection, sql: Statements, database: str, keys: set[Key]
) -> tuple[dict[Key, bytes], dict[Key, int]]:
    """Return the short contents, and the lengths in bytes of the others."""
    wanted = [key for key in keys if is_any_doc_id(key[0]) and key[1].isprintable()]
    values: dict[str, object] = {"database": database, "short": SHORT_BYTES}
    if sql.is_postgresql:
        values |= {"ids": [doc_id for doc_id, _ in wanted], "revs": [rev for _, rev in wanted]}
    else:
        values["keys"] = json.dumps(wanted)
    rows = await connection.execute(_ON_POSTGRESQL if sql.is_postgresql else _ON_SQLITE, values)
    short: dict[Key, bytes] = {}
    lengths: dict[Key, int] = {}
    for doc_id, rev, content, length in rows.all():
        if content is None:
            lengths[doc_id, rev] = length
        else:
            short[doc_id, rev] = content
    return short, lengths

"""Pages by keyset: every row once, in order, on both databases; a token that is not ours is a clear error."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, Table, Text, insert, select

from server.errors import Problem
from server.platform.db.engine import Storage
from server.platform.db.keyset import Keyset
from server.platform.db.types import UtcDateTime

things = Table(
    "keyset_things",
    MetaData(),
    Column("at", UtcDateTime),
    Column("score", Float),
    Column("rank", Integer),
    Column("name", Text),
    Column("digest", LargeBinary),
)
START = datetime(2026, 11, 21, 8, 0, 0, 123456, UTC)
ROWS = [
    {
        "at": START + timedelta(microseconds=n // 8),
        "score": (n // 4) / 3,
        "rank": n // 2,
        "name": f"ả~{n % 3}",
        "digest": b"%c" % n,
    }
    for n in range(40)
]


@pytest.mark.parametrize("descending", [False, True])
async def test_every_row_is_given_once_and_in_order(storage: Storage, descending: bool) -> None:
    keyset = Keyset(*things.c, descending=descending)
    async with storage.write() as connection:
        await connection.run_sync(things.create)
        await connection.execute(insert(things), ROWS)
    seen: list[tuple[object, ...]] = []
    token: str | None = None
    async with storage.read() as connection:
        for _ in range(len(ROWS)):
            query = select(things).where(keyset.behind(token)).order_by(*keyset.order).limit(8)
            page = keyset.page((await connection.execute(query)).all(), 7, tuple)
            seen += map(tuple, page.rows)
            token = page.next
            if token is None:
                break
    assert token is None
    assert seen == sorted((tuple(row.values()) for row in ROWS), reverse=descending)


@pytest.mark.parametrize(
    "values",
    [
        "",
        [],
        ["2026-11-21T08:00:00+00:00", 0.5, 1, "a"],
        ["2026-11-21T08:00:00", 0.5, 1, "a", "00"],
        ["yesterday", 0.5, 1, "a", "00"],
        ["2026-11-21T08:00:00+00:00", "0.5", 1, "a", "00"],
        ["2026-11-21T08:00:00+00:00", 0.5, True, "a", "00"],
        ["2026-11-21T08:00:00+00:00", 0.5, 10**20, "a", "00"],
        ["2026-11-21T08:00:00+00:00", float("nan"), 1, "a", "00"],
        ["2026-11-21T08:00:00+00:00", 0.5, 1.5, "a", "00"],
        ["2026-11-21T08:00:00+00:00", 0.5, 1, None, "00"],
        ["2026-11-21T08:00:00+00:00", 0.5, 1, "a\0", "00"],
        ["2026-11-21T08:00:00+00:00", 0.5, 1, "a", "xy"],
        ["2026-11-21T08:00:00+00:00", 0.5, 1, "\ud800", "00"],
        ["0001-01-01T00:00:00+23:59", 0.5, 1, "a", "00"],
    ],
)
def test_a_token_of_another_list_is_refused(values: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    with pytest.raises(Problem) as refused:
        Keyset(*things.c, parameter="after").behind(token)
    assert (refused.value.code, refused.value.params) == ("invalid_request", {"parameter": "after"})

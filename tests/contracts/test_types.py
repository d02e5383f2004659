"""Values that a column holds whatever people wrote, on SQLite and PostgreSQL alike."""

from sqlalchemy import Column, MetaData, Table, insert, select

from server.platform.db.engine import Storage
from server.platform.db.types import Json

held = Table("held", MetaData(), Column("value", Json))


async def test_json_is_held_whatever_letters_stand_in_it(storage: Storage) -> None:
    said = {"a\0b": ["one\0", "half \ud800 of a letter", {"plain": "\\u0000 written out"}], "n": 1, "no": None}
    async with storage.write() as connection:
        await connection.run_sync(held.create)
        await connection.execute(insert(held).values(value=said))
    async with storage.read() as connection:
        found = (await connection.execute(select(held.c.value))).scalar_one()
    kept = {"a\ufffdb": ["one\ufffd", "half ? of a letter", {"plain": "\\u0000 written out"}], "n": 1, "no": None}
    assert found == kept

"""Rows are computed anew when an operator says so, also beside followers that run."""

import pytest
from sqlalchemy import select, update

from server.auth.audit import acts_on
from server.console import Console, Failure
from server.platform.db.engine import Storage
from server.projections.commands import begin_anew
from server.read_model.record_tables import records
from tests.conftest import StandingClock
from tests.surveys import OTHER_SCOPE, SCOPE, Province


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    """Give a province with a record in each of two communes, whose rows somebody has spoilt."""
    opened = await Province(storage, clock).open()
    for scope in (SCOPE, OTHER_SCOPE):
        await opened.save({"members": "5", "meta": {"instanceName": "Nhà ông Lò"}}, scope=scope)
    await opened.follow()
    async with storage.write() as connection:
        await connection.execute(update(records).values(title="?"))
    await opened.follow()
    return opened


async def titles(province: Province) -> dict[str, str]:
    async with province.storage.read() as connection:
        rows = await connection.execute(select(records.c.database, records.c.title))
        return {row.database: row.title for row in rows}


def console(province: Province) -> Console:
    return Console(province.settings, province.storage, province.journal, province.clock)


async def test_a_follower_that_begins_anew_computes_its_rows_as_they_are_now(province: Province) -> None:
    assert set((await titles(province)).values()) == {"?"}
    # The same runner as before: beside a server that runs nothing is started anew.
    runner = province.runner
    await runner.once()
    assert await begin_anew(console(province), "records") > 1
    await runner.once()
    assert await titles(province) == {SCOPE: "Nhà ông Lò", OTHER_SCOPE: "Nhà ông Lò"}
    async with province.storage.read() as connection:
        assert [act.action for act in await acts_on(connection, "records")] == ["follow_again"]


async def test_one_database_begins_anew_and_the_others_stay(province: Province) -> None:
    assert await begin_anew(console(province), "records", SCOPE) == 1
    await province.follow()
    assert await titles(province) == {SCOPE: "Nhà ông Lò", OTHER_SCOPE: "?"}


async def test_a_follower_that_nobody_knows_is_told_with_those_that_there_are(province: Province) -> None:
    with pytest.raises(Failure, match=r"No follower nobody .* aliases, branches, .*records"):
        await begin_anew(console(province), "nobody")

"""Which records are shown to a person as perhaps one household, over both storages, as the feed brings them."""

from typing import Any

import pytest
from sqlalchemy import select, update

from server.journal.model import NewRevision
from server.platform.db.engine import Storage
from server.projections.households import HouseholdsProjection
from server.read_model.household_tables import household_keys, households, likenesses
from tests.conftest import StandingClock
from tests.surveys import OTHER_SCOPE, SCOPE, Province, survey

FORM = "family"
FIELDS = "<head/><born/><house><point/><phone/></house><members/>"
BINDS = {
    "head": 'string" identifies="name',
    "born": 'int" identifies="birth_year',
    "house/point": 'geopoint" identifies="place',
    "house/phone": 'string" identifies="phone',
    "members": "int",
}
HOA = {
    "head": "Lò Thị Hoa",
    "born": "1980",
    "house": {"point": "22.05 103.25 600 4.5", "phone": "0912345678"},
    "members": "5",
}
AGAIN: dict[str, Any] = {**HOA, "head": "lo thi hoa", "house": {"point": "22.0501 103.2501 0 9", "phone": None}}
SOMEBODY_ELSE: dict[str, Any] = {**HOA, "head": "Vàng A Páo", "born": "1961", "house": {"point": None, "phone": None}}


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    opened = await Province(storage, clock).open()
    await opened.publish(FORM, "1", survey(FORM, "1", FIELDS, BINDS))
    return opened


async def save(
    province: Province, answers: dict[str, Any], parent: NewRevision | None = None, **kw: Any
) -> NewRevision:
    if parent is not None:
        kw |= {"record": parent.doc_id, "parent": parent.rev}
    return await province.save(answers, form=FORM, **kw)


async def pairs(province: Province) -> dict[tuple[str, str], str]:
    await province.follow()
    async with province.storage.read() as connection:
        return {(row.one, row.other): row.verdict for row in await connection.execute(select(likenesses))}


def pair(one: NewRevision, other: NewRevision) -> tuple[str, str]:
    first, second = sorted((one.doc_id, other.doc_id))
    return first, second


async def test_a_second_record_of_a_household_is_found_whether_it_comes_at_once_or_later(province: Province) -> None:
    first, second = await save(province, HOA), await save(province, AGAIN)
    await save(province, SOMEBODY_ELSE)
    assert await pairs(province) == {pair(first, second): "open"}
    third = await save(province, AGAIN, by="vang")
    every = (pair(first, second), pair(first, third), pair(second, third))
    assert await pairs(province) == dict.fromkeys(every, "open")


async def test_records_of_other_areas_and_other_forms_are_not_compared(province: Province) -> None:
    await save(province, HOA)
    await save(province, AGAIN, scope=OTHER_SCOPE)
    await province.save({"household": {"name": "Lò Thị Hoa", "phone": "0912345678"}})
    assert await pairs(province) == {}


async def test_a_correction_that_tells_two_records_apart_takes_the_question_away(province: Province) -> None:
    await save(province, HOA)
    second = await save(province, AGAIN)
    assert len(await pairs(province)) == 1
    await save(province, SOMEBODY_ELSE, parent=second)
    assert await pairs(province) == {}


async def test_a_deleted_record_is_nobodys_double(province: Province) -> None:
    await save(province, HOA)
    second = await save(province, AGAIN)
    assert len(await pairs(province)) == 1
    await province.delete(second)
    assert await pairs(province) == {}
    async with province.storage.read() as connection:
        assert len((await connection.execute(select(households))).all()) == 1
        assert second.doc_id not in {row.record for row in await connection.execute(select(household_keys))}


async def test_what_a_person_said_outlives_every_computation(province: Province) -> None:
    first, second = await save(province, HOA), await save(province, AGAIN)
    assert len(await pairs(province)) == 1
    async with province.storage.write() as connection:
        await connection.execute(update(likenesses).values(verdict="different", comment="hai anh em"))
    await save(province, {**HOA, "members": "6"}, parent=first)
    assert await pairs(province) == {pair(first, second): "different"}
    async with province.storage.read() as connection:
        assert (await connection.execute(select(likenesses.c.comment))).scalar_one() == "hai anh em"


async def test_a_record_that_says_to_be_another_leaves_the_comparison_until_it_stands_for_itself_again(
    province: Province,
) -> None:
    first, second, third = [await save(province, each) for each in (HOA, AGAIN, AGAIN)]
    assert len(await pairs(province)) == 3
    alias = await save(province, AGAIN, parent=second, same_as={"record": first.doc_id, "rev": first.rev})
    assert await pairs(province) == {pair(first, second): "same", pair(first, third): "open"}
    # The other one's edits don't make it two again.
    await save(province, {**HOA, "members": "7"}, parent=first)
    assert (await pairs(province))[pair(first, second)] == "same"
    await save(province, AGAIN, parent=alias)
    every = (pair(first, second), pair(first, third), pair(second, third))
    assert await pairs(province) == dict.fromkeys(every, "open")


async def test_taking_the_feed_again_changes_nothing(province: Province) -> None:
    """I3: applying a batch twice equals once."""
    await save(province, HOA)
    await save(province, AGAIN)
    before = await pairs(province)
    projection = HouseholdsProjection(province.storage, province.library, province.areas, threshold=5.0)
    changes = await province.journal.changes(SCOPE, include_docs=True)
    for _ in range(2):
        effects = await projection.effects(SCOPE, changes.rows)
        async with province.storage.write() as connection:
            await effects(connection)
    assert await pairs(province) == before

"""Publishing over both storages: types read back with plain SQL, and what stands until the next approval."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from server.platform.db.engine import Storage
from server.publish.tables import published
from tests.conftest import StandingClock
from tests.surveys import BINDS, FIELDS, INSIDE, OTHER_SCOPE, Province, survey

ANSWERS = {
    "household": {"name": "Lò Văn Ban", "phone": "0912345678"},
    "members": "5",
    "area": "1.25",
    "visited": "2026-11-20",
    "started": "2026-11-21T08:30:00.000+07:00",
    "milk_at": "05:45:00.000+07:00",
    "house": INSIDE,
    "crops": ["rice", "maize"],
    "photo": "nha.jpg",
    "note_text": "Nương xa, đường khó",
    "plot": "22.05 103.25 0 0; 22.05 103.26 0 0; 22.06 103.26 0 0; 22.05 103.25 0 0",
    "crop_row": [
        {"_rid": "r1", "crop": "rice", "yield": "40.5"},
        {"_rid": "r2", "crop": "maize", "yield": None},
    ],
    "meta": {"instanceID": "uuid:1", "instanceName": "Nhà ông Ban"},
}
MEDIA = {"nha.jpg": {"sha256": "ab" * 32, "bytes": "3", "type": "image/jpeg"}}


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    return await Province(storage, clock).open()


async def rows(province: Province, query: str) -> list[dict[str, Any]]:
    """Read with SQL as an analyst would, past every table object of ours."""
    await province.follow()
    async with province.storage.read() as connection:
        return [dict(row) for row in (await connection.execute(text(query))).mappings()]


async def test_the_view_of_a_form_is_there_before_its_first_record(province: Province) -> None:
    assert await rows(province, "SELECT record_id, members FROM published_household") == []


async def test_an_unapproved_record_is_not_published(province: Province) -> None:
    """I8: only an approved, exact revision is published."""
    saved = await province.save(ANSWERS, media=MEDIA)
    assert await rows(province, "SELECT * FROM published_household") == []
    await province.decide(saved, "returned")
    assert await rows(province, "SELECT * FROM published_household") == []


async def test_a_record_that_is_the_same_as_another_is_not_published_once_that_is_approved(province: Province) -> None:
    saved = await province.save(ANSWERS, media=MEDIA)
    await province.decide(saved, "approved")
    same_as = {"record": "another", "rev": "1-" + "a" * 32}
    alias = await province.save(ANSWERS, media=MEDIA, record=saved.doc_id, parent=saved.rev, same_as=same_as)
    assert len(await rows(province, "SELECT * FROM published_household")) == 1
    await province.decide(alias, "approved")
    assert await rows(province, "SELECT * FROM published_household") == []


async def test_an_approved_record_reads_back_with_the_types_of_its_form(province: Province) -> None:
    saved = await province.save(ANSWERS, media=MEDIA)
    await province.decide(saved, "approved")
    [found] = await rows(province, "SELECT * FROM published_household")
    assert found["record_id"] == saved.doc_id
    assert found["revision"] == saved.rev
    assert (found["form_version"], found["project"], found["unit"]) == ("1", "agri", "03226-2025")
    assert found["approved_by"] == "Khang Thị Mai"
    assert found["household_name"] == "Lò Văn Ban"
    assert found["members"] == 5
    assert type(found["members"]) is int
    assert found["crops"] == "rice maize"
    assert (found["photo"], found["photo_sha256"]) == ("nha.jpg", "ab" * 32)
    place = [found[f"house_{part}"] for part in ("longitude", "latitude", "altitude", "accuracy")]
    assert place == [103.25, 22.05, 600.0, 4.5]
    if province.storage.is_postgresql:
        assert found["area"] == Decimal("1.25")
        assert found["visited"] == date(2026, 11, 20)
        assert found["started"] == datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
        assert found["milk_at"] == time(5, 45)
        assert found["approved_at"] == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    else:
        assert found["area"] == 1.25
        assert found["visited"] == "2026-11-20"
        assert found["started"] == "2026-11-21 01:30:00+00:00"
        assert found["milk_at"] == "05:45:00"
        assert found["approved_at"].startswith("2026-11-21 08:00:00")


async def test_a_database_knows_the_type_of_every_column(province: Province) -> None:
    await province.decide(await province.save(ANSWERS, media=MEDIA), "approved")
    if province.storage.is_postgresql:
        query = "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = :view"
        wanted = {
            "members": "bigint",
            "area": "numeric",
            "visited": "date",
            "started": "timestamp with time zone",
            "milk_at": "time without time zone",
            "house_longitude": "double precision",
            "crops": "text",
            "crops_list": "jsonb",
            "plot": "jsonb",
            "crop_row": "jsonb",
        }
    else:
        query = "SELECT 'members' AS name, typeof(members) AS type FROM published_household"
        parts = [
            f"SELECT '{name}', typeof({name}) FROM published_household"
            for name in ("area", "house_latitude", "visited")
        ]
        query = " UNION ALL ".join([query, *parts]) + " LIMIT :view"
        wanted = {"members": "integer", "area": "real", "house_latitude": "real", "visited": "text"}
    await province.follow()
    async with province.storage.read() as connection:
        view = "published_household" if province.storage.is_postgresql else 10
        found = {row.name: row.type for row in await connection.execute(text(query), {"view": view})}
    assert {name: found[name] for name in wanted} == wanted


async def test_json_columns_hold_lists_outlines_and_rows(province: Province) -> None:
    await province.decide(await province.save(ANSWERS, media=MEDIA), "approved")
    [found] = await rows(province, "SELECT crops_list, plot, crop_row FROM published_household")
    crops, plot, crop_rows = (_json(found[name]) for name in ("crops_list", "plot", "crop_row"))
    assert crops == ["rice", "maize"]
    assert plot["type"] == "Polygon"
    assert plot["coordinates"][0][0] == [103.25, 22.05]
    assert [each["crop"] for each in crop_rows] == ["rice", "maize"]


async def test_the_rows_of_a_repeat_have_a_view_of_their_own(province: Province) -> None:
    saved = await province.save(ANSWERS)
    await province.decide(saved, "approved")
    await province.decide(await province.save({"members": "1"}), "approved")
    found = await rows(province, "SELECT * FROM published_household__crop_row ORDER BY record_id, row")
    assert [(each["record_id"], each["row"], each["row_id"], each["crop"]) for each in found] == [
        (saved.doc_id, 1, "r1", "rice"),
        (saved.doc_id, 2, "r2", "maize"),
    ]
    assert [each["yield"] for each in found] == [Decimal("40.5") if province.storage.is_postgresql else 40.5, None]


async def test_a_sensitive_answer_is_empty_in_the_view(province: Province) -> None:
    await province.decide(await province.save(ANSWERS), "approved")
    [found] = await rows(province, "SELECT household_name, household_phone FROM published_household")
    assert found == {"household_name": "Lò Văn Ban", "household_phone": None}


async def test_the_approved_revision_stays_until_the_next_approval(province: Province) -> None:
    first = await province.save({"members": "5"})
    approval = await province.decide(first, "approved")
    second = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev)
    await province.decide(second, "returned", approval)
    query = "SELECT members, revision FROM published_household"
    assert await rows(province, query) == [{"members": 5, "revision": first.rev}]
    third = await province.save({"members": "7"}, record=first.doc_id, parent=second.rev)
    assert await rows(province, query) == [{"members": 5, "revision": first.rev}]
    await province.decide(third, "approved", approval)
    assert await rows(province, query) == [{"members": 7, "revision": third.rev}]


async def test_a_deletion_unpublishes_when_it_is_approved(province: Province) -> None:
    first = await province.save({"members": "5"})
    approval = await province.decide(first, "approved")
    deleted = await province.delete(first)
    query = "SELECT members FROM published_household"
    assert await rows(province, query) == [{"members": 5}]
    await province.decide(deleted, "approved", approval)
    assert await rows(province, query) == []


async def test_an_erasure_unpublishes_at_once(province: Province) -> None:
    first = await province.save({"members": "5"})
    await province.decide(first, "approved")
    assert len(await rows(province, "SELECT 1 AS one FROM published_household")) == 1
    await province.erase(first)
    assert await rows(province, "SELECT 1 AS one FROM published_household") == []


async def test_what_does_not_type_is_empty_and_the_record_keeps_it(province: Province) -> None:
    odd = {"members": "9" * 30, "area": "NaN", "visited": "hôm qua", "house": "91 200", "crops": "rice", "plot": "1 2"}
    await province.decide(await province.save(odd), "approved")
    [found] = await rows(
        province, "SELECT members, area, visited, house_longitude, plot, crops FROM published_household"
    )
    assert found == {
        "members": None,
        "area": None,
        "visited": None,
        "house_longitude": None,
        "plot": None,
        "crops": "rice",
    }


async def test_a_later_version_adds_columns_and_keeps_the_others(province: Province) -> None:
    old = await province.save({"members": "5", "area": "1.5"})
    await province.decide(old, "approved")
    if province.storage.is_postgresql:
        await province.follow()
        async with province.storage.write() as connection:
            await connection.execute(text("CREATE VIEW report AS SELECT record_id, members FROM published_household"))
    fields = FIELDS.replace("<members/>", "<members/><rooms/>")
    binds = {**BINDS, "members": "decimal", "rooms": "int", "area": 'decimal" xmlns:n="urn:n" sensitive="yes'}
    await province.publish(version="2", xform=survey("household", "2", fields, binds))
    new = await province.save({"members": "5.5", "rooms": "3", "area": "9"}, form_version="2")
    await province.decide(new, "approved")
    found = await rows(
        province, "SELECT members, members_decimal, rooms, area FROM published_household ORDER BY members"
    )
    by_rooms = {each["rooms"]: each for each in found}
    assert by_rooms[None]["members"] == 5
    assert float(by_rooms[3]["members_decimal"]) == 5.5
    assert by_rooms[3]["members"] is None
    # Sensitive in one version is sensitive in every row.
    assert {each["area"] for each in found} == {None}


async def test_names_that_sql_would_stumble_over_are_kept_apart(province: Province) -> None:
    long_name = "x" * 70
    fields = f"<unit/><a-b/><a_b/><select/><{long_name}/>"
    names = ("unit", "a-b", "a_b", "select", long_name)
    await province.publish("odd-Form", "1", survey("odd-Form", "1", fields, dict.fromkeys(names, "string")))
    answers = {name: f"là {position}" for position, name in enumerate(names)}
    await province.decide(await province.save(answers, form="odd-Form"), "approved")
    [found] = await rows(province, 'SELECT * FROM "published_odd-Form"')
    assert found["unit"] == "03226-2025"
    assert {"là 0", "là 1", "là 2", "là 3", "là 4"} <= set(found.values())
    assert all(len(name) <= 63 for name in found)


async def test_records_of_another_scope_stand_in_the_same_view(province: Province) -> None:
    here = await province.save({"members": "1"})
    there = await province.save({"members": "2"}, scope=OTHER_SCOPE)
    await province.decide(here, "approved")
    await province.decide(there, "approved", scope=OTHER_SCOPE)
    found = await rows(province, "SELECT unit, members FROM published_household ORDER BY members")
    assert found == [{"unit": "03226-2025", "members": 1}, {"unit": "03158-2025", "members": 2}]


async def test_two_concurrent_decisions_publish_nothing(province: Province) -> None:
    saved = await province.save({"members": "5"})
    await province.decide(saved, "approved")
    await province.decide(saved, "rejected")
    assert await rows(province, "SELECT * FROM published_household") == []


async def test_publishing_again_changes_nothing(province: Province) -> None:
    await province.decide(await province.save(ANSWERS), "approved")
    await province.follow()
    async with province.storage.read() as connection:
        before = (await connection.execute(select(published))).all()
    await province.follow()
    async with province.storage.read() as connection:
        assert (await connection.execute(select(published))).all() == before


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value

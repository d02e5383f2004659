"""Calculated values are published with the type that their expression gives, over both storages."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from server.forms.schema import FormSchema
from server.journal.followers.tables import checkpoints
from server.platform.db.engine import Storage
from server.publish.columns import layout
from server.publish.tables import publication_versions, publication_views, published
from server.publish.views import make_views
from server.read_model.record_tables import records
from tests.conftest import StandingClock
from tests.server.test_publish import rows
from tests.surveys import BINDS, FIELDS, Province, survey

FORMS = Path(__file__).parents[1] / "vectors" / "forms"
CALCULATED = {
    **BINDS,
    "twice": 'string" calculate="/data/members * 2',
    "share": 'string" calculate="/data/area div /data/members',
    "seen_on": 'string" calculate="once(today())',
    "said": "string\" calculate=\"concat(/data/members, ' người')",
}
WITH_CALCULATED = FIELDS.replace("<members/>", "<members/><twice/><share/><seen_on/><said/>")
ANSWERS = {"members": "5", "twice": "10", "share": "1e-7", "seen_on": "2026-11-21", "said": "5 người"}


@pytest.fixture
async def province(storage: Storage, clock: StandingClock) -> Province:
    return await Province(storage, clock).open()


async def with_calculations(province: Province, form: str = "counted", version: str = "1") -> None:
    await province.publish(form, version, survey(form, version, WITH_CALCULATED, CALCULATED))


async def approve(province: Province, form: str, answers: dict[str, Any], version: str = "1") -> str:
    saved = await province.save(answers, form=form, form_version=version)
    await province.decide(saved, "approved")
    return saved.doc_id


async def types(province: Province, view: str, *columns: str) -> list[Any]:
    """Return what the database says of a view's columns that hold something."""
    kind = "pg_typeof({0})::text" if province.storage.is_postgresql else "typeof({0})"
    asked = ", ".join(f"{kind.format(column)} AS {column}" for column in columns)
    found = await rows(province, f"SELECT {asked} FROM {view}")
    return [each[column] for each in found for column in columns]


def is_number(kind: str) -> bool:
    return kind in {"bigint", "numeric", "integer", "real"}


async def test_calculated_numbers_and_days_have_their_types(province: Province) -> None:
    await with_calculations(province)
    await approve(province, "counted", ANSWERS)
    [found] = await rows(province, "SELECT twice, share, seen_on, said FROM published_counted")
    assert (found["twice"], Decimal(str(found["share"])), str(found["seen_on"]), found["said"]) == (
        10,
        Decimal("1E-7"),
        "2026-11-21",
        "5 người",
    )
    twice, share, said = await types(province, "published_counted", "twice", "share", "said")
    assert (is_number(twice), is_number(share), said) == (True, True, "text")


async def test_the_calculations_of_the_forms_that_come_along_are_published_as_numbers(province: Province) -> None:
    for form in ("household_crop", "forest_plot"):
        await province.publish(form, "2026112101", (FORMS / f"{form}.xml").read_bytes())
    plot = {"_rid": "a", "area_m2": "5000", "area_ha": "0.5", "yield_t_ha": "4.21"}
    await approve(province, "household_crop", {"land": {"plot": [plot]}}, "2026112101")
    tree = {"_rid": "b", "dbh_cm": "30", "height_m": "20", "volume_m3": "0.6362"}
    await approve(province, "forest_plot", {"stand": {"tree": [tree], "tree_count": "1"}}, "2026112101")
    kinds = [
        *await types(province, "published_household_crop__land_plot", "area_ha", "yield_t_ha"),
        *await types(province, "published_forest_plot__stand_tree", "volume_m3"),
        *await types(province, "published_forest_plot", "stand_tree_count"),
    ]
    assert len(kinds) == 4
    assert all(map(is_number, kinds)), kinds
    [found] = await rows(province, "SELECT area_ha, yield_t_ha FROM published_household_crop__land_plot")
    assert {name: float(value) for name, value in found.items()} == {"area_ha": 0.5, "yield_t_ha": 4.21}


@pytest.mark.parametrize("odd", ["Infinity", "-Infinity", "NaN", "nhiều", "9" * 400])
async def test_a_calculation_that_gave_no_number_is_published_as_nothing_and_flagged(
    province: Province, odd: str
) -> None:
    await with_calculations(province)
    record = await approve(province, "counted", {**ANSWERS, "share": odd})
    [found] = await rows(province, "SELECT twice, share FROM published_counted")
    assert found == {"twice": 10, "share": None}
    async with province.storage.read() as connection:
        assert await connection.scalar(select(records.c.flags).where(records.c.id == record)) == ["calculation_unfit"]


async def test_a_text_column_that_stands_stays_and_a_typed_one_is_added_at_the_end(province: Province) -> None:
    await with_calculations(province)
    record = await approve(province, "counted", ANSWERS)
    await province.follow()
    await as_an_older_server_left_it(province)
    [found] = await rows(province, "SELECT * FROM published_counted")
    assert found["record_id"] == record
    assert (found["twice"], found["share"], found["seen_on"]) == ("10", "1e-7", "2026-11-21")
    assert (found["twice_integer"], float(found["share_decimal"])) == (10, 1e-7)
    assert list(found)[-3:] == ["twice_integer", "share_decimal", "seen_on_date"]
    await with_calculations(province, version="2")
    await approve(province, "counted", {**ANSWERS, "twice": "12"}, "2")
    both = await rows(province, "SELECT twice, twice_integer FROM published_counted ORDER BY twice")
    assert both == [{"twice": "10", "twice_integer": 10}, {"twice": "12", "twice_integer": 12}]
    if province.storage.is_postgresql:
        assert await rows(province, "SELECT twice FROM report ORDER BY twice") == [{"twice": "10"}, {"twice": "12"}]


async def as_an_older_server_left_it(province: Province) -> None:
    """Leave rows and views of the form as they were while calculations were text, with a report on the view."""
    untyped = {name: kind.partition('"')[0] for name, kind in CALCULATED.items()}
    older = FormSchema.parse(survey("counted", "1", WITH_CALCULATED, untyped))
    async with province.storage.write() as connection:
        for view in ("published_counted__crop_row", "published_counted"):
            await connection.execute(text(f"DROP VIEW {view}"))
        await connection.execute(delete(publication_views).where(publication_views.c.form == "counted"))
        await make_views(connection, layout("counted", [older]), "counted")
        if province.storage.is_postgresql:
            await connection.execute(text("CREATE VIEW report AS SELECT twice FROM published_counted"))
        await connection.execute(update(publication_versions).values(calculations_as_text=True))
        data = {name: ANSWERS[name] for name in ("members", "twice", "share", "seen_on", "said")}
        await connection.execute(update(published).values(rules=1, data=data))
        await connection.execute(delete(checkpoints).where(checkpoints.c.follower == "published"))

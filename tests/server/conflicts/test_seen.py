"""What people did since a page was read: nobody decides over it, and nothing of it is lost."""

from typing import Any

import pytest

from tests.builders import Client, problem
from tests.server.conflicts.desk_world import FORM, XFORM, Desk
from tests.server.published_forms import publish

AREA = "/answers/area"
FIRST: dict[str, Any] = {"owner": "Lò Văn Ban", "area": "1.0", "crop": "maize", "tools": ["hoe"]}
ROW = {"_rid": "vu-1", "season": "mùa", "kilos": "300"}


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def two_areas(desk: Desk) -> str:
    """Two people correct the area of one record without knowing."""
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first)
    await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    await desk.follow()
    return first.doc_id


async def test_answers_of_the_form_leave_what_was_corrected_since_the_page_was_read(desk: Desk) -> None:
    record = await two_areas(desk)
    page = await desk.page(record)
    form = {**page["doc"]["answers"], "area": "1.1", "harvests": [ROW]}
    await desk.edit("vang", record, crop="rice", owner="Lò Văn Bánh")
    await desk.decide(page, {"path": AREA, "confirm": True}, answers=form)
    stands = await desk.stands(record)
    answers = stands["answers"]
    assert (answers["crop"], answers["owner"], answers["area"]) == ("rice", "Lò Văn Bánh", "1.1")
    assert (answers["harvests"], set(stands["decided"]) & {"/answers/crop", "/answers/owner"}) == ([ROW], set())
    await desk.follow()
    assert ((await desk.stands(record))["answers"], (await desk.queue())["total"]) == (answers, 0)


async def test_answers_of_the_form_that_somebody_touched_meanwhile_are_told_and_not_written(desk: Desk) -> None:
    record = await two_areas(desk)
    page = await desk.page(record)
    form = {**page["doc"]["answers"], "area": "1.1", "owner": "Lò Văn Bản"}
    await desk.edit("vang", record, crop="rice", owner="Lò Văn Bánh")
    params = problem(await desk.try_decide(page, {"path": AREA, "confirm": True}, answers=form), 409, "conflict_moved")
    assert (params["changed"], params["by_names"]) == (["/answers/owner"], ["Vàng A Súng"])
    assert (await desk.stands(record))["answers"]["owner"] == "Lò Văn Bánh"


async def test_a_row_added_in_the_form_stands_beside_one_that_came_meanwhile(desk: Desk) -> None:
    record = await two_areas(desk)
    page = await desk.page(record)
    form = {**page["doc"]["answers"], "harvests": [ROW]}
    other = {**ROW, "_rid": "vu-2", "season": "chiêm"}
    await desk.edit("vang", record, harvests=[other])
    made = await desk.decide(page, {"path": AREA, "confirm": True}, answers=form)
    rows = made["page"]["doc"]["answers"]["harvests"]
    assert {each["_rid"]: each for each in rows} == {"vu-1": ROW, "vu-2": other}


async def test_answers_of_a_form_version_that_was_overtaken_are_not_written(desk: Desk) -> None:
    record = await two_areas(desk)
    page = await desk.page(record)
    await publish(desk.client, FORM, "2", "agri", XFORM.replace(b'version="1"', b'version="2"'))
    stands = await desk.stands(record)
    answers = {**stands["answers"], "crop": "rice"}
    await desk.save("vang", answers, record=record, parent=stands["_rev"], form_version="2")
    form = {**page["doc"]["answers"], "area": "1.1"}
    answer = await desk.try_decide(page, {"path": AREA, "confirm": True}, answers=form, form_version="1")
    assert problem(answer, 409, "conflict_moved")["page"]["form_version"] == "2"
    assert (await desk.stands(record))["answers"]["crop"] == "rice"

"""Several who decide or edit one record at the same time: nobody is overwritten, and who is late is told."""

import asyncio

import pytest

from tests.builders import Client, problem
from tests.server.conflicts.desk_world import FIRST, Desk, two_areas

pytestmark = pytest.mark.by_turns

AREA = "/answers/area"


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def test_the_second_manager_is_told_and_nothing_is_overwritten(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    await desk.decide(page, {"path": AREA, "value": "1.1"})
    answer = await desk.try_decide(page, {"path": AREA, "value": "0.9"}, by=desk.second)
    params = problem(answer, 409, "conflict_moved")
    assert (params["changed"], params["by_names"]) == ([AREA], ["Người khang"])
    assert params["page"]["doc"]["answers"]["area"] == "1.1"
    assert (await desk.stands(known["record"]))["answers"]["area"] == "1.1"


async def test_a_second_manager_who_decides_another_field_is_in_nobodys_way(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "1.2", "owner": "Vàng"}, edits=first)
    await desk.save("lo", {**FIRST, "area": "0.8", "owner": "Lò"}, edits=first)
    await desk.follow()
    page = await desk.page(first.doc_id)
    made = await desk.decide(page, {"path": AREA, "value": "1.1"})
    # What is still open goes with the decision to the phones.
    assert list((await desk.stands(first.doc_id))["open"]) == ["/answers/owner"]
    assert [each["path"] for each in made["page"]["questions"]] == ["/answers/owner"]
    both = await desk.decide(page, {"path": "/answers/owner", "value": "Lò Văn Ban"}, by=desk.second)
    answers = both["page"]["doc"]["answers"]
    assert (answers["area"], answers["owner"], both["page"]["questions"]) == ("1.1", "Lò Văn Ban", [])


async def test_an_edit_that_comes_meanwhile_in_another_field_is_kept(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    await desk.edit("vang", known["record"], owner="Lò Văn Bản")
    made = await desk.decide(page, {"path": AREA, "value": "1.1"})
    answers = made["page"]["doc"]["answers"]
    assert (answers["area"], answers["owner"]) == ("1.1", "Lò Văn Bản")


async def test_a_phone_that_still_extends_the_losing_branch_does_not_flip_a_decision(desk: Desk) -> None:
    known = await two_areas(desk)
    await desk.decide(await desk.page(known["record"]), {"path": AREA, "candidate": known["other"]})
    late = {**FIRST, "area": "1.2", "owner": "Lò Văn Ban (con)"}
    await desk.save("vang", late, record=known["record"], parent=known["one"])
    await desk.follow()
    page = await desk.page(known["record"])
    answers = page["doc"]["answers"]
    assert (answers["area"], answers["owner"], page["questions"]) == ("0.8", "Lò Văn Ban (con)", [])


async def test_of_two_who_decide_one_field_at_once_one_is_told(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    answers = await asyncio.gather(
        desk.try_decide(page, {"path": AREA, "value": "1.1"}),
        desk.try_decide(page, {"path": AREA, "value": "0.9"}, by=desk.second),
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    [made] = [each.json() for each in answers if each.status_code == 201]
    assert (await desk.stands(known["record"]))["_rev"] == made["rev"]


async def test_of_many_who_decide_different_fields_at_once_all_are_heard(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    fields = ("owner", "area", "crop", "consent")
    await desk.save("vang", {**FIRST, "owner": "A", "area": "2", "crop": "rice", "consent": "x"}, edits=first)
    await desk.save("lo", {**FIRST, "owner": "B", "area": "3", "crop": "other", "consent": "y"}, edits=first)
    await desk.follow()
    page = await desk.page(first.doc_id)
    values = dict(zip(fields, ("C", "4", "maize", "z"), strict=True))
    choices = [{"path": f"/answers/{each}", "value": values[each]} for each in fields]
    answers = await asyncio.gather(*(desk.try_decide(page, each) for each in choices))
    assert [each.status_code for each in answers] == [201] * 4
    page = await desk.page(first.doc_id)
    assert page["questions"] == []
    assert {each: page["doc"]["answers"][each] for each in fields} == values

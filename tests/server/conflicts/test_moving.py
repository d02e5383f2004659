"""A record that stands in two areas: a person who knows both sides says where it stays."""

from typing import Any

import pytest
from sqlalchemy import select

from server.auth.audit import acts_on
from server.read_model.record_tables import open_questions
from tests.builders import Client, grant, person_signed_in, problem
from tests.server.conflicts.desk_world import DATABASE, OTHER, Desk

pytestmark = pytest.mark.by_turns

AREA = "/answers/area"
THIRD = "agri-03175-2025"
FIRST: dict[str, Any] = {"owner": "Lò Văn Ban", "area": "1.0", "crop": "maize", "tools": ["hoe"]}


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def two_places(desk: Desk, *, is_contested: bool = False) -> str:
    """Save a record in two areas; with `is_contested` two people also disagree about its area in the first."""
    first = await desk.save("lo", FIRST)
    if is_contested:
        await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first)
        await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    await desk.save("vang", {**FIRST, "crop": "rice"}, record=first.doc_id, database=OTHER)
    await desk.follow()
    return first.doc_id


async def test_an_edit_in_the_other_area_that_nobody_has_seen_keeps_the_record_there(desk: Desk) -> None:
    record = await two_places(desk)
    page = await desk.page(record)
    there = await desk.stands(record, OTHER)
    answers = {**there["answers"], "owner": "Vàng A Súng"}
    await desk.save("vang", answers, record=record, parent=there["_rev"], database=OTHER)
    params = problem(await desk.try_decide(page, {"path": "", "stay": DATABASE}), 409, "conflict_moved")
    assert (params["changed"], params["by_names"]) == ([""], ["Vàng A Súng"])
    assert params["page"]["elsewhere"][0]["doc"]["answers"]["owner"] == "Vàng A Súng"
    assert (await desk.stands(record, OTHER))["answers"]["owner"] == "Vàng A Súng"
    made = await desk.decide(params["page"], {"path": "", "stay": DATABASE})
    assert (made["rev"], made["page"]["questions"]) == ((await desk.stands(record, OTHER))["_rev"], [])
    assert (await desk.stands(record, OTHER))["_deleted"] is True


async def test_an_edit_in_the_other_area_on_a_branch_that_does_not_stand_counts_as_much(desk: Desk) -> None:
    record = await two_places(desk)
    there = await desk.stands(record, OTHER)
    answers = there["answers"]
    line = await desk.save("vang", {**answers, "area": "3"}, record=record, parent=there["_rev"], database=OTHER)
    await desk.save("vang", {**answers, "area": "4"}, edits=line, database=OTHER)
    page = await desk.page(record)
    await desk.save("lo", {**answers, "owner": "Lò"}, record=record, parent=there["_rev"], database=OTHER)
    problem(await desk.try_decide(page, {"path": "", "stay": DATABASE}), 409, "conflict_moved")
    # Both branches go, not only the one that stands.
    page = await desk.page(record)
    assert len(page["elsewhere"][0]["leaves"]) == 2
    await desk.decide(page, {"path": "", "stay": DATABASE})
    await desk.follow()
    assert (await desk.stands(record, OTHER))["_deleted"] is True
    assert (await desk.queue())["total"] == 0


async def test_what_was_not_named_was_not_seen(desk: Desk) -> None:
    record = await two_places(desk)
    page = await desk.page(record)
    problem(await desk.try_decide(page, {"path": "", "stay": DATABASE}, elsewhere=[]), 409, "conflict_moved")
    assert "_deleted" not in await desk.stands(record, OTHER)


async def test_a_record_of_which_branches_were_merged_can_leave_its_area(desk: Desk) -> None:
    record = await two_places(desk, is_contested=True)
    settled = await desk.decide(await desk.page(record), {"path": AREA, "value": "0.9"})
    made = await desk.decide(settled["page"], {"path": "", "stay": OTHER})
    assert (made["page"]["doc"]["_deleted"], made["rev"]) == (True, (await desk.stands(record))["_rev"])
    await desk.follow()
    assert (await desk.queue())["total"] == 0
    back = await desk.undo(made["page"], made["rev"])
    assert back["page"]["doc"]["answers"]["area"] == "0.9"


async def test_where_it_stays_is_decided_together_with_its_fields(desk: Desk) -> None:
    record = await two_places(desk, is_contested=True)
    page = await desk.page(record)
    assert [(each["path"], each["kind"]) for each in page["questions"]] == [("", "moved"), (AREA, "value")]
    tried = await desk.decide(page, {"path": "", "stay": DATABASE}, {"path": AREA, "value": "120"}, dry_run=True)
    assert (tried["rev"], [each["path"] for each in tried["warnings"]]) == (None, [AREA])
    assert len((await desk.page(record))["elsewhere"]) == 1
    made = await desk.decide(page, {"path": "", "stay": DATABASE}, {"path": AREA, "value": "0.9"}, comment="Đã hỏi")
    stands = await desk.stands(record)
    assert (stands["answers"]["area"], stands["decided"], stands["_rev"]) == ("0.9", [AREA], made["rev"])
    assert (await desk.stands(record, OTHER))["comment"] == "Đã hỏi"
    await desk.follow()
    assert (await desk.queue())["total"] == 0


async def test_what_was_decided_of_a_record_that_goes_stays_in_its_history(desk: Desk) -> None:
    record = await two_places(desk, is_contested=True)
    page = await desk.page(record)
    made = await desk.decide(page, {"path": "", "stay": OTHER}, {"path": AREA, "value": "0.9"})
    decided = [each["decided"] for each in made["page"]["history"] if each["kind"] == "decision"]
    assert (decided, made["page"]["doc"]["_deleted"]) == ([[AREA], [""]], True)
    async with desk.client.app.state["storage"].read() as connection:
        acts = [each.action for each in await acts_on(connection, f"{DATABASE}/{record}")]
    assert sorted(acts) == ["conflict.decided", "conflict.moved"]


async def test_a_manager_of_one_area_sees_nobody_of_the_other_and_is_offered_nothing(
    desk: Desk, client: Client
) -> None:
    record = await two_places(desk)
    local = await person_signed_in(client, "local", grant("data_manager"))
    queue = (await client.get("/api/conflicts", headers=local.headers)).json()
    assert [[each["name"] for each in line["people"]] for line in queue["conflicts"]] == [["Lò Văn Ban"]]
    page = await desk.page(record, by=local)
    [question] = page["questions"]
    assert (question["kind"], question["may"], page["elsewhere"]) == ("moved", [], [])
    assert problem(await desk.try_decide(page, {"path": "", "stay": DATABASE}, by=local), 422, "unknown_choice")
    # Nor are they found by the other's name.
    async with client.app.state["storage"].read() as connection:
        rows = (await connection.execute(select(open_questions).order_by(open_questions.c.database))).all()
    assert {row.database: row.people for row in rows} == {OTHER: ["vang"], DATABASE: ["lo"]}
    assert not any("vang" in row.folded for row in rows if row.database == DATABASE)


async def test_a_record_that_went_from_two_areas_comes_back_to_both(desk: Desk) -> None:
    record = await two_places(desk)
    await desk.save("lo", {**FIRST, "area": "3"}, record=record, database=THIRD)
    await desk.follow()
    gone = (DATABASE, THIRD)
    made = await desk.decide(await desk.page(record), {"path": "", "stay": OTHER})
    assert [(await desk.stands(record, each)).get("_deleted") for each in gone] == [True, True]
    await desk.follow()
    page = await desk.page(record)
    assert [(each["rev"], each["stays"], each["may_undo"]) for each in page["decisions"]] == [
        (made["rev"], "Sín Thầu", True)
    ]
    back = await desk.undo(page, made["rev"])
    assert [each["kind"] for each in back["page"]["questions"]] == ["moved"]
    assert [(await desk.stands(record, each))["answers"]["area"] for each in gone] == ["1.0", "3"]
    await desk.follow()
    assert (await desk.queue())["total"] == 3
    assert [each["is_undone"] for each in (await desk.page(record))["decisions"]] == [True]


async def test_what_stayed_here_is_taken_back_from_here_with_all_that_was_decided(desk: Desk) -> None:
    record = await two_places(desk, is_contested=True)
    page = await desk.page(record)
    made = await desk.decide(page, {"path": "", "stay": DATABASE}, {"path": AREA, "value": "0.9"}, comment="Đã hỏi")
    back = await desk.undo(made["page"], made["rev"])
    assert sorted(each["path"] for each in back["page"]["questions"]) == ["", AREA]
    assert (await desk.stands(record, OTHER))["answers"]["crop"] == "rice"
    async with desk.client.app.state["storage"].read() as connection:
        acts = [each.action for name in (DATABASE, OTHER) for each in await acts_on(connection, f"{name}/{record}")]
    assert acts.count("conflict.undone") == 2


async def test_what_was_decided_of_a_record_that_goes_comes_back_open_with_it(desk: Desk) -> None:
    record = await two_places(desk, is_contested=True)
    page = await desk.page(record)
    made = await desk.decide(page, {"path": "", "stay": OTHER}, {"path": AREA, "value": "0.9"})
    back = await desk.undo(made["page"], made["rev"])
    assert sorted(each["path"] for each in back["page"]["questions"]) == ["", AREA]
    assert [each["is_undone"] for each in back["page"]["decisions"]] == [True, True]


async def test_where_nothing_was_written_here_the_decision_is_told_here_and_taken_back(desk: Desk) -> None:
    record = await two_places(desk)
    made = await desk.decide(await desk.page(record), {"path": "", "stay": DATABASE}, comment="Đã hỏi")
    [line] = made["page"]["decisions"]
    assert (line["rev"], line["paths"]) == (made["rev"], [""])
    assert (line["by_name"], line["comment"]) == ("Người khang", "Đã hỏi")
    assert (line["stays"], line["may_undo"]) == ("Sín Chải", True)
    back = await desk.undo(made["page"], made["rev"])
    assert [each["kind"] for each in back["page"]["questions"]] == ["moved"]
    assert [each["is_undone"] for each in back["page"]["decisions"]] == [True]
    problem(await desk.try_undo(back["page"], made["rev"]), 409, "undo_too_late")


async def test_a_place_is_taken_back_without_the_fields_that_were_decided_anew(desk: Desk) -> None:
    record = await two_places(desk, is_contested=True)
    page = await desk.page(record)
    made = await desk.decide(page, {"path": "", "stay": DATABASE}, {"path": AREA, "value": "0.9"})
    await desk.edit("vang", record, area="7")
    await desk.follow()
    await desk.undo(await desk.page(record), made["rev"])
    assert (await desk.stands(record))["answers"]["area"] == "7"
    assert (await desk.stands(record, OTHER))["answers"]["crop"] == "rice"


async def test_a_record_comes_back_everywhere_or_nowhere(desk: Desk) -> None:
    record = await two_places(desk)
    await desk.save("lo", {**FIRST, "area": "3"}, record=record, database=THIRD)
    await desk.follow()
    made = await desk.decide(await desk.page(record), {"path": "", "stay": OTHER})
    there = await desk.stands(record, THIRD)
    anew = await desk.save("lo", {**FIRST, "area": "4"}, record=record, parent=there["_rev"], database=THIRD)
    await desk.delete("lo", anew, database=THIRD)
    page = await desk.page(record)
    assert [each["may_undo"] for each in page["decisions"]] == [False]
    problem(await desk.try_undo(page, made["rev"]), 409, "undo_too_late")
    assert (await desk.stands(record))["_deleted"] is True


async def test_whoever_manages_one_of_the_areas_takes_nothing_back(desk: Desk, client: Client) -> None:
    record = await two_places(desk)
    made = await desk.decide(await desk.page(record), {"path": "", "stay": OTHER})
    local = await person_signed_in(client, "local", grant("data_manager"))
    page = await desk.page(record, by=local)
    # What the record says in the area of others is nothing that they may read.
    assert [(each["stays"], each["may_undo"]) for each in page["decisions"]] == [(None, False)]
    back = await desk.undo(made["page"], made["rev"])
    stays_here = await desk.decide(back["page"], {"path": "", "stay": DATABASE})
    body = {"rev": page["rev"], "leaves": page["leaves"], "decision": stays_here["rev"]}
    assert (await desk.post(record, "undo", body, by=local)).status_code in {403, 404}
    assert (await desk.stands(record, OTHER))["_deleted"] is True


async def test_the_page_says_in_which_answers_the_areas_differ(desk: Desk) -> None:
    [elsewhere] = (await desk.page(await two_places(desk)))["elsewhere"]
    [changed] = elsewhere["changed"]
    assert changed["path"] == "/answers/crop"
    assert (changed["before"]["value"], changed["after"]["value"]) == ("maize", "rice")

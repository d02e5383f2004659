"""A conflict as a data manager meets it: every side of it, one decision, and the way back."""

import asyncio
import json
from typing import Any

import pytest

from server.auth.audit import acts_on
from server.desk.conflicts import deciding, record_case
from sync.merging import merge
from tests.builders import PROVINCE, Client, grant, person_signed_in, problem
from tests.conftest import StandingClock
from tests.server.conflicts.desk_world import DATABASE, FIRST, OTHER, Desk, ask_about, two_areas

pytestmark = pytest.mark.by_turns

AREA = "/answers/area"


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def test_the_page_shows_base_every_side_and_what_stands_in_the_forms_words(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    [question] = page["questions"]
    assert (question["path"], question["kind"], question["type"]) == (AREA, "value", "decimal")
    assert question["label"] == {"vi": "Diện tích (ha)", "en": "Area (ha)"}
    assert question["base"] == {"value": "1.0", "is_absent": False}
    sides = {each["rev"]: each for each in question["candidates"]}
    assert sides.keys() == {known["one"], known["other"]}
    assert sides[known["one"]]["value"] == {"value": "1.2", "is_absent": False}
    assert (sides[known["one"]]["by_name"], sides[known["other"]]["by_name"]) == ("Vàng A Súng", "Lò Văn Ban")
    assert question["candidates"][0]["rev"] == max(sides)
    assert question["proposal"]["value"] == question["candidates"][0]["value"]
    assert question["may"] == ["candidate", "value", "confirm"]
    assert (page["doc"]["answers"]["crop"], page["languages"]) == ("rice", ["vi", "en"])
    assert page["may_decide"] is True


async def test_nobody_is_asked_about_the_logs_of_two_phones_and_no_history_shows_them(desk: Desk) -> None:
    def said(name: str, **answers: str) -> dict[str, Any]:
        file = {"sha256": name[-1] * 64, "type": "text/csv", "bytes": "1"}
        return {"answers": {**FIRST, **answers, "meta": {"audit": f"{name}.csv"}}, "media": {f"{name}.csv": file}}

    first = await desk.save("lo", **said("audit-a"))
    one = await desk.save("vang", edits=first, **said("audit-b", owner="Vàng A Súng"))
    other = await desk.save("lo", edits=first, **said("audit-c", crop="rice"))
    await desk.follow()
    page = await desk.page(first.doc_id)
    assert page["questions"] == []
    shown = {change["path"] for line in page["history"] for change in line["changed"]}
    assert {"/answers/owner", "/answers/crop"} <= shown
    assert not {path for path in shown if "audit" in path}
    stands = await desk.stands(first.doc_id)
    latest = max(one, other, key=lambda each: each.rev)
    assert stands["answers"]["meta"]["audit"] == json.loads(latest.content)["answers"]["meta"]["audit"]
    assert sorted(stands["media"]) == ["audit-b.csv", "audit-c.csv"]


async def test_a_candidate_is_taken_and_the_record_says_so_from_then_on(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    made = await desk.decide(page, {"path": AREA, "candidate": known["one"]}, comment="Đã đo lại")
    assert (made["page"]["questions"], made["page"]["doc"]["answers"]["area"]) == ([], "1.2")
    stands = await desk.stands(known["record"])
    assert (stands["answers"]["area"], stands["answers"]["crop"]) == ("1.2", "rice")
    assert (stands["decided"], stands["comment"], stands["_rev"]) == ([AREA], "Đã đo lại", made["rev"])
    assert "open" not in stands
    await desk.follow()
    assert (await desk.queue())["conflicts"] == []


async def test_a_long_record_is_read_decided_and_taken_back_beside_the_event_loop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await desk.save("lo", {**FIRST, "owner": "B" * 50_000})
    for by, area in (("vang", "1.2"), ("lo", "0.8")):
        await desk.save(by, {**FIRST, "owner": "B" * 50_000, "area": area}, edits=first)
    await desk.follow()
    honest = merge.combine
    is_beside: list[bool] = []

    def watched(document: Any, forms: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            is_beside.append(True)
        else:
            is_beside.append(False)
        return honest(document, forms)

    for module in (record_case, deciding):
        monkeypatch.setattr(module, "combine", watched)
    made = await desk.decide(await desk.page(first.doc_id), {"path": AREA, "confirm": True})
    await desk.undo(made["page"], made["rev"])
    assert len(is_beside) > 3
    assert all(is_beside)


async def test_a_typed_value_may_be_neither_side(desk: Desk) -> None:
    known = await two_areas(desk)
    made = await desk.decide(await desk.page(known["record"]), {"path": AREA, "value": "0.95"})
    assert made["page"]["doc"]["answers"]["area"] == "0.95"


async def test_what_stands_may_be_confirmed(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    made = await desk.decide(page, {"path": AREA, "confirm": True})
    assert made["page"]["questions"] == []
    assert made["page"]["doc"]["answers"]["area"] == page["questions"][0]["candidates"][0]["value"]["value"]


async def test_a_value_that_the_question_cannot_hold_is_refused_by_name(desk: Desk) -> None:
    known = await two_areas(desk)
    answer = await desk.try_decide(await desk.page(known["record"]), {"path": AREA, "value": "một héc ta"})
    params = problem(answer, 422, "answer_misfit")
    assert (params["path"], params["reason"], params["label"]["vi"]) == (AREA, "not_decimal", "Diện tích (ha)")
    assert (await desk.page(known["record"]))["questions"] != []


async def test_a_broken_constraint_is_a_warning_and_a_dry_run_writes_nothing(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    tried = await desk.decide(page, {"path": AREA, "value": "120"}, dry_run=True)
    assert (tried["rev"], [each["path"] for each in tried["warnings"]]) == (None, [AREA])
    assert tried["page"]["doc"]["answers"]["area"] == "120"
    assert (await desk.page(known["record"]))["rev"] == page["rev"]
    made = await desk.decide(page, {"path": AREA, "value": "120"})
    [warning] = made["warnings"]
    assert (warning["label"]["en"], made["page"]["doc"]["answers"]["area"]) == ("Area (ha)", "120")


async def test_a_decision_can_be_taken_back_and_its_question_is_open_again(desk: Desk) -> None:
    known = await two_areas(desk)
    before = await desk.page(known["record"])
    made = await desk.decide(before, {"path": AREA, "value": "1.1"}, comment="Ước lượng")
    [decision] = made["page"]["decisions"]
    assert (decision["rev"], decision["may_undo"], decision["comment"]) == (made["rev"], True, "Ước lượng")
    undone = await desk.undo(made["page"], made["rev"])
    assert [each["path"] for each in undone["page"]["questions"]] == [AREA]
    assert undone["page"]["doc"]["answers"]["area"] == before["doc"]["answers"]["area"]
    [decision] = undone["page"]["decisions"]
    assert (decision["may_undo"], decision["is_undone"]) == (False, True)
    assert [each["kind"] for each in undone["page"]["history"]][-2:] == ["decision", "undo"]
    assert list((await desk.stands(known["record"]))["open"]) == [AREA]
    problem(await desk.try_undo(undone["page"], made["rev"]), 409, "undo_too_late")
    await desk.follow()
    assert len((await desk.queue())["conflicts"]) == 1


async def test_a_decision_that_somebody_has_built_on_stays(desk: Desk) -> None:
    known = await two_areas(desk)
    made = await desk.decide(await desk.page(known["record"]), {"path": AREA, "value": "1.1"})
    await desk.edit("vang", known["record"], area="1.3")
    problem(await desk.try_undo(await desk.page(known["record"]), made["rev"]), 409, "undo_too_late")


async def test_delete_beside_an_edit_is_kept_or_deleted_by_a_person(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first)
    await desk.delete("lo", first)
    await desk.follow()
    page = await desk.page(first.doc_id)
    [question] = page["questions"]
    assert (question["path"], question["kind"], question["may"]) == ("", "delete", ["keep", "delete"])
    assert {each["is_deleted"] for each in question["candidates"]} == {True, False}
    deleted = await desk.decide(page, {"path": "", "delete": True})
    assert (await desk.stands(first.doc_id))["_deleted"] is True
    back = await desk.undo(deleted["page"], deleted["rev"])
    assert [each["kind"] for each in back["page"]["questions"]] == ["delete"]
    kept = await desk.decide(back["page"], {"path": "", "keep": True})
    assert (kept["page"]["questions"], kept["page"]["doc"]["answers"]["area"]) == ([], "1.2")
    await desk.follow()
    assert (await desk.queue())["conflicts"] == []


async def test_a_row_edited_here_and_deleted_there_is_kept_or_left_out(desk: Desk) -> None:
    row = {"_rid": "vu-1", "season": "mùa", "kilos": "300"}
    first = await desk.save("lo", {**FIRST, "harvests": [row]})
    edited = await desk.save("vang", {**FIRST, "harvests": [{**row, "kilos": "320"}]}, edits=first)
    gone = await desk.save("lo", {**FIRST, "harvests": []}, edits=first)
    await desk.follow()
    page = await desk.page(first.doc_id)
    [question] = page["questions"]
    assert (question["path"], question["kind"], question["row"]) == ("/answers/harvests/vu-1", "row", "mùa · 320")
    values = {each["rev"]: each["value"] for each in question["candidates"]}
    assert values[gone.rev] == {"value": None, "is_absent": True}
    assert values[edited.rev]["value"]["kilos"] == "320"
    changed = {each["rev"]: [one["after"]["value"] for one in each["changed"]] for each in question["candidates"]}
    assert changed == {gone.rev: [], edited.rev: ["320"]}
    made = await desk.decide(page, {"path": question["path"], "candidate": edited.rev})
    assert made["page"]["doc"]["answers"]["harvests"] == [{**row, "kilos": "320"}]
    undone = await desk.undo(made["page"], made["rev"])
    left_out = await desk.decide(undone["page"], {"path": question["path"], "candidate": gone.rev})
    assert (left_out["page"]["questions"], left_out["page"]["doc"]["answers"].get("harvests", [])) == ([], [])


async def test_cells_of_rows_are_told_apart_by_what_the_row_says(desk: Desk) -> None:
    row = {"_rid": "vu-1", "season": "mùa", "kilos": "300"}
    first = await desk.save("lo", {**FIRST, "harvests": [row]})
    await desk.save("vang", {**FIRST, "harvests": [{**row, "kilos": "320"}]}, edits=first)
    await desk.save("lo", {**FIRST, "harvests": [{**row, "kilos": "280"}]}, edits=first)
    await desk.follow()
    [question] = (await desk.page(first.doc_id))["questions"]
    assert (question["path"], question["label"]["en"]) == ("/answers/harvests/vu-1/kilos", "Yield (kg)")
    assert (question["parents"], question["row"].split(" · ")[0]) == ([{"vi": "Vụ thu hoạch", "en": "Harvests"}], "mùa")


async def test_outlines_are_measured_beside_each_other(desk: Desk) -> None:
    def outline(east: float) -> str:
        corners = [(22.0, 103.0), (22.0, 103.001), (22.001, 103.001), (22.001, 103.0), (22.0, 103.0)]
        return ";".join(f"{lat} {lon + east} 600 4.0" for lat, lon in corners)

    first = await desk.save("lo", {**FIRST, "outline": outline(0)})
    await desk.save("vang", {**FIRST, "outline": outline(0.0005)}, edits=first)
    await desk.save("lo", {**FIRST, "outline": outline(0.001)}, edits=first)
    await desk.follow()
    [question] = (await desk.page(first.doc_id))["questions"]
    geometry = question["geometry"]
    assert (question["kind"], geometry["kind"], len(geometry["shapes"])) == ("place", "outline", 3)
    assert geometry["shapes"][0]["rev"] is None
    assert geometry["shapes"][0]["area_m2"] == pytest.approx(11_400, rel=0.02)
    assert geometry["shapes"][1]["change_percent"] == pytest.approx(0, abs=0.1)
    sides = next(each for each in geometry["pairs"] if each["a"] is not None)
    assert sides["overlap_percent"] == pytest.approx(100 / 3, rel=0.01)


async def test_of_points_the_more_accurate_one_is_proposed(desk: Desk) -> None:
    first = await desk.save("lo", {**FIRST, "place": "22.0 103.0 600 9"})
    points = {"22.0001 103.0 600 3.5": "vang", "22.0002 103.0 600 20": "lo"}
    saved = {each: await desk.save(by, {**FIRST, "place": each}, edits=first) for each, by in points.items()}
    await desk.follow()
    [question] = (await desk.page(first.doc_id))["questions"]
    best = saved["22.0001 103.0 600 3.5"].rev
    stands = question["candidates"][0]["rev"]
    assert question["proposal"]["rev"] == best
    assert question["proposal"]["why"] == ("stands" if stands == best else "more_accurate")
    assert {each["accuracy_m"] for each in question["geometry"]["shapes"]} == {9, 3.5, 20}


async def test_answers_that_were_looked_through_in_the_form_are_saved_whole(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    answers = {**page["doc"]["answers"], "area": "1.05", "owner": "Lò Văn Bản"}
    made = await desk.decide(page, {"path": AREA, "confirm": True}, answers=answers)
    assert made["page"]["doc"]["answers"]["owner"] == "Lò Văn Bản"
    stands = await desk.stands(known["record"])
    assert stands["decided"] == [AREA, "/answers/owner"]


async def test_the_history_names_people_machines_and_what_changed(desk: Desk) -> None:
    known = await two_areas(desk)
    made = await desk.decide(await desk.page(known["record"]), {"path": AREA, "candidate": known["one"]})
    lines = made["page"]["history"]
    assert [each["kind"] for each in lines if each["kind"] in {"merge", "decision"}] == ["merge", "decision"]
    by_rev = {each["rev"]: each for each in lines}
    assert by_rev[known["one"]]["by_name"] == "Vàng A Súng"
    [change] = by_rev[known["one"]]["changed"]
    assert (change["path"], change["before"]["value"], change["after"]["value"]) == (AREA, "1.0", "1.2")
    decision = by_rev[made["rev"]]
    assert (decision["is_winner"], decision["decided"], decision["by_name"]) == (True, [AREA], "Người khang")


async def test_fields_that_came_together_by_themselves_say_where_they_come_from(desk: Desk) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    merged = {each["path"]: each for each in page["merged"]}
    winner_line = {known["first"], max(known["one"], known["other"])}
    if known["other"] in winner_line:
        assert merged == {}
    else:
        assert merged["/answers/crop"]["by_name"] == "Lò Văn Ban"


async def test_every_decision_is_in_the_audit_trail(desk: Desk, client: Client) -> None:
    known = await two_areas(desk)
    page = await desk.page(known["record"])
    made = await desk.decide(page, {"path": AREA, "value": "1.1"})
    await desk.undo(made["page"], made["rev"])
    async with client.app.state["storage"].read() as connection:
        undone, decided = await acts_on(connection, f"{DATABASE}/{known['record']}")
    assert (decided.action, decided.person) == ("conflict.decided", desk.manager.person)
    assert decided.details["rev"] == made["rev"]
    assert (decided.details["paths"], decided.details["saw"]) == ([AREA], page["rev"])
    assert (undone.action, undone.details["undoes"]) == ("conflict.undone", made["rev"])


async def test_who_looks_at_a_conflict_is_shown_until_they_leave_or_time_passes(
    desk: Desk, clock: StandingClock
) -> None:
    known = await two_areas(desk)
    shown = await desk.claim(known["record"])
    assert (shown["expires_s"], [each["is_me"] for each in shown["claims"]]) == (120, [True])
    page = await desk.page(known["record"], by=desk.second)
    assert [(each["name"], each["is_me"]) for each in page["claims"]] == [("Người khang", False)]
    await ask_about(desk.client, known["record"])
    [line] = (await desk.queue())["conflicts"]
    assert [each["name"] for each in line["claims"]] == ["Người khang"]
    assert len((await desk.claim(known["record"], by=desk.second))["claims"]) == 2
    assert [each["is_me"] for each in (await desk.claim(known["record"], leave=True))["claims"]] == [False]
    clock.move(seconds=121)
    assert (await desk.page(known["record"]))["claims"] == []


async def test_a_record_in_two_areas_stays_where_a_person_says(desk: Desk) -> None:
    here = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "2"}, record=here.doc_id, database=OTHER)
    await desk.follow()
    await desk.mark_moved(here.doc_id)
    page = await desk.page(here.doc_id)
    [question] = [each for each in page["questions"] if each["kind"] == "moved"]
    assert (question["path"], question["may"]) == ("", ["stay"])
    [elsewhere] = page["elsewhere"]
    assert (elsewhere["database"], elsewhere["unit_name"], elsewhere["may_decide"]) == (OTHER, "Sín Thầu", True)
    made = await desk.decide(page, {"path": "", "stay": OTHER})
    assert made["page"]["doc"]["_deleted"] is True
    assert (await desk.stands(here.doc_id, OTHER))["answers"]["area"] == "2"


@pytest.mark.parametrize(
    "choice",
    [
        {"path": "/answers/owner", "candidate": "9-" + "a" * 32},
        {"path": "/answers/nowhere", "value": "x"},
        {"path": "/answers/total", "value": "3"},
        {"path": "/answers/owner", "confirm": True},
        {"path": "", "delete": True},
        {"path": "/answers/area", "reply": "reply:x:y"},
        {"path": "/answers/harvests/x/_rid", "value": "y"},
        {"path": "/form", "value": "other"},
        {"path": "", "stay": OTHER},
    ],
)
async def test_what_the_conflict_does_not_offer_is_refused(desk: Desk, choice: dict[str, Any]) -> None:
    known = await two_areas(desk)
    answer = await desk.try_decide(await desk.page(known["record"]), choice)
    assert problem(answer, 422, "unknown_choice")["path"] == choice["path"]


async def test_deciding_nothing_is_refused(desk: Desk) -> None:
    known = await two_areas(desk)
    problem(await desk.try_decide(await desk.page(known["record"])), 409, "nothing_to_decide")


async def test_only_data_managers_decide_and_administrators_look(desk: Desk, client: Client) -> None:
    known = await two_areas(desk)
    administrator = await person_signed_in(client, "chief", grant("administrator", unit=PROVINCE))
    worker = await person_signed_in(client, "worker", grant("field_worker"))
    stranger = await person_signed_in(client, "stranger", grant("data_manager", "tourism"))
    page = await desk.page(known["record"], by=administrator)
    assert page["may_decide"] is False
    choice = {"path": AREA, "value": "1.1"}
    problem(await desk.try_decide(page, choice, by=administrator), 403, "not_allowed")
    problem(await desk.get(known["record"], by=worker), 403, "not_allowed")
    problem(await desk.get("no-such-record"), 404, "not_found")
    problem(await desk.get(known["record"], by=stranger), 404, "not_found")

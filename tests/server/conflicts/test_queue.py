"""The queue of records about which people disagree: who sees what of it, in which order, narrowed to what."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import PROVINCE, SIN_CHAI, SIN_THAU, Client, SignedIn, add_person, grant, person_signed_in, problem
from tests.conftest import StandingClock
from tests.server.conflicts.desk_world import DATABASE, FORM, OTHER, ask_about, with_form

QUEUE = "/api/conflicts"


@pytest.fixture(autouse=True)
async def _form(client: Client) -> None:
    await with_form(client)


@pytest.fixture
async def manager(client: Client) -> SignedIn:
    return await person_signed_in(client, "khang", grant("data_manager", unit=PROVINCE))


async def listed(client: Client, who: SignedIn, **filters: Any) -> dict[str, Any]:
    answer = await client.get(QUEUE, headers=who.headers, params=filters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def records(client: Client, who: SignedIn, **filters: Any) -> list[str]:
    return [each["record"] for each in (await listed(client, who, **filters))["conflicts"]]


async def test_a_record_stands_once_with_all_its_questions_in_the_forms_words(
    client: Client, manager: SignedIn
) -> None:
    hoa = await add_person(client, "hoa", name="Lò Thị Hoa")
    await ask_about(client, "one", "/answers/area", people=[hoa.id])
    await ask_about(client, "one", "/answers/tools/hoe")
    [line] = (await listed(client, manager))["conflicts"]
    assert (line["database"], line["unit_name"], line["title"]) == (DATABASE, "Sín Chải", "Nương one")
    assert line["people"] == [{"id": hoa.id, "name": "Lò Thị Hoa"}]
    area, hoe = line["questions"]
    assert (area["path"], area["kind"], area["in_row"]) == ("/answers/area", "value", False)
    assert area["label"] == {"vi": "Diện tích (ha)", "en": "Area (ha)"}
    assert hoe["label"] == {"vi": "Nông cụ: Cuốc", "en": "Tools: Hoe"}


async def test_what_waits_longest_comes_first_and_pages_neither_repeat_nor_hide(
    client: Client, manager: SignedIn, clock: StandingClock
) -> None:
    for number in range(5):
        await ask_about(client, f"r{number}", since=clock() - timedelta(days=10 - number))
    # A later question doesn't bring a record back.
    await ask_about(client, "r0", "/answers/owner", since=clock())
    first = await listed(client, manager, limit=2)
    assert [each["record"] for each in first["conflicts"]] == ["r0", "r1"]
    assert (first["total"], [each["questions"] for each in first["groups"]]) == (5, [5, 1])
    second = await listed(client, manager, limit=2, before=first["next"])
    assert ([each["record"] for each in second["conflicts"]], second["groups"]) == (["r2", "r3"], [])
    third = await listed(client, manager, limit=2, before=second["next"])
    assert ([each["record"] for each in third["conflicts"]], third["next"]) == (["r4"], None)
    assert await records(client, manager, order="newest") == ["r4", "r3", "r2", "r1", "r0"]


async def test_the_queue_is_narrowed_by_area_project_form_cause_person_age_and_words(
    client: Client, manager: SignedIn, clock: StandingClock
) -> None:
    await ask_about(client, "a", people=["p1"], title="Hộ Đặng Văn Đô", since=clock() - timedelta(days=8))
    await ask_about(client, "b", cause="delete", path="", database=OTHER, people=["p2"], form="tea")
    everything = {"a", "b"}
    assert set(await records(client, manager)) == everything
    for filters, found in (
        ({"scope": DATABASE}, "a"),
        ({"unit": SIN_THAU}, "b"),
        ({"form": FORM}, "a"),
        ({"kind": "delete"}, "b"),
        ({"kind": ["delete", "value"], "person": "p1"}, "a"),
        ({"waiting_days": 7}, "a"),
        ({"newest_days": 7}, "b"),
        ({"q": "dang do"}, "a"),
        ({"path": "/answers/area"}, "a"),
    ):
        assert await records(client, manager, **filters) == [found], filters
    assert set(await records(client, manager, unit=[SIN_CHAI, SIN_THAU], project="agri")) == everything
    assert await records(client, manager, project="tourism") == []


async def test_counts_by_cause_hold_under_the_other_filters(client: Client, manager: SignedIn) -> None:
    await ask_about(client, "a")
    await ask_about(client, "a", "/answers/owner")
    await ask_about(client, "b", "", cause="delete")
    found = await listed(client, manager, kind="delete")
    assert (found["total"], found["counts"]["value"], found["counts"]["delete"]) == (1, 1, 1)


async def test_rows_of_a_repeat_are_one_group_whatever_row_they_lie_in(client: Client, manager: SignedIn) -> None:
    await ask_about(client, "a", "/answers/harvests/r-1/kilos")
    await ask_about(client, "b", "/answers/harvests/r-2/kilos")
    await ask_about(client, "b", "/answers/harvests/r-3/kilos")
    await ask_about(client, "c", "/answers/harvests/r-2")
    [cells, rows] = (await listed(client, manager))["groups"]
    assert (cells["path"], cells["questions"], rows["path"]) == ("/answers/harvests/*/kilos", 3, "/answers/harvests/*")
    assert (cells["records"], rows["records"]) == (2, 1)
    assert await records(client, manager, path="/answers/harvests/*/kilos") == ["a", "b"]


async def test_what_the_queue_can_be_narrowed_to_is_told_with_numbers(client: Client, manager: SignedIn) -> None:
    hoa = await add_person(client, "hoa", name="Lò Thị Hoa")
    await ask_about(client, "a", people=[hoa.id])
    await ask_about(client, "a", "/answers/owner", people=[hoa.id])
    await ask_about(client, "b", "", cause="delete", database=OTHER, form="tea")
    found = (await client.get(f"{QUEUE}/filters", headers=manager.headers)).json()
    assert {each["unit_name"]: each["records"] for each in found["units"]} == {"Sín Chải": 1, "Sín Thầu": 1}
    assert found["forms"] == [
        {"form": FORM, "title": {"vi": FORM, "en": FORM}, "records": 1},
        {"form": "tea", "title": {}, "records": 1},
    ]
    assert found["people"] == [{"id": hoa.id, "name": "Lò Thị Hoa", "records": 1}]
    assert (found["kinds"]["value"], found["kinds"]["delete"], found["kinds"]["place"]) == (1, 1, 0)


async def test_only_managers_and_administrators_see_it_and_only_their_areas(client: Client) -> None:
    await ask_about(client, "here")
    await ask_about(client, "there", database=OTHER)
    local = await person_signed_in(client, "mai", grant("data_manager", unit=SIN_CHAI))
    assert await records(client, local) == ["here"]
    problem(await client.get(QUEUE, headers=local.headers, params={"scope": OTHER}), 404, "not_found")
    chief = await person_signed_in(client, "chief", grant("administrator", unit=SIN_THAU))
    assert await records(client, chief) == ["there"]
    worker = await person_signed_in(
        client, "worker", grant("field_worker", unit=SIN_CHAI), grant("supervisor", unit=SIN_CHAI)
    )
    problem(await client.get(QUEUE, headers=worker.headers), 403, "not_allowed")
    problem(await client.get(f"{QUEUE}/filters", headers=worker.headers), 403, "not_allowed")


@pytest.mark.parametrize("before", ["x", "2026-11-21T08:00:00~a~b", "2026-11-21T08:00:00+00:00~a~\x00"])
async def test_a_mark_that_no_page_gave_is_refused(client: Client, manager: SignedIn, before: str) -> None:
    answer = await client.get(QUEUE, headers=manager.headers, params={"before": before})
    assert problem(answer, 400, "invalid_request") == {"parameter": "before"}

"""Many conflicts alike decided at once: looked at first, and then exactly what was seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from server.journal.journal import Journal
from server.journal.model import Outcome
from tests.builders import SIN_THAU, Client, grant, person_signed_in, problem, sign_in
from tests.conftest import StandingClock
from tests.server.conflicts.desk_world import DATABASE, FORM, OTHER, Desk, ask_about

pytestmark = pytest.mark.by_turns

AREA = "/answers/area"


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def disagree(desk: Desk, first: str, then: str, **more: Any) -> dict[str, str]:
    """Vàng says `first` of an area, then Lò says `then`; return the record and both revisions."""
    answers = {"owner": "Lò", "area": "1.0"}
    base = await desk.save("lo", answers, **more)
    one = await desk.save("vang", {**answers, "area": first}, edits=base, **more)
    other = await desk.save("lo", {**answers, "area": then}, edits=base, **more)
    await ask_about(desk.client, base.doc_id, AREA, people=["lo", "vang"], **more)
    return {"record": base.doc_id, "one": one.rev, "other": other.rev}


def dry(rule: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"dry_run": True, "form": FORM, "path": AREA, "kind": "value", "rule": rule, **more}


async def looked(desk: Desk, rule: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await desk.batch(dry(rule, **more))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def applied(desk: Desk, token: str) -> dict[str, Any]:
    answer = await desk.batch({"dry_run": False, "token": token, "comment": "Cùng một lỗi"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def area(desk: Desk, record: str, database: str = DATABASE) -> str:
    return str((await desk.stands(record, database))["answers"]["area"])


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"take": "later"}, "0.8"),
        ({"take": "earlier"}, "1.2"),
        ({"take": "person", "person": "vang"}, "1.2"),
        ({"take": "value", "value": "1.5"}, "1.5"),
    ],
)
async def test_a_rule_decides_all_that_are_alike(desk: Desk, rule: dict[str, Any], result: str) -> None:
    known = [await disagree(desk, "1.2", "0.8") for _ in range(2)]
    shown = await looked(desk, rule)
    assert (shown["matching"], shown["will_decide"], shown["warnings"]) == (2, 2, 0)
    assert {each["result"]["value"] for each in shown["samples"]} == {result}
    assert {each["by_name"] for each in shown["samples"][0]["candidates"]} == {"Lò Văn Ban", "Vàng A Súng"}
    assert "decided" not in await desk.stands(known[0]["record"])
    done = await applied(desk, shown["token"])
    assert (done["decided"], done["moved"], done["failed"]) == (2, 0, 0)
    for each in known:
        assert await area(desk, each["record"]) == result
        assert (await desk.page(each["record"]))["questions"] == []


async def test_nothing_that_came_after_the_dry_run_is_decided_with_it(desk: Desk) -> None:
    seen = await disagree(desk, "1.2", "0.8")
    shown = await looked(desk, {"take": "later"})
    later = await disagree(desk, "2.2", "1.8")
    assert (await applied(desk, shown["token"]))["decided"] == 1
    assert await area(desk, seen["record"]) == "0.8"
    assert [each["path"] for each in (await desk.page(later["record"]))["questions"]] == [AREA]


async def test_what_somebody_touched_since_is_left_alone(desk: Desk) -> None:
    decided, edited, kept = [await disagree(desk, "1.2", "0.8") for _ in range(3)]
    shown = await looked(desk, {"take": "later"})
    await desk.decide(await desk.page(decided["record"]), {"path": AREA, "value": "1.1"})
    third = {"owner": "Lò", "area": "3.0"}
    await desk.save("vang", third, record=edited["record"], parent=edited["one"])
    done = await applied(desk, shown["token"])
    assert (done["decided"], done["moved"], done["failed"]) == (1, 2, 0)
    assert (await area(desk, decided["record"]), await area(desk, kept["record"])) == ("1.1", "0.8")
    assert len((await desk.page(edited["record"]))["questions"]) == 1


async def test_an_edit_of_another_field_since_is_no_reason_to_leave_it(desk: Desk) -> None:
    known = await disagree(desk, "1.2", "0.8")
    shown = await looked(desk, {"take": "earlier"})
    await desk.edit("vang", known["record"], owner="Vàng")
    assert (await applied(desk, shown["token"]))["decided"] == 1
    stands = await desk.stands(known["record"])
    assert (stands["answers"]["area"], stands["answers"]["owner"]) == ("1.2", "Vàng")


async def test_what_a_rule_cannot_decide_is_counted_by_reason(desk: Desk) -> None:
    await disagree(desk, "1.2", "0.8")
    await ask_about(desk.client, "settled-meanwhile", AREA)
    nobody = await looked(desk, {"take": "person", "person": "somebody"})
    assert (nobody["will_decide"], nobody["skipped"]["no_such_candidate"]) == (0, 1)
    assert nobody["skipped"]["nothing_to_decide"] == 1
    misfit = await looked(desk, {"take": "value", "value": "một"})
    assert (misfit["will_decide"], misfit["skipped"]["misfit"]) == (0, 1)
    assert (await looked(desk, {"take": "value", "value": "120"}))["warnings"] == 1


async def test_a_token_serves_once_its_person_and_for_a_while(desk: Desk, clock: StandingClock) -> None:
    await disagree(desk, "1.2", "0.8")
    token = (await looked(desk, {"take": "later"}))["token"]
    problem(await desk.batch({"dry_run": False, "token": token}, by=desk.second), 409, "batch_gone")
    await applied(desk, token)
    problem(await desk.batch({"dry_run": False, "token": token}), 409, "batch_gone")
    late = (await looked(desk, {"take": "later"}))["token"]
    clock.now += timedelta(minutes=31)
    again = await sign_in(desk.client, "khang")
    problem(await desk.batch({"dry_run": False, "token": late}, by=again), 409, "batch_gone")


async def test_a_batch_can_be_taken_back_but_for_what_others_built_on(desk: Desk) -> None:
    one, other = [await disagree(desk, "1.2", "0.8") for _ in range(2)]
    done = await applied(desk, (await looked(desk, {"take": "later"}))["token"])
    await desk.edit("vang", other["record"], area="0.9")
    answer = await desk.batch({"batch": done["batch"]}, path="/undo")
    assert (answer.status_code, answer.json()) == (200, {"undone": 1, "too_late": 1})
    assert [each["path"] for each in (await desk.page(one["record"]))["questions"]] == [AREA]
    assert await area(desk, other["record"]) == "0.9"
    problem(await desk.batch({"batch": done["batch"]}, path="/undo"), 409, "batch_gone")


async def test_many_over_several_areas_are_decided_and_only_ones_own(desk: Desk, client: Client) -> None:
    known = [await disagree(desk, "1.2", "0.8", database=each) for each in (DATABASE, OTHER)]
    local = await person_signed_in(client, "local", grant("data_manager", unit=SIN_THAU))
    answer = (await desk.batch(dry({"take": "later"}), by=local)).json()
    assert (answer["matching"], answer["samples"][0]["database"]) == (1, OTHER)
    assert (await looked(desk, {"take": "earlier"}, filters={"scope": DATABASE}))["matching"] == 1
    done = await applied(desk, (await looked(desk, {"take": "earlier"}))["token"])
    assert done["decided"] == 2
    assert await area(desk, known[1]["record"], OTHER) == "1.2"
    worker = await person_signed_in(client, "worker", grant("field_worker"))
    problem(await desk.batch(dry({"take": "later"}), by=worker), 403, "not_allowed")


async def test_what_a_crash_leaves_of_a_batch_can_be_taken_back(desk: Desk) -> None:
    known = {each: await disagree(desk, "1.2", "0.8", database=each) for each in (OTHER, DATABASE)}
    token = (await looked(desk, {"take": "later"}))["token"]
    with failing_on(desk, "UPDATE conflict_batches SET decided", after=1):
        answer = await desk.batch({"dry_run": False, "token": token})
    assert answer.status_code == 500
    stands = {each: await desk.stands(record["record"], each) for each, record in known.items()}
    assert {each: "decided" in document for each, document in stands.items()} == {OTHER: True, DATABASE: False}
    undone = await desk.batch({"batch": token}, path="/undo")
    assert (undone.status_code, undone.json()) == (200, {"undone": 1, "too_late": 0})


async def test_one_record_that_cannot_be_written_keeps_no_other_of_its_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [await disagree(desk, "1.2", "0.8") for _ in range(3)]
    held = known[1]["record"]
    token = (await looked(desk, {"take": "later"}))["token"]
    write_within = Journal.write_within

    async def holding_one_back(journal: Journal, *args: Any, **kwargs: Any) -> list[Outcome]:
        outcomes = await write_within(journal, *args, **kwargs)
        return [replace(each, outcome="quarantined") if each.doc_id == held else each for each in outcomes]

    monkeypatch.setattr(Journal, "write_within", holding_one_back)
    done = await applied(desk, token)
    monkeypatch.undo()
    assert (done["decided"], done["moved"], done["failed"]) == (2, 0, 1)
    decided = ["decided" in await desk.stands(each["record"]) for each in known]
    assert decided == [True, False, True]
    undone = await desk.batch({"batch": token}, path="/undo")
    assert undone.json() == {"undone": 2, "too_late": 0}


@contextmanager
def failing_on(desk: Desk, begins: str, *, after: int) -> Iterator[None]:
    """Let the database break off at a statement, once so many of its kind were carried out."""
    seen = 0

    def break_off(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal seen
        if statement.startswith(begins):
            seen += 1
            if seen > after:
                raise OSError("the disk is gone")

    engine = desk.client.app.state["storage"].engine.sync_engine
    event.listen(engine, "before_cursor_execute", break_off)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", break_off)


@pytest.mark.parametrize(
    "body",
    [
        {"dry_run": True, "form": FORM, "path": AREA, "kind": "value"},
        {"dry_run": False},
        {"dry_run": False, "token": "x", "form": FORM},
        dry({"take": "person"}),
        dry({"take": "value"}),
        dry({"take": "later", "value": "1"}),
    ],
)
async def test_a_batch_that_says_too_little_or_too_much_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    problem(await desk.batch(body), 400, "invalid_request")

"""A row that somebody took out while others were at work in it: kept, it has what all of them said."""

from typing import Any

import pytest

from server.journal.model import NewRevision
from tests.builders import Client, problem
from tests.server.conflicts.desk_world import Desk

ROW = {"_rid": "vu-1", "season": "mùa", "kilos": "300"}
FIRST: dict[str, Any] = {"owner": "Lò Văn Ban", "area": "1.0", "crop": "maize", "tools": ["hoe"], "harvests": [ROW]}
PATH = "/answers/harvests/vu-1"
BOTH = {**ROW, "season": "chiêm", "kilos": "320"}


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def worked_in_and_gone(desk: Desk, *, is_gone_last: bool) -> NewRevision:
    """Two people edit one cell each of a row that a third takes out; return the first save.

    The side with the longest line stands meanwhile: the row, or that it is gone.
    """
    first = await desk.save("lo", FIRST)
    before = first
    if is_gone_last:
        before = await desk.save("lo", {**FIRST, "owner": "Lò"}, edits=first)
        before = await desk.save("lo", {**FIRST, "owner": "Lò Văn"}, edits=before)
    await desk.save("lo", {**FIRST, "harvests": []}, edits=before)
    season = first
    for owner in () if is_gone_last else ("A", "B", "C"):
        season = await desk.save("vang", {**FIRST, "owner": owner}, edits=season)
    answers = {**FIRST, **({} if is_gone_last else {"owner": "C"})}
    await desk.save("vang", {**answers, "harvests": [{**ROW, "season": "chiêm"}]}, edits=season)
    await desk.save("vang", {**FIRST, "harvests": [{**ROW, "kilos": "320"}]}, edits=first)
    await desk.follow()
    return first


@pytest.mark.parametrize("is_gone_last", [True, False])
async def test_a_row_is_kept_with_what_everybody_said_of_it(desk: Desk, is_gone_last: bool) -> None:
    first = await worked_in_and_gone(desk, is_gone_last=is_gone_last)
    page = await desk.page(first.doc_id)
    assert page["doc"]["answers"].get("harvests", []) == ([] if is_gone_last else [BOTH])
    question = next(each for each in page["questions"] if each["path"] == PATH)
    assert (question["kind"], question["may"]) == ("row", ["candidate", "keep", "confirm"])
    assert question["kept"] == {"value": BOTH, "is_absent": False}
    made = await desk.decide(page, {"path": PATH, "keep": True})
    assert made["page"]["doc"]["answers"]["harvests"] == [BOTH]
    assert PATH not in {each["path"] for each in made["page"]["questions"]}
    await desk.follow()
    stands = await desk.stands(first.doc_id)
    assert (stands["answers"]["harvests"], PATH in stands["decided"]) == ([BOTH], True)
    undone = await desk.undo(await desk.page(first.doc_id), made["rev"])
    assert PATH in {each["path"] for each in undone["page"]["questions"]}


async def test_only_a_row_that_is_asked_about_can_be_kept(desk: Desk) -> None:
    first = await worked_in_and_gone(desk, is_gone_last=False)
    page = await desk.page(first.doc_id)
    for path in (f"{PATH}/kilos", "/answers/area"):
        answer = await desk.try_decide(page, {"path": path, "keep": True})
        assert problem(answer, 422, "unknown_choice")["path"] == path

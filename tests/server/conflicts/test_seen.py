"""What people did since a page was read: nobody decides over it, and nothing of it is lost."""

from typing import Any

import pytest

from server.forms.answers.engine_forms import MergingForms
from server.journal.model import NewRevision, Origin
from sync.revisions.canonical import canonical
from tests.builders import Client, problem
from tests.server.conflicts.desk_world import DATABASE, FORM, XFORM, Desk
from tests.server.published_forms import publish
from tests.sync.merge_world import Story

pytestmark = pytest.mark.by_turns

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


async def test_a_decision_taken_back_before_the_follower_came_leaves_nothing_of_itself(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first)
    other = await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    await desk.follow()
    made = await desk.decide(await desk.page(first.doc_id), {"path": AREA, "value": "0.95"})
    # A line of edits that outgrows the decision, so that the winner doesn't know it.
    late = other
    for number in range(6):
        late = await desk.save("lo", {**FIRST, "area": "0.8", "owner": f"Lò {number}"}, edits=late)
    undone = await desk.undo(await desk.page(first.doc_id), made["rev"])
    for _ in range(2):
        stands, page = await desk.stands(first.doc_id), await desk.page(first.doc_id)
        [question] = page["questions"]
        assert (question["path"], list(stands["open"])) == (AREA, [AREA])
        area = question["candidates"][0]["value"]["value"]
        assert (area in {"0.8", "1.2"}, stands["answers"]["area"], page["doc"]["answers"]["area"]) == (True, area, area)
        await desk.follow()
    assert undone["page"]["doc"]["answers"]["owner"] == "Lò 5"


async def test_a_decision_follows_the_branch_that_stays_and_not_the_longest(desk: Desk) -> None:
    record, stays = await longest_branch_ends(desk)
    page = await desk.page(record)
    assert page["rev"] != stays
    made = await desk.decide(page, {"path": AREA, "value": "1.1"})
    line = next(each for each in made["page"]["history"] if each["rev"] == made["rev"])
    assert (line["parent"], made["page"]["leaves"]) == (stays, [made["rev"]])
    assert [each["path"] for each in line["changed"]] == [AREA]
    await desk.follow()
    assert (await desk.stands(record))["_rev"] == made["rev"]


async def longest_branch_ends(desk: Desk) -> tuple[str, str]:
    """Let servers in a ring merge each other's merges, and somebody edit the one that knows all; it isn't the winner.

    Return the record and that edit.
    """
    told = Story()
    told.first(FIRST)
    forms: Any = await MergingForms.over(desk.client.app.state["library"], [told.document()])
    for seed in range(20):
        story = Story(forms, doc_id=f"ring-{seed}")
        start = at = story.first(FIRST)
        line = [start]
        for number in range(3):
            at = story.edit(at, {"area": f"1.{number}"})
            line.append(at)
        other, third = story.edit(start, {"area": "0.8"}), story.edit(start, {"crop": "rice"})
        left = _merged(story, _merged(story, {*line, other}) | _merged(story, {*line, third}))
        right = _merged(story, _merged(story, {start, other, third}) | {*line})
        stays = story.edit(str(story.document(right).graph.winner()), {"owner": f"Lò {seed}"})
        if story.document(left | right | {stays}).graph.winner() != stays:
            break
    journal = desk.client.app.state["journal"]
    for each in story.revisions.values():
        line_of = () if each.parent is None else (each.parent,)
        new = NewRevision(story.doc_id, each.rev, line_of, each.deleted, canonical(each.content))
        [outcome] = await journal.write(DATABASE, [new], Origin("lo"))
        assert outcome.outcome == "stored", outcome
    return story.doc_id, stays


def _merged(story: Story, revs: set[str]) -> set[str]:
    before = set(story.revisions)
    story.close(revs)
    return revs | (set(story.revisions) - before)

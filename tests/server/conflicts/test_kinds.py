"""Every cause for which a person is asked, as it comes to the desk and leaves it."""

import random
from typing import Any

import pytest

from server.journal.model import NewRevision, Origin
from server.platform.ids import uuid7
from tests.builders import Client
from tests.server.conflicts.desk_world import DATABASE, FORM, XFORM, Desk
from tests.server.published_forms import publish

pytestmark = pytest.mark.by_turns

FIRST = {"owner": "Lò Văn Ban", "area": "1.0", "planted": "0.5", "crop": "maize", "tools": ["hoe"], "consent": "yes"}


@pytest.fixture
async def desk(client: Client) -> Desk:
    return await Desk.open(client)


async def only(desk: Desk, record: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the page, and the one question on it; the queue must have the same."""
    await desk.follow()
    page = await desk.page(record)
    [question] = page["questions"]
    [line] = (await desk.queue())["conflicts"]
    assert [(each["path"], each["kind"]) for each in line["questions"]] == [(question["path"], question["kind"])]
    return page, question


async def settled(desk: Desk, page: dict[str, Any], choice: dict[str, Any]) -> dict[str, Any]:
    """Decide, and return the answers that stand; nothing waits any more."""
    made = await desk.decide(page, choice)
    assert made["page"]["questions"] == []
    await desk.follow()
    assert (await desk.queue())["total"] == 0
    answers: dict[str, Any] = (await desk.stands(page["record"]))["answers"]
    assert answers == made["page"]["doc"]["answers"]
    return answers


async def test_consent_is_always_asked(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    one = await desk.save("vang", {**FIRST, "consent": "no"}, edits=first)
    await desk.save("lo", {**FIRST, "consent": "later"}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert (question["path"], question["kind"]) == ("/answers/consent", "asked")
    answers = await settled(desk, page, {"path": question["path"], "candidate": one.rev})
    assert answers["consent"] == "no"


async def test_merged_answers_that_break_a_constraint_are_asked_in_the_forms_words(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "0.6"}, edits=first)
    await desk.save("lo", {**FIRST, "planted": "0.9"}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert (question["path"], question["kind"]) == ("/answers/planted", "constraint")
    assert question["broken"]["en"] == "No more can be planted than there is"
    assert page["doc"]["answers"]["planted"] == "0.9"
    tried = await desk.decide(page, {"path": question["path"], "value": "0.8"}, dry_run=True)
    assert [each["message"]["vi"] for each in tried["warnings"]] == ["Không thể trồng nhiều hơn diện tích"]
    assert (await settled(desk, page, {"path": question["path"], "value": "0.6"}))["planted"] == "0.6"


async def test_a_constraint_that_somebody_stands_by_stays_broken_and_decided(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "0.6"}, edits=first)
    await desk.save("lo", {**FIRST, "planted": "0.9"}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert (await settled(desk, page, {"path": question["path"], "confirm": True}))["planted"] == "0.9"


async def test_an_edit_of_a_version_that_never_came_is_asked_about(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    unseen = NewRevision.following(first.doc_id, {"type": "record", "never": "came"}, first.rev)
    late = NewRevision.following(first.doc_id, _record({**FIRST, "area": "1.2"}), unseen.rev)
    late = NewRevision(late.doc_id, late.rev, (unseen.rev, first.rev), late.deleted, late.content)
    [outcome] = await desk.client.app.state["journal"].write(DATABASE, [late], Origin("vang"))
    assert outcome.outcome == "stored"
    page, question = await only(desk, first.doc_id)
    assert (question["path"], question["kind"]) == ("/answers/area", "parent_unknown")
    assert {each["is_parent_unknown"] for each in question["candidates"]} == {True, False}
    assert (await settled(desk, page, {"path": "/answers/area", "candidate": late.rev}))["area"] == "1.2"


async def test_a_value_changed_after_approval_says_so(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await approve(desk, first)
    await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first)
    await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert question["kind"] == "after_approval"
    assert {each["is_after_approval"] for each in question["candidates"]} == {True}
    assert (await settled(desk, page, {"path": "/answers/area", "confirm": True}))["crop"] == "maize"


async def test_a_record_whose_form_version_has_not_come_waits_and_goes_on_when_it_comes(
    desk: Desk, client: Client
) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first, form_version="2")
    await desk.save("lo", {**FIRST, "area": "0.8"}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert (page["waiting"], question["kind"], question["may"]) == (
        {"reason": "form_version", "names": [f"{FORM}/2"]},
        "form_version",
        [],
    )
    await publish(client, FORM, "2", "agri", XFORM.replace(b'version="1"', b'version="2"'))
    page = await desk.page(first.doc_id)
    assert [each["path"] for each in page["questions"]] == ["/answers/area"]
    assert (await desk.decide(page, {"path": "/answers/area", "value": "1"}))["page"]["form_version"] == "2"


async def test_of_versions_without_a_way_between_a_person_takes_one_whole(desk: Desk, client: Client) -> None:
    other = XFORM.replace(b'id="plot" version="1"', b'id="plot" version="2"')
    # What was a name is a number now: no name fits.
    other = other.replace(b'nodeset="/data/owner" type="string"', b'nodeset="/data/owner" type="int"')
    client.app.state["clock"].move(minutes=1)
    await publish(client, FORM, "2", "agri", other)
    first = await desk.save("lo", FIRST)
    newer = await desk.save("vang", {**FIRST, "owner": "7"}, edits=first, form_version="2")
    older = await desk.save("lo", {**FIRST, "owner": "Lò Văn Bản"}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert (question["path"], question["kind"], question["may"]) == (
        "/answers",
        "form_version",
        ["candidate", "confirm"],
    )
    sides = question["candidates"]
    assert {each["rev"] for each in sides} >= {newer.rev, older.rev}
    assert page["form_version"] == "2"
    changed = {one["rev"]: [(each["path"], each["after"]["value"]) for each in one["changed"]] for one in sides}
    assert changed[newer.rev] == [("/answers/owner", "7")]
    assert changed[older.rev] == [("/answers/owner", "Lò Văn Bản")]
    answers = await settled(desk, page, {"path": "/answers", "candidate": older.rev})
    assert answers["owner"] == "Lò Văn Bản"
    assert (await desk.stands(first.doc_id))["form_version"] == "1"


async def test_a_record_in_two_areas_is_asked_about_until_it_stays_in_one(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "area": "2"}, record=first.doc_id, database="agri-03158-2025")
    await desk.follow()
    page = await desk.page(first.doc_id)
    assert [(each["path"], each["kind"]) for each in page["questions"]] == [("", "moved")]
    assert (await desk.queue())["total"] == 2
    made = await desk.decide(page, {"path": "", "stay": DATABASE})
    assert (made["page"]["questions"], made["page"]["elsewhere"]) == ([], [])
    await desk.follow()
    assert (await desk.queue())["total"] == 0


async def test_a_member_called_by_thousands_of_letters_is_asked_about_like_any_other(desk: Desk) -> None:
    # Letters that no database packs into less, and so many that no index holds them.
    chance = random.Random(5)
    asked, merged = (f"{chance.randbytes(2000).hex()}/{name}" for name in ("asked", "merged"))
    said: list[dict[str, Any]] = [{asked: asks, merged: merges} for asks, merges in ("11", "21", "32", "42")]
    first = await desk.save("lo", FIRST, **said[0])
    one = await desk.save("vang", FIRST, edits=first, **said[1])
    other = await desk.save("lo", FIRST, edits=first, **said[2])
    await desk.save("lo", FIRST, edits=other, **said[3])
    await desk.follow()
    page = await desk.page(first.doc_id)
    [question] = page["questions"]
    assert (question["path"], question["kind"]) == (f"/{asked.replace('/', '~1')}", "value")
    [line] = (await desk.queue())["conflicts"]
    assert [len(each["path"]) < 1000 for each in line["questions"]] == [True]
    made = await desk.decide(page, {"path": question["path"], "candidate": one.rev})
    assert made["page"]["doc"][asked] == "2"
    await desk.follow()
    assert (await desk.queue())["total"] == 0


@pytest.mark.parametrize("typed", [["hoe"], ["none"], None])
async def test_none_beside_other_choices_is_asked_as_one_question(desk: Desk, typed: list[str] | None) -> None:
    first = await desk.save("lo", {**FIRST, "tools": None})
    none = await desk.save("vang", {**FIRST, "tools": ["none"]}, edits=first)
    both = await desk.save("lo", {**FIRST, "tools": ["hoe", "plough"]}, edits=first)
    page, question = await only(desk, first.doc_id)
    assert (question["path"], question["kind"], question["type"]) == ("/answers/tools", "exclusive", "select_multiple")
    assert {each["rev"]: each["value"]["value"] for each in question["candidates"]} == {
        none.rev: ["none"],
        both.rev: ["hoe", "plough"],
    }
    assert [each["value"] for each in question["choices"]] == ["hoe", "plough", "none"]
    assert (await settled(desk, page, {"path": "/answers/tools", "value": typed}))["tools"] == typed


async def test_a_whole_list_of_choices_is_taken_from_one_side(desk: Desk) -> None:
    first = await desk.save("lo", {**FIRST, "tools": None})
    await desk.save("vang", {**FIRST, "tools": ["none"]}, edits=first)
    both = await desk.save("lo", {**FIRST, "tools": ["hoe", "plough"]}, edits=first)
    page, _ = await only(desk, first.doc_id)
    answers = await settled(desk, page, {"path": "/answers/tools", "candidate": both.rev})
    assert answers["tools"] == ["hoe", "plough"]


async def test_one_photo_replaced_twice_is_chosen_between_by_what_it_holds(desk: Desk) -> None:
    def named(sha256: str) -> dict[str, Any]:
        return {"media": {"nuong.jpg": {"sha256": sha256 * 64, "bytes": "9", "type": "image/jpeg"}}}

    answers = {**FIRST, "photo": "nuong.jpg"}
    first = await desk.save("lo", answers, **named("a"))
    one = await desk.save("vang", answers, edits=first, **named("b"))
    await desk.save("lo", answers, edits=first, **named("c"))
    page, question = await only(desk, first.doc_id)
    assert (question["path"], question["may"]) == ("/media/nuong.jpg", ["candidate", "confirm"])
    assert {each["value"]["value"]["sha256"][0] for each in question["candidates"]} == {"b", "c"}
    assert question["base"]["value"]["sha256"][0] == "a"
    files = page["media"]
    assert {files[each * 64]["url"] for each in "abc"} == {f"/api/media/{each * 64}" for each in "abc"}
    await settled(desk, page, {"path": "/media/nuong.jpg", "candidate": one.rev})
    assert (await desk.stands(first.doc_id))["media"]["nuong.jpg"]["sha256"] == "b" * 64


async def test_choices_are_brought_together_and_only_contradictions_asked(desk: Desk) -> None:
    first = await desk.save("lo", FIRST)
    await desk.save("vang", {**FIRST, "tools": ["hoe", "plough"]}, edits=first)
    await desk.save("lo", {**FIRST, "tools": []}, edits=first)
    await desk.follow()
    assert (await desk.page(first.doc_id))["questions"] == []


def _record(answers: dict[str, Any]) -> dict[str, Any]:
    said = {"by": "device", "number": "1", "at": "2026-11-21T08:00:00Z"}
    return {"type": "record", "form": FORM, "form_version": "1", "answers": answers, "media": {}, "saved": said}


async def approve(desk: Desk, revision: NewRevision) -> None:
    """Approve a revision as a supervisor does."""
    name = f"review:{revision.doc_id}:{uuid7(desk.client.app.state['clock'])}"
    content: dict[str, Any] = {"type": "review", "record": revision.doc_id, "rev": revision.rev, "by": "khang"}
    content |= {"decision": "approved", "comment": "", "comments": {}, "by_name": "Khang", "follows": []}
    journal = desk.client.app.state["journal"]
    await journal.write(DATABASE, [NewRevision.following(name, content, None)], Origin("khang"))

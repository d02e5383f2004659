"""The review door as supervisors, workers and strangers meet it."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar

from server.journal.model import NewRevision, Origin
from server.journal.store.author_tables import sealed_revisions
from tests.builders import Client, SignedIn, grant, person_signed_in, problem
from tests.conftest import StandingClock
from tests.surveys import INSIDE, OTHER_SCOPE, SCOPE, Province

RECORDS = "/api/review/records"


@pytest.fixture
async def province(app: Litestar, client: Client, clock: StandingClock) -> Province:
    """Give the app's own storage, journal and followers, with a form and two workers."""
    state = app.state
    return await Province(state.storage, clock, state.settings).open()


@pytest.fixture
async def supervisor(client: Client, province: Province) -> SignedIn:
    return await person_signed_in(client, "khang", grant("supervisor"))


async def listed(client: Client, who: SignedIn, **filters: Any) -> dict[str, Any]:
    answer = await client.get(RECORDS, headers=who.headers, params=filters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def shown(client: Client, who: SignedIn, record: str, scope: str = SCOPE) -> dict[str, Any]:
    answer = await client.get(f"{RECORDS}/{scope}/{record}", headers=who.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def decide(client: Client, who: SignedIn, record: str, rev: str, decision: str, **more: Any) -> Any:
    body = {"rev": rev, "decision": decision, **more}
    return await client.post(f"{RECORDS}/{SCOPE}/{record}/decisions", headers=who.headers, json=body)


async def test_the_queue_shows_what_arrived_in_ones_scopes(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    saved = await province.save({"members": "5", "meta": {"instanceName": "Nhà ông Lò"}})
    await province.save({"members": "6"}, scope=OTHER_SCOPE)
    await province.follow()
    found = await listed(client, supervisor)
    assert [line["id"] for line in found["records"]] == [saved.doc_id]
    line = found["records"][0]
    assert (line["title"], line["unit_name"], line["by_name"], line["state"]) == (
        "Nhà ông Lò",
        "Sín Chải",
        "Lò Văn Ban",
        "received",
    )
    assert found["counts"] == {"received": 1, "amended": 0, "approved": 0, "returned": 0, "rejected": 0}
    assert found["next"] is None


async def test_a_foreign_scope_looks_like_one_that_does_not_exist(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    """I9: nothing of a document leaves for a person whose grants don't cover its scope."""
    foreign = await province.save({"members": "6"}, scope=OTHER_SCOPE)
    await province.follow()
    for path in (
        f"{RECORDS}/{OTHER_SCOPE}/{foreign.doc_id}",
        f"{RECORDS}/agri-99999-2025/x",
        f"{RECORDS}?scope={OTHER_SCOPE}",
    ):
        problem(await client.get(path, headers=supervisor.headers), 404, "not_found")
    path = f"{RECORDS}/{OTHER_SCOPE}/{foreign.doc_id}/decisions"
    body = {"rev": foreign.rev, "decision": "approved"}
    problem(await client.post(path, headers=supervisor.headers, json=body), 404, "not_found")


async def test_nobody_reviews_without_signing_in(client: Client, province: Province) -> None:
    problem(await client.get(RECORDS), 401, "not_signed_in")


async def test_the_queue_is_narrowed_by_form_state_and_words_without_diacritics(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    lo = await province.save({"meta": {"instanceName": "Nhà ông Đèo Văn Lò"}})
    sung = await province.save({"meta": {"instanceName": "Nhà bà Súng"}}, by="vang")
    await province.decide(sung, "returned")
    await province.follow()
    ids = {
        "words": [line["id"] for line in (await listed(client, supervisor, q="deo van"))["records"]],
        "author": [line["id"] for line in (await listed(client, supervisor, q="vàng"))["records"]],
        "state": [line["id"] for line in (await listed(client, supervisor, state="returned"))["records"]],
        "states": [line["id"] for line in (await listed(client, supervisor, state=["received", "amended"]))["records"]],
        "form": [line["id"] for line in (await listed(client, supervisor, form="tea"))["records"]],
        "wildcards": [line["id"] for line in (await listed(client, supervisor, q="%"))["records"]],
    }
    assert ids == {
        "words": [lo.doc_id],
        "author": [sung.doc_id],
        "state": [sung.doc_id],
        "states": [lo.doc_id],
        "form": [],
        "wildcards": [],
    }
    assert (await listed(client, supervisor, state="returned"))["counts"]["received"] == 1


async def test_the_doubtful_come_first_and_pages_neither_repeat_nor_skip(
    client: Client, province: Province, supervisor: SignedIn, clock: StandingClock
) -> None:
    saved = []
    for number in range(7):
        clock.move(seconds=number // 2)
        saved.append(await province.save({"members": str(number)}))
    doubtful = await province.save({"house": "10.8 106.6 5 5"})
    await province.save({"members": "8"})
    await province.follow()
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = await listed(client, supervisor, limit=2, **before)
        seen += [line["id"] for line in page["records"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert len(seen) == len(set(seen)) == 9
    assert seen[0] == doubtful.doc_id
    problem(await client.get(f"{RECORDS}?before=x", headers=supervisor.headers), 400, "invalid_request")


async def test_a_record_is_shown_with_its_history_and_its_place(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    first = await province.save({"house": INSIDE})
    await province.decide(first, "returned")
    second = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev, by="vang")
    await province.follow()
    page = await shown(client, supervisor, first.doc_id)
    assert (page["rev"], page["doc"]["_rev"], page["doc"]["answers"]) == (second.rev, second.rev, {"members": "6"})
    assert [(each["rev"], each["by_name"], each["is_winner"]) for each in page["history"]] == [
        (first.rev, "Lò Văn Ban", False),
        (second.rev, "Vàng A Súng", True),
    ]
    assert [(each["decision"], each["rev"], each["stands"]) for each in page["reviews"]] == [
        ("returned", first.rev, True)
    ]
    assert page["returned"]["answers"] == {"house": INSIDE}
    assert (page["is_corrected"], page["area"]) == (True, {"longitude": 103.3308, "latitude": 22.0568})
    assert (page["may_decide"], page["may_approve"], page["why_not"]) == (True, True, None)


async def test_a_conflict_is_one_record_with_both_edits_in_its_history(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    first = await province.save({"members": "5"})
    one = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev)
    other = await province.save({"members": "7"}, record=first.doc_id, parent=first.rev, by="vang")
    await province.follow()
    [line] = (await listed(client, supervisor))["records"]
    assert (line["flags"], line["branches"]) == (["conflict"], 1)
    page = await shown(client, supervisor, first.doc_id)
    assert page["branches"] == []
    assert {each["rev"] for each in page["history"]} >= {one.rev, other.rev}


async def test_branches_that_wait_for_their_form_are_kept_and_visible(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    first = await province.save({"members": "5"})
    one = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev, form_version="2")
    other = await province.save({"members": "7"}, record=first.doc_id, parent=first.rev, by="vang", form_version="2")
    await province.follow()
    [line] = (await listed(client, supervisor))["records"]
    assert (line["flags"], line["branches"]) == (["conflict"], 2)
    page = await shown(client, supervisor, first.doc_id)
    assert {page["doc"]["_rev"], page["branches"][0]["doc"]["_rev"]} == {one.rev, other.rev}
    assert page["branches"][0]["by_name"] in {"Lò Văn Ban", "Vàng A Súng"}


async def test_an_approval_is_a_document_of_its_own_with_its_audit(
    client: Client, app: Litestar, province: Province, supervisor: SignedIn
) -> None:
    saved = await province.save({"members": "5"})
    answer = await decide(client, supervisor, saved.doc_id, saved.rev, "approved")
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "approved"
    stored = await province.journal.document(SCOPE, answer.json()["id"])
    assert stored is not None
    assert stored.person == supervisor.person
    from server.auth.audit import acts_on

    async with province.storage.read() as connection:
        [act] = await acts_on(connection, f"{SCOPE}/{saved.doc_id}")
    assert (act.action, act.person, act.details["rev"]) == ("review.approved", supervisor.person, saved.rev)
    await province.follow()
    assert (await listed(client, supervisor))["counts"]["approved"] == 1


async def test_a_return_carries_comments_pinned_to_questions(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    saved = await province.save({"members": "50"})
    comments = {"/answers/members": "Năm mươi người?", "/answers/area": "  "}
    answer = await decide(
        client, supervisor, saved.doc_id, saved.rev, "returned", comment=" Xem lại ", comments=comments
    )
    assert answer.json()["state"] == "returned"
    await province.follow()
    [review] = (await shown(client, supervisor, saved.doc_id))["reviews"]
    assert (review["comment"], review["comments"]) == ("Xem lại", {"/answers/members": "Năm mươi người?"})
    assert review["by_name"] == "Người khang"


async def test_a_record_that_moved_on_is_not_decided(client: Client, province: Province, supervisor: SignedIn) -> None:
    first = await province.save({"members": "5"})
    second = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev)
    params = problem(await decide(client, supervisor, first.doc_id, first.rev, "approved"), 409, "record_moved_on")
    assert params == {"rev": second.rev}


async def test_nobody_approves_their_own_work_but_may_return_it(client: Client, province: Province) -> None:
    worker = await person_signed_in(client, "mai", grant("supervisor"), grant("field_worker"))
    saved = await province.save({"members": "5"}, by=worker.person)
    await province.follow()
    page = await shown(client, worker, saved.doc_id)
    assert (page["may_decide"], page["may_approve"], page["why_not"]) == (True, False, "own_work")
    problem(await decide(client, worker, saved.doc_id, saved.rev, "approved"), 403, "own_work")
    assert (await decide(client, worker, saved.doc_id, saved.rev, "returned")).status_code == 201


async def test_nobody_approves_their_own_work_across_a_parent_that_waits(client: Client, province: Province) -> None:
    worker = await person_signed_in(client, "mai", grant("supervisor"), grant("field_worker"))
    saved = await province.save({"members": "5"}, by=worker.person)
    journal = client.app.state["journal"]
    content = {**json.loads((await journal.document(SCOPE, saved.doc_id)).content), "answers": {"members": "six"}}
    misfit = replace(NewRevision.following(saved.doc_id, content, saved.rev), quarantine="misfit_answers")
    correction = NewRevision.following(saved.doc_id, {**content, "answers": {"members": "6"}}, misfit.rev)
    line = [misfit, replace(correction, ancestors=(misfit.rev, saved.rev))]
    written = await journal.write(SCOPE, line, Origin("vang"))
    assert [each.outcome for each in written] == ["quarantined", "stored"]
    await province.follow()
    page = await shown(client, worker, saved.doc_id)
    assert (page["rev"], page["may_approve"], page["why_not"]) == (correction.rev, False, "own_work")
    problem(await decide(client, worker, saved.doc_id, correction.rev, "approved"), 403, "own_work")


async def test_who_wrote_what_waits_is_an_author_of_what_follows_it(client: Client, province: Province) -> None:
    waits = await person_signed_in(client, "mai", grant("supervisor"), grant("field_worker"))
    saved = await province.save({"members": "5"})
    journal = client.app.state["journal"]
    content = {**json.loads((await journal.document(SCOPE, saved.doc_id)).content), "answers": {"members": "9"}}
    held = replace(NewRevision.following(saved.doc_id, content, saved.rev), quarantine="misfit_answers")
    await journal.write(SCOPE, [held], Origin(waits.person))
    correction = NewRevision.following(saved.doc_id, {**content, "comment": "seen"}, held.rev)
    await journal.write(SCOPE, [replace(correction, ancestors=(held.rev, saved.rev))], Origin("vang"))
    await province.follow()
    page = await shown(client, waits, saved.doc_id)
    assert (page["rev"], page["may_approve"], page["why_not"]) == (correction.rev, False, "own_work")
    problem(await decide(client, waits, saved.doc_id, correction.rev, "approved"), 403, "own_work")


async def test_who_wrote_what_waits_is_an_author_by_the_seal_that_came_after_it(
    client: Client, province: Province
) -> None:
    waits = await person_signed_in(client, "mai", grant("supervisor"), grant("field_worker"))
    saved = await province.save({"members": "5"})
    journal = client.app.state["journal"]
    before = json.loads((await journal.document(SCOPE, saved.doc_id)).content)
    content = {**before, "answers": {"members": "9"}, "saved": {"by": "of mai", "number": "1", "at": ""}}
    held = replace(NewRevision.following(saved.doc_id, content, saved.rev), quarantine="misfit_answers")
    await journal.write(SCOPE, [held], Origin("peer:hub"))
    async with province.storage.write() as connection:
        said = {"database": SCOPE, "doc_id": saved.doc_id, "rev": held.rev, "is_told": False, "holds": False}
        rows = [{**said, "enrolment": by, "person": person} for by, person in (("of mai", waits.person), ("x", "lo"))]
        await connection.execute(sealed_revisions.insert(), rows)
    correction = NewRevision.following(saved.doc_id, {**content, "comment": "seen"}, held.rev)
    await journal.write(SCOPE, [replace(correction, ancestors=(held.rev, saved.rev))], Origin("vang"))
    await province.follow()
    page = await shown(client, waits, saved.doc_id)
    assert (page["rev"], page["may_approve"], page["why_not"]) == (correction.rev, False, "own_work")


async def test_authors_before_the_last_approval_may_approve_what_came_after(client: Client, province: Province) -> None:
    worker = await person_signed_in(client, "mai", grant("supervisor"))
    first = await province.save({"members": "5"}, by=worker.person)
    await province.decide(first, "approved")
    second = await province.save({"members": "6"}, record=first.doc_id, parent=first.rev, by="lo")
    await province.follow()
    assert (await decide(client, worker, first.doc_id, second.rev, "approved")).status_code == 201


async def test_a_field_worker_reads_and_does_not_decide(client: Client, province: Province) -> None:
    worker = await person_signed_in(client, "ban", grant("field_worker"))
    saved = await province.save({"members": "5"})
    await province.follow()
    page = await shown(client, worker, saved.doc_id)
    assert (page["may_decide"], page["why_not"]) == (False, "not_supervisor")
    problem(await decide(client, worker, saved.doc_id, saved.rev, "approved"), 403, "not_allowed")


async def test_a_decision_over_one_that_its_author_did_not_see_is_told_and_not_written(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    other = await person_signed_in(client, "giang", grant("supervisor"))
    saved = await province.save({"members": "5"})
    await province.follow()
    seen = [each["id"] for each in (await shown(client, other, saved.doc_id))["reviews"]]
    first = await decide(client, supervisor, saved.doc_id, saved.rev, "returned", comment="Xem lại", follows=seen)
    assert first.status_code == 201, first.text
    # Nobody has followed since: what tells of the first decision is the journal itself.
    told = problem(
        await decide(client, other, saved.doc_id, saved.rev, "approved", follows=seen), 409, "decided_meanwhile"
    )
    assert told["decision"] == "returned"
    assert told["by_name"] == "Người khang"
    assert told["id"] == first.json()["id"]
    assert told["at"]
    await province.follow()
    page = await shown(client, other, saved.doc_id)
    assert [each["decision"] for each in page["reviews"]] == ["returned"]
    again = await decide(client, other, saved.doc_id, saved.rev, "approved", follows=[*seen, told["id"]])
    assert again.status_code == 201, again.text
    assert again.json()["state"] == "approved"


async def test_of_decisions_at_the_same_moment_one_is_written(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    saved = await province.save({"members": "5"})
    await province.follow()
    people = [supervisor, await person_signed_in(client, "giang", grant("supervisor"))]
    verdicts = ("returned", "approved")
    answers = await asyncio.gather(
        *(
            decide(client, who, saved.doc_id, saved.rev, verdict, comment="x", follows=[])
            for who, verdict in zip(people, verdicts, strict=True)
        )
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    [late] = [each for each in answers if each.status_code == 409]
    problem(late, 409, "decided_meanwhile")


async def test_of_two_supervisors_who_did_not_know_of_each_other_the_stricter_holds(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    saved = await province.save({"members": "5"})
    # One decides here, the other at a hub, and then they meet.
    here = await decide(client, supervisor, saved.doc_id, saved.rev, "approved", follows=[])
    there = await province.decide(saved, "returned")
    await province.follow()
    page = await shown(client, supervisor, saved.doc_id)
    assert page["state"] == "returned"
    assert [each["stands"] for each in page["reviews"]] == [True, True]
    settled = await decide(client, supervisor, saved.doc_id, saved.rev, "approved", follows=[here.json()["id"], there])
    assert settled.json()["state"] == "approved"


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "approved"},
        {"rev": "1-x", "decision": "approved"},
        {"rev": "1-" + "a" * 32, "decision": "applauded"},
        {"rev": "1-" + "a" * 32, "decision": "returned", "comments": {"members": "no pointer"}},
        {"rev": "1-" + "a" * 32, "decision": "returned", "comment": "x" * 5000},
        {"rev": "1-" + "a" * 32, "decision": "returned", "comment": "nul \0"},
        {"rev": "1-" + "a" * 32, "decision": "returned", "mood": "bad"},
    ],
)
async def test_a_decision_of_another_shape_is_refused(
    client: Client, province: Province, supervisor: SignedIn, body: dict[str, Any]
) -> None:
    saved = await province.save({"members": "5"})
    path = f"{RECORDS}/{SCOPE}/{saved.doc_id}/decisions"
    problem(await client.post(path, headers=supervisor.headers, json=body), 400, "invalid_request")


async def test_deciding_about_something_that_is_no_record_finds_nothing(
    client: Client, province: Province, supervisor: SignedIn
) -> None:
    problem(await decide(client, supervisor, "nothing", "1-" + "a" * 32, "approved"), 404, "not_found")
    problem(await client.get(f"{RECORDS}/{SCOPE}/nothing", headers=supervisor.headers), 404, "not_found")

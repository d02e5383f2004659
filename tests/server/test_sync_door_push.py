"""Pushing through `POST /api/sync`: what is stored, kept apart or refused, and what the phone is told."""

import gzip
from typing import Any

import pytest
from sqlalchemy import select

from server.auth.people import set_grants
from server.auth.tables import enrolments
from server.gateway.sync.tables import sync_numbers
from server.journal.model import NewRevision, Origin
from sync.revisions.canonical import canonical
from sync.revisions.revision_id import revision_id
from tests.builders import SIN_THAU, Client, grant, problem
from tests.conftest import StandingClock
from tests.server.published_forms import publish
from tests.server.sync_door import (
    DATABASE,
    a_phone,
    another_phone,
    answer_of,
    exchange,
    outcomes,
    packed,
    post_raw,
    save,
    with_form,
)
from tests.vectors.entity_form import VECTOR, saved_to

pytestmark = pytest.mark.by_turns


@pytest.fixture(autouse=True)
async def _form(client: Client) -> None:
    await with_form(client)


async def test_a_saved_record_is_acknowledged_and_stands_in_the_journal(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone)
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "stored", None)]
    assert (answer.safe, answer.highest_number) == ("1", "1")
    stored = await client.app.state["journal"].document(DATABASE, document["_id"])
    assert stored.rev == document["_rev"]
    assert (stored.person, stored.enrolment) == (phone.person["id"], phone.enrolment)
    assert phone.outgoing == []


async def test_the_same_request_again_changes_nothing_and_burns_no_sequence_i3(client: Client) -> None:
    phone = await a_phone(client)
    save(phone)
    envelope = phone.request()
    first = answer_of(await phone.post(envelope))
    before = await client.app.state["journal"].state(DATABASE)
    again = answer_of(await phone.post(envelope))
    assert await client.app.state["journal"].state(DATABASE) == before
    assert outcomes(again) == [("1", "duplicate", None)]
    assert (again.safe, again.highest_number, again.changes) == (first.safe, first.highest_number, first.changes)


async def test_a_seal_is_kept_beside_what_it_covers_and_never_sent(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    save(phone)
    envelope = phone.request()
    phone.receive((await phone.post(envelope)).json(), envelope)
    rows = (await client.app.state["journal"].changes(DATABASE, include_docs=True)).rows
    (seal,) = [row for row in rows if row.doc_id.startswith("seal:")]
    assert envelope["seal"] in seal.content.decode()
    answer = await exchange(other)
    assert [doc["_id"][:5] == "seal:" for doc in answer.changes[DATABASE].docs] == [False]


async def test_much_is_stored_in_parts_under_one_seal(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.journal.parts.MOST_WEIGHT", 20)
    phone = await a_phone(client)
    for _ in range(7):
        save(phone)
    answer = await exchange(phone)
    assert [ack.outcome for ack in answer.acks] == ["stored"] * 7
    assert (answer.highest_number, answer.missing) == ("7", "")
    rows = (await client.app.state["journal"].changes(DATABASE)).rows
    assert sum(row.doc_id.startswith("seal:") for row in rows) == 1
    assert len(rows) == 8


async def test_databases_are_written_in_name_order_and_acknowledged_in_the_order_of_the_push(client: Client) -> None:
    phone = await a_phone(client, "hoa", grant("field_worker"), grant("field_worker", unit=SIN_THAU))
    save(phone)
    save(phone, database=f"agri-{SIN_THAU}")
    save(phone)
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "stored", None), ("2", "stored", None), ("3", "stored", None)]
    assert set(answer.changes) == {"catalog", DATABASE, f"agri-{SIN_THAU}"}


async def test_an_edit_and_its_parent_travel_together_parents_first(client: Client) -> None:
    phone = await a_phone(client)
    record = save(phone)["_id"]
    phone.request()
    edited = save(phone, record, trees="13")
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "stored", None), ("2", "stored", None)]
    winner = await client.app.state["journal"].document(DATABASE, record)
    assert (winner.rev, winner.generation) == (edited["_rev"], 2)


async def test_a_correction_may_come_before_the_save_that_it_corrects(client: Client) -> None:
    phone = await a_phone(client)
    record = save(phone)["_id"]
    phone.request()
    edited = save(phone, record, trees="13")
    first, second = phone.request()["push"]
    holding = {"unsent": ["1"], "discarded": [], "drafts": 0, "media": 0}
    assert outcomes(await exchange(phone, push=[second], holding=holding)) == [("2", "stored", None)]
    late = await exchange(phone, push=[first])
    assert outcomes(late) == [("1", "stored", None)]
    assert late.missing is None or late.missing == ""
    winner = await client.app.state["journal"].document(DATABASE, record)
    assert (winner.rev, winner.generation) == (edited["_rev"], 2)


async def test_a_deletion_is_stored_without_answers(client: Client) -> None:
    phone = await a_phone(client)
    record = save(phone)["_id"]
    await exchange(phone)
    phone.delete(DATABASE, record)
    assert outcomes(await exchange(phone)) == [("2", "stored", None)]
    assert (await client.app.state["journal"].document(DATABASE, record)).deleted


@pytest.mark.parametrize(
    "answers",
    [
        {"trees": "mười hai"},
        {"trees": 12},
        {"height_m": "7,5"},
        {"place": "91 200"},
        {"uses": "leaf seed"},
        {"stranger": "x"},
    ],
    ids=lambda answers: next(iter(answers.items())),
)
async def test_answers_that_do_not_type_are_kept_apart(client: Client, answers: dict[str, Any]) -> None:
    phone = await a_phone(client)
    record = save(phone, **answers)["_id"]
    assert outcomes(await exchange(phone)) == [("1", "quarantined", "misfit_answers")]
    assert await client.app.state["journal"].document(DATABASE, record) is None
    assert [one.doc_id for one in await client.app.state["journal"].quarantined(DATABASE)] == [record]


async def test_an_unknown_form_is_kept_apart(client: Client) -> None:
    phone = await a_phone(client)
    phone.save(DATABASE, "never_published", "1", {"a": "b"})
    phone.save(DATABASE, "shan_tea", "2020010101", {"a": "b"})
    assert [row[1:] for row in outcomes(await exchange(phone))] == [("quarantined", "unknown_form")] * 2


async def test_a_form_of_another_project_is_unknown_in_this_one(client: Client) -> None:
    phone = await a_phone(client, "hoa", grant("field_worker", "*"))
    save(phone, database=DATABASE.replace("agri", "tourism"))
    assert outcomes(await exchange(phone)) == [("1", "quarantined", "unknown_form")]


async def test_a_final_outcome_is_repeated_until_the_phone_confirms_it(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone, trees="mười hai")
    await exchange(phone)
    assert (await exchange(phone)).acks == []
    manager = Origin("somebody", None)
    await client.app.state["journal"].accept(DATABASE, document["_id"], document["_rev"], manager)
    lost = answer_of(await phone.post(phone.request()))
    assert outcomes(lost) == [("1", "stored", None)]
    assert outcomes(await exchange(phone)) == [("1", "stored", None)]
    assert phone.verdicts == {"1"}
    assert (await exchange(phone)).acks == []
    assert phone.verdicts == set()


async def test_a_known_id_with_other_content_is_kept_apart_and_never_called_a_duplicate(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone)
    journal = client.app.state["journal"]
    other = canonical({"type": "record", "answers": {"trees": "99"}})
    # As a replica of another kind would bring it: under an id that is not the hash of what it says.
    forged = NewRevision(document["_id"], document["_rev"], (), False, other, verify=False)
    await journal.write(DATABASE, [forged], Origin(None, None))
    assert outcomes(await exchange(phone)) == [("1", "quarantined", "known_id_other_content")]
    assert (await journal.document(DATABASE, document["_id"])).content == other


async def test_an_id_that_is_not_the_hash_of_what_it_says_is_refused(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone)
    document["answers"]["trees"] = "1000"
    assert outcomes(await exchange(phone)) == [("1", "refused", "id_mismatch")]
    assert len(phone.outgoing) == 1
    assert phone.safe == 0


async def test_a_scope_that_was_never_assigned_is_refused_and_stays_on_the_phone(client: Client) -> None:
    phone = await a_phone(client)
    save(phone, database=f"agri-{SIN_THAU}")
    save(phone, database="agri-99999-2025")
    save(phone, database="catalog")
    save(phone)
    told = outcomes(await exchange(phone))
    assert told[:3] == [(number, "refused", "not_allowed") for number in ("1", "2", "3")]
    assert told[3] == ("4", "stored", None)
    assert [item.number for item in phone.outgoing] == ["1", "2", "3"]


async def test_a_supervisor_does_not_capture(client: Client) -> None:
    phone = await a_phone(client, "sơn", grant("supervisor"))
    save(phone)
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "refused", "not_allowed")]
    assert answer.carry == ["catalog"]


async def test_what_was_taken_in_is_not_refused_when_it_comes_again_without_rights_i3(client: Client) -> None:
    phone = await a_phone(client)
    save(phone)
    await phone.post(phone.request())
    save(phone)
    await _set_grants(client, phone.person["id"])
    request = phone.request()
    expected = [("1", "duplicate", None), ("2", "quarantined", "rights_lost")]
    # No answer arrives: each time the phone sends the same again, and the rights of the exchange before are gone.
    for _ in range(3):
        assert outcomes(answer_of(await phone.post(request))) == expected


async def test_work_done_before_rights_were_lost_is_kept_apart(client: Client) -> None:
    phone = await a_phone(client)
    await exchange(phone)
    save(phone)
    await _set_grants(client, phone.person["id"])
    answer = await exchange(phone)
    assert outcomes(answer) == [("1", "quarantined", "rights_lost")]
    assert answer.carry == ["catalog"]
    save(phone)
    # That exchange was completed without the right: from now on there is none to lean on.
    assert outcomes(await exchange(phone)) == [("2", "refused", "not_allowed")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"type": "review", "decision": "approved"}, "not_a_record"),
        (
            {"type": "record", "form": "shan_tea", "form_version": "2026112101", "merged": ["1-" + "0" * 32]},
            "servers_only",
        ),
        (
            {"type": "record", "form": "shan_tea", "form_version": "2026112101", "decided": ["/answers/x"]},
            "servers_only",
        ),
    ],
)
async def test_what_phones_may_not_write_is_kept_apart(client: Client, content: dict[str, object], reason: str) -> None:
    phone = await a_phone(client)
    phone.put(DATABASE, "018f5c3e-0000-7000-8000-000000000001", content)
    assert outcomes(await exchange(phone)) == [("1", "quarantined", reason)]


@pytest.mark.parametrize("kind", ["review", "question", "task", "seal", "open", "strange"])
async def test_a_record_under_the_id_of_another_document_is_kept_apart(client: Client, kind: str) -> None:
    await with_form(client)
    phone = await a_phone(client)
    save(phone, record=f"{kind}:018f5c3e-0000-7000-8000-000000000001:018f5c3e-0000-7000-8000-000000000002")
    assert outcomes(await exchange(phone)) == [("1", "quarantined", "not_a_record")]


async def test_a_save_that_another_device_counts_is_kept_apart(client: Client) -> None:
    phone, other = await a_phone(client), await another_phone(client, "hoa")
    save(other)
    phone.outgoing = other.outgoing
    assert outcomes(await exchange(phone)) == [("1", "quarantined", "foreign_save")]


async def test_one_bad_document_spoils_nothing_beside_it(client: Client) -> None:
    phone = await a_phone(client)
    save(phone)
    save(phone)
    envelope = phone.request()
    body = packed(envelope)
    text = gzip.decompress(body).decode()
    first = envelope["push"][0]["doc"]["_id"]
    broken = text.replace(f'"_id": "{first}"', f'"_id": "{first}", "form": "a"', 1)
    assert broken != text
    response = await post_raw(client, gzip.compress(broken.encode()), phone.access_token)
    assert outcomes(answer_of(response)) == [("1", "refused", "malformed"), ("2", "stored", None)]


async def test_numbers_that_are_nowhere_are_recorded_as_gaps_i10(client: Client) -> None:
    phone = await a_phone(client)
    for _ in range(5):
        save(phone)
    phone.outgoing.pop(1)
    phone.outgoing.pop(2)
    phone.discarded.append("4")
    answer = await exchange(phone, holding={"unsent": ["6", "8"], "discarded": ["4"], "drafts": 1, "media": 2})
    assert answer.missing == "2,7"
    async with client.app.state["storage"].read() as connection:
        row = (await connection.execute(select(sync_numbers))).one()
    assert (row.received, row.gaps, row.unsent, row.discarded) == ("1,3,5", "2,7", "6,8", "4")
    assert (row.drafts, row.media) == (1, 2)


async def test_safe_ends_before_what_the_phone_still_holds(client: Client) -> None:
    phone = await a_phone(client)
    for _ in range(4):
        save(phone)
    held = phone.outgoing.pop(2)
    answer = await exchange(phone, holding={"unsent": ["3"], "discarded": [], "drafts": 0, "media": 0})
    assert (answer.safe, answer.highest_number) == ("2", "4")
    phone.outgoing = [held]
    assert (await exchange(phone)).safe == "4"
    async with client.app.state["storage"].read() as connection:
        row = (await connection.execute(select(enrolments).where(enrolments.c.id == phone.enrolment))).one()
    assert (row.highest_number, row.safe_number) == (4, 4)


async def test_an_envelope_without_ids_is_refused_document_by_document(client: Client, clock: StandingClock) -> None:
    phone = await a_phone(client)
    envelope = phone.request()
    envelope["push"] = [{"db": DATABASE, "doc": {"_id": 7, "type": "record"}}]
    assert outcomes(answer_of(await phone.post(phone.sealed(envelope)))) == [(None, "refused", "malformed")]


async def test_a_broken_envelope_says_where(client: Client) -> None:
    phone = await a_phone(client)
    for change, where in (
        ({"protocol": "2"}, "/protocol"),
        ({"stranger": 1}, "/stranger"),
        ({"verdicts": ["x"]}, "/verdicts/0"),
        ({"max_bytes": 0}, "/max_bytes"),
    ):
        params = problem(await phone.post({**phone.request(), **change}), 400, "envelope")
        assert params["where"] == where


async def test_the_revision_id_of_a_phone_is_what_the_server_computes_i1(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone)
    content = {name: value for name, value in document.items() if not name.startswith("_")}
    expected = revision_id(document["_id"], deleted=False, parent=None, content=canonical(content))
    assert document["_rev"] == expected


async def _set_grants(client: Client, person: str) -> None:
    async with client.app.state["storage"].write() as connection:
        await set_grants(connection, person, ())


async def test_a_character_that_no_table_holds_spoils_nothing_beside_it(client: Client) -> None:
    phone = await a_phone(client)
    save(phone, village="a\x00b")
    phone.save(DATABASE, "never\x00published", "1\x00", {"a": "\x00"})
    phone.put(DATABASE, "a\x00b", {"type": "record"})
    save(phone)
    assert [row[1:] for row in outcomes(await exchange(phone))] == [
        ("quarantined", "misfit_answers"),
        ("quarantined", "unknown_form"),
        ("refused", "malformed"),
        ("stored", None),
    ]


async def test_what_a_form_saves_where_its_writer_has_no_right_waits_for_a_person(client: Client) -> None:
    await publish(client, "tree_visit", "1", "agri", VECTOR.read_bytes())
    for form, (project, xform) in saved_to().items():
        await publish(client, form, "1", project, xform)
    phone = await a_phone(client)
    content = {"type": "record", "form": "plant", "form_version": "1", "answers": {"species": "Lim"}, "media": {}}
    elsewhere = DATABASE.replace("agri", "tourism")
    visit = phone.save(DATABASE, "tree_visit", "1", {"kind": "Chè"})
    source = {"record": visit["_id"], "form": "tree_visit", "form_version": "1"}
    phone.put(DATABASE, "tree-1", {**content, "form": "tree", "of": visit["_id"]}, source=source)
    phone.put(elsewhere, "plant-1", {**content, "of": visit["_id"]}, source=source)
    # What that form does not save, and what no form here does.
    phone.put(elsewhere, "plant-2", {**content, "form": "house"}, source=source)
    phone.put(elsewhere, "plant-3", content, source={**source, "form_version": "0"})
    phone.put(f"tourism-{SIN_THAU}", "plant-4", content, source=source)
    phone.put(elsewhere, "plant-5", content)
    expected = [
        *((number, "stored", None) for number in "12"),
        ("3", "quarantined", "saved_from_elsewhere"),
        *((number, "refused", "not_allowed") for number in "4567"),
    ]
    request = phone.request()
    assert outcomes(answer_of(await phone.post(request))) == expected
    again = outcomes(answer_of(await phone.post(request)))
    assert again == [(number, "duplicate" if number in "12" else outcome, why) for number, outcome, why in expected]
    (waiting,) = await client.app.state["journal"].quarantined(elsewhere)
    assert (waiting.doc_id, waiting.person) == ("plant-1", phone.person["id"])

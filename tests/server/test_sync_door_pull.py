"""Pulling through `POST /api/sync`: what a phone gets, what it never gets, and how much at once."""

import json

import pytest

from server.auth.people import set_grants
from server.journal.model import NewRevision, Origin
from server.platform.db.engine import Storage
from sync.revisions.digest import digest_of
from tests.builders import PROVINCE, SIN_THAU, Client, add_person, grant
from tests.server.sync_door import (
    DATABASE,
    a_phone,
    another_phone,
    answer_of,
    exchange,
    packed,
    post_raw,
    save,
    with_form,
)

pytestmark = pytest.mark.by_turns


@pytest.fixture(autouse=True)
async def _form(client: Client) -> None:
    await with_form(client)


async def test_a_new_phone_gets_what_is_assigned_to_it_and_nothing_else_i9(client: Client) -> None:
    stranger = await a_phone(client, "mai", grant("field_worker", unit=SIN_THAU))
    save(stranger, database=f"agri-{SIN_THAU}")
    await exchange(stranger)
    phone = await a_phone(client)
    answer = await exchange(phone, since={f"agri-{SIN_THAU}": "0-", "agri-nowhere": "7-aa"})
    assert answer.carry == ["catalog", DATABASE]
    assert set(answer.changes) == {"catalog"}
    assert {doc["type"] for doc in answer.changes["catalog"].docs} == {"area"}


async def test_a_province_wide_grant_carries_every_commune(client: Client) -> None:
    phone = await a_phone(client, "hoa", grant("field_worker", "*", PROVINCE))
    answer = await exchange(phone)
    assert answer.carry is not None
    assert len(answer.carry) == 1 + 2 * 45


async def test_nothing_to_do_is_an_answer_without_changes(client: Client) -> None:
    phone = await a_phone(client)
    await exchange(phone)
    envelope = phone.request()
    response = await post_raw(client, packed(envelope), phone.access_token, **{"Accept-Encoding": "br"})
    assert answer_of(response).changes == {}


async def test_what_a_phone_pushed_in_this_request_does_not_come_back(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    save(other)
    await exchange(other)
    mine = save(phone)
    answer = await exchange(phone)
    assert mine["_id"] not in [doc["_id"] for doc in answer.changes[DATABASE].docs]
    assert len(answer.changes[DATABASE].docs) == 1
    assert (await exchange(phone)).changes == {}


async def test_the_digest_covers_exactly_what_the_phone_holds_at_since(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    for _ in range(3):
        save(other)
    deleted = save(other)["_id"]
    await exchange(other)
    other.delete(DATABASE, deleted)
    await exchange(other)
    save(phone)
    answer = await exchange(phone)
    held = phone.documents[DATABASE].values()
    assert len(held) == 4
    assert answer.changes[DATABASE].digest == digest_of((doc["_id"], doc["_rev"]) for doc in held)
    assert answer.changes[DATABASE].since == (await client.app.state["journal"].state(DATABASE)).since


async def test_a_deletion_reaches_the_phones_that_hold_the_record(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    record = save(other)["_id"]
    await exchange(other)
    await exchange(phone)
    other.delete(DATABASE, record)
    await exchange(other)
    (tombstone,) = (await exchange(phone)).changes[DATABASE].docs
    assert (tombstone["_id"], tombstone["_deleted"]) == (record, True)
    assert phone.documents[DATABASE] == {}


async def test_a_phone_gets_the_winner_and_not_the_losing_branch(client: Client) -> None:
    one, two, third = await a_phone(client), await a_phone(client, "mai"), await a_phone(client, "sơn")
    record = save(one)["_id"]
    await exchange(one)
    await exchange(two)
    branches = [save(phone, record, trees=trees) for phone, trees in ((one, "20"), (two, "30"))]
    await exchange(one)
    await exchange(two)
    (winner,) = (await exchange(third)).changes[DATABASE].docs
    assert winner["_rev"] == max(branch["_rev"] for branch in branches)


async def test_a_deletion_tells_its_phone_of_the_branch_that_wins_now(client: Client) -> None:
    one = await a_phone(client)
    record = save(one)["_id"]
    await exchange(one)
    other = await another_phone(client, "hoa")
    await exchange(other)
    branches = {
        phone.enrolment: save(phone, record, village=name)["_rev"] for phone, name in ((one, "A"), (other, "B"))
    }
    for phone in (one, other, one):
        await exchange(phone)
    shown = one.documents[DATABASE][record]["_rev"]
    winner, loser = (one, other) if shown == branches[one.enrolment] else (other, one)
    winner.delete(DATABASE, record)
    answer = await exchange(winner)
    assert [doc["_rev"] for doc in answer.changes[DATABASE].docs] == [branches[loser.enrolment]]


async def test_a_phone_that_sends_everything_again_hears_what_was_deleted_meanwhile(client: Client) -> None:
    phone = await a_phone(client)
    record = save(phone)["_id"]
    request = phone.request()
    await phone.post(request)
    other = await another_phone(client, "hoa")
    await exchange(other)
    tombstone = other.delete(DATABASE, record)
    await exchange(other)
    answer = answer_of(await phone.post(request))
    assert [(doc["_rev"], doc["_deleted"]) for doc in answer.changes[DATABASE].docs] == [(tombstone["_rev"], True)]


async def test_a_review_reaches_the_phone(client: Client) -> None:
    phone = await a_phone(client)
    document = save(phone)
    await exchange(phone)
    review = {"type": "review", "record": document["_id"], "rev": document["_rev"], "decision": "returned"}
    revision = NewRevision.following(f"review:{document['_id']}:018f5c3e-0000-7000-8000-000000000001", review, None)
    await client.app.state["journal"].write(DATABASE, [revision], Origin("somebody", None))
    (came,) = (await exchange(phone)).changes[DATABASE].docs
    assert came == {"_id": revision.doc_id, "_rev": revision.rev, **review}


async def test_a_checkpoint_that_the_chain_does_not_hold_means_from_the_beginning(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    save(other)
    await exchange(other)
    for since in ("1-00000000", "99-abcdef01", "nonsense", "-1", "1"):
        answer = await exchange(phone, since={DATABASE: since})
        assert len(answer.changes[DATABASE].docs) == 1, since


async def test_a_foreign_checkpoint_of_an_empty_database_is_taken_back(client: Client) -> None:
    phone = await a_phone(client)
    answer = await exchange(phone, since={DATABASE: "99-abcdef01"})
    assert (answer.changes[DATABASE].docs, answer.changes[DATABASE].more) == ([], False)
    assert phone.since[DATABASE].startswith("0-")


@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_the_budget_counts_compressed_bytes_and_more_asks_for_another_round(client: Client, coding: str) -> None:
    writer = await a_phone(client, "mai")
    for number in range(300):
        save(writer, village=f"Bản số {number * 7919 % 1000}", trees=str(number))
    await exchange(writer)
    phone = await another_phone(client, "mai")
    seen: list[int] = []
    while True:
        envelope = phone.request(max_bytes=6000)
        response = await post_raw(client, packed(envelope), phone.access_token, **{"Accept-Encoding": coding})
        answer = answer_of(response)
        phone.receive(response.json(), envelope)
        seen.append(int(response.headers["content-length"]))
        if not any(changes.more for changes in answer.changes.values()):
            break
        assert all(changes.digest is None for changes in answer.changes.values() if changes.more)
    assert max(seen) <= 6000
    # Nearly all of the budget is used, or a slow link would need many more rounds.
    assert min(seen[:-1]) > 4500
    assert phone.documents[DATABASE].digest == (await client.app.state["journal"].state(DATABASE)).digest


async def test_one_document_always_goes_whatever_the_budget(client: Client) -> None:
    writer, phone = await a_phone(client, "mai"), await a_phone(client)
    for _ in range(3):
        save(writer)
    await exchange(writer)
    rounds = 0
    while True:
        answer = await exchange(phone, max_bytes=1)
        rounds += 1
        assert sum(len(changes.docs) for changes in answer.changes.values()) <= 1
        if not any(changes.more for changes in answer.changes.values()):
            break
    assert len(phone.documents[DATABASE]) == 3
    assert rounds <= len(phone.documents["catalog"]) + 5


async def test_databases_take_turns_after_the_catalog(client: Client) -> None:
    grants = [grant("field_worker"), grant("field_worker", unit=SIN_THAU)]
    writer = await a_phone(client, "mai", *grants)
    for _ in range(20):
        save(writer)
        save(writer, database=f"agri-{SIN_THAU}")
    await exchange(writer)
    answer = await exchange(await another_phone(client, "mai"))
    assert next(iter(answer.changes)) == "catalog"
    assert {len(answer.changes[name].docs) for name in (DATABASE, f"agri-{SIN_THAU}")} == {20}


async def test_a_lost_scope_is_carried_no_more_and_its_work_is_handed_over_first(
    client: Client, storage: Storage
) -> None:
    phone = await a_phone(client)
    await exchange(phone)
    save(phone)
    async with storage.write() as connection:
        await set_grants(connection, phone.person["id"], [grant("field_worker", unit=SIN_THAU)])
    answer = await exchange(phone)
    assert answer.carry == ["catalog", f"agri-{SIN_THAU}"]
    assert [ack.outcome for ack in answer.acks] == ["quarantined"]
    assert DATABASE not in answer.changes


async def test_a_record_that_others_carried_on_comes_with_who_and_what_they_decided(client: Client) -> None:
    phone, other = await a_phone(client), await a_phone(client, "mai")
    record = save(phone)
    await exchange(phone)
    await exchange(other)
    save(other, record["_id"], trees="13")
    await exchange(other)
    chief = await add_person(client, "binh", grant("data_manager"))
    journal = client.app.state["journal"]
    stands = await journal.document(DATABASE, record["_id"])
    content = {**json.loads(stands.content), "decided": ["/answers/trees"], "comment": "Đã hỏi trưởng bản."}
    decision = NewRevision.following(record["_id"], content, stands.rev)
    await journal.write(DATABASE, [decision], Origin(chief.id))

    told = (await exchange(phone)).changes[DATABASE].by[record["_id"]]

    assert [(one.name, one.decided, one.comment) for one in told] == [
        (other.person["name"], [], ""),
        (chief.name, ["/answers/trees"], "Đã hỏi trưởng bản."),
    ]
    # Who decided needs telling to nobody else: the other's phone knows its own edit, and is told the decision alone.
    assert [one.name for one in (await exchange(other)).changes[DATABASE].by[record["_id"]]] == [chief.name]
    assert (await exchange(await another_phone(client, "hoa"))).changes[DATABASE].by == {}


async def test_a_decision_that_was_taken_back_is_told_as_the_desks_act_and_no_edit(client: Client) -> None:
    phone = await a_phone(client)
    record = save(phone)
    await exchange(phone)
    await exchange(phone)
    chief = await add_person(client, "binh", grant("data_manager"))
    journal = client.app.state["journal"]
    said = json.loads((await journal.document(DATABASE, record["_id"])).content)
    del said["saved"]
    decision = NewRevision.following(record["_id"], {**said, "decided": ["/answers/trees"]}, record["_rev"])
    undo = NewRevision.following(record["_id"], {**said, "undoes": [decision.rev], "comment": "Nhầm."}, decision.rev)
    await journal.write(DATABASE, [decision, undo], Origin(chief.id))

    told = (await exchange(phone)).changes[DATABASE].by[record["_id"]]

    assert [(one.name, one.decided, one.comment) for one in told] == [
        (chief.name, ["/answers/trees"], ""),
        (chief.name, ["/answers/trees"], "Nhầm."),
    ]

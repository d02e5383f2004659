"""A manager asks those who know, on their phones; what they reply stands beside the field as one more choice."""

import json
from typing import Any

import pytest
from sqlalchemy import delete

from server.auth.tables import grants
from server.demo.phone import Phone
from server.journal.model import NewRevision, Origin
from server.platform.ids import uuid7
from tests.builders import PROVINCE, SIN_THAU, Client, SignedIn, grant, person_signed_in, problem
from tests.server.conflicts.desk_world import DATABASE, FORM, VERSION, with_form
from tests.server.sync_door import a_phone, exchange

pytestmark = pytest.mark.by_turns

AREA = "/answers/area"
FIRST = {"owner": "Lò Văn Ban", "area": "1.0"}


@pytest.fixture
async def manager(client: Client) -> SignedIn:
    await with_form(client)
    return await person_signed_in(client, "khang", grant("data_manager", unit=PROVINCE))


async def two_phones(client: Client) -> tuple[Phone, Phone, str]:
    """Two phones, offline, give one record two areas."""
    hoa, mai = await a_phone(client, "hoa"), await a_phone(client, "mai")
    record = str(hoa.save(DATABASE, FORM, VERSION, FIRST)["_id"])
    await exchange(hoa)
    await exchange(mai)
    hoa.save(DATABASE, FORM, VERSION, {**FIRST, "area": "1.2"}, record=record)
    mai.save(DATABASE, FORM, VERSION, {**FIRST, "area": "0.8"}, record=record)
    await exchange(hoa)
    await exchange(mai)
    return hoa, mai, record


async def call(client: Client, who: SignedIn, record: str, verb: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/conflicts/{DATABASE}/{record}/{verb}", headers=who.headers, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def shown(client: Client, who: SignedIn, record: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/api/conflicts/{DATABASE}/{record}", headers=who.headers)).json()
    return found


async def follow(client: Client) -> None:
    await client.app.state["runner"].once()


@pytest.mark.slow
async def test_a_question_reaches_the_phones_and_a_reply_is_one_more_choice(client: Client, manager: SignedIn) -> None:
    hoa, mai, record = await two_phones(client)
    sent = await call(client, manager, record, "ask", path=AREA, text="Đo lại giúp nhé")
    assert {each["id"] for each in sent["to"]} == {hoa.person["id"], mai.person["id"]}
    await exchange(mai)
    question = mai.documents[DATABASE][sent["id"]]
    assert (question["path"], question["label"]["vi"], question["text"]) == (AREA, "Diện tích (ha)", "Đo lại giúp nhé")
    assert {each["value"] for each in question["candidates"]} == {"1.2", "0.8"}
    assert {each["by_name"] for each in question["candidates"]} == {"Người hoa", "Người mai"}
    content = {"type": "reply", "record": record, "question": sent["id"], "value": "0.9", "text": "Đo bằng thước"}
    reply = mai.put(DATABASE, f"reply:{record}:{uuid7(mai.clock)}", content)
    await exchange(mai)
    await follow(client)
    page = await shown(client, manager, record)
    [asked] = page["questions"][0]["asked"]
    [replied] = asked["replies"]
    assert (replied["by_name"], replied["text"], replied["was_asked"]) == ("Người mai", "Đo bằng thước", True)
    assert (replied["has_value"], replied["value"]["value"]) == (True, "0.9")
    choice = {"path": AREA, "reply": reply["_id"]}
    seen = {"rev": page["rev"], "leaves": page["leaves"]}
    made = await call(client, manager, record, "decide", **seen, choices=[choice])
    assert (made["page"]["doc"]["answers"]["area"], made["page"]["questions"]) == ("0.9", [])
    await exchange(hoa)
    assert hoa.documents[DATABASE][record]["answers"]["area"] == "0.9"


async def test_candidates_show_which_phone_they_come_from(client: Client, manager: SignedIn) -> None:
    _, _, record = await two_phones(client)
    [question] = (await shown(client, manager, record))["questions"]
    assert {each["device"] for each in question["candidates"]} == {"simulated phone"}


async def test_what_nobody_disagrees_about_cannot_be_asked(client: Client, manager: SignedIn) -> None:
    _, _, record = await two_phones(client)
    at = f"/api/conflicts/{DATABASE}/{record}/ask"
    body: dict[str, Any] = {"path": "/answers/owner"}
    problem(await client.post(at, headers=manager.headers, json=body), 409, "nothing_to_decide")
    body = {"path": AREA, "to": ["nobody"]}
    problem(await client.post(at, headers=manager.headers, json=body), 422, "nobody_to_ask")


async def told_open(phone: Phone, record: str) -> Any:
    await exchange(phone)
    return phone.documents[DATABASE][f"open:{record}"]["paths"]


async def test_phones_are_told_what_is_open_whatever_plain_edits_come_in_between(
    client: Client, manager: SignedIn
) -> None:
    hoa, mai, record = await two_phones(client)
    assert f"open:{record}" not in mai.documents[DATABASE]
    await follow(client)
    assert await told_open(mai, record) == [AREA]
    await exchange(hoa)
    hoa.save(DATABASE, FORM, VERSION, {**hoa.documents[DATABASE][record]["answers"], "crop": "rice"}, record=record)
    await exchange(hoa)
    # Asked for before the server has followed the edit: nothing of the question has ended.
    assert await told_open(mai, record) == [AREA]
    assert "open" not in mai.documents[DATABASE][record]
    await follow(client)
    assert await told_open(mai, record) == [AREA]
    page = await shown(client, manager, record)
    seen = {"rev": page["rev"], "leaves": page["leaves"]}
    made = await call(client, manager, record, "decide", **seen, choices=[{"path": AREA, "value": "0.9"}])
    await follow(client)
    assert await told_open(mai, record) == []
    page = made["page"]
    seen = {"rev": page["rev"], "leaves": page["leaves"]}
    await call(client, manager, record, "undo", **seen, decision=made["rev"])
    await follow(client)
    assert await told_open(mai, record) == [AREA]


async def test_what_is_open_is_written_once_and_mended_where_somebody_else_said_otherwise(
    client: Client, manager: SignedIn
) -> None:
    _, _, record = await two_phones(client)
    await follow(client)
    journal = client.app.state["journal"]
    told = await journal.document(DATABASE, f"open:{record}")
    await follow(client)
    assert len(await journal.history(DATABASE, f"open:{record}")) == 1
    wrong = NewRevision.following(told.doc_id, {"type": "open", "record": record, "paths": []}, told.rev)
    await journal.write(DATABASE, [wrong], Origin())
    await follow(client)
    stands = json.loads((await journal.document(DATABASE, f"open:{record}")).content)
    assert stands == {"type": "open", "record": record, "paths": [AREA]}


async def test_a_record_about_which_nobody_disagrees_has_nothing_told_beside_it(
    client: Client, manager: SignedIn
) -> None:
    hoa = await a_phone(client, "hoa")
    record = str(hoa.save(DATABASE, FORM, VERSION, FIRST)["_id"])
    await exchange(hoa)
    hoa.save(DATABASE, FORM, VERSION, {**FIRST, "area": "1.2"}, record=record)
    await exchange(hoa)
    await follow(client)
    assert await client.app.state["journal"].document(DATABASE, f"open:{record}") is None


async def test_somebody_whose_phone_the_question_would_never_reach_cannot_be_asked(
    client: Client, manager: SignedIn
) -> None:
    hoa, mai, record = await two_phones(client)
    at = f"/api/conflicts/{DATABASE}/{record}/ask"
    stranger = await person_signed_in(client, "binh", grant("field_worker", project="tourism", unit=SIN_THAU))
    looks_on = await person_signed_in(client, "son", grant("administrator", unit=PROVINCE))
    for who in (stranger, looks_on):
        body: dict[str, Any] = {"path": AREA, "to": [who.person]}
        problem(await client.post(at, headers=manager.headers, json=body), 422, "nobody_to_ask")
    async with client.app.state["storage"].write() as connection:
        await connection.execute(delete(grants).where(grants.c.person == mai.person["id"]))
    sent = await call(client, manager, record, "ask", path=AREA)
    assert [each["id"] for each in sent["to"]] == [hoa.person["id"]]
    async with client.app.state["storage"].write() as connection:
        await connection.execute(delete(grants).where(grants.c.person == hoa.person["id"]))
    problem(await client.post(at, headers=manager.headers, json={"path": AREA}), 422, "nobody_to_ask")

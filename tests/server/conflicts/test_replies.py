"""Replies of field workers: let in by the sync door, read beside the question that they answer."""

from typing import Any

import pytest
from sqlalchemy import select

from server.background import followers_of
from server.demo.phone import Phone
from server.journal.model import NewRevision, Origin
from server.platform.ids import uuid7
from server.read_model.record_tables import questions
from tests.builders import Client, add_person, grant
from tests.server.conflicts.desk_world import DATABASE
from tests.server.sync_door import a_phone, another_phone, exchange, outcomes

pytestmark = pytest.mark.by_turns


def reply_to(phone: Phone, question: str, record: str = "r1", **changes: Any) -> dict[str, Any]:
    """Write a reply on the phone."""
    name = changes.pop("name", f"reply:{record}:{uuid7(phone.clock)}")
    content = {"type": "reply", "record": record, "question": question, "value": "1.2", "text": "Đã đo lại", **changes}
    return phone.put(DATABASE, name, content)


async def ask(client: Client, by: str, record: str = "r1", **changes: Any) -> str:
    """Write a question into the journal; return its id."""
    state = client.app.state
    name = f"question:{record}:{uuid7(state['clock'])}"
    content = {"type": "question", "record": record, "path": "/answers/area", "by": by, "text": "?", **changes}
    [outcome] = await state["journal"].write(DATABASE, [NewRevision.following(name, content, None)], Origin("khang"))
    assert outcome.outcome == "stored"
    return name


async def followed(client: Client) -> list[Any]:
    """Let the followers take everything; return the rows of questions and replies."""
    state = client.app.state
    runner = followers_of(
        state["settings"],
        state["storage"],
        state["journal"],
        clock=state["clock"],
        library=state["library"],
        areas=state["areas"],
    )
    await runner.once()
    async with state["storage"].read() as connection:
        return list(await connection.execute(select(questions).order_by(questions.c.id)))


async def test_a_reply_comes_in_by_the_sync_door_and_is_its_writers(client: Client) -> None:
    phone = await a_phone(client)
    question = await ask(client, "khang")
    reply = reply_to(phone, question)
    assert outcomes(await exchange(phone)) == [("1", "stored", None)]
    asked, answered = await followed(client)
    assert (asked.id, asked.type, asked.person, asked.record) == (question, "question", "khang", "r1")
    assert (answered.id, answered.type, answered.person) == (reply["_id"], "reply", phone.person["id"])
    assert answered.content["value"] == "1.2"


async def test_another_worker_of_the_area_may_reply_as_well(client: Client) -> None:
    question = await ask(client, "khang", to=["somebody else"])
    phone = await a_phone(client, "mai")
    reply_to(phone, question)
    assert outcomes(await exchange(phone)) == [("1", "stored", None)]
    assert [row.person for row in await followed(client)][1] == phone.person["id"]


async def test_who_may_not_capture_in_the_area_may_not_reply(client: Client) -> None:
    question = await ask(client, "khang")
    await add_person(client, "mai", grant("supervisor"))
    phone = await another_phone(client, "mai")
    reply_to(phone, question)
    assert outcomes(await exchange(phone)) == [("1", "refused", "not_allowed")]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "reply:other:0190"},
        {"name": "r1"},
        {"question": "question:other:0190"},
        {"question": None},
        {"text": "x" * 4001},
        {"text": ["x"]},
        {"record": "a:b", "name": "reply:a:b:0190", "question": "question:a:b:0190"},
    ],
)
async def test_what_only_looks_like_a_reply_waits_for_a_person(client: Client, changes: dict[str, Any]) -> None:
    phone = await a_phone(client)
    said = {"question": await ask(client, "khang"), **changes}
    reply_to(phone, said.pop("question"), **said)
    assert outcomes(await exchange(phone)) == [("1", "quarantined", "not_a_record")]
    assert [row.type for row in await followed(client)] in (["question"], [])


async def test_a_reply_is_said_once(client: Client) -> None:
    phone = await a_phone(client)
    question = await ask(client, "khang")
    name = reply_to(phone, question)["_id"]
    await exchange(phone)
    reply_to(phone, question, name=name, text="Khác")
    assert outcomes(await exchange(phone))[-1] == ("2", "quarantined", "not_a_record")
    [_, answered] = await followed(client)
    assert answered.content["text"] == "Đã đo lại"


async def test_a_question_that_says_it_is_by_somebody_else_is_nobodys(client: Client) -> None:
    await ask(client, "lo")
    assert await followed(client) == []

"""Builders for tests of the sync and media doors: phones that are signed in, forms that are published, requests."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from server.areas.grants import Grant
from server.demo.phone import Attachment, Phone
from server.gateway.sync.schemas import ANSWER
from sync.contract.wire import SyncAnswer
from tests.builders import PASSWORD, SIN_CHAI, Client, add_person, grant
from tests.server.published_forms import publish

DATABASE = f"agri-{SIN_CHAI}"
FORM = "shan_tea"
VERSION = "2026112101"
XFORM = (Path(__file__).parent / "shan_tea.xml").read_bytes()
ANSWERS: dict[str, Any] = {
    "village": "Bản Tả Sìn Thàng",
    "trees": "12",
    "height_m": "7.5",
    "place": "22.0203000 103.1744000 1250.0 4.5",
    "uses": ["leaf", "seed"],
    "photo": "cay.jpg",
    "meta": {"instanceID": "uuid:6f0f1d1e-6a3b-4d7b-9a52-2f3a9d0f5c11", "instanceName": "Cây ở Tả Sìn Thàng"},
}


async def with_form(client: Client) -> None:
    """Publish the small form that these tests fill."""
    await publish(client, FORM, VERSION, "agri", XFORM)


async def a_phone(client: Client, username: str = "hoa", *grants: Grant) -> Phone:
    """Add a field worker of Sín Chải (or with `grants`) and sign them in on a new phone."""
    await add_person(client, username, *(grants or (grant("field_worker"),)))
    return await another_phone(client, username)


async def another_phone(client: Client, username: str) -> Phone:
    """Sign somebody in on one more phone."""
    return await Phone(client, clock=client.app.state["clock"]).sign_in(username, PASSWORD)


def save(phone: Phone, record: str | None = None, database: str = DATABASE, **answers: Any) -> dict[str, Any]:
    """Save a record of the small form on the phone."""
    return phone.save(database, FORM, VERSION, {**ANSWERS, **answers}, record=record)


async def post_raw(
    client: Client, body: bytes, token: str | None = None, *, encoding: str | None = "gzip", **headers: str
) -> httpx.Response:
    """Send bytes to the sync door as they are."""
    sent = {"Content-Type": "application/json", **headers}
    if encoding:
        sent["Content-Encoding"] = encoding
    if token:
        sent["Authorization"] = f"Bearer {token}"
    return await client.post("/api/sync", content=body, headers=sent)


def packed(envelope: Mapping[str, Any]) -> bytes:
    """Return an envelope as it travels."""
    return gzip.compress(json.dumps(envelope).encode())


def answer_of(response: httpx.Response) -> SyncAnswer:
    """Return an answer, read strictly by the wire's schema."""
    assert response.status_code == 200, response.text
    return ANSWER.validate_json(response.content)


async def exchange(phone: Phone, **changes: Any) -> SyncAnswer:
    """Do one exchange of `phone`, with members of its request changed, and take the answer in."""
    max_bytes = changes.pop("max_bytes", 250_000)
    envelope = phone.sealed({**phone.request(max_bytes=max_bytes), **changes})
    response = await phone.post(envelope)
    answer = answer_of(response)
    phone.receive(response.json(), envelope)
    return answer


def outcomes(answer: SyncAnswer) -> list[tuple[str | None, str, str | None]]:
    """Return (number, outcome, reason) of each acknowledgement."""
    return [(ack.number, ack.outcome, ack.reason) for ack in answer.acks]


@dataclass(frozen=True)
class Picture:
    """A photo for uploads, with the record that it belongs to."""

    content: bytes
    name: str = "cay.jpg"
    type: str = "image/jpeg"

    def of(self, record: str, database: str = DATABASE) -> Attachment:
        """Return it as an attachment of a record."""
        return Attachment(database, record, self.name, self.type, self.content)

"""Phones that keep saving and sending whatever becomes of the server, and the list of what it acknowledged to them."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from server.demo.phone import Phone, PhoneRefused
from server.platform.clock import system_clock
from sync.contract.reasons import STORED
from tests.builders import PASSWORD
from tests.server.sync_door import ANSWERS, FORM, VERSION

#: What a server may answer while its storage is away or full; a phone waits and sends the same again.
TROUBLE = (500, 503, 507)
PAUSE_S = 0.1
QUEUE = 12


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A save that the server said it has, after so many faults."""

    enrolment: str
    number: str
    database: str
    doc_id: str
    rev: str
    document: dict[str, Any]
    fault: int


@dataclass
class Fieldwork:
    """Some phones at work; `fault` counts what has been done to the server so far."""

    url: str
    databases: tuple[str, ...]
    chance: random.Random
    padding: str = ""
    fault: int = 0
    is_over: bool = False
    phones: list[Phone] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    unanswered: int = 0
    troubles: list[str] = field(default_factory=list)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, usernames: list[str]) -> None:
        """Sign everybody in, on a phone each."""
        for username in usernames:
            limits = httpx.Limits(max_connections=1)
            client = httpx.AsyncClient(base_url=self.url, timeout=60, limits=limits)
            self.phones.append(await Phone(client).sign_in(username, PASSWORD))

    async def close(self) -> None:
        """Hang up."""
        for phone in self.phones:
            await phone.client.aclose()

    async def work(self, phone: Phone) -> None:
        """Save and send until it is over."""
        while not self.is_over:
            if len(phone.outgoing) < QUEUE:
                for _ in range(self.chance.randint(1, 5)):
                    self.save(phone)
            if not await self.send(phone):
                await asyncio.sleep(PAUSE_S)

    def save(self, phone: Phone) -> None:
        """Save a new record, or now and then an edit of one that the phone has, a colleague's too."""
        database = self.chance.choice(self.databases)
        known = phone.documents.get(database)
        record = self.chance.choice(sorted(known)) if known and self.chance.random() < 0.2 else None
        village = f"Bản {self.chance.randrange(10**9)} {self.padding}"
        phone.save(database, FORM, VERSION, {**ANSWERS, "village": village}, record=record)

    async def send(self, phone: Phone) -> bool:
        """Do one exchange; False where there was no answer, or one that tells the phone to try again."""
        limit = self.chance.randint(1, 10)
        sending = {item.number: item for item in phone.outgoing[:limit]}
        try:
            answer = await phone.exchange(limit=limit, max_bytes=20_000)
        except httpx.RequestError:
            self.unanswered += 1
            return False
        except PhoneRefused as refused:
            if refused.status not in TROUBLE:
                raise
            self.troubles.append(refused.code)
            self._heard.set()
            return False
        for ack in answer["acks"]:
            assert ack["outcome"] in STORED, ack
            item = sending[ack["number"]]
            assert ack["rev"] == item.document["_rev"]
            self.acknowledged.append(
                Acknowledged(
                    phone.enrolment,
                    ack["number"],
                    item.database,
                    str(item.document["_id"]),
                    ack["rev"],
                    item.document,
                    self.fault,
                )
            )
        self._heard.set()
        return True

    async def finish(self, timeout_s: float = 120) -> None:
        """Send what still waits on any phone."""
        deadline = system_clock().timestamp() + timeout_s
        for phone in self.phones:
            while True:
                assert system_clock().timestamp() < deadline, f"a phone never got rid of its work: {self.troubles[-3:]}"
                if not await self.send(phone):
                    await asyncio.sleep(PAUSE_S)
                elif not phone.outgoing:
                    break

    async def heard_more(self, acknowledgements: int, timeout_s: float = 20) -> None:
        """Return when so many more saves were acknowledged, or after the timeout."""
        wanted = len(self.acknowledged) + acknowledgements
        with contextlib.suppress(TimeoutError):
            await self.until(lambda: len(self.acknowledged) >= wanted, timeout_s)

    async def until(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        """Return when an answer has made it so; TimeoutError after the timeout."""
        async with asyncio.timeout(timeout_s):
            while not is_so():
                self._heard.clear()
                await self._heard.wait()

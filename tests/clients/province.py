"""A running server whose people work in communes that PouchDB and phones write to, and what they write."""

import asyncio
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.bench import record_set
from tests.bench.arrangement import ADMINISTRATOR, Bench, bench
from tests.builders import PASSWORD
from tests.clients.replica import Document, Place, Replica
from tests.e2e.live_server import LiveServer

COMMUNES = 40
#: Field workers of every commune here, and somebody who may sign in and nothing else.
WORKERS, STRANGER = ("hoa", "mai"), "la"


@dataclass(slots=True)
class Province:
    """A running server; each test takes databases that no other test has touched."""

    running: Bench
    _communes: Iterator[int] = field(default_factory=lambda: iter(range(COMMUNES)))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def server(self) -> LiveServer:
        """Return the server's process."""
        return self.running.server

    def scope(self) -> str:
        """Return the database of a commune that nobody has written to."""
        return self.running.database(next(self._communes))

    def at(self, database: str, username: str = "hoa") -> Place:
        """Return a database as PouchDB reaches it with a name and a password."""
        return {"url": self.address(database), "auth": {"username": username, "password": PASSWORD}}

    def door(self, username: str | None = "hoa") -> httpx.Client:
        """Return a plain client at the door, as a person or as nobody."""
        auth = (username, PASSWORD) if username else None
        return httpx.Client(base_url=f"{self.server.url}/db", auth=auth, timeout=30)

    def signed_in(self, database: str, username: str = "hoa") -> Place:
        """Return a database as PouchDB reaches it with an access token."""
        said = {"username": username, "password": PASSWORD}
        answer = httpx.post(f"{self.server.url}/api/auth/login", json=said, timeout=30)
        assert answer.status_code == 200, answer.text
        return {"url": self.address(database), "token": answer.json()["access_token"]}

    def address(self, database: str) -> str:
        """Return a database's address."""
        return f"{self.server.url}/db/{database}"

    def made(self) -> Place:
        """Return a database that takes any documents, as its administrator reaches it; PouchDB makes it."""
        return self.at(f"made_{next(self._numbers)}", ADMINISTRATOR)


def arrange(folder: Path, communes: int) -> Iterator[Province]:
    """Give a province over `folder` and stop its server afterwards."""
    people = {worker: list(range(communes)) for worker in WORKERS} | {STRANGER: []}
    with bench(folder, people) as running:
        yield Province(running)


@functools.cache
def _records() -> list[dict[str, Any]]:
    return record_set.load()


def record(number: int, **changed: Any) -> Document:
    """Return a record of the committed set as a document; `changed` replaces answers."""
    taken = _records()[number]
    return {
        "_id": f"record-{number:04}",
        "type": "record",
        "form": record_set.FORM,
        "form_version": record_set.VERSION,
        "answers": {**taken["answers"], **changed},
        "media": taken["media"],
    }


async def same(pouch: Replica, *places: Place) -> dict[str, list[str]]:
    """Return the documents' leaves, winner first; they are the same at all places."""
    first, *others = await asyncio.gather(*(pouch.revisions(place) for place in places))
    for other in others:
        assert other == first
    return first

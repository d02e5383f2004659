"""What the tests of the desk arrange: a form of plots, open questions as the follower leaves them."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from server.auth.tables import people
from server.background import followers_of
from server.journal.model import NewRevision, Origin
from server.platform.db.upsert import put
from server.platform.ids import uuid7
from server.read_model.record_tables import open_questions
from sync.matching.text_normalisation import fold
from tests.builders import PROVINCE, SIN_CHAI, SIN_THAU, Client, SignedIn, grant, person_signed_in
from tests.server.published_forms import publish

DATABASE = f"agri-{SIN_CHAI}"
OTHER = f"agri-{SIN_THAU}"
FORM, VERSION = "plot", "1"
FIRST = {"owner": "Lò Văn Ban", "area": "1.0", "crop": "maize", "tools": ["hoe"]}
XFORM = (Path(__file__).parent / "plot.xml").read_bytes()


async def with_form(client: Client) -> None:
    """Publish the form of plots."""
    await publish(client, FORM, VERSION, "agri", XFORM)


async def with_workers(client: Client, names: dict[str, str]) -> None:
    """Bring in people who only ever write, by id."""
    state = client.app.state
    for person, name in names.items():
        row = {"id": person, "username": person, "name": name, "locale": "vi", "password": "-", "is_active": True}
        async with state["storage"].write() as connection:
            await connection.execute(insert(people).values(**row, created_at=state["clock"]()))


async def ask_about(client: Client, record: str, path: str = "/answers/area", **changes: Any) -> None:
    """Put a question into the queue."""
    clock = client.app.state["clock"]
    database = changes.pop("database", DATABASE)
    project, _, unit = database.partition("-")
    title = changes.get("title", f"Nương {record}")
    row: dict[str, Any] = {
        "database": database,
        "record": record,
        "path": path,
        "cause": "value",
        "candidates": ["3-" + "b" * 32, "2-" + "a" * 32],
        "people": [],
        "form": FORM,
        "project": project,
        "unit": unit,
        "title": title,
        "since": clock(),
        "folded": fold(title),
        **changes,
    }
    assert isinstance(row["since"], datetime)
    async with client.app.state["storage"].write() as connection:
        await put(connection, open_questions, [row])


@dataclass
class Desk:
    """A province with two workers, and two data managers who act through the app's own door."""

    client: Client
    manager: SignedIn
    second: SignedIn

    @classmethod
    async def open(cls, client: Client) -> "Desk":
        """Bring in the form and the people."""
        await with_form(client)
        await with_workers(client, {"lo": "Lò Văn Ban", "vang": "Vàng A Súng"})
        return cls(
            client,
            await person_signed_in(client, "khang", grant("data_manager", unit=PROVINCE)),
            await person_signed_in(client, "mai", grant("data_manager", unit=PROVINCE)),
        )

    async def save(
        self,
        by: str,
        answers: dict[str, Any],
        *,
        edits: NewRevision | None = None,
        record: str | None = None,
        parent: str | None = None,
        database: str = DATABASE,
        **content: Any,
    ) -> NewRevision:
        """Save a record, or an edit of one, as a worker's phone would have; the clock moves on a minute."""
        clock = self.client.app.state["clock"]
        clock.move(minutes=1)
        said = {"by": "device", "number": "1", "at": clock().isoformat()}
        document: dict[str, Any] = {"type": "record", "form": FORM, "form_version": VERSION, "answers": answers}
        document |= {"media": {}, "saved": said, **content}
        record = edits.doc_id if edits else record or uuid7(clock)
        revision = NewRevision.following(record, document, edits.rev if edits else parent)
        await self._write(database, revision, by)
        return revision

    async def edit(self, by: str, record: str, **answers: Any) -> NewRevision:
        """Save an edit of what stands."""
        stands = await self.stands(record)
        return await self.save(by, {**stands["answers"], **answers}, record=record, parent=stands["_rev"])

    async def delete(self, by: str, revision: NewRevision, database: str = DATABASE) -> NewRevision:
        """Delete a record as a worker does."""
        self.client.app.state["clock"].move(minutes=1)
        tombstone = NewRevision.following(revision.doc_id, {"type": "record"}, revision.rev, deleted=True)
        await self._write(database, tombstone, by)
        return tombstone

    async def _write(self, database: str, revision: NewRevision, by: str) -> None:
        [outcome] = await self.client.app.state["journal"].write(database, [revision], Origin(by))
        assert outcome.outcome == "stored", outcome

    async def follow(self) -> None:
        """Let the followers take everything."""
        state = self.client.app.state
        runner = followers_of(
            state["settings"],
            state["storage"],
            state["journal"],
            clock=state["clock"],
            library=state["library"],
            areas=state["areas"],
        )
        await runner.once()

    async def stands(self, record: str, database: str = DATABASE) -> dict[str, Any]:
        """Return the winner as phones get it."""
        stored = await self.client.app.state["journal"].document(database, record)
        flag = {"_deleted": True} if stored.deleted else {}
        return {"_id": record, "_rev": stored.rev, **flag, **json.loads(stored.content)}

    async def mark_moved(self, record: str) -> None:
        """Say that the record stands in two areas, as the follower does."""
        revs = [(await self.stands(record, each))["_rev"] for each in (DATABASE, OTHER)]
        await ask_about(self.client, record, "", cause="moved", candidates=revs)

    async def queue(self, **filters: Any) -> dict[str, Any]:
        return _json(await self.client.get("/api/conflicts", headers=self.manager.headers, params=filters))

    async def get(self, record: str, by: SignedIn | None = None) -> httpx.Response:
        return await self.client.get(_at(record), headers=(by or self.manager).headers)

    async def page(self, record: str, by: SignedIn | None = None) -> dict[str, Any]:
        return _json(await self.get(record, by))

    async def post(self, record: str, verb: str, body: dict[str, Any], by: SignedIn | None = None) -> httpx.Response:
        self.client.app.state["clock"].move(seconds=10)
        return await self.client.post(f"{_at(record)}/{verb}", headers=(by or self.manager).headers, json=body)

    async def try_decide(
        self, page: dict[str, Any], *choices: dict[str, Any], by: SignedIn | None = None, **more: Any
    ) -> httpx.Response:
        seen = {**_seen(page), "elsewhere": _seen_elsewhere(page)}
        return await self.post(page["record"], "decide", {**seen, "choices": choices, **more}, by)

    async def decide(
        self, page: dict[str, Any], *choices: dict[str, Any], by: SignedIn | None = None, **more: Any
    ) -> dict[str, Any]:
        return _json(await self.try_decide(page, *choices, by=by, **more))

    async def try_undo(self, page: dict[str, Any], decision: str) -> httpx.Response:
        return await self.post(page["record"], "undo", {**_seen(page), "decision": decision})

    async def undo(self, page: dict[str, Any], decision: str) -> dict[str, Any]:
        return _json(await self.try_undo(page, decision))

    async def claim(self, record: str, by: SignedIn | None = None, **more: Any) -> dict[str, Any]:
        return _json(await self.post(record, "claim", more, by))

    async def batch(self, body: dict[str, Any], by: SignedIn | None = None, path: str = "") -> httpx.Response:
        self.client.app.state["clock"].move(seconds=10)
        return await self.client.post(f"/api/conflicts/batch{path}", headers=(by or self.manager).headers, json=body)


async def two_areas(desk: Desk) -> dict[str, str]:
    """Two people correct one record without knowing: one the area, the other the area and the crop."""
    first = await desk.save("lo", FIRST)
    one = await desk.save("vang", {**FIRST, "area": "1.2"}, edits=first)
    other = await desk.save("lo", {**FIRST, "area": "0.8", "crop": "rice"}, edits=first)
    await desk.follow()
    return {"record": first.doc_id, "first": first.rev, "one": one.rev, "other": other.rev}


def _seen(page: dict[str, Any]) -> dict[str, Any]:
    return {"rev": page["rev"], "leaves": page["leaves"]}


def _seen_elsewhere(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: each[name] for name in ("database", "rev", "leaves")} for each in page["elsewhere"]]


def _at(record: str) -> str:
    return f"/api/conflicts/{DATABASE}/{record}"


def _json(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code in {200, 201}, response.text
    found: dict[str, Any] = response.json()
    return found

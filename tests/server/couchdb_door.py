"""Builders for the tests of `/db`: people at the door, revisions that other replicas made, feeds that are open."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from server.areas.grants import Grant
from tests.builders import PASSWORD, Client, add_person
from tests.server.sync_door import ANSWERS, DATABASE, FORM, VERSION
from tests.waiting import within

Document = dict[str, Any]


@dataclass(frozen=True)
class Door:
    """A person at `/db/<database>`."""

    client: Client
    username: str
    database: str

    async def ask(self, method: str, path: str = "", body: Any = None, **options: Any) -> httpx.Response:
        """Send a request; `path` is behind the database's name, as it stands on the wire."""
        if body is not None:
            options["json"] = body
        url = f"/db/{self.database}{path}"
        return await self.client.request(method, url, auth=(self.username, PASSWORD), **options)

    async def get(self, path: str = "", **query: Any) -> Any:
        """Return the JSON of a GET that succeeds; values of the query that are no strings are sent as JSON."""
        params = {name: each if isinstance(each, str) else json.dumps(each) for name, each in query.items()}
        response = await self.ask("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        """Return the JSON of a POST that succeeds."""
        response = await self.ask("POST", path, body)
        assert response.status_code == status, response.text
        return response.json()

    async def put(self, doc_id: str, **content: Any) -> str:
        """Write a document and return its revision."""
        response = await self.ask("PUT", f"/{doc_id}", content)
        assert response.status_code == 201, response.text
        return str(response.json()["rev"])

    async def bring(self, *documents: Document) -> list[Document]:
        """Bring revisions as they are; return the errors."""
        return list(await self.post("/_bulk_docs", {"docs": documents, "new_edits": False}, 201))

    async def winners(self) -> dict[str, str]:
        """Return (id, winner) of everything that the feed shows."""
        feed = await self.get("/_changes")
        return {row["id"]: row["changes"][0]["rev"] for row in feed["results"]}


async def a_database(client: Client, name: str = "notes") -> Door:
    """Make a database that takes anything, and return the administrator at its door."""
    await add_person(client, "dung", Grant("administrator", "*", "11"))
    door = Door(client, "dung", name)
    assert (await door.ask("PUT")).status_code == 201
    return door


async def at_scope(client: Client, username: str, *grants: Grant, database: str = DATABASE) -> Door:
    """Add a person and return them at a scope's door."""
    await add_person(client, username, *grants)
    return Door(client, username, database)


def rev(generation: int, name: str) -> str:
    """Return a revision id as another replica may have made it."""
    return f"{generation}-{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}"


def revision(doc_id: str, *line: str, deleted: bool = False, **content: Any) -> Document:
    """Return a document with its line of revisions, newest first."""
    start = int(line[0].partition("-")[0])
    ids = [each.partition("-")[2] for each in line]
    flag = {"_deleted": True} if deleted else {}
    return {"_id": doc_id, "_rev": line[0], "_revisions": {"start": start, "ids": ids}, **flag, **content}


def record(**answers: Any) -> Document:
    """Return the content of a record of the small form."""
    return {"type": "record", "form": FORM, "form_version": VERSION, "answers": {**ANSWERS, **answers}, "media": {}}


@asynccontextmanager
async def feed(door: Door, **query: str) -> AsyncIterator["asyncio.Queue[bytes]"]:
    """Open a live feed and give its pieces as they come: the test client's own transport waits for the end."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    gone = asyncio.Event()
    request = door.client.build_request("GET", f"/db/{door.database}/_changes", params=query)
    [request] = [each async for each in _signed(httpx.BasicAuth(door.username, PASSWORD), request)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            if message.get("body"):
                await pieces.put(message["body"])
            if not message.get("more_body"):
                await pieces.put(b"")

    served = asyncio.create_task(door.client.app(scope, receive, send))  # type: ignore[arg-type]
    try:
        yield pieces
    finally:
        gone.set()
        await within(5, served)


async def _signed(auth: httpx.BasicAuth, request: httpx.Request) -> AsyncIterator[httpx.Request]:
    for each in auth.sync_auth_flow(request):
        yield each
        return

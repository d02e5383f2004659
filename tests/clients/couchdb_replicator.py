"""CouchDB's replicator in its continuous mode, as a stand-in sends its requests: one way between two databases.

It begins with a session at the host's root, goes on with Basic, follows a continuous feed, asks for what is missing
with `revs` and `latest`, writes it as it is, and keeps checkpoints at both ends. Whatever breaks, it begins anew.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

HEADERS = {"User-Agent": "CouchDB-Replicator/3.5.0", "Accept": "application/json"}
#: CouchDB waits five seconds before it tries again, and longer each time.
RETRY_S = 0.1


@dataclass(slots=True)
class Replicator:
    """One continuous replication; `root` is the host's address, databases are paths under it."""

    root: str
    source: str
    target: str
    name: str
    auth: tuple[str, str]
    begun: int = 0
    written: list[str] = field(default_factory=list)
    #: What no replicator may pass over: rows that say an error.
    errors: list[Any] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Replicator"]:
        """Replicate while the block runs."""
        task = asyncio.create_task(self._always())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _always(self) -> None:
        while True:
            self.begun += 1
            with contextlib.suppress(httpx.HTTPError):
                async with httpx.AsyncClient(base_url=self.root, headers=HEADERS, timeout=30) as client:
                    await self._once(client)
            await asyncio.sleep(RETRY_S)

    async def _once(self, client: httpx.AsyncClient) -> None:
        form = {"name": self.auth[0], "password": self.auth[1]}
        session = await client.post("/_session", data=form)
        # Of all statuses these alone let it go on (couch_replicator_auth_session).
        assert session.status_code in (401, 403, 404), session.text
        client.auth = httpx.BasicAuth(*self.auth)
        for database in (self.source, self.target):
            (await client.get(f"{database}/")).raise_for_status()
        stands = [await self._checkpoint(client, database) for database in (self.source, self.target)]
        is_known = all(stands) and stands[0]["session_id"] == stands[1]["session_id"]
        since = stands[0]["source_last_seq"] if is_known else 0
        query = {"feed": "continuous", "style": "all_docs", "since": json.dumps(since), "heartbeat": "10000"}
        async with client.stream("GET", f"{self.source}/_changes", params=query) as feed:
            feed.raise_for_status()
            async for line in feed.aiter_lines():
                row = json.loads(line) if line else {}
                if "id" in row:
                    await self._carry(client, row)
                    await self._keep(client, row["seq"])

    async def _carry(self, client: httpx.AsyncClient, row: dict[str, Any]) -> None:
        asked = {row["id"]: [each["rev"] for each in row["changes"]]}
        lacking = await self._post(client, f"{self.target}/_revs_diff", asked)
        wanted = [{"id": key, "rev": each} for key, of in lacking.items() for each in of["missing"]]
        if not wanted:
            return
        query = {"latest": "true", "revs": "true", "attachments": "false"}
        found = await self._post(client, f"{self.source}/_bulk_get", {"docs": wanted}, **query)
        documents = [each["ok"] for result in found["results"] for each in result["docs"]]
        body = {"new_edits": False, "docs": documents}
        self.errors += await self._post(client, f"{self.target}/_bulk_docs", body)
        self.written += [document["_id"] for document in documents]

    async def _checkpoint(self, client: httpx.AsyncClient, database: str) -> dict[str, Any]:
        found = await client.get(f"{database}/_local/{self.name}")
        return dict(found.json()) if found.status_code == 200 else {}

    async def _keep(self, client: httpx.AsyncClient, seq: str) -> None:
        for database in (self.target, self.source):
            await self._post(client, f"{database}/_ensure_full_commit", {})
        for database in (self.source, self.target):
            before = await self._checkpoint(client, database)
            rev = {"_rev": before["_rev"]} if before else {}
            said = {"session_id": "one", "source_last_seq": seq, "replication_id_version": 4, **rev}
            (await client.put(f"{database}/_local/{self.name}", json=said)).raise_for_status()

    async def _post(self, client: httpx.AsyncClient, path: str, body: Any, **query: str) -> Any:
        answer = await client.post(path, json=body, params=query)
        answer.raise_for_status()
        return answer.json()

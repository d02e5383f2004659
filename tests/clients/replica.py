"""A PouchDB replica in a Node process of its own, driven by `replica.js`: what a test asks it to do, and what it says.

It is the client that people really use, not a model of it: nothing here knows the replication protocol.
"""

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Place = dict[str, Any]
Document = dict[str, Any]

HERE = Path(__file__).parent
INSTALLED = HERE / "node_modules/.installed"
ANSWER_BYTES = 64 * 2**20
ANSWER_TIMEOUT_S = 90


class ReplicaError(Exception):
    """PouchDB failed; `name`, `status` and `result` are what it said."""

    def __init__(self, said: dict[str, Any]) -> None:
        """Keep what it said."""
        self.name = str(said.get("name", ""))
        self.status = said.get("status")
        self.result = said.get("result")
        super().__init__(f"{self.name} {self.status}: {said.get('message')}")


@dataclass(slots=True)
class Replica:
    """One Node process with PouchDB; commands may run side by side."""

    process: asyncio.subprocess.Process
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)

    async def do(self, verb: str, patience_s: float = ANSWER_TIMEOUT_S, /, **said: Any) -> Any:
        """Return what a verb of `replica.js` answers; raise ReplicaError."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"id": number, "verb": verb, **said}).encode() + b"\n")
        await self.process.stdin.drain()
        async with asyncio.timeout(patience_s):
            return await answer

    async def call(self, place: Place, method: str, *arguments: Any) -> Any:
        """Call a method of the database at `place`."""
        return await self.do("call", at=place, method=method, **{"with": list(arguments)})

    async def replicate(self, source: Place, target: Place, **options: Any) -> dict[str, Any]:
        """Replicate once and return PouchDB's own summary."""
        done: dict[str, Any] = await self.do("replicate", **{"from": source}, to=target, options=options)
        assert done["ok"], done
        assert not done["errors"], done
        return done

    async def sync(self, local: Place, remote: Place, **options: Any) -> dict[str, Any]:
        """Replicate both ways once."""
        done: dict[str, Any] = await self.do("sync", at=local, to=remote, options=options)
        assert done["push"]["ok"], done
        assert done["pull"]["ok"], done
        return done

    async def live(self, name: str, local: Place, remote: Place, **options: Any) -> None:
        """Replicate both ways until `stop`, again and again where it fails."""
        await self.do("live", name=name, at=local, to=remote, options=options)

    async def stop(self, name: str) -> dict[str, Any]:
        """End a live replication and return the events it told."""
        seen: dict[str, Any] = await self.do("stop", name=name)
        return seen

    async def put(self, place: Place, document: Document) -> str:
        """Save a document and return its revision."""
        return str((await self.call(place, "put", document))["rev"])

    async def ids(self, place: Place) -> list[str]:
        """Return the ids of the live documents."""
        return [row["id"] for row in (await self.call(place, "allDocs"))["rows"]]

    async def revisions(self, place: Place) -> dict[str, list[str]]:
        """Return every document's leaves, winner first and then sorted, tombstones included."""
        changes = await self.call(place, "changes", {"style": "all_docs", "include_docs": True})
        found = {}
        for row in changes["results"]:
            winner = row["doc"]["_rev"]
            # PouchDB itself lists a document's leaves in the order of its tree.
            found[row["id"]] = [winner, *sorted({leaf["rev"] for leaf in row["changes"]} - {winner})]
        return found

    async def requests(self) -> list[str]:
        """Return the requests made since this was asked last, as `METHOD path`."""
        made: list[str] = await self.do("requests")
        return made

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            answer = self._waiting.pop(said["id"])
            if answer.done():
                continue
            if "error" in said:
                answer.set_exception(ReplicaError(said["error"]))
            else:
                answer.set_result(said["ok"])
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ReplicaError({"name": "gone", "message": "the replica's process ended"}))


@contextlib.asynccontextmanager
async def replica() -> AsyncIterator[Replica]:
    """Start a replica for the block."""
    assert INSTALLED.exists(), "PouchDB is not installed: make tests/clients/node_modules/.installed"
    node = shutil.which("node")
    assert node is not None, "there is no node on the path"
    process = await asyncio.create_subprocess_exec(
        node,
        # When a server goes away, some of PouchDB's promises fail unheard beside the one that tells so.
        "--unhandled-rejections=warn",
        str(HERE / "replica.js"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=ANSWER_BYTES,
    )
    started = Replica(process)
    listening = asyncio.create_task(started._listen())
    try:
        yield started
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        await listening


async def until(holds: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 20) -> None:
    """Return as soon as something holds; fail with `what` when it does not within the time."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(0.05)

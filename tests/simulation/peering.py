"""Replication between servers of the world: the product's Push and Pull, over lines that fail.

Either end may be the one that asks: the source pushes, or the target pulls. A pair keeps the same books as the product:
checkpoints in `_local` documents on both sides, a batch as large as the line was found to bear. What fails is tried
again with what was learnt, like a server that is left to itself.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, get_args

import httpx

from server.peers.batch_size import BatchSize
from server.peers.checkpoints import OWNER, common_seq, replication_id
from server.peers.connections import remote_of
from server.peers.failures import PeerFailed
from server.peers.model import Direction, Kind, Peer
from server.peers.remote_database import RemoteDatabase
from server.peers.replication import REPLICATIONS
from tests.simulation.checks import Broken, check_brought, check_server_checkpoint
from tests.simulation.disk import Killed
from tests.simulation.events import SERVERS
from tests.simulation.province import BEGINNING, account
from tests.simulation.server import Server
from tests.simulation.wire import Line, Lines

#: Replicating one database takes each of the two some thirty operations of storage.
MOST_OPERATIONS = 100
#: In so many a batch is halved down to one revision, which every line bears.
MOST_TRIES = 12


async def replicate(lines: Lines, source: Server, target: Server, databases: Sequence[str]) -> None:
    """Bring the target up to the source, as far as it gets, and check where the two would go on."""
    direction: Direction = lines.random.choice(get_args(Direction))
    how = f"{source.name} pushes to {target.name}" if direction == "push" else f"{target.name} pulls from {source.name}"
    lines.log(f"{how}: {', '.join(databases)}")
    if lines.is_faulty and lines.random.random() < 0.3:
        victim = lines.random.choice((source, target))
        victim.disk.schedule_death(lines.random.randint(1, MOST_OPERATIONS), after=lines.random.random() < 0.5)
    with suppress(Killed):
        await _Way(lines, source, target, direction).go(databases)
    for one in (source, target):
        one.disk.call_off_death()
    if dead := [one.name for one in (source, target) if one.disk.is_dead]:
        lines.log(f"  {dead[0]} has died")
        lines.seen["server killed in replication"] += 1
        return
    for database in databases:
        for since in checkpoints(source, target, database):
            check_server_checkpoint(source, target, database, since)


@dataclasses.dataclass(frozen=True, slots=True)
class _Way:
    """From one server to another, as one of the two asks for it."""

    lines: Lines
    source: Server
    target: Server
    direction: Direction

    async def go(self, databases: Sequence[str]) -> None:
        """Replicate, as often as a server tries; on a line without faults that must be often enough."""
        random, is_faulty = self.lines.random, self.lines.is_faulty
        tries = random.choice((1, 2, 3)) if is_faulty else MOST_TRIES
        for database in databases:
            pace = BatchSize(random.choice((1, 2, 5, 100)) if is_faulty else 100)
            for _ in range(tries):
                try:
                    await self._once(database, pace)
                    check_brought(self.source, self.target, database)
                    break
                except PeerFailed as failure:
                    self.lines.log(f"  {database}: {failure}")
                    self.lines.seen[f"peer: {failure.trouble.code}"] += 1
            else:
                if not is_faulty:
                    raise Broken("rest", f"{database} never comes from {self.source.name} to {self.target.name}")

    async def _once(self, database: str, pace: BatchSize) -> None:
        is_push = self.direction == "push"
        asks, other = (self.source, self.target) if is_push else (self.target, self.source)
        peer = peer_of(asks.name, other.name)

        def open_client(_: Peer) -> httpx.AsyncClient:
            return httpx.AsyncClient(transport=Line(self.lines, other), base_url=f"{peer.url}/", trust_env=False)

        parts = dataclasses.replace(asks.peer_parts, open_client=open_client)
        with asks.alive():
            async with parts.open_client(peer) as client:
                remote = RemoteDatabase(remote_of(parts, peer, client), database)
                replication = REPLICATIONS[self.direction](parts, peer, remote, pace)
                await replication.begin()
                while (await replication.step()).has_more:
                    pass


def peer_of(asks: str, other: str) -> Peer:
    """Return what one server's book says of another: who comes before it in the world's order is its province."""
    kind: Kind = "province" if SERVERS.index(other) < SERVERS.index(asks) else "replica"
    url = f"http://{other.replace(' ', '-')}/db"
    return Peer(other, other, url, kind, "both", "once", "password", account(asks), ("*",), BEGINNING)


def checkpoints(source: Server, target: Server, database: str) -> list[str]:
    """Return where replications from one server to another would go on: pushed by the one, pulled by the other."""
    here, there = f"nuong:{source.name}/{database}", f"{peer_of(source.name, target.name).url}/{database}"
    pushes = replication_id(here, there, {"user": account(source.name)})
    here, there = f"nuong:{target.name}/{database}", f"{peer_of(target.name, source.name).url}/{database}"
    pulls = replication_id(there, here, {"user": account(target.name)})
    found = [
        common_seq(_local(source, database, OWNER, pushes), _local(target, database, account(source.name), pushes)),
        common_seq(_local(target, database, OWNER, pulls), _local(source, database, account(target.name), pulls)),
    ]
    return [since for since in found if since]


def check_left_out(servers: Iterable[Server]) -> None:
    """Check that no server has passed over a revision for good."""
    for one in servers:
        for row in one.reader.execute("SELECT * FROM peer_left_out"):
            raise Broken("rest", f"{one.name} leaves out {row['doc_id']} {row['rev']}: {row['reason']}")


def _local(at: Server, database: str, owner: str, name: str) -> Mapping[str, Any] | None:
    row = at.reader.execute(
        "SELECT content FROM local_documents WHERE database = ? AND owner = ? AND doc_id = ?", (database, owner, name)
    ).fetchone()
    return None if row is None else json.loads(row["content"])

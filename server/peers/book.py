"""The book of peers: who they are, their passwords, how far each database is, and what was left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from server.errors import Problem
from server.peers.failures import Trouble
from server.peers.media_tables import peer_files_left
from server.peers.model import Auth, Direction, Directions, Kind, Mode, Peer
from server.peers.secrets import PeerSecrets
from server.peers.tables import hub, peer_left_out, peer_status, peers
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.upsert import put
from server.platform.ids import uuid7

#: What has a status beside the databases: the directory of a hub, the way to the peer itself, and files.
DIRECTORY = "directory"
CONNECTION = "connection"
MEDIA = "media"


@dataclass(frozen=True, slots=True)
class NewPeer:
    """A peer to be added."""

    name: str
    url: str
    scopes: tuple[str, ...] = ("*",)
    direction: Directions = "both"
    mode: Mode = "continuous"
    auth: Auth = "none"
    username: str | None = None
    password: str | None = None
    kind: Kind = "replica"


@dataclass(frozen=True, slots=True)
class Status:
    """How far one database is in one direction; `since` is when the present state, good or bad, began."""

    database: str
    direction: Direction
    last_seq: str | None
    behind: int | None
    documents: int
    trouble: Trouble | None
    since: datetime
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A revision that one side has and the other will not have, and why."""

    database: str
    doc_id: str
    rev: str
    direction: Direction
    reason: str


class PeerBook:
    """The peers of one server."""

    def __init__(self, storage: Storage, clock: Clock, secrets: PeerSecrets) -> None:
        """Stand on a migrated storage."""
        self._storage = storage
        self._clock = clock
        self._secrets = secrets

    async def peers(self) -> list[Peer]:
        """Return all peers, by name."""
        async with self._storage.read() as connection:
            return [_peer(row) for row in await connection.execute(select(peers).order_by(peers.c.name))]

    async def find(self, peer: str) -> Peer:
        """Return the peer of this id or name; raise `not_found`."""
        query = select(peers).where((peers.c.id == peer) | (peers.c.name == peer))
        async with self._storage.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise Problem("not_found", "There is no such peer")
        return _peer(row)

    async def add(self, new: NewPeer) -> Peer:
        """Add a peer; raise `peer_taken`."""
        made = Peer(
            id=uuid7(self._clock),
            name=new.name,
            url=new.url.rstrip("/"),
            kind=new.kind,
            direction=new.direction,
            mode=new.mode,
            auth=new.auth,
            username=new.username,
            scopes=new.scopes,
            created_at=self._clock(),
        )
        row = {name: getattr(made, name) for name in Peer.__slots__} | {"scopes": list(made.scopes)}
        row["sealed"] = None if new.password is None else self._secrets.seal(made.id, new.password)
        try:
            async with self._storage.write() as connection:
                await connection.execute(peers.insert().values(**row))
                if new.kind == "province":
                    await put(connection, hub, [{"row": 1, "peer": made.id, "etag": None, "is_complete": False}])
        except IntegrityError:
            raise Problem("peer_taken", name=new.name) from None
        return made

    async def remove(self, peer: str) -> None:
        """Forget a peer; what it brought stays."""
        async with self._storage.write() as connection:
            for table in (hub, peer_status, peer_left_out, peer_files_left):
                await connection.execute(delete(table).where(table.c.peer == peer))
            await connection.execute(delete(peers).where(peers.c.id == peer))

    async def ask_sync(self, peer: str) -> None:
        """Ask whoever replicates to do it now."""
        async with self._storage.write() as connection:
            await connection.execute(update(peers).where(peers.c.id == peer).values(sync_asked_at=self._clock()))

    async def password(self, peer: str) -> str | None:
        """Return the password to show at a peer; None when there is none, or the server's secret is another one."""
        async with self._storage.read() as connection:
            sealed = await connection.scalar(select(peers.c.sealed).where(peers.c.id == peer))
        return None if sealed is None else self._secrets.open(peer, bytes(sealed))

    async def statuses(self, peer: str) -> list[Status]:
        """Return how far a peer's databases are, by name."""
        query = select(peer_status).where(peer_status.c.peer == peer)
        async with self._storage.read() as connection:
            rows = (await connection.execute(query.order_by(peer_status.c.database, peer_status.c.direction))).all()
        return [_status(row) for row in rows]

    async def note(self, peer: str, statuses: Sequence[Status]) -> None:
        """Keep how far databases are; a peer that was removed meanwhile is not written about."""
        rows: list[Mapping[str, Any]] = [
            {
                "peer": peer,
                "database": one.database,
                "direction": one.direction,
                "last_seq": one.last_seq,
                "behind": one.behind,
                "documents": one.documents,
                "trouble": one.trouble.code if one.trouble else None,
                "told": one.trouble.told if one.trouble else None,
                "since": one.since,
                "checked_at": one.checked_at,
            }
            for one in statuses
        ]
        async with self._storage.write() as connection:
            if await connection.scalar(select(peers.c.id).where(peers.c.id == peer)) is not None:
                await put(connection, peer_status, rows)

    async def keep_statuses(self, peer: str, databases: Collection[str]) -> None:
        """Forget how far databases were that do not go between the two any more."""
        async with self._storage.write() as connection:
            of_others = peer_status.c.database.not_in(databases)
            await connection.execute(delete(peer_status).where(peer_status.c.peer == peer, of_others))

    async def leave_out(self, peer: str, left: Sequence[LeftOut]) -> None:
        """Keep the names of what one side will not have, before the checkpoint goes past it."""
        now = self._clock()
        rows = [
            {
                "peer": peer,
                "database": one.database,
                "doc_id": one.doc_id.replace("\0", "\ufffd")[:500],
                "rev": one.rev.replace("\0", "\ufffd")[:100],
                "direction": one.direction,
                "reason": one.reason.replace("\0", "\ufffd")[:300],
                "at": now,
            }
            for one in left
        ]
        async with self._storage.write() as connection:
            await put(connection, peer_left_out, rows)

    async def left_out(self, peer: str, limit: int = 50) -> tuple[int, list[LeftOut]]:
        """Return how many revisions were left out, and the latest of them."""
        here = peer_left_out.c.peer == peer
        async with self._storage.read() as connection:
            total = await connection.scalar(select(func.count()).select_from(peer_left_out).where(here))
            query = select(peer_left_out).where(here).order_by(peer_left_out.c.at.desc(), peer_left_out.c.doc_id)
            rows = (await connection.execute(query.limit(limit))).all()
        return int(total or 0), [LeftOut(row.database, row.doc_id, row.rev, row.direction, row.reason) for row in rows]


def _peer(row: Any) -> Peer:
    fields = {name: row._mapping[name] for name in Peer.__slots__}
    return Peer(**fields | {"scopes": tuple(row.scopes)})


def _status(row: Any) -> Status:
    return Status(
        database=row.database,
        direction=row.direction,
        last_seq=row.last_seq,
        behind=row.behind,
        documents=row.documents,
        trouble=Trouble(row.trouble, row.told or "") if row.trouble else None,
        since=row.since,
        checked_at=row.checked_at,
    )

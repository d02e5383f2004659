"""Replication between servers and the plain replica, step by step as CouchDB's protocol has it.

Both sides are asked how far the same replication has come; where they differ it begins again. A batch is read from the
source's feed, what the target lacks goes there with its ancestors, and only then do the checkpoints move, target before
source. `lose` is asked between the steps and may raise, as a broken link does.

A plain replica takes leaves only and cuts histories; servers hand each other every body, as two Nương servers do, so
that no acknowledged revision lives in one place only.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from server.journal.model import NewRevision, Origin
from tests.simulation.replica import Replica, Travelling
from tests.simulation.server import Server


@dataclass(frozen=True, slots=True)
class Row:
    """One document of a feed, with the revisions that the source would hand over."""

    doc_id: str
    revs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Part of a feed; `since` is where to go on."""

    rows: tuple[Row, ...]
    since: str
    more: bool


class Side(Protocol):
    """One end of a replication."""

    name: str

    async def checkpoint(self, of: str) -> str:
        """Return how far the replication `of` has come here, '' at its beginning."""

    async def note_checkpoint(self, of: str, since: str) -> None:
        """Keep how far it has come."""

    def here(self, database: str) -> frozenset[tuple[str, str]]:
        """Return (document, revision) of every body that is here, also of what waits for a person."""

    async def batch(self, database: str, since: str, limit: int) -> Batch:
        """Return the feed after a checkpoint."""

    async def missing(self, database: str, rows: tuple[Row, ...]) -> dict[str, tuple[str, ...]]:
        """Return what is not here of what the rows name."""

    async def read(self, database: str, wanted: dict[str, tuple[str, ...]]) -> list[Travelling]:
        """Return revisions with their lines."""

    def has_told(self, database: str, revisions: list[Travelling]) -> None:
        """Take note of what the other end now has."""

    async def write(self, database: str, revisions: list[Travelling]) -> None:
        """Keep revisions as they come; durable when it returns."""


async def replicate(source: Side, target: Side, database: str, limit: int, lose: Callable[[], None]) -> int:
    """Bring the target up to the source; return how many revisions went over."""
    of = f"{source.name} {target.name} {database}"
    lose()
    since = await target.checkpoint(of)
    if since != await source.checkpoint(of):
        since = ""
    sent = 0
    more = True
    while more:
        lose()
        batch = await source.batch(database, since, limit)
        wanted = await target.missing(database, batch.rows)
        lose()
        found = await source.read(database, wanted) if wanted else []
        lose()
        if found:
            await target.write(database, found)
            source.has_told(database, found)
            sent += len(found)
        lose()
        if batch.since != since:
            # Target before source: a crash between the two must send a batch again, never skip one (I7).
            await target.note_checkpoint(of, batch.since)
            lose()
            await source.note_checkpoint(of, batch.since)
        since, more = batch.since, batch.more
    return sent


async def is_behind(source: Side, target: Side, database: str) -> bool:
    """Tell whether the target lacks what the source would hand over; moves nothing and costs next to nothing."""
    lacking = source.here(database) - target.here(database)
    handed = (await source.batch(database, "", 10_000)).rows if lacking else ()
    return any((row.doc_id, rev) in lacking for row in handed for rev in row.revs)


@dataclass(slots=True)
class ServerSide:
    """A server as an end of a replication. `is_whole`: every body goes over, not leaves only."""

    server: Server
    is_whole: bool
    name: str = ""

    def __post_init__(self) -> None:
        """Take the server's name."""
        self.name = self.server.name

    def here(self, database: str) -> frozenset[tuple[str, str]]:
        """Return what the journal holds, or keeps aside."""
        rows = self.server.reader.execute(
            "SELECT doc_id, rev FROM bodies WHERE database = ?1 UNION SELECT doc_id, rev FROM quarantine"
            " WHERE database = ?1",
            (database,),
        )
        return frozenset((row[0], row[1]) for row in rows)

    async def checkpoint(self, of: str) -> str:
        """Return how far the replication has come here."""
        return self.server.checkpoint(of)

    async def note_checkpoint(self, of: str, since: str) -> None:
        """Keep how far it has come."""
        await self.server.note_checkpoint(of, since)

    async def batch(self, database: str, since: str, limit: int) -> Batch:
        """Return the journal's feed after a checkpoint."""
        with self.server.alive():
            return await self._batch(database, since, limit)

    async def _batch(self, database: str, since: str, limit: int) -> Batch:
        journal = self.server.journal
        start = await journal.position(database, since) if since else 0
        page = await journal.changes(database, start, limit=limit)
        named = {row.doc_id: row.leaves for row in page.rows}
        if self.is_whole:
            named = {doc_id: tuple(one["rev"] for one in self._stored(database, doc_id)) for doc_id in named}
        rows = tuple(Row(doc_id, revs) for doc_id, revs in named.items())
        until = (
            page.state.since if page.last_seq == page.state.seq else await journal.since_text(database, page.last_seq)
        )
        return Batch(rows, until, page.pending > 0)

    async def missing(self, database: str, rows: tuple[Row, ...]) -> dict[str, tuple[str, ...]]:
        """Return what the journal does not hold."""
        lacking = {}
        for row in rows:
            held = {one["rev"] for one in self._stored(database, row.doc_id)}
            if revs := tuple(rev for rev in row.revs if rev not in held):
                lacking[row.doc_id] = revs
        return lacking

    async def read(self, database: str, wanted: dict[str, tuple[str, ...]]) -> list[Travelling]:
        """Return revisions of the journal, oldest generation first."""
        found = []
        for doc_id, revs in wanted.items():
            parents = dict(
                self.server.reader.execute(
                    "SELECT rev, parent FROM revisions WHERE database = ? AND doc_id = ?", (database, doc_id)
                )
            )
            for one in self._stored(database, doc_id):
                if one["rev"] not in revs:
                    continue
                line: list[str] = []
                parent = one["parent"]
                while parent is not None:
                    line.append(parent)
                    parent = parents.get(parent)
                found.append(Travelling(doc_id, one["rev"], tuple(line), bool(one["deleted"]), one["content"]))
        return sorted(found, key=lambda one: (one.doc_id, int(one.rev.split("-")[0]), one.rev))

    def _stored(self, database: str, doc_id: str) -> list[sqlite3.Row]:
        """Return the revisions of a document with their bodies, read from what is committed."""
        return self.server.reader.execute(
            "SELECT r.rev, r.parent, r.deleted, b.content FROM revisions r JOIN bodies b USING (database, doc_id, rev)"
            " WHERE r.database = ? AND r.doc_id = ? ORDER BY r.seq",
            (database, doc_id),
        ).fetchall()

    def has_told(self, database: str, revisions: list[Travelling]) -> None:
        """Take note of nothing: servers tell each other whole lines."""

    async def write(self, database: str, revisions: list[Travelling]) -> None:
        """Write them as a peer's."""
        offers = [
            NewRevision(one.doc_id, one.rev, one.ancestors, one.deleted, one.content, verify=False) for one in revisions
        ]
        with self.server.alive():
            await self.server.journal.write(database, offers, Origin("peer"))


@dataclass(slots=True)
class ReplicaSide:
    """The plain replica as an end of a replication."""

    replica: Replica
    name: str = ""

    def __post_init__(self) -> None:
        """Take the replica's name."""
        self.name = self.replica.name

    def here(self, database: str) -> frozenset[tuple[str, str]]:
        """Return what the replica holds."""
        trees = self.replica.trees.get(database, {})
        return frozenset((doc_id, rev) for doc_id, tree in trees.items() for rev in tree.held)

    async def checkpoint(self, of: str) -> str:
        """Return how far the replication has come here."""
        return self.replica.checkpoints.get(of, "")

    async def note_checkpoint(self, of: str, since: str) -> None:
        """Keep how far it has come."""
        self.replica.checkpoints[of] = since

    async def batch(self, database: str, since: str, limit: int) -> Batch:
        """Return the replica's feed after a checkpoint."""
        start = int(since or 0)
        trees = self.replica.trees.get(database, {})
        rows = sorted((tree.seq, doc_id) for doc_id, tree in trees.items() if tree.seq > start)
        page = rows[:limit]
        last = page[-1][0] if page else start
        return Batch(
            tuple(Row(doc_id, tuple(trees[doc_id].leaves())) for _, doc_id in page), str(last), len(rows) > limit
        )

    async def missing(self, database: str, rows: tuple[Row, ...]) -> dict[str, tuple[str, ...]]:
        """Return what the replica does not hold."""
        trees = self.replica.trees.get(database, {})
        lacking = {}
        for row in rows:
            held = trees[row.doc_id].held if row.doc_id in trees else {}
            if revs := tuple(rev for rev in row.revs if rev not in held):
                lacking[row.doc_id] = revs
        return lacking

    async def read(self, database: str, wanted: dict[str, tuple[str, ...]]) -> list[Travelling]:
        """Return revisions with as much of their lines as the replica passes on."""
        found = []
        for doc_id, revs in wanted.items():
            tree = self.replica.trees[database][doc_id]
            for rev in sorted(revs, key=lambda rev: int(rev.partition("-")[0])):
                deleted, content = tree.held[rev]
                found.append(Travelling(doc_id, rev, tree.line(rev, self.replica.revs_limit), deleted, content))
        return found

    def has_told(self, database: str, revisions: list[Travelling]) -> None:
        """Remember the paths."""
        for one in revisions:
            self.replica.told.setdefault((database, one.doc_id), {}).update(pairwise((one.rev, *one.ancestors)))

    async def write(self, database: str, revisions: list[Travelling]) -> None:
        """Keep them."""
        for one in revisions:
            self.replica.put(database, one)

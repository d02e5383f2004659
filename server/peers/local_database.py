"""This server's side of a replication: its feed, what it lacks, its revisions as documents."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from server.journal.journal import Journal
from server.journal.store.branches import Branches, branches, lines_beside, missing
from server.journal.store.statements import Statements
from server.journal.store.stream_bodies import stream_bodies
from server.platform.db.engine import Storage
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, digest_of, generation_of, order_of


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A page of this server's feed: leaves by document, where it ends, how many changes remain."""

    leaves: Mapping[str, tuple[RevisionId, ...]]
    last_seq: int
    pending: int


class LocalDatabase:
    """A database of this server."""

    def __init__(self, storage: Storage, journal: Journal, sql: Statements, name: str) -> None:
        """Read nothing yet."""
        self.name = name
        self._storage = storage
        self._journal = journal
        self._sql = sql

    async def position(self, since: str | None) -> int:
        """Return the sequence of a checkpoint; 0 when it is not one of this journal's history."""
        return await self._journal.position(self.name, since) if since else 0

    async def checkpoint(self, seq: int) -> str:
        """Return how a sequence is written into checkpoints."""
        return await self._journal.since_text(self.name, seq)

    async def changes(self, since: int, limit: int) -> OwnPage:
        """Return a page of the feed; design documents stay here."""
        page = await self._journal.changes(self.name, since, limit=limit)
        leaves = {row.doc_id: row.leaves for row in page.rows if not row.doc_id.startswith("_design/")}
        return OwnPage(leaves, page.last_seq, page.pending)

    async def missing(self, leaves: Mapping[str, Sequence[RevisionId]]) -> dict[str, list[RevisionId]]:
        """Return which of these revisions are not here; what waits in quarantine is here."""
        async with self._storage.read() as connection:
            lacking = await missing(connection, self._sql, self.name, leaves)
        return {doc_id: list(one.revs) for doc_id, one in lacking.items()}

    async def with_ancestors(self, wanted: Mapping[str, Sequence[RevisionId]]) -> dict[str, list[RevisionId]]:
        """Return the wanted leaves and every revision on their lines that is held here, oldest first."""
        async with self._storage.read() as connection:
            graphs = await branches(connection, self._sql, self.name, wanted)
        found: dict[str, list[RevisionId]] = {}
        for doc_id, revs in wanted.items():
            of = graphs[doc_id]
            lines = {each for rev in revs for each in (rev, *of.graph.ancestors(rev)) if each in of.graph.held}
            found[doc_id] = sorted(lines, key=order_of)
        return found

    async def unheld_ancestors(self, wanted: Mapping[str, Sequence[RevisionId]]) -> dict[str, list[RevisionId]]:
        """Return the revisions that the lines of these leaves name and that are not here, oldest first.

        Also of leaves that wait in quarantine: a merge waits there for just these.
        """
        async with self._storage.read() as connection:
            graphs = await branches(connection, self._sql, self.name, wanted)
            lines = await lines_beside(connection, self._sql, self.name, wanted)
        for doc_id, of in graphs.items():
            lines.setdefault(doc_id, set()).update(each for rev in wanted[doc_id] for each in of.graph.ancestors(rev))
        named: dict[str, list[RevisionId]] = {}
        for doc_id, line in lines.items():
            held = graphs[doc_id].graph.held if doc_id in graphs else {}
            if unheld := sorted(line - held.keys(), key=order_of):
                named[doc_id] = unheld
        return await self.missing(named) if named else {}

    async def documents(
        self, wanted: Mapping[str, Sequence[RevisionId]], *, is_short: bool = False
    ) -> AsyncIterator[list[dict[str, Json]]]:
        """Yield these revisions as replicas exchange them, with their paths, some megabytes at a time.

        `is_short`: a path ends with the first revision of those that are wanted.
        """
        keys = [(doc_id, rev) for doc_id, revs in wanted.items() for rev in revs]
        async with self._storage.read() as connection:
            graphs = await branches(connection, self._sql, self.name, wanted)
        together = {doc_id: frozenset(revs) if is_short else frozenset() for doc_id, revs in wanted.items()}
        left = iter(keys)
        async for bodies in stream_bodies(self._storage, self._sql, self.name, keys):
            # The bodies first: what stands in front is asked first, and the next key would be lost at their end.
            yield [
                _document(graphs[doc_id], rev, body, together[doc_id])
                for body, (doc_id, rev) in zip(bodies, left, strict=False)
            ]


def _document(of: Branches, rev: RevisionId, body: bytes | None, until: Collection[RevisionId]) -> dict[str, Json]:
    # A revision that left the leaves meanwhile is still held: the journal forgets nothing.
    if body is None:
        raise LookupError(f"{of.doc_id} {rev} has no body")
    document: dict[str, Json] = {"_id": of.doc_id, "_rev": rev, **json.loads(body)}
    if of.graph.held[rev]:
        document["_deleted"] = True
    ids = [digest_of(each) for each in of.line(rev, until)]
    document["_revisions"] = {"start": generation_of(rev), "ids": ids}
    return document

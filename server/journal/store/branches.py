"""Answers for replicas about documents' graphs: which revisions are missing, which branches there are.

Graphs come without bodies, so that a document of a thousand revisions costs a thousand short rows; bodies are read
apart, by (document, revision), and only those that were asked for.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.store.statements import Statements
from sync.revisions.admission import is_any_doc_id
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId, generation_of, rank

#: No replica is told more of a line than this; CouchDB keeps as many (its `_revs_limit`).
REVS_LIMIT = 1000

Key = tuple[str, RevisionId]

_BODIES = "SELECT b.doc_id, b.rev, b.content FROM {wanted} bodies b ON b.database = :database AND {match}"
# To SQLite a CROSS JOIN is an order: it would rather go through all bodies of the database, and the list for each.
_ON_SQLITE = text(
    _BODIES.format(
        wanted="json_each(:keys) w CROSS JOIN",
        match="b.doc_id = json_extract(w.value, '$[0]') AND b.rev = json_extract(w.value, '$[1]')",
    )
)
_ON_POSTGRESQL = text(
    _BODIES.format(
        wanted="unnest(CAST(:ids AS text[]), CAST(:revs AS text[])) AS w(doc_id, rev) JOIN",
        match="b.doc_id = w.doc_id AND b.rev = w.rev",
    )
)


@dataclass(frozen=True)
class Branches:
    """The graph of one document, as replicas talk about it."""

    doc_id: str
    graph: Graph = field(default_factory=Graph)

    @cached_property
    def leaves(self) -> tuple[RevisionId, ...]:
        """Return the leaves, winner first, tombstones included."""
        return self.graph.leaves()

    @property
    def winner(self) -> RevisionId:
        """Return the winning revision."""
        return self.leaves[0]

    @property
    def is_deleted(self) -> bool:
        """Whether no branch is alive."""
        return self.graph.held[self.winner]

    def losers(self, *, deleted: bool) -> list[RevisionId]:
        """Return the leaves beside the winner that are alive, or those that are tombstones."""
        return [leaf for leaf in self.leaves[1:] if self.graph.held[leaf] == deleted]

    def line(self, rev: RevisionId, until: Collection[RevisionId] = ()) -> list[RevisionId]:
        """Return `rev` and its known ancestors, as far as generations go down one by one, or to the first of `until`.

        Of two revisions that go together the one names the other, whose own line tells the rest: otherwise the lines
        of a long history are as long as its square.
        """
        line = [rev]
        generation, parent = generation_of(rev), self.graph.parents.get(rev)
        while parent is not None and len(line) < REVS_LIMIT and generation_of(parent) == generation - len(line):
            line.append(parent)
            if parent in until:
                break
            parent = self.graph.parents.get(parent)
        return line

    def latest(self, rev: RevisionId) -> list[RevisionId]:
        """Return the leaves that `rev` led to, greatest first: itself when it is one, none when it is not known."""
        return [rev] if self.leaves == (rev,) else self._led_to.get(rev, [])

    @cached_property
    def _led_to(self) -> dict[RevisionId, list[RevisionId]]:
        # For all at once: one request may ask about as many revisions as it likes.
        found: dict[RevisionId, list[RevisionId]] = {}
        for leaf in sorted(self.leaves, key=lambda leaf: rank(leaf, deleted=self.graph.held[leaf]), reverse=True):
            for rev in self.line(leaf):
                found.setdefault(rev, []).append(leaf)
        return found


@dataclass(frozen=True, slots=True)
class Missing:
    """Which of the asked revisions of a document are not here, and the leaves that may be their ancestors."""

    revs: tuple[RevisionId, ...]
    possible_ancestors: tuple[RevisionId, ...]


async def branches(
    connection: AsyncConnection, sql: Statements, database: str, ids: Collection[str]
) -> dict[str, Branches]:
    """Return the branches of those documents that are here, by id."""
    parents: dict[str, dict[RevisionId, RevisionId | None]] = {}
    held: dict[str, dict[RevisionId, bool]] = {}
    rows = await connection.execute(sql.revisions_of, {"database": database, "ids": sql.ids(ids)})
    # All at once: asked for one by one, each row takes a way through four layers.
    for doc_id, rev, parent, deleted, print_ in rows.all():
        parents.setdefault(doc_id, {})[rev] = parent
        if print_ is not None:
            held.setdefault(doc_id, {})[rev] = bool(deleted)
    return {doc_id: Branches(doc_id, Graph(of, held[doc_id])) for doc_id, of in parents.items() if doc_id in held}


async def contents(
    connection: AsyncConnection, sql: Statements, database: str, keys: Collection[Key]
) -> dict[Key, bytes]:
    """Return the canonical contents of those revisions that are here, by (document, revision)."""
    wanted = [key for key in keys if is_any_doc_id(key[0]) and key[1].isprintable()]
    if not wanted:
        return {}
    values: dict[str, object] = {"database": database}
    if sql.is_postgresql:
        values |= {"ids": [doc_id for doc_id, _ in wanted], "revs": [rev for _, rev in wanted]}
    else:
        values["keys"] = json.dumps(wanted)
    rows = await connection.execute(_ON_POSTGRESQL if sql.is_postgresql else _ON_SQLITE, values)
    return {(doc_id, rev): content for doc_id, rev, content in rows.all()}


async def missing(
    connection: AsyncConnection, sql: Statements, database: str, asked: Mapping[str, Sequence[RevisionId]]
) -> dict[str, Missing]:
    """Return what is not here of the asked revisions, by document; those of which all is here are left out.

    What waits in quarantine is here: a replica that sent it has done its part. A revision that paths only named is not.
    """
    here = await branches(connection, sql, database, asked)
    values = {"database": database, "ids": sql.ids(asked)}
    beside = {(row.doc_id, row.rev) for row in await connection.execute(sql.ids_beside_of, values)}
    found: dict[str, Missing] = {}
    for doc_id, revs in asked.items():
        of = here.get(doc_id)
        lacking = tuple(rev for rev in revs if (of is None or rev not in of.graph.held) and (doc_id, rev) not in beside)
        if lacking:
            found[doc_id] = Missing(lacking, _possible_ancestors(of, lacking))
    return found


async def lines_beside(
    connection: AsyncConnection, sql: Statements, database: str, wanted: Mapping[str, Collection[RevisionId]]
) -> dict[str, set[RevisionId]]:
    """Return the ancestors of those of these revisions that wait in quarantine, by document.

    Of a long line each piece names only so many: what the ones named there name counts too, where they wait as well.
    """
    found: dict[str, set[RevisionId]] = {}
    rows = (await connection.execute(sql.lines_beside_of, {"database": database, "ids": sql.ids(wanted)})).all()
    for doc_id, rev, ancestors in sorted(rows, key=lambda row: generation_of(row.rev), reverse=True):
        if rev in wanted[doc_id] or rev in found.get(doc_id, ()):
            found.setdefault(doc_id, set()).update(ancestors.split())
    return found


def _possible_ancestors(of: Branches | None, lacking: Sequence[RevisionId]) -> tuple[RevisionId, ...]:
    if of is None:
        return ()
    highest = max(map(generation_of, lacking))
    return tuple(leaf for leaf in of.leaves if generation_of(leaf) < highest)

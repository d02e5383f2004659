"""The revisions of one document as a set of nodes and a set of edges to parents.

The graph is whatever the union of all paths ever named says, so the order of arrival cannot matter (I4). CouchDB keeps
a tree of paths and merges each new path into it; where histories are truncated the result depends on which came first
(153 of 20,000 random trees diverged). Here a path adds the nodes that were missing and the edges that were missing, and
changes none: a revision has one parent, the one that it names itself; before it is here itself, the first that a path
named.

A node is *held* when the revision itself is here; otherwise a path only named it. A named node always has a child, so
every leaf is held. Besides its parent a revision may name others that it brings together, in `merged`: these edges make
no ancestors and no leaf less, since no other replica knows of them, but *reaches* means over both kinds. `Graph` is a
value: adding gives a new one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sync.revisions.revision_id import RevisionId, generation_of, rank


@dataclass(frozen=True, slots=True)
class Graph:
    """Parents by revision id (None where there is none or none is known), and tombstone flags of the held ones.

    `merged` has what revisions bring together, for those that do and whose bodies have been read.
    """

    parents: Mapping[RevisionId, RevisionId | None] = field(default_factory=dict)
    held: Mapping[RevisionId, bool] = field(default_factory=dict)
    merged: Mapping[RevisionId, Sequence[RevisionId]] = field(default_factory=dict)

    def adding(
        self,
        revision: RevisionId,
        ancestors: Sequence[RevisionId],
        *,
        deleted: bool,
        merged: Sequence[RevisionId] = (),
    ) -> "Graph":
        """Return the graph that also holds `revision`, and what its path (parent first) adds about ancestors."""
        parents = self._parents_with(revision, ancestors)
        if ancestors:
            parents[revision] = ancestors[0]
        edges = {**self.merged, revision: tuple(merged)} if merged else self.merged
        return Graph(parents, {**self.held, revision: deleted}, edges)

    def naming(self, revision: RevisionId, ancestors: Sequence[RevisionId]) -> "Graph":
        """Return the graph with only what the path of a known `revision` adds about ancestors."""
        parents = self._parents_with(revision, ancestors)
        return self if parents == self.parents else Graph(parents, self.held, self.merged)

    def leaves(self) -> tuple[RevisionId, ...]:
        """Return the revisions that nothing follows, winner first, tombstones included."""
        followed = set(self.parents.values())
        leaves = [revision for revision in self.held if revision not in followed]
        return tuple(sorted(leaves, key=lambda leaf: rank(leaf, deleted=self.held[leaf]), reverse=True))

    @property
    def leaf_count(self) -> int:
        """Return how many leaves there are, tombstones included."""
        return len(self.leaves())

    @property
    def highest(self) -> int:
        """Return the greatest generation that is held, 0 for an empty graph."""
        return max(map(generation_of, self.held), default=0)

    def is_leaf(self, revision: RevisionId) -> bool:
        """Whether a revision is held and nothing follows it."""
        return revision in self.held and revision not in self.parents.values()

    def winner(self) -> RevisionId | None:
        """Return the greatest leaf by (not deleted, generation, hash); None of an empty graph."""
        leaves = self.leaves()
        return leaves[0] if leaves else None

    def ancestors(self, revision: RevisionId) -> tuple[RevisionId, ...]:
        """Return the known line of `revision`, parent first; it may end before generation 1."""
        line: dict[RevisionId, None] = {}
        parent = self.parents.get(revision)
        # A forged path could close a circle where generations are not checked; a line never visits a revision twice.
        while parent is not None and parent not in line:
            line[parent] = None
            parent = self.parents.get(parent)
        return tuple(line)

    def sources(self, revision: RevisionId) -> tuple[RevisionId, ...]:
        """Return the revisions that this one was made of: its parent, and those that it brings together besides."""
        parent = self.parents.get(revision)
        return (*(() if parent is None else (parent,)), *self.merged.get(revision, ()))

    def reached(self, revisions: Collection[RevisionId]) -> frozenset[RevisionId]:
        """Return what these revisions reach over parents and `merged` edges, themselves included."""
        found = set(revisions)
        ahead = list(found)
        while ahead:
            revision = ahead.pop()
            # As in `sources`, which costs a call for each revision of each merge.
            parent = self.parents.get(revision)
            for next_ in (*self.merged.get(revision, ()), *(() if parent is None else (parent,))):
                # Edges that a forger closed to a circle end here as well.
                if next_ not in found:
                    found.add(next_)
                    ahead.append(next_)
        return frozenset(found)

    def only(self, revisions: Collection[RevisionId]) -> "Graph":
        """Return the part of the graph that these revisions make, which must reach nothing else."""
        return Graph(
            {each: parent for each, parent in self.parents.items() if each in revisions},
            {each: deleted for each, deleted in self.held.items() if each in revisions},
            {each: named for each, named in self.merged.items() if each in revisions},
        )

    def counting_leaves(self, resolved: Collection[RevisionId] = ()) -> tuple[RevisionId, ...]:
        """Return the leaves that count for merging and against the limit, winner first.

        They are the live ones, and the tombstones that no live leaf reaches unless they are `resolved`: put by a
        machine on a branch that a merge took in.
        """
        leaves = self.leaves()
        dead = [leaf for leaf in leaves if self.held[leaf] and leaf not in resolved]
        if not dead:
            return tuple(leaf for leaf in leaves if not self.held[leaf])
        reached = self.reached([leaf for leaf in leaves if not self.held[leaf]])
        asked = set(dead) - reached
        return tuple(leaf for leaf in leaves if not self.held[leaf] or leaf in asked)

    def _parents_with(
        self, revision: RevisionId, ancestors: Sequence[RevisionId]
    ) -> dict[RevisionId, RevisionId | None]:
        parents = dict(self.parents)
        line: list[RevisionId | None] = [revision, *ancestors, None]
        for child, parent in pairwise(line):
            if child is not None and parents.get(child) is None:
                parents[child] = parent
        return parents

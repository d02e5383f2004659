"""The revisions of one document as a set of nodes and a set of edges to parents.

The graph is whatever the union of all paths ever named says, so the order of arrival cannot matter (I4). CouchDB keeps
a tree of paths and merges each new path into it; where histories are truncated the result depends on which came first
(153 of 20,000 random trees diverged). Here a path adds the nodes that were missing and the edges that were missing, and
changes none: a revision has one parent, the one that it names itself; before it is here itself, the first that a path
named.

A node is *held* when the revision itself is here; otherwise a path only named it. A named node always has a child, so
every leaf is held. `Graph` is a value: adding gives a new one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sync.revision import RevisionId, rank


@dataclass(frozen=True, slots=True)
class Graph:
    """Parents by revision id (None where there is none or none is known), and tombstone flags of the held ones."""

    parents: Mapping[RevisionId, RevisionId | None] = field(default_factory=dict)
    held: Mapping[RevisionId, bool] = field(default_factory=dict)

    def adding(self, revision: RevisionId, ancestors: Sequence[RevisionId], *, deleted: bool) -> "Graph":
        """Return the graph that also holds `revision`, and what its path (parent first) adds about ancestors."""
        parents = self._parents_with(revision, ancestors)
        if ancestors:
            parents[revision] = ancestors[0]
        return Graph(parents, {**self.held, revision: deleted})

    def naming(self, revision: RevisionId, ancestors: Sequence[RevisionId]) -> "Graph":
        """Return the graph with only what the path of a known `revision` adds about ancestors."""
        parents = self._parents_with(revision, ancestors)
        return self if parents == self.parents else Graph(parents, self.held)

    def leaves(self) -> tuple[RevisionId, ...]:
        """Return the revisions that nothing follows, winner first, tombstones included."""
        followed = set(self.parents.values())
        leaves = [revision for revision in self.held if revision not in followed]
        return tuple(sorted(leaves, key=lambda leaf: rank(leaf, deleted=self.held[leaf]), reverse=True))

    def winner(self) -> RevisionId | None:
        """Return the greatest leaf by (not deleted, generation, hash); None of an empty graph."""
        leaves = self.leaves()
        return leaves[0] if leaves else None

    def ancestors(self, revision: RevisionId) -> tuple[RevisionId, ...]:
        """Return the known line of `revision`, parent first; it may end before generation 1."""
        line: list[RevisionId] = []
        parent = self.parents.get(revision)
        # A forged path could close a circle where generations are not checked; a line never visits a revision twice.
        while parent is not None and parent not in line:
            line.append(parent)
            parent = self.parents.get(parent)
        return tuple(line)

    def _parents_with(
        self, revision: RevisionId, ancestors: Sequence[RevisionId]
    ) -> dict[RevisionId, RevisionId | None]:
        parents = dict(self.parents)
        line: list[RevisionId | None] = [revision, *ancestors, None]
        for child, parent in pairwise(line):
            if child is not None and parents.get(child) is None:
                parents[child] = parent
        return parents

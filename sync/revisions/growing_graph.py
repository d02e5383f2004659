"""A graph that grows in place, for whoever adds many revisions to one document.

`Graph.adding` copies what stands, so that a thousand edits of one document would cost a thousand times a thousand. Here
each costs what its path names. It answers whatever a `Graph` does, at the moment at which it is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId, generation_of, rank


@dataclass(frozen=True, slots=True)
class PathNews:
    """What a path told: ancestors that nobody had named, and revisions whose parent nobody had.

    `ends_leaf`: whether one of the path's revisions was a leaf before.
    """

    named: Sequence[RevisionId]
    filled: Sequence[RevisionId]
    ends_leaf: bool


#: What a revision without a path tells.
NO_NEWS = PathNews((), (), ends_leaf=False)
EMPTY = Graph()
#: A `Graph` is a value, whose attributes nobody sets.
_set = object.__setattr__


class GrowingGraph(Graph):
    """A `Graph` whose revisions become more; it begins with those of another one, which it leaves as it is."""

    __slots__ = ("_followers", "_highest", "_leaves")

    parents: dict[RevisionId, RevisionId | None]
    held: dict[RevisionId, bool]
    merged: dict[RevisionId, Sequence[RevisionId]]

    def __init__(self, of: Graph = EMPTY) -> None:
        """Begin with what `of` holds."""
        parents, held = dict(of.parents), dict(of.held)
        followers: dict[RevisionId, int] = {}
        for parent in parents.values():
            if parent is not None:
                followers[parent] = followers.get(parent, 0) + 1
        _set(self, "parents", parents)
        _set(self, "held", held)
        _set(self, "merged", dict(of.merged))
        _set(self, "_followers", followers)
        _set(self, "_leaves", {each: None for each in held if each not in followers})
        _set(self, "_highest", max(map(generation_of, held), default=0) if held else 0)

    def add(
        self,
        revision: RevisionId,
        ancestors: Sequence[RevisionId],
        *,
        deleted: bool,
        merged: Sequence[RevisionId] = (),
    ) -> PathNews:
        """Hold `revision` as well, and return what its path (parent first) adds about ancestors; see `Graph.adding`."""
        news = self.name(revision, ancestors)
        if ancestors and self.parents[revision] != ancestors[0]:
            self._unfollow(self.parents[revision])
            self._follow(revision, ancestors[0])
        if merged:
            self.merged[revision] = tuple(merged)
        self.held[revision] = deleted
        _set(self, "_highest", max(self._highest, generation_of(revision)))
        if revision not in self._followers:
            self._leaves[revision] = None
        return news

    def name(self, revision: RevisionId, ancestors: Sequence[RevisionId]) -> PathNews:
        """Add what the path of `revision` tells about ancestors, and return what that is; see `Graph.naming`."""
        if not ancestors:
            self.parents.setdefault(revision, None)
            return NO_NEWS
        named: list[RevisionId] = []
        filled: list[RevisionId] = []
        leaves = len(self._leaves)
        line: list[RevisionId | None] = [revision, *ancestors, None]
        for child, parent in pairwise(line):
            assert child is not None
            if child not in self.parents:
                if child != revision:
                    named.append(child)
                self._follow(child, parent)
            elif parent is not None and self.parents[child] is None:
                filled.append(child)
                self._follow(child, parent)
        return PathNews(named, filled, ends_leaf=len(self._leaves) < leaves)

    def leaves(self) -> tuple[RevisionId, ...]:
        """Return the revisions that nothing follows, winner first, tombstones included."""
        if len(self._leaves) < 2:
            return tuple(self._leaves)
        return tuple(sorted(self._leaves, key=lambda leaf: rank(leaf, deleted=self.held[leaf]), reverse=True))

    @property
    def leaf_count(self) -> int:
        """Return how many leaves there are, tombstones included."""
        return len(self._leaves)

    @property
    def highest(self) -> int:
        """Return the greatest generation that is held, 0 for an empty graph."""
        return self._highest

    def is_leaf(self, revision: RevisionId) -> bool:
        """Whether a revision is held and nothing follows it."""
        return revision in self._leaves

    def _follow(self, child: RevisionId, parent: RevisionId | None) -> None:
        self.parents[child] = parent
        if parent is not None:
            self._followers[parent] = self._followers.get(parent, 0) + 1
            self._leaves.pop(parent, None)

    def _unfollow(self, parent: RevisionId | None) -> None:
        if parent is None:
            return
        self._followers[parent] -= 1
        if not self._followers[parent]:
            del self._followers[parent]
            if parent in self.held:
                self._leaves[parent] = None

    _followers: dict[RevisionId, int]
    _leaves: dict[RevisionId, None]
    _highest: int

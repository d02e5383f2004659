"""A plain replica, as CouchDB is one: another department's database, which knows nothing of records, people or seals.

It keeps a tree of revisions per document, shows one row a document at its latest sequence, and forgets all but the last
few ancestors of what it sends on (`revs_limit`), so that histories arrive elsewhere with their beginnings cut off. It
takes no part of the code under test but the shape of revision ids.
"""

import hashlib
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Travelling:
    """A revision between two replicas, with its line as the sender knows it."""

    doc_id: str
    rev: str
    ancestors: tuple[str, ...]
    deleted: bool
    content: bytes


@dataclass(slots=True)
class Tree:
    """One document: parents of every revision named, and contents of those that are here."""

    parents: dict[str, str | None] = field(default_factory=dict)
    held: dict[str, tuple[bool, bytes]] = field(default_factory=dict)
    seq: int = 0

    def leaves(self) -> list[str]:
        """Return the revisions that none follows, winner first."""
        followed = set(self.parents.values())
        leaves = [rev for rev in self.held if rev not in followed]
        return sorted(leaves, key=self._order, reverse=True)

    def line(self, rev: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` ancestors, parent first."""
        line: list[str] = []
        parent = self.parents.get(rev)
        while parent is not None and len(line) < limit:
            line.append(parent)
            parent = self.parents.get(parent)
        return tuple(line)

    def _order(self, rev: str) -> tuple[bool, int, str]:
        generation, _, digest = rev.partition("-")
        return not self.held[rev][0], int(generation), digest


@dataclass(slots=True)
class Replica:
    """All of its databases. `revs_limit` is how many ancestors it passes on."""

    name: str
    revs_limit: int = 5
    trees: dict[str, dict[str, Tree]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    checkpoints: dict[str, str] = field(default_factory=dict)
    #: Parents that it has told another replica of, by database and document.
    told: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def put(self, database: str, one: Travelling) -> bool:
        """Keep a revision as it came; return whether it was new."""
        tree = self.trees.setdefault(database, {}).setdefault(one.doc_id, Tree())
        before = tree.leaves()
        line: list[str | None] = [one.rev, *one.ancestors, None]
        for child, parent in pairwise(line):
            if child is not None and tree.parents.get(child) is None:
                tree.parents[child] = parent
        is_new = one.rev not in tree.held
        if is_new:
            tree.held[one.rev] = (one.deleted, one.content)
        if is_new or tree.leaves() != before:
            self.sequences[database] = tree.seq = self.sequences.get(database, 0) + 1
        return is_new

    def content_of(self, database: str, doc_id: str) -> dict[str, Any]:
        """Return what the winner says; nothing where the document is not here."""
        tree = self.trees.get(database, {}).get(doc_id)
        return {} if tree is None else dict(json.loads(tree.held[tree.leaves()[0]][1]))

    def edit(self, database: str, doc_id: str, content: bytes, *, deleted: bool = False) -> Travelling | None:
        """Edit the winner as CouchDB would, under an id by its own rules; None where the document is not here."""
        tree = self.trees.get(database, {}).get(doc_id)
        if tree is None:
            return None
        parent = tree.leaves()[0]
        digest = hashlib.md5(f"{self.name} {doc_id} {parent} {deleted}".encode() + content, usedforsecurity=False)
        rev = f"{int(parent.partition('-')[0]) + 1}-{digest.hexdigest()}"
        made = Travelling(doc_id, rev, (parent, *tree.line(parent, self.revs_limit)), deleted, content)
        self.put(database, made)
        return made

    def copy(self) -> Self:
        """Return one that can go on by itself: a backup."""
        trees = {
            database: {doc_id: Tree(dict(tree.parents), dict(tree.held), tree.seq) for doc_id, tree in of.items()}
            for database, of in self.trees.items()
        }
        return type(self)(self.name, self.revs_limit, trees, dict(self.sequences), dict(self.checkpoints))

"""Machine merges: revisions that a server's follower made of several branches, with which no person said anything.

Such a revision brings in what its parent lacks, says nothing itself, and has its content's own hash for an id: every
server would have made the same.
"""

from collections.abc import Callable, Collection, Mapping

from sync.revisions.canonical import Json
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId, revision_id


def merges_branches(
    doc_id: str,
    rev: RevisionId,
    parent: RevisionId | None,
    content: Mapping[str, Json],
    *,
    merged: Collection[RevisionId],
    graph: Graph,
    body: Callable[[], bytes],
) -> bool:
    """Whether a machine made this living revision; `merged` are those that it names besides its parent.

    `body` gives its canonical content.
    """
    if not merged or not says_nothing_itself(content) or not brings_in(merged, parent, graph):
        return False
    return rev == revision_id(doc_id, deleted=False, parent=parent, content=body())


def says_nothing_itself(content: Mapping[str, Json]) -> bool:
    """Whether nobody saved, decided or undid with a revision of this content."""
    return "saved" not in content and not content.get("decided") and not content.get("undoes")


def brings_in(merged: Collection[RevisionId], parent: RevisionId | None, graph: Graph) -> bool:
    """Whether a revision that names these besides its parent brings in what the parent lacks.

    What only repeats its parent's `merged`, as a library that reads, changes and writes does, is an edit.
    """
    named = frozenset(merged)
    return bool(named) and not named <= graph.reached([] if parent is None else [parent])

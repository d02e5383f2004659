"""Machine merges: revisions that a server's follower made of several branches, with which no person said anything."""

from collections.abc import Callable, Iterable, Mapping

from sync.revisions.canonical import Json
from sync.revisions.graph import Graph
from sync.revisions.revision_id import RevisionId, revision_id


def merges_branches(
    doc_id: str,
    rev: RevisionId,
    parent: RevisionId | None,
    content: Mapping[str, Json],
    *,
    merged: Iterable[RevisionId],
    graph: Graph,
    body: Callable[[], bytes],
) -> bool:
    """Whether nobody saved, decided or undid with this living revision and it brings in what its parent lacks.

    `merged` are the revisions that it names besides its parent, `body` gives its canonical content. What only repeats
    its parent's `merged`, as a library that reads, changes and writes does, is an edit. The id must be the content's
    own hash: every server would have made the same.
    """
    named = frozenset(merged)
    if not named or "saved" in content or content.get("decided") or content.get("undoes"):
        return False
    if named <= graph.reached([] if parent is None else [parent]):
        return False
    return rev == revision_id(doc_id, deleted=False, parent=parent, content=body())

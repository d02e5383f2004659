"""What all edits of a document say together, what a person must settle, and how its branches are closed.

`combine` reads a document as a register for every field: the candidates of a field are the edits of it from which no
later edit of it descends, over parents and `merged`. `sync.policy` says what stands of several. Everything is a pure
function of the revisions and the forms: no clock, no name of who merges, no order of arrival, so that servers that
merge alone agree (I4); an edit is in the result, superseded by one that knew it, or a candidate in an open question
(I5); what a person decided changes only by an edit that did not know it (I6).

`close` says what the follower writes: nothing; or, where one live leaf knows all edits, resolved tombstones on the
other live ones; or one machine merge, child of the winner, and tombstones. Without the first rule servers in a ring go
on merging each other's merges for ever.

A question of several choices has its lists as values of candidates, a row the row itself. While it is open whether a
record or a row is deleted, the record lives, and of the row the greatest candidate stands; cells of a row that is not
there are neither fields nor questions.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from sync.canonical import Json, canonical
from sync.combination import Combined, FieldOutcome, combined, value_before
from sync.document import (
    RESOLVED,
    Checked,
    Content,
    Document,
    Forms,
    Revision,
    Waiting,
    counting_leaves,
    is_machine_merge,
    is_resolved_tombstone,
)
from sync.fields import of_record
from sync.history import History, read
from sync.policy import Candidate, Cause, How
from sync.revision import RESOLVED_TOMBSTONE, RevisionId, revision_id
from sync.shape import ABSENT, Path, Value

__all__ = [
    "Candidate",
    "Cause",
    "Checked",
    "Closing",
    "Combined",
    "Document",
    "FieldOutcome",
    "Forms",
    "How",
    "NewRev",
    "Reconciled",
    "Revision",
    "Waiting",
    "base_value",
    "close",
    "combine",
    "counting_leaves",
    "edits_of",
    "is_machine_merge",
    "is_resolved_tombstone",
    "reconcile",
    "taken_back",
]


@dataclass(frozen=True, slots=True)
class NewRev:
    """A revision to be written; the same bytes on every server: `data` is its content in canonical form."""

    doc_id: str
    rev: RevisionId
    parent: RevisionId
    deleted: bool
    content: Content
    data: bytes


@dataclass(frozen=True, slots=True)
class Closing:
    """What closes a document's branches, to be written in one batch."""

    merge: NewRev | None
    tombstones: tuple[NewRev, ...]

    @property
    def revisions(self) -> tuple[NewRev, ...]:
        """Return them all in the order of writing: the merge first, it is what takes the others in."""
        return self.tombstones if self.merge is None else (self.merge, *self.tombstones)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A document as all its edits have it, and what closes its branches; `closing` None where there is one."""

    combined: Combined
    closing: Closing | None


def combine(document: Document, forms: Forms) -> Combined | Waiting:
    """Return what all edits of a document say together; what it waits for where that cannot be known."""
    winner = document.graph.winner()
    leaves = counting_leaves(document)
    if winner is not None and document.graph.held[winner]:
        return Combined({}, {}, {}, winner, leaves, is_deleted=True)
    history = read(document, forms, leaves)
    if isinstance(history, Waiting):
        return history
    return combined(history, forms)


def close(document: Document, forms: Forms) -> Closing | Waiting | None:
    """Return what closes the branches; None where there is nothing to close."""
    leaves = counting_leaves(document)
    if len(leaves) < 2 or document.graph.held[leaves[0]]:
        return None
    history = read(document, forms, leaves)
    if isinstance(history, Waiting):
        return history
    return _closing(history, lambda: combined(history, forms))


def reconcile(document: Document, forms: Forms) -> Reconciled | Waiting:
    """Return what `combine` and `close` say, for the price of one of them."""
    leaves = counting_leaves(document)
    if not leaves or document.graph.held[leaves[0]]:
        together = combine(document, forms)
        return together if isinstance(together, Waiting) else Reconciled(together, None)
    history = read(document, forms, leaves)
    if isinstance(history, Waiting):
        return history
    together = combined(history, forms)
    return Reconciled(together, _closing(history, lambda: together) if len(leaves) > 1 else None)


def taken_back(document: Document, decision: RevisionId, forms: Forms) -> Combined | Waiting:
    """Return what stands once a decision is taken back, which is what the undo has to hold beside its `undoes`."""
    together = combine(document, forms)
    if isinstance(together, Waiting):
        return together
    content = _last_said(document, together.winner) if together.is_deleted else together.content
    return combine(document.following(together.winner, {**content, "undoes": [decision]}).document, forms)


def edits_of(document: Document, forms: Forms) -> Mapping[RevisionId, Mapping[Path, Value]] | Waiting:
    """Return the fields that each edit changed or decided, of those since the last that everybody knew."""
    history = read(document, forms)
    return history if isinstance(history, Waiting) else {edit.rev: edit.changes for edit in history.edits}


def base_value(document: Document, path: Path, candidates: Collection[RevisionId], forms: Forms) -> Value:
    """Return what a field was in the nearest revision here that all candidates knew; ABSENT if there is none."""
    history = read(document, forms)
    return ABSENT if isinstance(history, Waiting) else value_before(history, path, candidates)


def _closing(history: History, together: Callable[[], Combined]) -> Closing:
    document, leaves = history.document, history.leaves
    live = [leaf for leaf in leaves if not document.graph.held[leaf]]
    everything = 0
    for leaf in leaves:
        everything |= history.knows[leaf]
    knowing = [leaf for leaf in leaves if history.knows[leaf] == everything]
    if knowing:
        # A deletion that knows all edits stays as well as a live leaf does; then no live one is left.
        alive = [leaf for leaf in knowing if leaf in live]
        stays = alive[0] if alive else None
        if len(alive) > 1:
            # A merge made where a body was missing may know all and yet say otherwise than they do together.
            said = together().content
            stays = next((leaf for leaf in alive if of_record(document.revisions[leaf].content) == said), stays)
        return Closing(None, _tombstones(document, [leaf for leaf in live if leaf != stays]))
    winner, *others = leaves
    stands = together()
    content: dict[str, Json] = {**stands.content, "merged": sorted(others)}
    if stands.open:
        content["open"] = {path: list(candidates) for path, candidates in stands.open.items()}
    merge = _new(document, winner, content, deleted=False)
    return Closing(merge, _tombstones(document, [leaf for leaf in live if leaf != winner]))


def _last_said(document: Document, deleted: RevisionId) -> Content:
    """Return what a deleted record held before."""
    known = (document.revisions.get(rev) for rev in document.graph.ancestors(deleted))
    return next((each.content for each in known if each is not None and not each.deleted), {})


def _new(document: Document, parent: RevisionId, content: Content, *, deleted: bool) -> NewRev:
    data = RESOLVED_TOMBSTONE if content is RESOLVED else canonical(content)
    rev = revision_id(document.doc_id, deleted=deleted, parent=parent, content=data)
    return NewRev(document.doc_id, rev, parent, deleted, content, data)


def _tombstones(document: Document, leaves: Iterable[RevisionId]) -> tuple[NewRev, ...]:
    return tuple(_new(document, leaf, RESOLVED, deleted=True) for leaf in leaves)

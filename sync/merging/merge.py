"""The merge of all edits of a document, the questions left to a person, and the closing of its branches.

`combine` reads a document as a register for every field: the candidates of a field are the edits of it from which no
later edit of it descends, over parents and `merged`. `sync.merging.policy` says what stands of several. Everything is a
pure function of the revisions and the forms: no clock, no name of who merges, no order of arrival, so that servers that
merge alone agree (I4); an edit is in the result, superseded by one that knew it, or a candidate in an open question
(I5); what a person decided changes only by an edit that did not know it (I6).

`close` says what the follower writes: nothing; or, where one live leaf knows all edits, resolved tombstones on the
other live ones; or, where all say that the record is gone, tombstones on all live ones; or one machine merge, child of
the winner, and tombstones. Without the first rule servers in a ring go
on merging each other's merges for ever.

A merge that is here may say otherwise than what it brought together does: its server lacked a body then, or a forger
made it. Where all that it rests on is here, it is made again as it should have been, and a merge of the two, child of
the leaf that stays, says what all edits say. Which leaf stays is never judged by what it says: servers that judge
differently, because one lacks a body, would each end the other's, and none would be left.

A question of several choices has its lists as values of candidates, a row the row itself. While it is open whether a
record or a row is deleted, the record lives, and of the row the greatest candidate stands; cells of a row that is not
there are neither fields nor questions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.merging.causal_history import CausalHistory, read
from sync.merging.document import (
    RESOLVED,
    Checked,
    Content,
    Document,
    Forms,
    Revision,
    WaitingMerge,
    counting_leaves,
    is_machine_merge,
    is_resolved_tombstone,
)
from sync.merging.field_schema import Path, Value
from sync.merging.policy import Candidate, Cause, How
from sync.merging.resolution import Combined, FieldOutcome, combined
from sync.revisions.canonical import Json, canonical
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, RevisionId, rank, revision_id

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
    "WaitingMerge",
    "close",
    "combine",
    "counting_leaves",
    "edits_of",
    "is_machine_merge",
    "is_resolved_tombstone",
    "reconcile",
    "taken_back",
]


#: How often merges of the same edits are made again on top of each other.
CORRECTIONS = 3


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
    """The revisions that close a document's branches, to be written in one batch.

    `again` are wrong merges as they should have been, where they are not here; then `merge` takes them in.
    """

    merge: NewRev | None
    tombstones: tuple[NewRev, ...]
    again: tuple[NewRev, ...] = ()

    @property
    def revisions(self) -> tuple[NewRev, ...]:
        """Return them all in the order of writing: what a merge takes in, the merge, the ends of the other branches."""
        return (*self.again, *(() if self.merge is None else (self.merge,)), *self.tombstones)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A document as all its edits have it, and what closes its branches; `closing` None where there is one."""

    combined: Combined
    closing: Closing | None


def combine(document: Document, forms: Forms) -> Combined | WaitingMerge:
    """Return what all edits of a document say together; what it waits for where that cannot be known."""
    winner = document.graph.winner()
    leaves = counting_leaves(document)
    if winner is not None and document.graph.held[winner]:
        return Combined({}, {}, {}, winner, leaves, is_deleted=True)
    history = read(document, forms, leaves)
    if isinstance(history, WaitingMerge):
        return history
    return combined(history, forms)


def close(document: Document, forms: Forms) -> Closing | WaitingMerge | None:
    """Return what closes the branches; None where there is nothing to close."""
    leaves = counting_leaves(document)
    if not leaves or document.graph.held[leaves[0]] or (len(leaves) == 1 and not document.graph.merged):
        return None
    history = read(document, forms, leaves)
    if isinstance(history, WaitingMerge):
        return history
    return _closing(history, forms, lambda: combined(history, forms))


def reconcile(document: Document, forms: Forms) -> Reconciled | WaitingMerge:
    """Return what `combine` and `close` say, for the price of one of them."""
    leaves = counting_leaves(document)
    if not leaves or document.graph.held[leaves[0]]:
        together = combine(document, forms)
        return together if isinstance(together, WaitingMerge) else Reconciled(together, None)
    history = read(document, forms, leaves)
    if isinstance(history, WaitingMerge):
        return history
    together = combined(history, forms)
    return Reconciled(together, _closing(history, forms, lambda: together))


def taken_back(document: Document, decisions: Sequence[RevisionId], forms: Forms) -> Combined | WaitingMerge:
    """Return what stands once decisions are taken back, which is what the undo has to hold beside its `undoes`.

    The undo must know the decisions and all that came beside them, so branches are closed before.
    """
    together = combine(document, forms)
    if isinstance(together, WaitingMerge):
        return together
    content = _last_said(document, together.winner) if together.is_deleted else together.content
    return combine(document.following(together.winner, {**content, "undoes": [*decisions]}).document, forms)


def edits_of(document: Document, forms: Forms) -> Mapping[RevisionId, Mapping[Path, Value]] | WaitingMerge:
    """Return the fields that each edit changed or decided, of those since the last that everybody knew."""
    history = read(document, forms)
    return history if isinstance(history, WaitingMerge) else {edit.rev: edit.changes for edit in history.edits}


def _closing(history: CausalHistory, forms: Forms, together: Callable[[], Combined]) -> Closing | None:
    document, leaves = history.document, history.leaves
    live = [leaf for leaf in leaves if not document.graph.held[leaf]]
    everything = 0
    for leaf in leaves:
        everything |= history.knows[leaf]
    knowing = [leaf for leaf in leaves if history.knows[leaf] == everything]
    if not knowing:
        stands = together()
        if stands.is_deleted:
            return Closing(None, _tombstones(document, live))
        winner, *others = leaves
        merge = _merge(document, winner, others, stands)
        return Closing(merge, _tombstones(document, [leaf for leaf in live if leaf != winner]))
    # A deletion that knows all edits stays as well as a live leaf does; then no live one is left.
    stays = next((leaf for leaf in knowing if leaf in live), None)
    ends = [leaf for leaf in live if leaf != stays]
    again = [] if stays is None else _made_again(history, stays, forms)
    if stays is None or not again:
        return Closing(None, _tombstones(document, ends)) if ends else None
    new = tuple(each for each in again if each.rev not in document.graph.held)
    merge = _merge(document, stays, [each.rev for each in again], together())
    return Closing(merge, _tombstones(document, [*ends, *(each.rev for each in new)]), new)


def _made_again(history: CausalHistory, leaf: RevisionId, forms: Forms) -> list[NewRev]:
    """Return as they should have been the merges that a leaf rests on and that say otherwise.

    A merge that says what it should answers for all that it reaches. Servers whose forms judge differently must not
    correct each other for ever: beyond `CORRECTIONS` without an edit in between, the last one stands.
    """
    document = history.document
    if not document.graph.merged:
        return []
    reached = document.graph.reached([leaf])
    merges = [each for each in document.graph.merged if each in reached and each in document.revisions]
    merges = [each for each in merges if is_machine_merge(document, each)]
    if sum(history.knows[merge] == history.knows[leaf] for merge in merges) > CORRECTIONS:
        return []
    again: list[NewRev] = []
    answered: set[RevisionId] = set()
    for merge in sorted(merges, key=lambda rev: rank(rev, deleted=False), reverse=True):
        if merge not in answered:
            answered |= document.graph.reached([merge])
            made = _as_it_should_be(document, merge, forms)
            if made is not None and made.rev != merge and made.rev not in reached:
                again.append(made)
    return again


def _as_it_should_be(document: Document, merge: RevisionId, forms: Forms) -> NewRev | None:
    """Return what a merge of these revisions says; None where not all that they rest on is here to judge by."""
    parent, named = document.revisions[merge].parent, document.graph.merged[merge]
    if parent is None or document.graph.held.get(parent, True):
        return None
    history = read(document.reached((parent, *named)), forms)
    if isinstance(history, WaitingMerge) or any(edit.lacks_parent for edit in history.edits):
        return None
    return _merge(document, parent, named, combined(history, forms))


def _merge(document: Document, parent: RevisionId, others: Iterable[RevisionId], stands: Combined) -> NewRev:
    content: dict[str, Json] = {**stands.content, "merged": sorted(others)}
    if stands.open:
        content["open"] = {path: list(candidates) for path, candidates in stands.open.items()}
    return _new(document, parent, content, deleted=False)


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

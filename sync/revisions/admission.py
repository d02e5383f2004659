"""Admission: one table decides about an arriving revision, read from the top.

    the revision …                                              becomes
    has no proper id, or its path skips generations             refused       malformed
    is new, and its id is not the hash of what it says          refused       id_mismatch
    is known with the same content, flag and parent             duplicate     (so is what a person has let in)
    waits in quarantine with the same content                   quarantined   for the reason it waits for
    is known or waits with other content, flag or parent        quarantined   known_id_other_content
    was held back by the door                                   quarantined   unknown_form, misfit_answers, …
    closes a branch that nothing here has taken in              quarantined   waits_for_merge
    is a machine's merge of what is not all here                quarantined   waits_for_inputs
    is far ahead of every generation known of its document      quarantined   forged_generation
    would be one leaf too many                                  quarantined   too_many_leaves
    none of these                                               stored

Refusing is for what cannot be kept at all: an offline replica takes a refusal as "do not send again", so whatever can
be kept is kept, in quarantine, until a person has looked. A broken constraint or an edit of a deleted record is no
reason here: the first is a flag on a stored record, the second an ordinary conflict.

Whatever its parent waits for, an edit is judged by what it says itself: it may have come before its parent, and what
was stored stays. What it repeats of a parent that may not say it, it may not say either (`sync.contract`).

A generation, a leaf too many and what its bringer may say only as a repetition are judged again when other revisions
of the document come (`REJUDGED`). What waits because its id stands for other content, or because of what it says or
who brought it, is not: other revisions change nothing about that. A form that comes does (`NewRevision.awaits`).

All this is for scopes. A database that takes anything has no quarantine (`decide_anything`): nobody looks after it, so
what waited there would be lost. It stores whatever hangs together, as a CouchDB does, with hashes of any text.

Two reasons wait for revisions and not for a person: nobody is shown them, nobody may let them in, and whoever edits
such a revision edits one that is not here. A resolved tombstone closes a branch only once a revision that stands in the
graph has taken that branch in, so that a forged one closes nothing; a machine's merge counts only beside all that it
was made of, since it is no edit and says nothing of its own. Both come in by themselves with what was missing. Every
machine writes them alike: one that a door held back, because of who brought it, keeps no machine from writing it. Nor
does what waits because its bringer may not say it (`sync.contract`) keep out whoever may.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sync.contract.members import SERVERS_ONLY, UNKNOWN_MEMBER
from sync.contract.reasons import REASONS, OutcomeName
from sync.revisions.graph import Graph
from sync.revisions.machine_merge import brings_in
from sync.revisions.revision_id import (
    RESOLVED_TOMBSTONE,
    RevisionId,
    fingerprint,
    generation_of,
    is_any_revision_id,
    is_revision_id,
)

#: A revision this far above the greatest known generation of its document was not written by editing it: CouchDB
#: itself names at most so many ancestors. Without a cap, one forged "999999999-…" wins every conflict for ever.
MAX_GENERATION_JUMP = 1000
MAX_LEAVES = 20
MAX_DOC_ID_CHARACTERS = 200
#: Where anything is taken: with a database and a hash beside it, an index of PostgreSQL holds no longer one.
MAX_ANY_DOC_ID_BYTES = 2000

WAITS_FOR_MERGE = "waits_for_merge"
WAITS_FOR_INPUTS = "waits_for_inputs"
FORGED = "forged_generation"
#: Given by earlier releases alone: a server that starts judges such edits again by what they say themselves.
PARENT_QUARANTINED = "parent_quarantined"
TOO_MANY_LEAVES = "too_many_leaves"
#: What its bringer may not say, unless it stands in what came before.
CLAIMED: frozenset[str] = frozenset({SERVERS_ONLY, UNKNOWN_MEMBER})
#: The reasons that wait for revisions only: nobody is shown them. All others wait for a person.
PASSING = frozenset({WAITS_FOR_MERGE, WAITS_FOR_INPUTS})
#: The reasons that are judged again when other revisions of the document come, so that no verdict depends on the order
#: of arrival: a replica that pulls brings leaves before their ancestors.
REJUDGED = PASSING | CLAIMED | {FORGED, PARENT_QUARANTINED, TOO_MANY_LEAVES}
#: The reasons that a door judges again, when what it waits for has come.
JUDGED_BY_DOORS = frozenset(reason for reason, kind in REASONS.items() if kind.waits_for == "form")
assert {reason for reason, kind in REASONS.items() if kind.waits_for in ("revisions", "revisions only")} == REJUDGED


@dataclass(frozen=True, slots=True)
class Offer:
    """A revision as it comes in, without its text; `ancestors` parent first, `quarantine` what a door found.

    `fingerprint` stands for what it says. `has_own_id`: its id is the hash of that, or nobody asks. `merged` are the
    revisions that it brings together besides its parent; `is_by_machine` says that no person made it
    (`sync.revisions.machine_merge`).
    """

    doc_id: str
    rev: RevisionId
    ancestors: tuple[RevisionId, ...]
    deleted: bool
    fingerprint: bytes
    has_own_id: bool = True
    merged: tuple[RevisionId, ...] = ()
    is_by_machine: bool = False
    quarantine: str | None = None

    @property
    def parent(self) -> RevisionId | None:
        """Return the revision that this one edits, as it says itself."""
        return self.ancestors[0] if self.ancestors else None

    @property
    def may_be_by_machine(self) -> bool:
        """Whether this may be a machine's merge, or is the end that one puts on a branch."""
        return self.fingerprint == RESOLVED or bool(self.merged)


@dataclass(frozen=True, slots=True)
class DocumentState:
    """The stored state of one document: its graph, the fingerprints of held revisions, and what came beside the graph.

    `waiting` has the reasons of quarantined revisions by id and fingerprint; `settled` are those let in since.
    `merges` are the held revisions that machines made of others, for documents whose bodies have been read.
    """

    graph: Graph = field(default_factory=Graph)
    fingerprints: Mapping[RevisionId, bytes] = field(default_factory=dict)
    waiting: Mapping[tuple[RevisionId, bytes], str] = field(default_factory=dict)
    settled: Collection[tuple[RevisionId, bytes]] = ()
    merges: Collection[RevisionId] = ()

    def at(self, graph: Graph) -> "DocumentState":
        """Return the same state with another graph."""
        return DocumentState(graph, self.fingerprints, self.waiting, self.settled, self.merges)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome and, unless it is plain success, its reason; `is_new` when there is something to keep."""

    outcome: OutcomeName
    reason: str | None = None
    is_new: bool = False


STORED = Decision("stored", is_new=True)
DUPLICATE = Decision("duplicate")


RESOLVED = fingerprint(RESOLVED_TOMBSTONE, deleted=True)


def decide(offer: Offer, here: DocumentState) -> Decision:  # noqa: PLR0911 - a row of the table each
    """Return what becomes of `offer`, where `here` is what stands of its document."""
    if not is_well_formed(offer.doc_id, (offer.rev, *offer.ancestors), is_revision_id):
        return Decision("refused", "malformed")
    is_held = offer.rev in here.graph.held
    if not is_held and not offer.has_own_id:
        return Decision("refused", "id_mismatch")
    key = (offer.rev, offer.fingerprint)
    if (is_held and _says_the_same(offer, here)) or key in here.settled:
        return DUPLICATE
    if (reason := here.waiting.get(key)) is not None and not _is_entitled(offer, here, reason):
        return Decision("quarantined", reason)
    if is_held or any(rev == offer.rev and print_ != offer.fingerprint for rev, print_ in here.waiting):
        return Decision("quarantined", "known_id_other_content", is_new=True)
    if offer.quarantine is not None and offer.fingerprint != RESOLVED:
        return Decision("quarantined", offer.quarantine, is_new=True)
    if (passing := _waits_for(offer, here)) is not None:
        return Decision("quarantined", passing, is_new=reason is None)
    # An edit of what is held is one step ahead, however long the history: nothing needs to be counted.
    if offer.parent not in here.graph.held and is_forged(offer.rev, here.graph):
        return Decision("quarantined", FORGED, is_new=True)
    if _is_leaf_too_many(offer, here):
        return Decision("quarantined", TOO_MANY_LEAVES, is_new=True)
    return STORED


def decide_anything(doc_id: str, line: Sequence[RevisionId], here: DocumentState) -> Decision:
    """Return what becomes of a revision (the first of `line`, then its ancestors) where anything is taken.

    A known id stays what it is, as at a CouchDB.
    """
    if not is_any_doc_id(doc_id) or not is_line(line, is_any_revision_id):
        return Decision("refused", "malformed")
    return DUPLICATE if line[0] in here.graph.held else STORED


def is_well_formed(doc_id: str, line: Sequence[RevisionId], is_id: Callable[[str], bool]) -> bool:
    """Whether the ids have their shape and a line counts down generation by generation."""
    return is_well_formed_doc_id(doc_id) and is_line(line, is_id)


def is_line(line: Sequence[RevisionId], is_id: Callable[[str], bool]) -> bool:
    """Whether these are ids that count down generation by generation."""
    if not is_id(line[0]):
        return False
    generation = generation_of(line[0])
    for ancestor in line[1:]:
        generation -= 1
        if not is_id(ancestor) or generation_of(ancestor) != generation:
            return False
    return True


def is_well_formed_doc_id(doc_id: str) -> bool:
    """Whether a document may be called so; `_local/` documents and other reserved names never enter the journal."""
    if not 0 < len(doc_id) <= MAX_DOC_ID_CHARACTERS or not doc_id.isprintable():
        return False
    return not doc_id.startswith("_") or doc_id.startswith("_design/")


def is_any_doc_id(doc_id: str) -> bool:
    """Whether a document may be called so where anything is taken, as at a CouchDB; a table holds no NUL."""
    if doc_id.startswith("_") and not (doc_id.startswith("_design/") and doc_id != "_design/"):
        return False
    try:
        return 0 < len(doc_id.encode()) <= MAX_ANY_DOC_ID_BYTES and "\0" not in doc_id
    except UnicodeEncodeError:
        return False


def resolved_among(fingerprints: Mapping[RevisionId, bytes]) -> frozenset[RevisionId]:
    """Return the tombstones that machines put on branches that a merge took in."""
    return frozenset(rev for rev, print_ in fingerprints.items() if print_ == RESOLVED)


def is_machine_merge(offer: Offer, graph: Graph) -> bool:
    """Whether a machine made this record's revision of several branches (`machine_merge`)."""
    return offer.is_by_machine and brings_in(offer.merged, offer.parent, graph)


def is_taken_in(rev: RevisionId, here: DocumentState) -> bool:
    """Whether what stands here has taken in the branch that ends with `rev`, so that a machine may close it.

    Somebody's `merged` names it or a descendant of it, or another leaf has all edits of it, its own where it is one.
    That leaf may go on from it: of two servers that merge alone, one closes what the other has continued.
    """
    graph = here.graph
    if rev in graph.reached([named for each in graph.merged.values() for named in each]):
        return True
    resolved = resolved_among(here.fingerprints)
    edits = graph.reached([rev]) - resolved.union(here.merges)
    return any(edits <= graph.reached([leaf]) for leaf in graph.leaves() if leaf != rev and leaf not in resolved)


def _is_entitled(offer: Offer, here: DocumentState, reason: str) -> bool:
    """Whether this comes from somebody who may say it, where it waits only because of who brought it before."""
    if offer.quarantine is not None:
        return False
    return reason in CLAIMED or offer.fingerprint == RESOLVED or is_machine_merge(offer, here.graph)


def _waits_for(offer: Offer, here: DocumentState) -> str | None:
    if offer.fingerprint == RESOLVED:
        return None if offer.parent is not None and is_taken_in(offer.parent, here) else WAITS_FOR_MERGE
    if not offer.merged or here.graph.held.keys() >= {*offer.ancestors[:1], *offer.merged}:
        return None
    return WAITS_FOR_INPUTS if is_machine_merge(offer, here.graph) else None


def _says_the_same(offer: Offer, here: DocumentState) -> bool:
    if here.fingerprints[offer.rev] != offer.fingerprint:
        return False
    known_parent = here.graph.parents.get(offer.rev)
    # A truncated path names no parent, and a known one may lack its own: neither contradicts the other.
    return offer.parent is None or known_parent is None or offer.parent == known_parent


def is_forged(rev: RevisionId, graph: Graph) -> bool:
    """Whether a revision is too far ahead of every generation known of its document to have come about by editing."""
    generation = generation_of(rev)
    if generation <= MAX_GENERATION_JUMP:
        return False
    return generation - graph.highest > MAX_GENERATION_JUMP


def is_still_forged(rev: RevisionId, parent: RevisionId | None, held: Collection[RevisionId], highest: int) -> bool:
    """Whether nothing has changed for what waits for its generation; `highest` is the greatest of what is `held`."""
    return parent not in held and generation_of(rev) - highest > MAX_GENERATION_JUMP


def _is_leaf_too_many(offer: Offer, here: DocumentState) -> bool:
    # Fewer revisions than the limit cannot have more leaves: nearly every document is decided here.
    if len(here.graph.held) < MAX_LEAVES or here.graph.leaf_count < MAX_LEAVES:
        return False
    # It takes the place of a leaf that lives, and whatever its path or its `merged` tell besides makes no leaf more.
    parent = offer.parent
    if parent is not None and not offer.deleted and here.graph.is_leaf(parent) and not here.graph.held[parent]:
        return False
    graph = here.graph.adding(offer.rev, offer.ancestors, deleted=offer.deleted, merged=offer.merged)
    resolved = resolved_among({**here.fingerprints, offer.rev: offer.fingerprint})
    before, after = (len(each.counting_leaves(resolved)) for each in (here.graph, graph))
    # What replaces leaves or leaves their number alone may always come in: that is how a document gets out again.
    return after > MAX_LEAVES and after > before

"""A document before a batch, and while the batch goes through it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from server.journal.rejudging import Print, Waiting
from sync.revisions.admission import DocumentState
from sync.revisions.revision_id import RevisionId


@dataclass(frozen=True, slots=True)
class DocumentBefore:
    """A document before the batch: what stands of it, and its winner unless nothing has been stored of it.

    `rejudged` are those revisions beside the graph that are judged again when others come; `is_clear`: the graph knows
    what its revisions bring together.
    """

    state: DocumentState
    winner: RevisionId | None = None
    deleted: bool = False
    rejudged: Sequence[Waiting] = ()
    is_clear: bool = False


NOTHING = DocumentBefore(DocumentState())


@dataclass(slots=True)
class DocumentInBatch:
    """A document while the batch goes through it."""

    before: DocumentBefore
    state: DocumentState
    #: The state's own fingerprints and reasons, to add to.
    fingerprints: dict[RevisionId, bytes]
    waiting: dict[Print, str]
    rejudged: dict[Print, Waiting]
    is_clear: bool
    seq: int = 0
    #: What came in, and whether a path told something about what was here.
    new: set[RevisionId] = field(default_factory=set)
    is_moved: bool = False


def begin_with(before: DocumentBefore) -> DocumentInBatch:
    """Return a document as a batch meets it, to be added to."""
    fingerprints, waiting = dict(before.state.fingerprints), dict(before.state.waiting)
    state = replace(before.state, fingerprints=fingerprints, waiting=waiting)
    rejudged = {one.key: one for one in before.rejudged}
    return DocumentInBatch(before, state, fingerprints, waiting, rejudged, before.is_clear)

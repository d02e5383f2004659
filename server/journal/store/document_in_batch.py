"""A document before a batch, and while the batch goes through it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from server.journal.rejudging import Print, Waiting
from sync.revisions.admission import DocumentState
from sync.revisions.growing_graph import GrowingGraph
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
    #: The state's own graph, merges, fingerprints and reasons, to add to.
    graph: GrowingGraph
    merges: set[RevisionId]
    fingerprints: dict[RevisionId, bytes]
    waiting: dict[Print, str]
    rejudged: dict[Print, Waiting]
    is_clear: bool
    seq: int = 0
    #: What came in, and whether a path told something about what was here.
    new: set[RevisionId] = field(default_factory=set)
    is_moved: bool = False

    def clarify(self, state: DocumentState) -> None:
        """Go on with what is known once the document's merges have been read."""
        self.graph, self.merges = GrowingGraph(state.graph), {*state.merges}
        self.state = replace(self.state, graph=self.graph, merges=self.merges)
        self.is_clear = True


def begin_new() -> DocumentInBatch:
    """Return a document of which nothing is here, as most are that a replica brings."""
    graph = GrowingGraph()
    merges: set[RevisionId] = set()
    fingerprints: dict[RevisionId, bytes] = {}
    waiting: dict[Print, str] = {}
    state = DocumentState(graph, fingerprints, waiting, (), merges)
    return DocumentInBatch(NOTHING, state, graph, merges, fingerprints, waiting, {}, is_clear=False)


def begin_with(before: DocumentBefore) -> DocumentInBatch:
    """Return a document as a batch meets it, to be added to."""
    graph, merges = GrowingGraph(before.state.graph), {*before.state.merges}
    fingerprints, waiting = dict(before.state.fingerprints), dict(before.state.waiting)
    state = replace(before.state, graph=graph, fingerprints=fingerprints, waiting=waiting, merges=merges)
    rejudged = {one.key: one for one in before.rejudged}
    return DocumentInBatch(before, state, graph, merges, fingerprints, waiting, rejudged, before.is_clear)

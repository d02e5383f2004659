"""A batch on its way into one database: what becomes of each revision, and the rows that say so.

Nothing here touches the store: `server.revisions.write` reads what stands of the batch's documents, hands it in, and
writes the rows that come out, all under the database's lock. Sequences are counted here for that reason, without gaps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from server.revisions.model import NewRevision, Origin, Outcome
from server.revisions.rows import BodyRow, DocumentRow, EntryRow, RevisionRow
from sync.admission import Decision, Offer, Standing, decide, fingerprint
from sync.chain import link
from sync.digest import moved, term
from sync.graph import Graph
from sync.revision import RevisionId

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a database's feed, and the sums over its documents."""

    name: str
    seq: int
    chain: bytes
    digest: str
    documents: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Known:
    """A document before the batch: what stands of it, and its winner unless nothing has been stored of it."""

    standing: Standing
    winner: RevisionId | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch writes, by table; `head` is where the feed ends afterwards."""

    head: Head
    revisions: Sequence[RevisionRow]
    bodies: Sequence[BodyRow]
    entries: Sequence[EntryRow]
    documents: Sequence[DocumentRow]
    named: Sequence[Row]
    edges: Sequence[Row]
    quarantine: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who brought a revision, under which number of their enrolment, and when."""

    origin: Origin
    number: str | None
    received_at: datetime


@dataclass(slots=True)
class _Document:
    """A document while the batch goes through it."""

    known: Known
    standing: Standing
    seq: int = 0
    fingerprints: dict[RevisionId, bytes] = field(default_factory=dict)


class Batch:
    """Takes revisions one after the other; `rows` gives what has to be written in the end."""

    def __init__(self, head: Head, known: dict[str, Known], origin: Origin, received_at: datetime) -> None:
        """Begin at `head` with what stands of the documents; those not in `known` are new."""
        self._head = head
        self._seq = head.seq
        self._chain = head.chain
        self._origin = origin
        self._received_at = received_at
        self._documents = {doc_id: _begin(of) for doc_id, of in known.items()}
        self._revisions: list[RevisionRow] = []
        self._bodies: list[BodyRow] = []
        self._entries: list[EntryRow] = []
        self._named: list[Row] = []
        self._edges: dict[tuple[str, RevisionId], Row] = {}
        self._quarantine: list[Row] = []

    @property
    def has_kept(self) -> bool:
        """Whether a revision was stored or put into quarantine that was not here before."""
        return bool(self._revisions or self._quarantine)

    @property
    def has_changed(self) -> bool:
        """Whether the feed goes further than before."""
        return bool(self._entries)

    def take(self, revision: NewRevision) -> Outcome:
        """Return what becomes of `revision`, and remember what must be written for it."""
        offer = revision.offer()
        document = self._documents.get(revision.doc_id)
        if document is None:
            document = self._documents[revision.doc_id] = _begin(Known(Standing()))
        print_ = fingerprint(revision.content, deleted=revision.deleted)
        decision = decide(offer, print_, document.standing)
        self._keep(offer, print_, decision, document, revision.number)
        return Outcome(revision.doc_id, revision.rev, revision.number, decision.outcome, decision.reason)

    def admit(self, revision: NewRevision, arrival: Arrival) -> None:
        """Move a revision in that a person has accepted: whoever brought it, and when, stays as it was."""
        document = self._documents[revision.doc_id]
        print_ = fingerprint(revision.content, deleted=revision.deleted)
        self._store(revision.offer(), print_, document, arrival)

    def rows(self) -> Rows:
        """Return everything that the batch writes."""
        documents: list[DocumentRow] = []
        sum_of_terms = live = dead = 0
        for doc_id, document in self._documents.items():
            if not document.seq:
                continue
            graph = document.standing.graph
            leaves = graph.leaves()
            deleted = graph.held[leaves[0]]
            documents.append(DocumentRow(self._head.name, doc_id, document.seq, leaves[0], deleted, " ".join(leaves)))
            before = document.known
            if before.winner is not None:
                live, dead = (live, dead - 1) if before.deleted else (live - 1, dead)
                if not before.deleted:
                    sum_of_terms -= term(doc_id, before.winner)
            live, dead = (live, dead + 1) if deleted else (live + 1, dead)
            if not deleted:
                sum_of_terms += term(doc_id, leaves[0])
        head = Head(
            self._head.name,
            self._seq,
            self._chain,
            moved(self._head.digest, sum_of_terms),
            self._head.documents + live,
            self._head.deleted + dead,
        )
        return Rows(
            head,
            self._revisions,
            self._bodies,
            self._entries,
            documents,
            self._named,
            list(self._edges.values()),
            self._quarantine,
        )

    def _keep(self, offer: Offer, print_: bytes, decision: Decision, document: _Document, number: str | None) -> None:
        if decision.outcome == "stored":
            self._store(offer, print_, document, Arrival(self._origin, number, self._received_at))
        elif decision.outcome == "duplicate":
            self._name(offer, document)
        elif decision.outcome == "quarantined" and decision.is_new:
            self._hold_back(offer, print_, decision, document, number)

    def _store(self, offer: Offer, print_: bytes, document: _Document, arrival: Arrival) -> None:
        before = document.standing.graph
        graph = before.adding(offer.rev, offer.ancestors, deleted=offer.deleted)
        document.fingerprints[offer.rev] = print_
        document.standing = Standing(graph, document.fingerprints, document.standing.waiting)
        if offer.ancestors:
            self._note_path(offer, before, graph)
        # The row carries the edge that the revision names itself; what paths said before must not overwrite it.
        self._edges.pop((offer.doc_id, offer.rev), None)
        name = self._head.name
        self._revisions.append(
            RevisionRow(
                database=name,
                doc_id=offer.doc_id,
                rev=offer.rev,
                parent=graph.parents[offer.rev],
                deleted=offer.deleted,
                fingerprint=print_,
                seq=self._seq + 1,
                person=arrival.origin.person,
                enrolment=arrival.origin.enrolment,
                number=arrival.number,
                received_at=arrival.received_at,
            )
        )
        self._bodies.append(BodyRow(name, offer.doc_id, offer.rev, offer.content))
        self._enter(offer, document, print_, arrival)

    def _name(self, offer: Offer, document: _Document) -> None:
        before = document.standing.graph
        graph = before.naming(offer.rev, offer.ancestors)
        if graph is before:
            return
        self._note_path(offer, before, graph)
        document.standing = Standing(graph, document.fingerprints, document.standing.waiting)
        # A known revision moves no sequence, unless its path shows that what stood as a leaf is its ancestor: then the
        # document has changed for everyone who follows the feed.
        if graph.leaves() != before.leaves():
            self._enter(offer, document, None, None)

    def _note_path(self, offer: Offer, before: Graph, graph: Graph) -> None:
        for ancestor in offer.ancestors:
            parent = graph.parents[ancestor]
            if ancestor not in before.parents:
                self._named.append(self._path_row(offer.doc_id, ancestor, parent))
            elif parent is not None and before.parents[ancestor] is None:
                self._edges[offer.doc_id, ancestor] = self._path_row(offer.doc_id, ancestor, parent)
        if offer.rev in before.held and before.parents[offer.rev] != graph.parents[offer.rev]:
            self._edges[offer.doc_id, offer.rev] = self._path_row(offer.doc_id, offer.rev, graph.parents[offer.rev])

    def _path_row(self, doc_id: str, rev: RevisionId, parent: RevisionId | None) -> Row:
        return {"of_database": self._head.name, "of_doc": doc_id, "of_rev": rev, "parent": parent, "deleted": False}

    def _enter(self, offer: Offer, document: _Document, print_: bytes | None, arrival: Arrival | None) -> None:
        self._seq += 1
        document.seq = self._seq
        self._chain = link(
            self._chain,
            offer.doc_id,
            offer.rev,
            fingerprint=print_,
            person=arrival.origin.person if arrival else None,
            enrolment=arrival.origin.enrolment if arrival else None,
            received_at=arrival.received_at.isoformat() if arrival else None,
        )
        self._entries.append(EntryRow(self._head.name, self._seq, offer.doc_id, offer.rev, self._chain))

    def _hold_back(
        self, offer: Offer, print_: bytes, decision: Decision, document: _Document, number: str | None
    ) -> None:
        assert decision.reason is not None
        waiting = {**document.standing.waiting, (offer.rev, print_): decision.reason}
        document.standing = Standing(document.standing.graph, document.fingerprints, waiting)
        self._quarantine.append(
            {
                "database": self._head.name,
                "doc_id": offer.doc_id,
                "rev": offer.rev,
                "fingerprint": print_,
                "ancestors": " ".join(offer.ancestors),
                "deleted": offer.deleted,
                "content": offer.content,
                "reason": decision.reason,
                "person": self._origin.person,
                "enrolment": self._origin.enrolment,
                "number": number,
                "received_at": self._received_at,
            }
        )


def _begin(known: Known) -> _Document:
    fingerprints = dict(known.standing.fingerprints)
    return _Document(known, Standing(known.standing.graph, fingerprints, known.standing.waiting), 0, fingerprints)


def continues_leaf(leaf: RevisionId, batch: Iterable[NewRevision]) -> bool:
    """Whether a document's revisions in a batch form one line from its only leaf: then its graph need not be read."""
    line = [leaf]
    for revision in batch:
        parent_first = tuple(reversed(line))
        if not revision.ancestors or revision.ancestors != parent_first[: len(revision.ancestors)]:
            return False
        line.append(revision.rev)
    return len(set(line)) == len(line)

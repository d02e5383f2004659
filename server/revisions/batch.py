"""A batch on its way into one database: what becomes of each revision, and the rows that say so.

Nothing here touches the store: `server.revisions.write` reads what stands of the batch's documents, hands it in, and
writes the rows that come out, all under the database's lock. Sequences are counted here for that reason, without gaps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from server.revisions.model import NewRevision, Origin, Outcome, QuarantinedRevision
from server.revisions.rows import BodyRow, DocumentRow, EntryRow, RevisionRow
from sync.admission import (
    REJUDGED,
    Decision,
    Standing,
    decide,
    decide_anything,
    fingerprint,
    is_forged,
    is_machine_merge,
    still_waits,
)
from sync.chain import link
from sync.digest import moved, term
from sync.graph import Graph
from sync.revision import RevisionId, generation_of, merged_of

Row: TypeAlias = dict[str, Any]
#: What tells apart the revisions beside a document's graph: id and fingerprint.
Key: TypeAlias = tuple[RevisionId, bytes]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a database's feed, and the sums over its documents."""

    name: str
    seq: int
    chain: bytes
    digest: str
    documents: int
    deleted: int
    takes_anything: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A document before the batch: what stands of it, and its winner unless nothing has been stored of it.

    `rejudged` are those revisions beside the graph that are judged again when others come.
    """

    standing: Standing
    winner: RevisionId | None = None
    deleted: bool = False
    rejudged: Sequence[QuarantinedRevision] = ()


NOTHING = Known(Standing())


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
    released: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who brings something, and when it was received; `moment` is that as the chain has it."""

    origin: Origin
    received_at: datetime
    moment: str = field(init=False)

    def __post_init__(self) -> None:
        """Write the moment once, not for each revision of a batch."""
        object.__setattr__(self, "moment", self.received_at.isoformat())


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A revision that is judged again when others come; `row` is its row in the quarantine if this batch brought it."""

    revision: NewRevision
    print_: bytes
    by: Arrival
    row: Row | None = None


@dataclass(slots=True)
class _Document:
    """A document while the batch goes through it."""

    known: Known
    standing: Standing
    #: The standing's own fingerprints and reasons, to add to.
    fingerprints: dict[RevisionId, bytes]
    waiting: dict[Key, str]
    rejudged: dict[Key, _Waiting]
    seq: int = 0


class Batch:
    """Takes revisions one after the other; `rows` gives what has to be written in the end."""

    def __init__(self, head: Head, known: dict[str, Known], by: Arrival) -> None:
        """Begin at `head` with what stands of the documents; those not in `known` are new."""
        self._head = head
        self._seq = head.seq
        self._chain = head.chain
        self._by = by
        self._documents = {doc_id: _begin(of) for doc_id, of in known.items()}
        self._revisions: list[RevisionRow] = []
        self._bodies: list[BodyRow] = []
        self._entries: list[EntryRow] = []
        self._named: list[Row] = []
        self._edges: dict[tuple[str, RevisionId], Row] = {}
        self._quarantine: list[Row] = []
        self._released: list[Row] = []

    @property
    def has_kept(self) -> bool:
        """Whether a revision was stored or put into quarantine that was not here before."""
        return bool(self._revisions or self._quarantine) or any(
            one.row is not None for document in self._documents.values() for one in document.rejudged.values()
        )

    @property
    def has_changed(self) -> bool:
        """Whether the feed goes further than before."""
        return bool(self._entries)

    def take_all(self, revisions: Iterable[NewRevision]) -> list[Outcome]:
        """Return what becomes of each revision, in order, once those have come in that waited only for one of them."""
        outcomes = [self.take(revision) for revision in revisions]
        let_in = self.release()
        if not let_in:
            return outcomes
        return [
            replace(one, outcome="stored", reason=None)
            if one.reason in REJUDGED and (one.doc_id, one.rev) in let_in
            else one
            for one in outcomes
        ]

    def take(self, revision: NewRevision) -> Outcome:
        """Return what becomes of `revision`, and remember what must be written for it."""
        document = self._document(revision.doc_id)
        print_ = fingerprint(revision.content, deleted=revision.deleted)
        if self._head.takes_anything:
            decision = decide_anything(revision, document.standing)
        else:
            decision = decide(revision, print_, document.standing)
        if decision.outcome == "stored":
            if (revision.rev, print_) in document.standing.waiting:
                self._waits_no_more(document, revision.doc_id, (revision.rev, print_))
            self._store(revision, print_, document, self._by)
        elif decision.outcome == "duplicate":
            self._name(revision, document)
        elif decision.outcome == "quarantined" and decision.is_new:
            self._hold_back(revision, print_, decision, document)
        return Outcome(revision.doc_id, revision.rev, revision.number, decision.outcome, decision.reason)

    def admit(self, revision: NewRevision, by: Arrival) -> None:
        """Move a revision in that a person has accepted: whoever brought it, and when, stays as it was."""
        document = self._document(revision.doc_id)
        print_ = fingerprint(revision.content, deleted=revision.deleted)
        known = document.fingerprints.get(revision.rev)
        if known == print_ or (known is not None and self._head.takes_anything):
            # Somebody has written the very edit meanwhile.
            return
        self._store(revision, print_, document, by)

    def _document(self, doc_id: str) -> _Document:
        document = self._documents.get(doc_id)
        if document is None:
            fingerprints: dict[RevisionId, bytes] = {}
            waiting: dict[Key, str] = {}
            standing = Standing(NOTHING.standing.graph, fingerprints, waiting)
            document = _Document(NOTHING, standing, fingerprints, waiting, {})
            self._documents[doc_id] = document
        return document

    def is_forged(self, revision: NewRevision) -> bool:
        """Whether `revision` is too far ahead of what stands of its document."""
        document = self._documents.get(revision.doc_id)
        return is_forged(revision.rev, document.standing.graph if document else Graph())

    def release(self) -> set[tuple[str, RevisionId]]:
        """Move in what waited only for revisions that are here by now; return (document, revision) of it."""
        let_in: set[tuple[str, RevisionId]] = set()
        for doc_id, document in self._documents.items():
            has_moved = bool(document.rejudged)
            while has_moved:
                has_moved = False
                # Parents first: one look lets a whole line in. A further one is for merges, whose inputs come later.
                highest = max(map(generation_of, document.standing.graph.held), default=0)
                beside = {rev for rev, _ in document.waiting}
                for one in sorted(document.rejudged.values(), key=lambda one: generation_of(one.revision.rev)):
                    rev = one.revision.rev
                    reason, graph = document.waiting.get((rev, one.print_)), document.standing.graph
                    waits = still_waits(one.revision, reason, graph, beside, highest)
                    if not waits and self._let_in(document, one):
                        let_in.add((doc_id, rev))
                        beside.discard(rev)
                        highest = max(highest, generation_of(rev))
                        has_moved = True
        return let_in

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
            self._head.takes_anything,
        )
        return Rows(
            head,
            self._revisions,
            self._bodies,
            self._entries,
            documents,
            self._named,
            list(self._edges.values()),
            [
                *self._quarantine,
                *(
                    one.row
                    for document in self._documents.values()
                    for one in document.rejudged.values()
                    if one.row is not None
                ),
            ],
            self._released,
        )

    def _let_in(self, document: _Document, one: _Waiting) -> bool:
        """Whether `one` has come in."""
        key = (one.revision.rev, one.print_)
        reason = document.waiting.pop(key, None)
        if decide(one.revision, one.print_, document.standing).outcome != "stored":
            if reason is not None:
                document.waiting[key] = reason
            return False
        self._waits_no_more(document, one.revision.doc_id, key)
        self._store(one.revision, one.print_, document, one.by)
        return True

    def _waits_no_more(self, document: _Document, doc_id: str, key: Key) -> None:
        document.waiting.pop(key, None)
        one = document.rejudged.pop(key, None)
        if one is None or one.row is None:
            at = self._by.received_at
            self._released.append(
                {"of_database": self._head.name, "of_doc": doc_id, "of_rev": key[0], "of_fingerprint": key[1], "at": at}
            )

    def _store(self, revision: NewRevision, print_: bytes, document: _Document, by: Arrival) -> None:
        before = document.standing.graph
        # Where anything is taken, a member of that name means nothing to this server.
        merged = () if self._head.takes_anything else merged_of(revision.content)
        graph = before.adding(revision.rev, revision.ancestors, deleted=revision.deleted, merged=merged)
        document.fingerprints[revision.rev] = print_
        document.standing = document.standing.at(graph)
        if merged and is_machine_merge(revision, before):
            document.standing = replace(document.standing, merges={*document.standing.merges, revision.rev})
        if revision.ancestors:
            self._note_path(revision, before, graph)
        # The row carries the edge that the revision names itself; what paths said before must not overwrite it.
        self._edges.pop((revision.doc_id, revision.rev), None)
        name = self._head.name
        # In the order of its columns: naming them takes as long as all the rest of the row.
        self._revisions.append(
            RevisionRow(
                name,
                revision.doc_id,
                revision.rev,
                graph.parents[revision.rev],
                revision.deleted,
                print_,
                self._seq + 1,
                by.origin.person,
                by.origin.enrolment,
                revision.number,
                by.received_at,
            )
        )
        self._bodies.append(BodyRow(name, revision.doc_id, revision.rev, revision.content))
        self._enter(revision, document, print_, by)

    def _name(self, revision: NewRevision, document: _Document) -> None:
        before = document.standing.graph
        graph = before.naming(revision.rev, revision.ancestors)
        if graph is before:
            return
        self._note_path(revision, before, graph)
        document.standing = document.standing.at(graph)
        # A known revision moves no sequence, unless its path shows that what stood as a leaf is its ancestor: then the
        # document has changed for everyone who follows the feed.
        if graph.leaves() != before.leaves():
            self._enter(revision, document, None, None)

    def _note_path(self, revision: NewRevision, before: Graph, graph: Graph) -> None:
        for ancestor in revision.ancestors:
            parent = graph.parents[ancestor]
            if ancestor not in before.parents:
                self._named.append(self._path_row(revision.doc_id, ancestor, parent))
            elif parent is not None and before.parents[ancestor] is None:
                self._edges[revision.doc_id, ancestor] = self._path_row(revision.doc_id, ancestor, parent)
        if revision.rev in before.held and before.parents[revision.rev] != graph.parents[revision.rev]:
            self._edges[revision.doc_id, revision.rev] = self._path_row(
                revision.doc_id, revision.rev, graph.parents[revision.rev]
            )

    def _path_row(self, doc_id: str, rev: RevisionId, parent: RevisionId | None) -> Row:
        return {"of_database": self._head.name, "of_doc": doc_id, "of_rev": rev, "of_parent": parent}

    def _enter(self, revision: NewRevision, document: _Document, print_: bytes | None, by: Arrival | None) -> None:
        self._seq += 1
        document.seq = self._seq
        self._chain = link(
            self._chain,
            revision.doc_id,
            revision.rev,
            fingerprint=print_,
            person=by.origin.person if by else None,
            enrolment=by.origin.enrolment if by else None,
            received_at=by.moment if by else None,
        )
        self._entries.append(EntryRow(self._head.name, self._seq, revision.doc_id, revision.rev, self._chain))

    def _hold_back(self, revision: NewRevision, print_: bytes, decision: Decision, document: _Document) -> None:
        assert decision.reason is not None
        key = (revision.rev, print_)
        document.waiting[key] = decision.reason
        row: Row = {
            "database": self._head.name,
            "doc_id": revision.doc_id,
            "rev": revision.rev,
            "fingerprint": print_,
            "ancestors": " ".join(revision.ancestors),
            "deleted": revision.deleted,
            "content": revision.content,
            "reason": decision.reason,
            "person": self._by.origin.person,
            "enrolment": self._by.origin.enrolment,
            "number": revision.number,
            "received_at": self._by.received_at,
        }
        if decision.reason in REJUDGED:
            document.rejudged[key] = _Waiting(revision, print_, self._by, row)
        else:
            self._quarantine.append(row)


def _begin(known: Known) -> _Document:
    of = known.standing
    fingerprints, waiting = dict(of.fingerprints), dict(of.waiting)
    standing = replace(of, fingerprints=fingerprints, waiting=waiting)
    rejudged = {(one.rev, one.fingerprint): _waiting(one) for one in known.rejudged}
    return _Document(known, standing, fingerprints, waiting, rejudged)


def _waiting(one: QuarantinedRevision) -> _Waiting:
    # Its id was looked at when it came.
    revision = NewRevision(one.doc_id, one.rev, one.ancestors, one.deleted, one.content, verify=False)
    return _Waiting(revision, one.fingerprint, Arrival(Origin(one.person, one.enrolment), one.received_at))

"""A batch on its way into one database: what becomes of each revision, and the rows that say so.

Nothing here touches the store: `server.journal.store.write` reads what stands of the batch's documents, hands it in,
and writes the rows that come out, all under the database's lock. Sequences are counted here for that reason, without
gaps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from server.journal.model import NewRevision, Outcome, Receipt
from server.journal.rejudging import Print, Waiting, candidates, lines_of, still_oversteps
from server.journal.store.branches import Key
from server.journal.store.document_in_batch import DocumentBefore, DocumentInBatch, begin_new, begin_with
from server.journal.store.rows import BatchRows, BodyRow, DocumentRow, EntryRow, FeedEnd, RevisionRow, Row
from server.platform.turns import in_turns
from sync.revisions.admission import (
    CLAIMED,
    MAX_LEAVES,
    REJUDGED,
    TOO_MANY_LEAVES,
    Decision,
    DocumentState,
    decide,
    decide_anything,
    is_forged,
    is_machine_merge,
    resolved_among,
)
from sync.revisions.checkpoint_chain import link
from sync.revisions.digest import moved, term
from sync.revisions.graph import Graph
from sync.revisions.growing_graph import NO_NEWS, GrowingGraph, PathNews
from sync.revisions.revision_id import RevisionId


class Batch:
    """Takes revisions one after the other; `rows` gives what has to be written in the end."""

    def __init__(self, head: FeedEnd, before: dict[str, DocumentBefore], by: Receipt) -> None:
        """Begin at `head` with what stands of the documents; those not in `before` are new."""
        self._head = head
        self._seq = head.seq
        self._chain = head.chain
        self._by = by
        self._documents = {doc_id: begin_with(of) for doc_id, of in before.items()}
        self._revisions: list[RevisionRow] = []
        self._bodies: list[BodyRow] = []
        self._entries: list[EntryRow] = []
        self._named: list[Row] = []
        self._edges: dict[tuple[str, RevisionId], Row] = {}
        self._quarantine: list[Row] = []
        self._released: list[Row] = []
        self._reasons: list[Row] = []

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

    def take(self, revision: NewRevision) -> Outcome:
        """Return what becomes of `revision`, and remember what must be written for it."""
        document = self._document(revision.doc_id)
        if self._head.takes_anything:
            decision = decide_anything(revision.doc_id, (revision.rev, *revision.ancestors), document.state)
        else:
            decision = decide(revision.offer, document.state)
        if decision.outcome == "stored":
            if (key := (revision.rev, revision.fingerprint)) in document.state.waiting:
                self._waits_no_more(document, revision.doc_id, key)
            self._store(revision, document, self._by)
        elif decision.outcome == "duplicate":
            self._name(revision, document)
        elif decision.outcome == "quarantined" and decision.is_new:
            self._hold_back(revision, decision, document)
        return Outcome(revision.doc_id, revision.rev, revision.number, decision.outcome, decision.reason)

    def admit(self, revision: NewRevision, by: Receipt) -> None:
        """Move a revision in that a person has accepted: whoever brought it, and when, stays as it was."""
        document = self._document(revision.doc_id)
        known = document.fingerprints.get(revision.rev)
        if known == revision.fingerprint or (known is not None and self._head.takes_anything):
            # Somebody has written the very edit meanwhile.
            return
        self._store(revision, document, by)

    def judge_again(self, revision: NewRevision, reason: str, by: Receipt) -> None:
        """Decide once more about what waits for `reason`, after what its door finds now; whoever brought it stays."""
        document = self._document(revision.doc_id)
        key = (revision.rev, revision.fingerprint)
        if document.waiting.get(key) != reason:
            return
        del document.waiting[key]
        decision = decide(revision.offer, document.state)
        if decision.reason is None:
            self._waits_no_more(document, revision.doc_id, key)
            if decision.outcome == "stored":
                self._store(revision, document, by)
            return
        document.waiting[key] = decision.reason
        self._reasons.append(self._row_of(revision.doc_id, key) | {"of_reason": decision.reason})
        again = document.rejudged.pop(key, None)
        if again is not None and decision.reason in REJUDGED:
            document.rejudged[key] = replace(again, revision=replace(revision, quarantine=None), is_read=True)

    def _document(self, doc_id: str) -> DocumentInBatch:
        document = self._documents.get(doc_id)
        if document is None:
            document = begin_new()
            self._documents[doc_id] = document
        return document

    def is_forged(self, revision: NewRevision) -> bool:
        """Whether `revision` is too far ahead of what stands of its document."""
        document = self._documents.get(revision.doc_id)
        return is_forged(revision.rev, document.state.graph if document else Graph())

    @property
    def database(self) -> str:
        """Return the name of the database that the batch goes into."""
        return self._head.name

    def unclear(self) -> dict[str, DocumentState]:
        """Return the state of documents whose merges must be read before `candidates`."""
        return {
            doc_id: document.state
            for doc_id, document in self._documents.items()
            if not document.is_clear
            and (TOO_MANY_LEAVES in document.waiting.values() or self._candidates(document, room=0))
        }

    def clarify(self, states: Mapping[str, DocumentState]) -> None:
        """Add the merges of these documents."""
        for doc_id, state in states.items():
            self._documents[doc_id].clarify(state)

    def candidates(self) -> list[Waiting]:
        """Return what waits and may come in now, by document, parents first."""
        found: list[Waiting] = []
        for document in self._documents.values():
            room = 0
            if TOO_MANY_LEAVES in document.waiting.values():
                resolved = resolved_among(document.fingerprints)
                room = MAX_LEAVES - len(document.state.graph.counting_leaves(resolved))
            found += self._candidates(document, room)
        return found

    def lines_of(self, some: Iterable[Waiting]) -> list[Key]:
        """Return the stored revisions after which it is judged what the bringers of these may say."""
        return lines_of(some, {doc_id: of.state.graph.held.keys() - of.new for doc_id, of in self._documents.items()})

    async def release(self, some: Iterable[Waiting], lines: Mapping[Key, bytes]) -> set[Key]:
        """Return (document, revision) of those of `some` that come in now; `lines` are the bodies of `lines_of`."""
        lines = {**lines, **{(row.doc_id, row.rev): row.content for row in self._bodies}}
        let_in: set[Key] = set()
        left, has_moved = [*some], True
        # Parents first: one look lets a whole line in. A further one is for merges, whose inputs come later.
        while left and has_moved:
            waiting: list[Waiting] = []
            async for one in in_turns(left):
                if self._let_in(one, lines):
                    lines[one.revision.doc_id, one.revision.rev] = one.revision.content
                    let_in.add((one.revision.doc_id, one.revision.rev))
                else:
                    waiting.append(one)
            left, has_moved = waiting, len(waiting) < len(left)
        return let_in

    def rows(self) -> BatchRows:
        """Return everything that the batch writes."""
        documents: list[DocumentRow] = []
        sum_of_terms = live = dead = 0
        for doc_id, document in self._documents.items():
            if not document.seq:
                continue
            graph = document.state.graph
            leaves = graph.leaves()
            deleted = graph.held[leaves[0]]
            documents.append(DocumentRow(self._head.name, doc_id, document.seq, leaves[0], deleted, " ".join(leaves)))
            before = document.before
            if before.winner is not None:
                live, dead = (live, dead - 1) if before.deleted else (live - 1, dead)
                if not before.deleted:
                    sum_of_terms -= term(doc_id, before.winner)
            live, dead = (live, dead + 1) if deleted else (live + 1, dead)
            if not deleted:
                sum_of_terms += term(doc_id, leaves[0])
        head = FeedEnd(
            self._head.name,
            self._seq,
            self._chain,
            moved(self._head.digest, sum_of_terms),
            self._head.documents + live,
            self._head.deleted + dead,
            self._head.takes_anything,
        )
        return BatchRows(
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
            self._reasons,
        )

    def _candidates(self, document: DocumentInBatch, room: int) -> list[Waiting]:
        if not document.is_moved or not document.rejudged:
            return []
        graph = document.state.graph
        return candidates(document.rejudged.values(), document.waiting, graph, document.new, room)

    def _let_in(self, one: Waiting, lines: Mapping[Key, bytes]) -> bool:
        """Whether `one` has come in."""
        document = self._documents[one.revision.doc_id]
        reason = document.waiting.get(one.key)
        if reason in CLAIMED and one.revision.overstep is not None:
            if still_oversteps(one.revision, lines):
                return False
            if one.revision.overstep.besides is not None:
                self._waits_for(document, one, one.revision.overstep.besides)
                return False
        document.waiting.pop(one.key, None)
        if reason is None or decide(one.revision.offer, document.state).outcome != "stored":
            if reason is not None:
                document.waiting[one.key] = reason
            return False
        self._waits_no_more(document, one.revision.doc_id, one.key)
        self._store(one.revision, document, Receipt(one.origin, one.received_at))
        return True

    def _waits_for(self, document: DocumentInBatch, one: Waiting, reason: str) -> None:
        """Let a person look at `one` for another reason; no other revision changes anything about that."""
        document.waiting[one.key] = reason
        document.rejudged.pop(one.key, None)
        if one.row is None:
            self._reasons.append(self._row_of(one.revision.doc_id, one.key) | {"of_reason": reason})
        else:
            self._quarantine.append(one.row | {"reason": reason})

    def _waits_no_more(self, document: DocumentInBatch, doc_id: str, key: Print) -> None:
        document.waiting.pop(key, None)
        one = document.rejudged.pop(key, None)
        if one is None or one.row is None:
            at = self._by.received_at
            self._released.append(self._row_of(doc_id, key) | {"at": at})

    def _row_of(self, doc_id: str, key: Print) -> Row:
        return {"of_database": self._head.name, "of_doc": doc_id, "of_rev": key[0], "of_fingerprint": key[1]}

    def _store(self, revision: NewRevision, document: DocumentInBatch, by: Receipt) -> None:
        graph, print_ = document.graph, revision.fingerprint
        # Where anything is taken, a member of that name means nothing to this server.
        merged = () if self._head.takes_anything else revision.offer.merged
        is_merge = bool(merged) and is_machine_merge(revision.offer, graph)
        news = graph.add(revision.rev, revision.ancestors, deleted=revision.deleted, merged=merged)
        document.fingerprints[revision.rev] = print_
        document.new.add(revision.rev)
        document.is_moved = True
        if is_merge:
            document.merges.add(revision.rev)
        if news is not NO_NEWS:
            self._note_path(revision.doc_id, graph, news)
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

    def _name(self, revision: NewRevision, document: DocumentInBatch) -> None:
        news = document.graph.name(revision.rev, revision.ancestors)
        if not news.named and not news.filled:
            return
        self._note_path(revision.doc_id, document.graph, news)
        document.is_moved = True
        # A known revision moves no sequence, unless its path shows that what stood as a leaf is its ancestor: then the
        # document has changed for everyone who follows the feed.
        if news.ends_leaf:
            self._enter(revision, document, None, None)

    def _note_path(self, doc_id: str, graph: GrowingGraph, news: PathNews) -> None:
        self._named += [self._path_row(doc_id, rev, graph.parents[rev]) for rev in news.named]
        self._edges |= {(doc_id, rev): self._path_row(doc_id, rev, graph.parents[rev]) for rev in news.filled}

    def _path_row(self, doc_id: str, rev: RevisionId, parent: RevisionId | None) -> Row:
        return {"of_database": self._head.name, "of_doc": doc_id, "of_rev": rev, "of_parent": parent}

    def _enter(
        self, revision: NewRevision, document: DocumentInBatch, print_: bytes | None, by: Receipt | None
    ) -> None:
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

    def _hold_back(self, revision: NewRevision, decision: Decision, document: DocumentInBatch) -> None:
        assert decision.reason is not None
        print_ = revision.fingerprint
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
            "door": None if revision.overstep is None else revision.overstep.door,
            "besides": None if revision.overstep is None else revision.overstep.besides,
            "awaits": revision.awaits,
        }
        if decision.reason in REJUDGED:
            again = replace(revision, quarantine=None)
            document.rejudged[key] = Waiting(again, print_, self._by.origin, self._by.received_at, row)
        else:
            self._quarantine.append(row)

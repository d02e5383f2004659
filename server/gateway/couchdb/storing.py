"""Documents into the journal, whichever verb brought them: other replicas' revisions as they are, edits as new ones.

Whatever the journal keeps is answered as success, quarantine included: a replica told otherwise would send it again for
ever, or checkpoint past it and lose it (rule 9). An edit must follow a leaf, at the moment at which it is written: what
was read before is compared again inside the write's transaction, and the whole write is taken back if it moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.couchdb.admission import brings_others, held_back
from server.gateway.couchdb.attachments_in import with_stubs
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.parse_documents import Flaw, Incoming
from server.gateway.couchdb.refusals import CONFLICT, Refusal, forbidden
from server.ingest.peer_ingest import PeerIngest, PeerSender
from server.journal.model import NewRevision, Origin, Outcome
from server.journal.parts import MOST_WEIGHT
from server.journal.store import document_list
from server.journal.store.authors import PEER_PREFIX
from server.journal.store.branches import Branches, branches
from server.platform.json_reader import read
from server.platform.turns import in_turns, slices
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, generation_of

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document that is here now, under this revision."""

    doc_id: str
    rev: RevisionId


Result = StoredDocument | Flaw


class _WrittenMeanwhile(Exception):
    """Somebody else has written one of the documents meanwhile."""


async def replicate(call: Call, documents: Sequence[Incoming | Flaw]) -> list[Result]:
    """Store revisions that other replicas made, and return what became of each, in order."""
    _require_writing(call)
    documents = await with_stubs(call, documents, new_edits=False)
    results: list[Result | None] = [each if isinstance(each, Flaw) else None for each in documents]
    places = [place for place, each in enumerate(documents) if isinstance(each, Incoming)]
    wanted = [each for each in documents if isinstance(each, Incoming)]
    if brings_others(call):
        for place, result in zip(places, await _received(call, wanted), strict=True):
            results[place] = result
        return [each for each in results if each is not None]
    held = await held_back(call, wanted, [each.as_it_is() for each in wanted])
    revisions = [*zip(places, held, strict=True)]
    if revisions:
        # Parents first, in whatever order a line came: so nothing waits for what comes right behind it.
        revisions.sort(key=lambda each: generation_of(each[1].rev))
        outcomes = await call.parts.journal.write(call.db.name, [each for _, each in revisions], _origin(call))
        for (place, _), outcome in zip(revisions, outcomes, strict=True):
            results[place] = _result(outcome)
    return [each for each in results if each is not None]


async def _received(call: Call, documents: Sequence[Incoming]) -> list[Result]:
    """Store revisions from another server; seals say who wrote each."""
    received: list[tuple[dict[str, Json], tuple[RevisionId, ...]]] = [
        (
            {
                **cast("dict[str, Json]", read(each.content).value),
                "_id": each.doc_id,
                "_rev": each.rev,
                **({"_deleted": True} if each.deleted else {}),
            },
            each.path,
        )
        async for each in in_turns(documents)
    ]
    ingest = PeerIngest(call.parts.storage, call.parts.journal, call.parts.library, call.parts.clock)
    sender = PeerSender(f"{PEER_PREFIX}{call.person.username}", has_account=True)
    return [_result(outcome) for outcome in await ingest.receive(call.db.name, received, sender)]


async def edit(call: Call, documents: Sequence[Incoming | Flaw]) -> list[Result]:
    """Store edits, each the child of the leaf that it names, and return what became of each, in order.

    Many are written in several transactions, so that others can write in between; as at a CouchDB, each stands alone.
    """
    _require_writing(call)
    documents = await with_stubs(call, documents, new_edits=True)
    results: list[Result] = []
    for part in slices(documents, MOST_WEIGHT, _weight) if documents else [documents]:
        results += await _edited(call, part)
    return results


def _weight(document: Incoming | Flaw) -> int:
    return 1 if isinstance(document, Flaw) else 10 + len(document.content) // 500


async def _edited(call: Call, documents: Sequence[Incoming | Flaw]) -> list[Result]:
    for _ in range(ATTEMPTS):
        plan = await _EditPlan.make(call, documents)
        if not plan.revisions:
            return plan.results([])
        try:
            async with call.parts.storage.write() as connection:
                outcomes = await call.parts.journal.write_within(
                    connection, call.db.name, plan.revisions, _origin(call)
                )
                await plan.confirm(connection, outcomes)
        except _WrittenMeanwhile:
            continue
        return plan.results(outcomes)
    raise Refusal(503, "service_unavailable", "The documents change too fast; try again.")


class _EditPlan:
    """The revisions that a batch of edits comes to, over the leaves that were read."""

    def __init__(self, call: Call, seq: int, here: dict[str, Branches], waiting: set[tuple[str, RevisionId]]) -> None:
        self._call = call
        self._seq = seq
        self._here = here
        self._waiting = waiting
        self._leaves = {doc_id: set(of.leaves) for doc_id, of in here.items()}
        self._rows: list[Flaw | NewRevision] = []

    @classmethod
    async def make(cls, call: Call, documents: Sequence[Incoming | Flaw]) -> "_EditPlan":
        """Read what stands of the documents and plan an edit for each."""
        ids = {each.doc_id for each in documents if isinstance(each, Incoming)}
        async with call.parts.storage.read() as connection:
            seq = (await document_list.info(connection, call.db.name)).seq
            here = await branches(connection, call.parts.sql, call.db.name, ids)
        plan = cls(call, seq, here, await call.parts.journal.quarantined_in(call.db.name, ids))
        async for each in in_turns(documents):
            plan._rows.append(each if isinstance(each, Flaw) else plan._planned(each))
        edits = [
            (place, each, row)
            for place, (each, row) in enumerate(zip(documents, plan._rows, strict=True))
            if isinstance(each, Incoming) and isinstance(row, NewRevision)
        ]
        held = await held_back(call, [each for _, each, _ in edits], [row for _, _, row in edits])
        for (place, _, _), row in zip(edits, held, strict=True):
            plan._rows[place] = row
        return plan

    @property
    def revisions(self) -> list[NewRevision]:
        """Return what is to be written."""
        return [row for row in self._rows if isinstance(row, NewRevision)]

    def results(self, outcomes: Sequence[Outcome]) -> list[Result]:
        """Return what became of each document, in order."""
        left = iter(outcomes)
        return [row if isinstance(row, Flaw) else _result(next(left)) for row in self._rows]

    async def confirm(self, connection: AsyncConnection, outcomes: Sequence[Outcome]) -> None:
        """Return if the leaves are those that these edits make of what was read; raise _WrittenMeanwhile."""
        expected = {revision.doc_id: set(self._read(revision.doc_id)) for revision in self.revisions}
        for revision, outcome in zip(self.revisions, outcomes, strict=True):
            if outcome.outcome == "stored":
                expected[revision.doc_id] -= {*revision.ancestors}
                expected[revision.doc_id].add(revision.rev)
        stored = sum(outcome.outcome == "stored" for outcome in outcomes)
        if (await document_list.info(connection, self._call.db.name)).seq == self._seq + stored:
            # Nobody else has written to the database at all.
            return
        found = await document_list.leaves_of(connection, self._call.parts.sql, self._call.db.name, expected)
        if any(set(found.get(doc_id, "").split()) != leaves for doc_id, leaves in expected.items()):
            raise _WrittenMeanwhile

    def _read(self, doc_id: str) -> tuple[RevisionId, ...]:
        return self._here[doc_id].leaves if doc_id in self._here else ()

    def _planned(self, document: Incoming) -> Flaw | NewRevision:
        doc_id, parent = document.doc_id, document.rev
        leaves = self._leaves.setdefault(doc_id, set())
        if parent is None:
            of = self._here.get(doc_id)
            # Only a document that is deleted in every branch may begin anew, and it does so over its tombstone.
            if leaves and (of is None or not of.is_deleted or leaves != set(of.leaves)):
                return Flaw(doc_id, *CONFLICT)
            parent = of.winner if of is not None else None
        elif parent not in leaves and (doc_id, parent) not in self._waiting:
            return Flaw(doc_id, *CONFLICT, rev=parent)
        revision = NewRevision.with_body(doc_id, document.content, parent, deleted=document.deleted)
        leaves.discard(parent or "")
        leaves.add(revision.rev)
        return revision


def _require_writing(call: Call) -> None:
    # For the whole request, never for one document: a replicator passes over a document that is forbidden to it.
    if not call.db.may_write:
        raise forbidden("You may read this database, not write it.")


def _origin(call: Call) -> Origin:
    principal = call.person.principal
    return Origin(principal.person, principal.enrolment)


def _result(outcome: Outcome) -> Result:
    if outcome.outcome == "refused":
        return Flaw(outcome.doc_id, "bad_request", f"Not a revision ({outcome.reason})", outcome.rev)
    return StoredDocument(outcome.doc_id, outcome.rev)

"""Ingest from another server: finds each revision's author, asks the ingest policy and writes.

Ids are their writer's business and are not recomputed. Nothing is refused for want of rights: a replica takes a refusal
as done, so what may be kept is kept, in quarantine. A revision that a valid seal of a known key covers is that
enrolment's, whether the seal comes before it, with it or after it; what comes without one is the bringing server's own.
Seals are documents and are stored as such.

What is decided at a desk bears no seal: it says `by` whom. The province is believed whatever it says of that. A server
that has an account here is believed, for the scopes of its account, of people who have the right to it here and now;
that it came by way of this account stands in the audit. Any other server's word makes nobody a decider.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import CATALOG
from server.auth import people
from server.auth.audit import note
from server.auth.authorise import allowed
from server.auth.tables import people as people_table
from server.forms.library import FormLibrary
from server.ingest.document import IncomingDocument, read_document
from server.ingest.peer_seals import Key, Seal, owners_of, read_seals, savers_without_right
from server.ingest.policy import Arrival, Coming, Right, entitled, judged
from server.ingest.seal_tables import forget_waiting_seal, note_waiting_seal
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin, Outcome
from server.journal.parts import in_parts
from server.journal.store import authors
from server.journal.store.authors import SealClaim
from server.journal.store.statements import statements
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.turns import in_turns
from sync.contract.documents import RECORD, TOMBSTONE, WRITTEN_AT_DESKS
from sync.contract.members import Door
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, order_of_any

#: Built once: a bringing is made for every request of another server.
STATEMENTS = {flag: statements(is_postgresql=flag) for flag in (False, True)}
#: The kind of a document about a record, and who wrote it.
Decider = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PeerSender:
    """The sending server: `author` is the author of its own revisions.

    `is_believed`: whatever it says of decisions, as the province; `has_account`: of people who have the right here.
    """

    author: str
    is_believed: bool = False
    has_account: bool = False


@dataclass(frozen=True, slots=True)
class _Authors:
    """The authors of a batch of documents, as far as they are known here."""

    owners: Mapping[Key, SealClaim]
    savers_without_right: frozenset[str]
    deciders: frozenset[Decider]


class PeerIngest:
    """Takes revisions from other servers into this journal."""

    def __init__(self, storage: Storage, journal: Journal, library: FormLibrary, clock: Clock) -> None:
        """Read nothing yet."""
        self._clock = clock
        self._storage = storage
        self._journal = journal
        self._library = library
        self._sql = STATEMENTS[storage.is_postgresql]

    async def receive(
        self,
        database: str,
        received: Sequence[tuple[Mapping[str, Json], tuple[RevisionId, ...]]],
        sender: PeerSender,
    ) -> list[Outcome]:
        """Return what became of each document (with its ancestors, parent first), in order, once it is durable."""
        # In the catalog nobody looks after what waits, so nothing is quarantined there.
        keeps_attachments = database != CATALOG
        documents = [
            read_document(document, keeps_attachments=keeps_attachments) async for document, _ in in_turns(received)
        ]
        async with self._storage.read() as connection:
            seals, waiting = await read_seals(connection, database, documents)
            known = await self._authors(connection, database, documents, [*seals.values()], sender)
        outcomes: list[Outcome | None] = [None] * len(received)
        places: list[int] = []
        coming: list[Coming] = []
        async for position, (document, (_, ancestors)) in in_turns(enumerate(zip(documents, received, strict=True))):
            found = await self._admit_one(database, document, ancestors, known, sender)
            if isinstance(found, Outcome):
                outcomes[position] = found
            else:
                coming.append(found)
                places.append(position)
        revisions = [one.revision for one in coming]
        if database != CATALOG:
            revisions = await entitled(self._journal, database, coming)
        ready = [
            (position, revision, self._origin(documents[position], known, sender))
            for position, revision in zip(places, revisions, strict=True)
        ]
        # Parents first, and as few transactions as there are authors in a generation.
        ready.sort(key=lambda one: (order_of_any(one[1].rev), one[2].enrolment or "", one[2].person or ""))
        parts = [
            (origin, part)
            for origin, group in groupby(ready, key=lambda one: one[2])
            for part in in_parts(group, lambda one: one[1])
        ]
        for origin, part in parts:
            new = [revision for _, revision, _ in part]
            done = await self._write(database, new, origin, seals=seals, waiting=waiting, sender=sender)
            for (position, _, _), outcome in zip(part, done, strict=True):
                outcomes[position] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    async def reconsider(self, database: str, doc_id: str) -> bool:
        """Look again at a seal whose key was not known when it came; whether it holds now."""
        stands = await self._journal.document(database, doc_id)
        content = {} if stands is None else json.loads(stands.content)
        document = IncomingDocument(doc_id, "", content)
        async with self._storage.read() as connection:
            seals, unknown = await read_seals(connection, database, [document])
        async with self._storage.write() as connection:
            for seal in seals.values():
                await authors.claim(connection, self._sql, database, seal.claims())
            # Also one that turns out to be forged: it would be looked at for ever.
            if doc_id not in unknown:
                await forget_waiting_seal(connection, database, doc_id)
        return bool(seals)

    async def _write(
        self,
        database: str,
        revisions: Sequence[NewRevision],
        origin: Origin,
        *,
        seals: Mapping[str, Seal],
        waiting: Mapping[str, str],
        sender: PeerSender,
    ) -> list[Outcome]:
        async with self._storage.write() as connection:
            outcomes = await self._journal.write_within(connection, database, revisions, origin)
            new = [one for one in outcomes if one.outcome == "stored"]
            for one in new:
                if one.doc_id in seals:
                    await authors.claim(connection, self._sql, database, seals[one.doc_id].claims())
                if one.doc_id in waiting:
                    await note_waiting_seal(connection, database, one.doc_id, waiting[one.doc_id])
            if sender.has_account and origin.enrolment is None and origin.person != sender.author:
                for one in new:
                    # The desk at which it was decided noted it there; here it is known by whose word it counts.
                    kind, _, record = one.doc_id.rpartition(":")[0].partition(":")
                    subject, told = f"{database}/{record}"[:200], {"document": one.doc_id, "by_way_of": sender.author}
                    await note(connection, self._clock, origin.person, f"{kind}.brought", subject, **told)
        return outcomes

    async def _authors(
        self,
        connection: AsyncConnection,
        database: str,
        documents: Sequence[IncomingDocument],
        seals: Sequence[Seal],
        sender: PeerSender,
    ) -> _Authors:
        by_key = {document.key: document for document in documents}
        return _Authors(
            await owners_of(connection, self._sql, database, by_key, seals),
            await savers_without_right(connection, database, documents),
            await self._deciders(connection, database, documents, sender),
        )

    async def _deciders(
        self, connection: AsyncConnection, database: str, documents: Sequence[IncomingDocument], sender: PeerSender
    ) -> frozenset[Decider]:
        """Return who may have written which kind of document about a record, of those whom these documents name."""
        named = {decider for document in documents if (decider := _decider(document)) is not None}
        if not named or not (sender.is_believed or sender.has_account):
            return frozenset()
        if sender.is_believed:
            known = select(people_table.c.id).where(people_table.c.id.in_({by for _, by in named}))
            present = set(await connection.scalars(known))
            return frozenset(decider for decider in named if decider[1] in present)
        holders = {by: await people.principal(connection, by, None) for by in {by for _, by in named}}
        return frozenset(
            (kind, by)
            for kind, by in named
            if kind in WRITTEN_AT_DESKS
            and (holder := holders[by]) is not None
            and allowed(holder, WRITTEN_AT_DESKS[kind], database)
        )

    async def _admit_one(
        self,
        database: str,
        document: IncomingDocument,
        ancestors: tuple[RevisionId, ...],
        known: _Authors,
        sender: PeerSender,
    ) -> Coming | Outcome:
        """Return a document as a revision, with the reason for which a person must look first, or its refusal."""
        door: Door = "province" if sender.is_believed else "peer"
        arrival = Arrival(door, database, document, ancestors, _right(document, known, sender))
        reason = None if database == CATALOG else await judged(arrival, self._library)
        if document.is_flawed:
            return Outcome(document.doc_id, document.rev, None, "refused", "malformed")
        number = document.number if document.key in known.owners else None
        return arrival.revision(reason, number=number, verify=False)

    def _origin(self, document: IncomingDocument, known: _Authors, sender: PeerSender) -> Origin:
        owner = known.owners.get(document.key)
        if owner is not None:
            return Origin(owner.person, owner.enrolment)
        decider = _decider(document)
        return Origin(decider[1]) if decider is not None and decider in known.deciders else Origin(sender.author)


def _right(document: IncomingDocument, known: _Authors, sender: PeerSender) -> Right:
    """Return whether the people have it by whom a document is, as far as that is asked of this server."""
    if document.type == RECORD:
        return "never" if document.saver in known.savers_without_right else "now"
    if document.type in WRITTEN_AT_DESKS and sender.has_account:
        return "now" if _decider(document) in known.deciders else "never"
    return "now"


def _decider(document: IncomingDocument) -> Decider | None:
    """Return the kind of a document about a record and who it says wrote it; None where it says nobody.

    A record is by whom its seal says, whatever member it has.
    """
    kind, by = document.type, document.members.get("by")
    if kind is None or kind in (RECORD, TOMBSTONE) or not isinstance(by, str) or not by.isprintable():
        return None
    return kind, by

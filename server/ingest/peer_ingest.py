"""What another server brings into a scope: whose each revision is, what a person must look at first, and the writing.

    the revision …                                                        becomes
    cannot be a document                                                  refused       malformed
    has attachments: media travels by its own door                        quarantined   attachments
    is none of the documents that people and servers write                quarantined   not_a_record
    edits or deletes what is said once                                    quarantined   not_a_record
    is a decision or question by somebody who has no right to it here     quarantined   rights_lost
    is sealed by an enrolment whose person has no rights here             quarantined   rights_lost
    has members that its bringer may not write (`sync.contract`)          quarantined   servers_only, unknown_member
    is a record of a form version that is unknown in the scope's project  quarantined   unknown_form
    has answers that don't type                                           quarantined   misfit_answers

Read from the top; ids are their writer's business and are not recomputed. Nothing is refused for want of rights: a
replica takes a refusal as done, so what may be kept is kept, in quarantine. A revision that a valid seal of a known key
covers is that enrolment's, whether the seal comes before it, with it or after it; what comes without one is the
bringing server's own. Seals are documents and are stored as such.

What is decided at a desk bears no seal: it says `by` whom. The province is believed whatever it says of that. A server
that has an account here is believed, for the scopes of its account, of people who have the right to it here and now;
that it came by way of this account stands in the audit. Any other server's word makes nobody a decider.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import CATALOG
from server.auth import enrolments, people
from server.auth.audit import note
from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.auth.tables import people as people_table
from server.auth.tokens import verify_seal
from server.forms.library import FormLibrary
from server.ingest.peer_documents import asked_of_peer, is_brought
from server.ingest.record_checks import MISFITS, misfit
from server.ingest.seal_tables import forget_waiting_seal, note_waiting_seal
from server.journal.entitlement import Asked
from server.journal.journal import Journal
from server.journal.model import ATTACHMENTS, WITH_ATTACHMENTS, NewRevision, Origin, Outcome
from server.journal.store import authors
from server.journal.store.authors import SealClaim
from server.journal.store.statements import statements
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from sync.contract.documents import DOCUMENT_TYPES, WRITTEN_AT_DESKS
from sync.contract.members import Door, Reason
from sync.contract.seal import SEAL_PREFIX, payload_of_document
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.canonical import Json, MalformedJson
from sync.revisions.revision_id import RevisionId, is_revision_id, order_of_any

#: Built once: a bringing is made for every request of another server.
STATEMENTS = {flag: statements(is_postgresql=flag) for flag in (False, True)}
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")

Document = Mapping[str, Json]
Key = tuple[str, RevisionId]
#: The kind of a document about a record, and who wrote it.
Decider = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bringer:
    """The server that brings: `author` is whose its own revisions are.

    `is_believed`: whatever it says of decisions, as the province; `has_account`: of people who have the right here.
    """

    author: str
    is_believed: bool = False
    has_account: bool = False


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that holds: who sealed, with the rights that they have, and the revisions of one database it covers."""

    enrolment: str
    holder: Principal
    then: Principal
    covers: frozenset[Key]


class Bringing:
    """Takes what other servers bring into the journal of this one."""

    def __init__(self, storage: Storage, journal: Journal, library: FormLibrary, clock: Clock) -> None:
        """Read nothing yet."""
        self._clock = clock
        self._storage = storage
        self._journal = journal
        self._library = library
        self._sql = STATEMENTS[storage.is_postgresql]

    async def bring(
        self, database: str, brought: Sequence[tuple[Document, tuple[RevisionId, ...]]], bringer: Bringer
    ) -> list[Outcome]:
        """Return what became of each document (with its ancestors, parent first), in order, once it is durable."""
        seals, waiting = await self._seals(database, [document for document, _ in brought])
        owners = await self._owners(database, brought, seals)
        deciders = await self._deciders(database, [document for document, _ in brought], bringer)
        oversteps = await self._oversteps(database, brought, owners, bringer)
        outcomes: list[Outcome | None] = []
        ready: list[tuple[int, NewRevision, Origin]] = []
        for position, (document, ancestors) in enumerate(brought):
            outcomes.append(None)
            owner = owners.get(_key(document))
            try:
                reason = None
                if database != CATALOG:
                    reason = await self._held_back(database, document, ancestors, owner, bringer)
                    if reason is None and owner is None and self._lacks_right(document, bringer, deciders):
                        reason = "rights_lost"
                number = _number(document) if owner else None
                revision = NewRevision.from_document(
                    document, ancestors, number=number, quarantine=reason, verify=False
                )
            except MalformedJson:
                doc_id, rev = _key(document)
                outcomes[position] = Outcome(doc_id, rev, None, "refused", "malformed")
                continue
            if revision.quarantine in (None, *MISFITS) and position in oversteps:
                revision = revision.overstepping(*oversteps[position])
            ready.append((position, revision, self._origin(document, owner, bringer, deciders)))
        # Parents first, and as few transactions as there are authors in a generation.
        ready.sort(key=lambda one: (order_of_any(one[1].rev), one[2].enrolment or "", one[2].person or ""))
        for origin, group in groupby(ready, key=lambda one: one[2]):
            part = list(group)
            new = [revision for _, revision, _ in part]
            done = await self._write(database, new, origin, seals=seals, waiting=waiting, bringer=bringer)
            for (position, _, _), outcome in zip(part, done, strict=True):
                outcomes[position] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    async def reconsider(self, database: str, doc_id: str) -> bool:
        """Look again at a seal whose key was not known when it came; whether it holds now."""
        stands = await self._journal.document(database, doc_id)
        content = {} if stands is None else json.loads(stands.content)
        seals, unknown = await self._seals(database, [{**content, "_id": doc_id}])
        async with self._storage.write() as connection:
            for seal in seals.values():
                await authors.claim(connection, self._sql, database, _claims(seal))
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
        bringer: Bringer,
    ) -> list[Outcome]:
        async def also(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> None:
            new = [one for one in outcomes if one.outcome == "stored"]
            for one in new:
                if one.doc_id in seals:
                    await authors.claim(connection, self._sql, database, _claims(seals[one.doc_id]))
                if one.doc_id in waiting:
                    await note_waiting_seal(connection, database, one.doc_id, waiting[one.doc_id])
            if origin.enrolment is None and new:
                # A seal may have come in between reading what seals say and this transaction.
                await authors.settle(connection, self._sql, database, [(one.doc_id, one.rev) for one in new])
            if bringer.has_account and origin.enrolment is None and origin.person != bringer.author:
                for one in new:
                    # The desk at which it was decided noted it there; here it is known by whose word it counts.
                    kind, _, record = one.doc_id.rpartition(":")[0].partition(":")
                    subject, told = f"{database}/{record}"[:200], {"document": one.doc_id, "by_way_of": bringer.author}
                    await note(connection, self._clock, origin.person, f"{kind}.brought", subject, **told)

        return await self._journal.write(database, revisions, origin, also=also)

    async def _seals(self, database: str, documents: Sequence[Document]) -> tuple[dict[str, Seal], dict[str, str]]:
        """Return the seals that hold, by document, and the enrolments of those whose key is not known here."""
        holding: dict[str, Seal] = {}
        unknown: dict[str, str] = {}
        async with self._storage.read() as connection:
            for document in documents:
                doc_id, enrolment, jws = document.get("_id"), document.get("enrolment"), document.get("jws")
                push = _pushed(document.get("push"))
                if not isinstance(doc_id, str) or not doc_id.startswith(SEAL_PREFIX) or push is None:
                    continue
                if not isinstance(enrolment, str) or not enrolment.isprintable() or not isinstance(jws, str):
                    continue
                known = await enrolments.find(connection, enrolment)
                if known is None:
                    unknown[doc_id] = enrolment
                    continue
                # A key that was revoked covers nothing: whoever has the lost phone could seal today.
                payload = payload_of_document(document, push)
                if known.revoked_at is not None or payload is None or not verify_seal(known.jwk, jws, payload):
                    continue
                now = await people.principal(connection, known.person, known.id)
                then = Principal(known.person, "", known.id, known.exchange_grants or ())
                covers = frozenset((item[1], item[2]) for item in push if item[0] == database and _is_key(item))
                nobody = Principal(known.person, "", known.id, ())
                holding[doc_id] = Seal(known.id, now or nobody, then, covers)
        return holding, unknown

    async def _owners(
        self,
        database: str,
        brought: Sequence[tuple[Document, tuple[RevisionId, ...]]],
        seals: Mapping[str, Seal],
    ) -> dict[Key, Seal]:
        """Return the seal that each revision is covered by and says itself that it was saved under."""
        keys = {_key(document): document for document, _ in brought}
        owners: dict[Key, Seal] = {}
        for seal in seals.values():
            for key in seal.covers & keys.keys():
                if _saved_by(keys[key]) == seal.enrolment:
                    owners[key] = seal
        async with self._storage.read() as connection:
            said = await authors.announced(connection, self._sql, database, [doc_id for doc_id, _ in keys])
            for key, claims in said.items():
                if key not in keys or key in owners:
                    continue
                for claim in claims:
                    known = await enrolments.find(connection, claim.enrolment)
                    if known is not None and _saved_by(keys[key]) == claim.enrolment:
                        now = await people.principal(connection, known.person, known.id)
                        then = Principal(known.person, "", known.id, known.exchange_grants or ())
                        nobody = Principal(known.person, "", known.id, ())
                        owners[key] = Seal(known.id, now or nobody, then, frozenset({key}))
        return owners

    async def _deciders(self, database: str, documents: Sequence[Document], bringer: Bringer) -> frozenset[Decider]:
        """Return who may have written which kind of document about a record, of those whom these documents name."""
        named = {decider for document in documents if (decider := _decider(document)) is not None}
        if not named or not (bringer.is_believed or bringer.has_account):
            return frozenset()
        async with self._storage.read() as connection:
            if bringer.is_believed:
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

    def _lacks_right(self, document: Document, bringer: Bringer, deciders: frozenset[Decider]) -> bool:
        if not bringer.has_account or document.get("type") not in WRITTEN_AT_DESKS:
            return False
        return _decider(document) not in deciders

    def _origin(self, document: Document, owner: Seal | None, bringer: Bringer, deciders: frozenset[Decider]) -> Origin:
        if owner is not None:
            return Origin(owner.holder.person, owner.enrolment)
        decider = _decider(document)
        return Origin(decider[1]) if decider is not None and decider in deciders else Origin(bringer.author)

    async def _held_back(
        self,
        database: str,
        document: Document,
        ancestors: tuple[RevisionId, ...],
        owner: Seal | None,
        bringer: Bringer,
    ) -> str | None:
        """Return the reason for which a person must look at the document first."""
        if document.get(ATTACHMENTS):
            return WITH_ATTACHMENTS
        doc_id, kind = str(document.get("_id")), document.get("type")
        prefix, colon, _ = doc_id.partition(":")
        if colon:
            is_one = kind == prefix and is_brought(document, ancestors, is_believed=bringer.is_believed)
            return None if is_one else "not_a_record"
        is_deleted = document.get("_deleted") is True
        if kind != "record" and not (is_deleted and kind is None):
            return "not_a_record"
        if owner is not None and not any(allowed(held, "capture", database) for held in (owner.holder, owner.then)):
            return "rights_lost"
        is_erased = document.get("erased") is True and "form" not in document
        return None if is_deleted or is_erased else await misfit(self._library, database, document)

    async def _oversteps(
        self,
        database: str,
        brought: Sequence[tuple[Document, tuple[RevisionId, ...]]],
        owners: Mapping[Key, Seal],
        bringer: Bringer,
    ) -> dict[int, tuple[Reason, Door]]:
        """Return which of the records say what their bringer may not, by their place, and as whom it was taken."""
        if database == CATALOG or bringer.is_believed:
            return {}
        asked: dict[int, Asked] = {}
        for place, (document, ancestors) in enumerate(brought):
            doc_id, _ = _key(document)
            if ":" not in doc_id and is_well_formed_doc_id(doc_id):
                is_sealed = _key(document) in owners
                # What is malformed is refused below.
                with suppress(MalformedJson):
                    asked[place] = asked_of_peer(document, ancestors, is_sealed=is_sealed)
        reasons = await self._journal.oversteps(database, [*asked.values()])
        return {
            place: (reason, asked[place].door)
            for place, reason in zip(asked, reasons, strict=True)
            if reason is not None
        }


def _decider(document: Document) -> Decider | None:
    """Return the kind of a document about a record and who it says wrote it; None where it says nobody."""
    kind, by = document.get("type"), document.get("by")
    if not isinstance(kind, str) or kind not in DOCUMENT_TYPES or not isinstance(by, str) or not by.isprintable():
        return None
    return kind, by


def _claims(seal: Seal) -> list[SealClaim]:
    return [SealClaim(doc_id, rev, seal.enrolment, seal.holder.person) for doc_id, rev in sorted(seal.covers)]


def _pushed(push: object) -> list[tuple[str, str, str]] | None:
    if not isinstance(push, list | tuple):
        return None
    items: list[tuple[str, str, str]] = []
    for item in push:
        if not isinstance(item, list | tuple) or len(item) != 3 or not all(isinstance(part, str) for part in item):
            return None
        items.append((item[0], item[1], item[2]))
    return items


def _is_key(item: tuple[str, str, str]) -> bool:
    return is_well_formed_doc_id(item[1]) and is_revision_id(item[2])


def _key(document: Document) -> Key:
    return str(document.get("_id", "")), str(document.get("_rev", ""))


def _saved(document: Document) -> Mapping[str, Any]:
    saved = document.get("saved")
    return saved if isinstance(saved, dict) else {}


def _saved_by(document: Document) -> str | None:
    by = _saved(document).get("by")
    return by if isinstance(by, str) else None


def _number(document: Document) -> str | None:
    number = _saved(document).get("number")
    return number if isinstance(number, str) and _NUMBER.fullmatch(number) else None

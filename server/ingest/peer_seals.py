"""Whose revisions are that other servers bring: a valid seal of a known key says so, before, with or after them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth import enrolments, people
from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.auth.tokens import verify_seal
from server.ingest.document import IncomingDocument
from server.journal.store import authors
from server.journal.store.authors import SealClaim
from server.journal.store.statements import Statements
from sync.contract.seal import SEAL_PREFIX, payload_of_document
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.revision_id import RevisionId, is_revision_id

Key = tuple[str, RevisionId]


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that holds: the enrolment that sealed, its person, and the revisions of one database it covers."""

    enrolment: str
    person: str
    covers: frozenset[Key]

    def claims(self) -> list[SealClaim]:
        """Return whose the revisions are that it covers, as the journal keeps it."""
        return [SealClaim(doc_id, rev, self.enrolment, self.person) for doc_id, rev in sorted(self.covers)]


async def read_seals(
    connection: AsyncConnection, database: str, documents: Sequence[IncomingDocument]
) -> tuple[dict[str, Seal], dict[str, str]]:
    """Return the seals that hold, by document, and the enrolments of those whose key is not known here."""
    holding: dict[str, Seal] = {}
    unknown: dict[str, str] = {}
    for document in documents:
        doc_id, members = document.doc_id, document.members
        enrolment, jws, push = members.get("enrolment"), members.get("jws"), _pushed(members.get("push"))
        if not doc_id.startswith(SEAL_PREFIX) or push is None:
            continue
        if not isinstance(enrolment, str) or not enrolment.isprintable() or not isinstance(jws, str):
            continue
        known = await enrolments.find(connection, enrolment)
        if known is None:
            unknown[doc_id] = enrolment
            continue
        # A key that was revoked covers nothing: whoever has the lost phone could seal today.
        payload = payload_of_document(members, push)
        if known.revoked_at is not None or payload is None or not verify_seal(known.jwk, jws, payload):
            continue
        covers = frozenset((item[1], item[2]) for item in push if item[0] == database and _is_key(item))
        holding[doc_id] = Seal(known.id, known.person, covers)
    return holding, unknown


async def owners_of(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    documents: Mapping[Key, IncomingDocument],
    seals: Collection[Seal],
) -> dict[Key, SealClaim]:
    """Return whose each revision is that a seal covers and that says itself that it was saved under that enrolment."""
    owners: dict[Key, SealClaim] = {}
    for seal in seals:
        for key in seal.covers & documents.keys():
            if documents[key].saver == seal.enrolment:
                owners[key] = SealClaim(*key, seal.enrolment, seal.person)
    said = await authors.announced(connection, sql, database, [doc_id for doc_id, _ in documents])
    for key, claims in said.items():
        if key in documents and key not in owners:
            fitting = [claim for claim in claims if documents[key].saver == claim.enrolment]
            owners |= {key: fitting[-1]} if fitting else {}
    return owners


async def savers_without_right(
    connection: AsyncConnection, database: str, documents: Collection[IncomingDocument]
) -> frozenset[str]:
    """Return the enrolments, of those that these say saved them, whose person may not capture there.

    Neither now nor at the enrolment's last exchange with this server. A claim is enough: whether the seal that proves
    it comes before or after the document must change nothing. An enrolment that is not known here says nothing.
    """
    found: set[str] = set()
    for name in {one.saver for one in documents if one.saver and one.saver.isprintable()}:
        known = await enrolments.find(connection, name)
        if known is None:
            continue
        # The person's rights: what a lost phone wrote before it was lost is theirs as well.
        now = await people.principal(connection, known.person, None)
        then = Principal(known.person, "", None, known.exchange_grants or ())
        if not any(allowed(each, "capture", database) for each in (now, then) if each is not None):
            found.add(name)
    return frozenset(found)


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

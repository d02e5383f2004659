"""The replicas' way into the ingest policy, for documents that enter a scope.

A replica has no enrolment: `saved` is only a claim, and the author is the session's person. Whether they may write at
all is asked once for the request (`storing`), never for one document: a replicator passes over what is forbidden to it.
"""

from collections.abc import Sequence
from dataclasses import replace

from server.auth.authorise import allowed
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.parse_documents import Flaw, Incoming, WriteMode, incoming
from server.ingest.policy import Arrival, Coming, entitled, judged
from server.journal.model import NewRevision
from sync.revisions.canonical import Json


async def admitted(call: Call, value: Json, *, new_edits: bool, doc_id: str | None = None) -> Incoming | Flaw:
    """Return what a document is, with what the door finds about it whatever stands here."""
    document = incoming(value, WriteMode(new_edits, call.db.takes_anything), doc_id)
    if isinstance(document, Flaw) or call.db.kind != "scope":
        return document
    if not new_edits and brings_others(call):
        return document
    arrival = Arrival("replica", call.db.name, document.document, document.path)
    finding = await judged(arrival, call.parts.library)
    return document if finding is None else replace(document, finding=finding)


def brings_others(call: Call) -> bool:
    """Whether the caller is another server: seals then say who wrote its revisions."""
    return call.db.kind == "scope" and allowed(call.person.principal, "replicate", call.db.name)


async def held_back(call: Call, documents: Sequence[Incoming], revisions: Sequence[NewRevision]) -> list[NewRevision]:
    """Return the revisions that documents become, with the reasons for which a person must look at them first."""
    if call.db.kind != "scope":
        return [*revisions]
    coming = [
        Coming.of(_held(new, of.finding), of.document, "replica") for new, of in zip(revisions, documents, strict=True)
    ]
    return await entitled(call.parts.journal, call.db.name, coming)


def _held(revision: NewRevision, finding: str | None) -> NewRevision:
    return revision if finding == revision.quarantine else replace(revision, quarantine=finding)

"""What this door finds about documents that enter a scope, before the journal decides about the graph.

    attachments                                                quarantined  attachments
    no record, and no tombstone of one                         quarantined  not_a_record
    members that they may not write, other than its parent has quarantined  servers_only, unknown_member
    form version unknown, answers that don't type              quarantined  unknown_form, misfit_answers

The same as for phones, but a replica has no enrolment: `saved` is only a claim, and the author is the session's person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.auth.authorise import allowed
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.parse_documents import Flaw, Incoming, WriteMode, incoming
from server.ingest.record_checks import MISFITS, misfit
from server.journal.entitlement import Asked
from server.journal.model import NewRevision
from sync.revisions.canonical import Json


async def admitted(call: Call, value: Json, *, new_edits: bool, doc_id: str | None = None) -> Incoming | Flaw:
    """Return what a document is, with what the door finds about it whatever stands here."""
    document = incoming(value, WriteMode(new_edits, call.db.takes_anything), doc_id)
    if isinstance(document, Flaw) or call.db.kind != "scope" or not isinstance(value, Mapping):
        return document
    if document.finding is not None or (not new_edits and brings_others(call)):
        return document
    finding = await _finding(call, document, value)
    return document if finding is None else replace(document, finding=finding)


def brings_others(call: Call) -> bool:
    """Whether this is another server, which brings what other people wrote: seals say what becomes of that."""
    return call.db.kind == "scope" and allowed(call.person.principal, "replicate", call.db.name)


async def held_back(call: Call, documents: Sequence[Incoming], revisions: Sequence[NewRevision]) -> list[NewRevision]:
    """Return the revisions that documents become, with the reasons for which a person must look at them first."""
    held = [replace(new, quarantine=of.finding) for new, of in zip(revisions, documents, strict=True)]
    if call.db.kind != "scope":
        return held
    places = [place for place, new in enumerate(held) if new.quarantine in (None, *MISFITS)]
    asked = [Asked.of(held[place], documents[place].claims, "replica") for place in places]
    for place, reason in zip(places, await call.parts.journal.oversteps(call.db.name, asked), strict=True):
        held[place] = held[place].overstepping(reason, "replica")
    return held


async def _finding(call: Call, document: Incoming, content: Mapping[str, Any]) -> str | None:
    is_bare_tombstone = document.deleted and "type" not in content
    if ":" in document.doc_id or document.doc_id.startswith("_"):
        return "not_a_record"
    if content.get("type") != "record" and not is_bare_tombstone:
        return "not_a_record"
    return None if document.deleted else await misfit(call.parts.library, call.db.name, content)

"""What this door finds about documents that enter a scope, before the journal decides about the graph.

    no record, and no tombstone of one                         quarantined  not_a_record
    members that servers write, other than its parent has      quarantined  servers_only
    form version unknown, answers that don't type              quarantined  unknown_form, misfit_answers

The same as for phones, but for two things: a replica has no enrolment, so `saved` is only a claim and the author is the
session's person; and a library that reads, changes and writes sends a record's other members back as they were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.auth.authorise import allowed
from server.canonical import canonical
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.incoming import Flaw, Incoming, incoming
from server.gateway.records import misfit
from server.revisions.branches import Key, contents
from sync.canonical import Json, parse
from sync.revision import RevisionId


async def admitted(call: Call, value: Json, *, new_edits: bool, doc_id: str | None = None) -> Incoming | Flaw:
    """Return what a document is, with what the door finds about it whatever stands here."""
    document = incoming(value, new_edits=new_edits, doc_id=doc_id)
    if isinstance(document, Flaw) or call.db.kind != "scope" or not isinstance(value, Mapping):
        return document
    if not new_edits and brings_others(call):
        return document
    finding = await _finding(call, document, value)
    return document if finding is None else replace(document, finding=finding)


def brings_others(call: Call) -> bool:
    """Whether this is another server, which brings what other people wrote: seals say what becomes of that."""
    return call.db.kind == "scope" and allowed(call.person.principal, "replicate", call.db.name)


async def held_back(
    call: Call, documents: Sequence[Incoming], parents: Sequence[RevisionId | None]
) -> list[str | None]:
    """Return the reason for which a person must look at each document first; None where there is none."""
    if call.db.kind != "scope" or not any(document.claims for document in documents):
        return [document.finding for document in documents]
    claiming: set[Key] = {
        (document.doc_id, parent)
        for document, parent in zip(documents, parents, strict=True)
        if document.claims and parent is not None
    }
    known: dict[Key, bytes] = {}
    if claiming:
        async with call.parts.storage.read() as connection:
            known = await contents(connection, call.parts.sql, call.db.name, claiming)
    return [
        document.finding
        if document.finding == "not_a_record" or _only_repeats(document, known.get((document.doc_id, parent or "")))
        else "servers_only"
        for document, parent in zip(documents, parents, strict=True)
    ]


async def _finding(call: Call, document: Incoming, content: Mapping[str, Any]) -> str | None:
    is_bare_tombstone = document.deleted and "type" not in content
    if ":" in document.doc_id or document.doc_id.startswith("_"):
        return "not_a_record"
    if content.get("type") != "record" and not is_bare_tombstone:
        return "not_a_record"
    return None if document.deleted else await misfit(call.parts.library, call.db.name, content)


def _only_repeats(document: Incoming, parent: bytes | None) -> bool:
    if not document.claims:
        return True
    before = parse(parent) if parent is not None else None
    return isinstance(before, Mapping) and all(
        member in before and canonical(before[member]) == canonical(value) for member, value in document.claims.items()
    )

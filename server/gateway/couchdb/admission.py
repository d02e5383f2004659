"""What this door finds about documents that enter a scope, before the journal decides about the graph.

    no record, and no tombstone of one                         quarantined  not_a_record
    members that servers write, other than its parent has      quarantined  servers_only
    form version unknown, answers that don't type              quarantined  unknown_form, misfit_answers

The same as for phones, but for two things: a replica has no enrolment, so `saved` is only a claim and the author is the
session's person; and a library that reads, changes and writes sends a record's other members back as they were.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from server.canonical import canonical
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.incoming import Incoming
from server.gateway.records import misfit
from server.revisions.branches import Key, contents
from server.revisions.model import SERVERS_ONLY
from sync.canonical import Json, parse
from sync.revision import RevisionId


async def held_back(
    call: Call, documents: Sequence[Incoming], parents: Sequence[RevisionId | None]
) -> list[str | None]:
    """Return the reason for which a person must look at each document first; None where there is none."""
    if call.db.kind != "scope":
        return [None] * len(documents)
    claiming: set[Key] = set()
    for document, parent in zip(documents, parents, strict=True):
        if parent is not None and any(member in document.content for member in SERVERS_ONLY):
            claiming.add((document.doc_id, parent))
    known: dict[Key, bytes] = {}
    if claiming:
        async with call.parts.storage.read() as connection:
            known = await contents(connection, call.parts.sql, call.db.name, claiming)
    return [
        await _reason(call, document, known.get((document.doc_id, parent or "")))
        for document, parent in zip(documents, parents, strict=True)
    ]


async def _reason(call: Call, document: Incoming, parent: bytes | None) -> str | None:
    content: Mapping[str, Any] = document.content
    is_bare_tombstone = document.deleted and "type" not in content
    if ":" in document.doc_id or document.doc_id.startswith("_"):
        return "not_a_record"
    if content.get("type") != "record" and not is_bare_tombstone:
        return "not_a_record"
    if not _only_repeats(content, parent):
        return "servers_only"
    return None if document.deleted else await misfit(call.parts.library, call.db.name, content)


def _only_repeats(content: Mapping[str, Json], parent: bytes | None) -> bool:
    said = {member: content[member] for member in SERVERS_ONLY if member in content}
    if not said:
        return True
    before = parse(parent) if parent is not None else None
    return isinstance(before, Mapping) and all(
        member in before and canonical(before[member]) == canonical(value) for member, value in said.items()
    )

"""The types of documents: which doors take each, and whose right it is to write it.

People write records; the others are about one, `<type>:<record id>:<UUIDv7>`. A document of a type that is *said once*
is never edited nor deleted: its state is computed from the set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sync.contract.members import Door
from sync.contract.roles import Action
from sync.revisions.canonical import Json

#: `own`: who captures, of themselves; `assign`: nobody has that right yet.
Right = Literal["capture", "review", "decide_conflicts", "own", "assign", "gateway", "projection"]


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One row: the right that it takes to write such a document, and the doors that take it."""

    right: Right
    doors: frozenset[Door]
    is_said_once: bool = False


def _row(right: Right, *doors: Door, is_said_once: bool = False) -> DocumentType:
    return DocumentType(right, frozenset(doors), is_said_once)


#: `tombstone`: a deleted record that says nothing, as CouchDB's DELETE leaves it.
RECORD, TOMBSTONE = "record", "tombstone"

DOCUMENT_TYPES: Mapping[str, DocumentType] = {
    RECORD: _row("capture", "phone", "replica", "peer", "province", "desk", "acceptance"),
    TOMBSTONE: _row("capture", "replica", "peer", "province"),
    "review": _row("review", "peer", "province", "desk", is_said_once=True),
    "question": _row("decide_conflicts", "peer", "province", "desk", is_said_once=True),
    "reply": _row("own", "phone", "peer", "province", is_said_once=True),
    "task": _row("assign", "province", is_said_once=True),
    # A seal proves itself, whoever brings it.
    "seal": _row("gateway", "peer", "province"),
    # One for each record, `open:<record id>`, which follows what is open in it.
    "open": _row("projection", "peer", "province"),
}

#: What people write at desks beside records, without a phone's seal, and the right that it takes.
WRITTEN_AT_DESKS: Mapping[str, Action] = {
    name: right
    for name, row in DOCUMENT_TYPES.items()
    if (right := row.right) == "review" or right == "decide_conflicts"
}
#: The same with records: what a desk changes in one is a decision about a conflict.
RIGHTS_AT_DESKS: Mapping[str, Action] = {RECORD: "decide_conflicts", **WRITTEN_AT_DESKS}


def type_of(doc_id: str, said: Json, *, deleted: bool) -> str | None:
    """Return the row of `DOCUMENT_TYPES` for a document that says this `type`; None where its id doesn't fit that."""
    prefix, colon, _ = doc_id.partition(":")
    if colon or doc_id.startswith("_"):
        return prefix if said == prefix and prefix not in (RECORD, TOMBSTONE) and prefix in DOCUMENT_TYPES else None
    if said is None and deleted:
        return TOMBSTONE
    return RECORD if said == RECORD else None

"""The types of documents beside records, `<type>:<record id>:<UUIDv7>`: whose right it is to write each.

A document of a type that is *said once* is never edited nor deleted: its state is computed from the set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sync.contract.roles import Action

#: `own`: who captures, of themselves; `assign`: nobody has that right yet.
Right = Literal["review", "decide_conflicts", "own", "assign", "gateway", "projection"]


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One row: the right that it takes to write such a document."""

    right: Right
    is_said_once: bool = True


DOCUMENT_TYPES: Mapping[str, DocumentType] = {
    "review": DocumentType("review"),
    "question": DocumentType("decide_conflicts"),
    "reply": DocumentType("own"),
    "task": DocumentType("assign"),
    # A seal proves itself, whoever brings it.
    "seal": DocumentType("gateway", is_said_once=False),
    # One for each record, `open:<record id>`, which follows what is open in it.
    "open": DocumentType("projection", is_said_once=False),
}

#: What people write at desks, without a phone's seal, and the right that it takes.
WRITTEN_AT_DESKS: Mapping[str, Action] = {
    name: right
    for name, row in DOCUMENT_TYPES.items()
    if (right := row.right) == "review" or right == "decide_conflicts"
}

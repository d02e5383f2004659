"""What another server's documents are, by their shape: followers' revisions, and documents that are said once."""

from collections.abc import Mapping

from server.journal.entitlement import Asked
from server.platform.canonical_json import canonical
from sync.contract.documents import DOCUMENT_TYPES
from sync.contract.members import Door, restricted
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, RevisionId, revision_id

Document = Mapping[str, Json]


def is_brought(document: Document, ancestors: tuple[RevisionId, ...], *, is_believed: bool) -> bool:
    """Whether a document beside records may come from another server."""
    of = DOCUMENT_TYPES.get(str(document.get("type")))
    if of is None or is_believed:
        return of is not None
    # Nobody has the right to assign tasks yet.
    if of.right == "assign":
        return False
    return not of.is_said_once or (not ancestors and document.get("_deleted") is not True)


def asked_of_peer(document: Document, ancestors: tuple[RevisionId, ...], *, is_sealed: bool) -> Asked:
    """Return what the contract is asked about a record that another server brings; raise MalformedJson."""
    doc_id, rev, is_deleted = str(document["_id"]), str(document.get("_rev")), document.get("_deleted") is True
    said = {name: value for name, value in document.items() if not name.startswith("_")}
    members = restricted(said)
    is_end = is_deleted and members.keys() == {"resolved"} and canonical(said) == RESOLVED_TOMBSTONE
    is_written = "merged" in said or "forwarded" in said
    if is_sealed or not is_written or any(name in said for name in ("saved", "decided", "undoes")):
        return Asked(doc_id, rev, ancestors, is_deleted, members, "peer", is_end)
    # A follower's merge or carried edit, which any server writes alike: its id is its own hash.
    parent = ancestors[0] if ancestors else None
    made = revision_id(doc_id, deleted=is_deleted, parent=parent, content=canonical(said))
    door: Door = "projection" if made == rev else "peer"
    return Asked(doc_id, rev, ancestors, is_deleted, members, door, is_end)

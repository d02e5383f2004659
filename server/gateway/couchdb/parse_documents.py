"""Documents on their way in: which members they may have, and the revision that each one is.

A flaw is that document's alone (rule 10): it becomes a `Flaw` in the document's place, and the rest of a batch goes on.
Where anything is taken, hashes may be any text, and what a CouchDB would take and this server can't fails the request.
There, attachments are read apart from the document (`attachments_in`). They stay in a scope's document, which is held
back with them: media travels by its own door, and nothing that somebody sent is dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.gateway.couchdb.refusals import INVALID_REV, not_yet
from server.gateway.couchdb.revision_ids import is_rev
from server.ingest.document import IncomingDocument
from server.journal.model import ATTACHMENTS, NewRevision
from server.journal.store.branches import REVS_LIMIT
from server.platform.canonical_json import canonical
from sync.revisions.admission import is_any_doc_id, is_well_formed_doc_id
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, is_any_revision_id, is_revision_id

#: Members that the door itself adds on the way out; whoever sends them back means nothing by them.
_ECHOES = frozenset({"_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq"})
#: What CouchDB's replicator writes into the documents that it takes its orders from: there, fields like any other.
_ORDERS = frozenset(
    {"_replication_id", "_replication_state", "_replication_state_time", "_replication_state_reason"}
    | {"_replication_stats"}
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why one document can't be taken."""

    doc_id: str
    error: str
    reason: str
    rev: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document that was read: its own members in canonical form, the revision that it names, and the path to it.

    `document` is what the ingest policy asks about; `finding` is the reason for which a person must look at it first,
    whatever its parent is; `attached` comes with it where anything is taken, and is not in `content` yet.
    """

    doc_id: str
    rev: RevisionId | None
    deleted: bool
    content: bytes
    path: tuple[RevisionId, ...]
    document: IncomingDocument
    finding: str | None = None
    attached: Mapping[str, Json] = field(default_factory=dict)

    def as_it_is(self) -> NewRevision:
        """Return the revision that another replica has made: its id is its writer's business."""
        assert self.rev is not None
        return NewRevision(
            self.doc_id, self.rev, self.path, self.deleted, self.content, quarantine=self.finding, verify=False
        )


@dataclass(frozen=True, slots=True)
class WriteMode:
    """How documents come in: as edits or as other replicas' revisions, under a scope's rules or where all is taken."""

    new_edits: bool
    takes_anything: bool

    @property
    def is_copy(self) -> bool:
        """Whether another replica copies what it has: an edit that is refused stays with whoever made it."""
        return self.takes_anything and not self.new_edits


def incoming(value: Json, kind: WriteMode, doc_id: str | None = None) -> Incoming | Flaw:
    """Return what a document is; `doc_id` comes from the path where there is one. Raise Refusal: not yet taken."""
    if not isinstance(value, Mapping):
        return Flaw(doc_id or "", "bad_request", "Document must be a JSON object")
    name = _name(value, kind, doc_id)
    if isinstance(name, Flaw):
        return name
    members = _members(name, value, kind)
    if isinstance(members, Flaw):
        return members
    content, attached = members
    line = _named_line(name, value, kind)
    if isinstance(line, Flaw):
        return line
    rev, deleted = line[0] if line else None, value.get("_deleted") is True
    canonical_content = canonical(content, is_read=True)
    document = IncomingDocument(name, rev or "", content, deleted=deleted, content=canonical_content)
    return Incoming(name, rev, deleted, canonical_content, line[1:], document, attached=attached)


def _name(value: Mapping[str, Json], kind: WriteMode, doc_id: str | None) -> str | Flaw:
    if "_id" not in value and doc_id is None:
        return Flaw("", "bad_request", "Document must have an _id")
    name = value.get("_id", doc_id)
    if not isinstance(name, str):
        return Flaw("", "illegal_docid", "Document id must be a string")
    reason = _against(name, kind)
    return name if reason is None else Flaw(name, "illegal_docid", reason)


def _members(
    doc_id: str, value: Mapping[str, Json], kind: WriteMode
) -> tuple[dict[str, Json], Mapping[str, Json]] | Flaw:
    """Return a document's own members, and what is attached to it where that is kept apart."""
    content: dict[str, Json] = {}
    attached: Mapping[str, Json] = {}
    for member, said in value.items():
        if not member.startswith("_") or (kind.takes_anything and member in _ORDERS):
            content[member] = said
        elif (flaw := _special(doc_id, member, said)) is not None:
            return flaw
        elif member == ATTACHMENTS and kind.takes_anything and isinstance(said, Mapping):
            attached = said
        elif member == ATTACHMENTS and said:
            content[member] = said
    return content, attached


def _against(doc_id: str, kind: WriteMode) -> str | None:
    """Return why no document can be called so, in CouchDB's words; raise Refusal where only a CouchDB would take it."""
    if is_any_doc_id(doc_id) if kind.takes_anything else is_well_formed_doc_id(doc_id):
        return None
    if not doc_id:
        return "Document id must not be empty"
    if doc_id in ("_design/", "_local/"):
        return f"Illegal document id `{doc_id}`"
    if doc_id.startswith("_") and not doc_id.startswith("_design/"):
        return "Only reserved document ids may start with underscore."
    if kind.is_copy:
        raise not_yet("This server takes no ids of such length or with such characters yet.")
    return "Illegal id."


def _special(doc_id: str, member: str, said: Json) -> Flaw | None:
    if member in ("_id", "_rev", "_revisions") or member in _ECHOES:
        return None
    if member == "_deleted":
        return None if isinstance(said, bool) else Flaw(doc_id, "bad_request", "`_deleted` must be true or false")
    if member == ATTACHMENTS:
        # Libraries send an empty one with documents that have none.
        return None if isinstance(said, Mapping) else Flaw(doc_id, "bad_request", "`_attachments` must be an object")
    return Flaw(doc_id, "doc_validation", f"Bad special document member: {member}")


def _named_line(doc_id: str, value: Mapping[str, Json], kind: WriteMode) -> tuple[RevisionId, ...] | Flaw:
    """Return the revision that a document names and, of a replicated one, those that it stands on, newest first."""
    rev = value.get("_rev")
    if rev is not None and not _is_taken(rev, kind):
        return Flaw(doc_id, *INVALID_REV, rev=str(rev)[:60])
    if kind.new_edits:
        return () if rev is None else (str(rev),)
    line = _line(value["_revisions"], kind) if "_revisions" in value else None
    if "_revisions" in value and line is None:
        return Flaw(doc_id, "bad_request", "`_revisions` has no proper start and ids", rev=_text(rev))
    if line is not None and rev is not None and line[0] != rev:
        return Flaw(doc_id, "bad_request", "`_rev` is not the first of `_revisions`", rev=_text(rev))
    if line is None and rev is None:
        return Flaw(doc_id, "bad_request", "A replicated document must have a _rev")
    return line or (str(rev),)


def _text(rev: Json) -> str | None:
    return None if rev is None else str(rev)


def _is_taken(rev: Json, kind: WriteMode) -> bool:
    """Whether this can be a revision's id here; raise Refusal where only a CouchDB would take it."""
    if not isinstance(rev, str):
        return False
    if not kind.takes_anything:
        return is_revision_id(rev)
    if kind.is_copy and is_rev(rev) and not is_any_revision_id(rev):
        raise not_yet("This server takes no revision ids with such characters yet.")
    return is_any_revision_id(rev)


def _line(said: Json, kind: WriteMode) -> tuple[RevisionId, ...] | None:
    """Return the revisions that `_revisions` names, newest first; None when it has another shape."""
    if not isinstance(said, Mapping):
        return None
    start, ids = said.get("start"), said.get("ids")
    if not isinstance(start, int) or not isinstance(ids, Sequence) or isinstance(ids, str):
        return None
    if not 0 < len(ids) <= start:
        return None
    line = tuple(f"{start - age}-{each}" for age, each in enumerate(ids[:REVS_LIMIT]) if isinstance(each, str))
    return line if len(line) == len(ids[:REVS_LIMIT]) and all(_is_taken(each, kind) for each in line) else None

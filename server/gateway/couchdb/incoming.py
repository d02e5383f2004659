"""Documents on their way in: which members they may have, and the revision that each one is.

A flaw is that document's alone (rule 10): it becomes a `Flaw` in the document's place, and the rest of a batch goes on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.canonical import canonical
from server.gateway.couchdb.refusals import INVALID_REV
from server.revisions.branches import REVS_LIMIT
from server.revisions.model import NewRevision
from sync.admission import is_well_formed_doc_id
from sync.canonical import Json, MalformedJson, Reading
from sync.revision import RevisionId, is_revision_id

#: Members that the door itself adds on the way out; whoever sends them back means nothing by them.
_ECHOES = frozenset({"_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq"})
_HASH = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why one document can't be taken."""

    doc_id: str
    error: str
    reason: str
    rev: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document that was read: its own members, the revision that it names, and the path that it came with."""

    doc_id: str
    rev: RevisionId | None
    deleted: bool
    content: Mapping[str, Json]
    path: tuple[RevisionId, ...]

    def as_it_is(self) -> NewRevision:
        """Return the revision that another replica has made: its id is its writer's business."""
        assert self.rev is not None
        return NewRevision(self.doc_id, self.rev, self.path, self.deleted, canonical(self.content), verify=False)


def flawed_positions(reading: Reading, *under: str) -> dict[int, MalformedJson]:
    """Return the flaws of a body by position in the list at `under`; raise MalformedJson for any elsewhere."""
    found: dict[int, MalformedJson] = {}
    for flaw in reading.flaws:
        path = flaw.where.split("/")[1:]
        position = path[len(under) : len(under) + 1]
        if tuple(path[: len(under)]) != under or not position or not position[0].isdigit():
            raise flaw
        found.setdefault(int(position[0]), flaw)
    return found


def incoming(value: Json, *, new_edits: bool, doc_id: str | None = None) -> Incoming | Flaw:
    """Return what a document is; `doc_id` comes from the path where there is one."""
    if not isinstance(value, Mapping):
        return Flaw(doc_id or "", "bad_request", "Document must be a JSON object")
    name = value.get("_id", doc_id)
    if not isinstance(name, str):
        return Flaw("", "bad_request", "Document must have an _id")
    if not is_well_formed_doc_id(name):
        reason = "Only reserved document ids may start with underscore." if name.startswith("_") else "Illegal id."
        return Flaw(name, "illegal_docid", reason)
    content: dict[str, Json] = {}
    for member, said in value.items():
        if not member.startswith("_"):
            content[member] = said
        elif (flaw := _special(name, member, said)) is not None:
            return flaw
    deleted = value.get("_deleted", False)
    if not isinstance(deleted, bool):
        return Flaw(name, "bad_request", "`_deleted` must be true or false")
    return _with_revision(name, value, content, deleted=deleted, new_edits=new_edits)


def _special(doc_id: str, member: str, said: Json) -> Flaw | None:
    if member in ("_id", "_rev", "_deleted", "_revisions") or member in _ECHOES:
        return None
    if member == "_attachments":
        # Libraries send an empty one with documents that have none.
        return (
            None
            if said == {}
            else Flaw(doc_id, "bad_request", "Attachments are not taken here; media has its own door")
        )
    return Flaw(doc_id, "doc_validation", f"Bad special document member: {member}")


def _with_revision(
    doc_id: str, value: Mapping[str, Json], content: Mapping[str, Json], *, deleted: bool, new_edits: bool
) -> Incoming | Flaw:
    rev = value.get("_rev")
    if rev is not None and not (isinstance(rev, str) and is_revision_id(rev)):
        return Flaw(doc_id, *INVALID_REV, rev=str(rev)[:60])
    if new_edits:
        return Incoming(doc_id, rev, deleted, content, ())
    line = _line(value["_revisions"]) if "_revisions" in value else None
    if "_revisions" in value and line is None:
        return Flaw(doc_id, "bad_request", "`_revisions` has no proper start and ids", rev=rev)
    if line is not None and rev is not None and line[0] != rev:
        return Flaw(doc_id, "bad_request", "`_rev` is not the first of `_revisions`", rev=rev)
    if line is None and rev is None:
        return Flaw(doc_id, "bad_request", "A replicated document must have a _rev")
    line = line or (str(rev),)
    return Incoming(doc_id, line[0], deleted, content, line[1:])


def _line(said: Json) -> tuple[RevisionId, ...] | None:
    """Return the revisions that `_revisions` names, newest first; None when it has another shape."""
    if not isinstance(said, Mapping):
        return None
    start, ids = said.get("start"), said.get("ids")
    if not isinstance(start, int) or not isinstance(ids, Sequence) or isinstance(ids, str):
        return None
    if not 0 < len(ids) <= start or not all(isinstance(each, str) and _HASH.fullmatch(each) for each in ids):
        return None
    line = tuple(f"{start - age}-{each}" for age, each in enumerate(ids[:REVS_LIMIT]))
    return line if is_revision_id(line[0]) else None

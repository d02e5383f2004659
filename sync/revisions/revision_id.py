"""Revision ids: a generation and a digest of what the revision says, so that equal edits are one revision (I1).

An id is `<generation>-<32 lowercase hex>`: the first 128 bits of SHA-256 over the canonical form of
[document id, tombstone flag, parent's id or null, content]. Whoever computes it, phone, hub or province, gets the same
id for the same edit of the same parent; whoever changes a byte gets another. Ids made by other replicas have the same
shape and are taken as they are.
"""

import hashlib
import re
from typing import TypeAlias

from sync.revisions.canonical import canonical, member

RevisionId: TypeAlias = str

#: Generations above this are nobody's honest work, and their order as integers stays the same on every database.
MAX_GENERATION = 2**31 - 1

_SHAPE = re.compile(r"([1-9][0-9]{0,9})-([0-9a-f]{32})")
#: The hash of another replica may be any text; lists of ids are separated by spaces and stand in JSON as they are.
_ANY_SHAPE = re.compile(r"[1-9][0-9]{0,17}-[!#-\[\]-~]{1,200}")

#: What a machine puts on a branch that a merge has taken in: it says nothing of its own.
RESOLVED_TOMBSTONE = b'{"resolved":true,"type":"record"}'


def revision_id(doc_id: str, *, deleted: bool, parent: RevisionId | None, content: bytes) -> RevisionId:
    """Return the id of the revision with this canonical `content` (without `_id`, `_rev`, `_deleted`)."""
    flag = b"true" if deleted else b"false"
    head = b"null" if parent is None else b'"' + parent.encode() + b'"'
    digest = hashlib.sha256(b"[" + canonical(doc_id) + b"," + flag + b"," + head + b"," + content + b"]")
    return f"{1 if parent is None else generation_of(parent) + 1}-{digest.hexdigest()[:32]}"


def fingerprint(content: bytes, *, deleted: bool) -> bytes:
    """Return what two revisions of one id are compared by."""
    return hashlib.sha256((b"-" if deleted else b"+") + content).digest()


def generation_of(revision: RevisionId) -> int:
    """Return the number of edits from the first revision of the document to this one, both counted."""
    return int(revision.partition("-")[0])


def digest_of(revision: RevisionId) -> str:
    """Return what stands behind the generation."""
    return revision.partition("-")[2]


def order_of(revision: RevisionId) -> tuple[int, str]:
    """Return what the later of two revisions has more of: (generation, hash)."""
    generation, _, digest = revision.partition("-")
    return int(generation), digest


def order_of_any(text: str) -> tuple[int, str]:
    """Return `order_of` a text that somebody else named a revision by; what has no generation comes first."""
    return order_of(text) if is_any_revision_id(text) else (0, text)


def is_revision_id(text: str) -> bool:
    """Whether `text` has the shape of a revision id."""
    match = _SHAPE.fullmatch(text)
    return match is not None and int(match[1]) <= MAX_GENERATION


def is_any_revision_id(text: str) -> bool:
    """Whether `text` can be a revision id where hashes of any text are taken, as at a CouchDB."""
    return _ANY_SHAPE.fullmatch(text) is not None


def merged_of(content: bytes) -> tuple[RevisionId, ...]:
    """Return the revisions that one with this canonical content brings together besides its parent, sorted."""
    # Canonical JSON writes the member in this one way; nearly no content has it.
    if b'"merged":[' not in content:
        return ()
    named = member(content, "merged")
    if not isinstance(named, list):
        return ()
    return tuple(sorted({each for each in named if isinstance(each, str) and is_revision_id(each)}))


def rank(revision: RevisionId, *, deleted: bool) -> tuple[bool, int, str]:
    """Return what the winner has the greatest of: (not deleted, generation, hash)."""
    return (not deleted, *order_of(revision))

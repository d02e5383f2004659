"""The chain of a database's changes: one link a sequence, each over the one before it.

A prefix of the link stands in every checkpoint that a replica keeps. A server whose history is another one (restored
from a backup, a copied machine) has other links at the same sequences, notices the stranger's checkpoint, and answers
from the beginning instead of leaving out what the replica never got (I7). Whoever keeps the last link elsewhere can
prove that nobody has rewritten what came before it.
"""

import hashlib

from sync.contract.counts import read_count
from sync.revisions.revision_id import RevisionId

#: Hex digits of the link in a checkpoint: four bytes make a mistake of one in four thousand million.
OPAQUE_DIGITS = 8


def seed(database: str) -> bytes:
    """Return the link before the first sequence."""
    return hashlib.sha256(b"nuong\n" + database.encode()).digest()


def link(
    previous: bytes,
    doc_id: str,
    rev: RevisionId,
    *,
    fingerprint: bytes | None,
    person: str | None,
    enrolment: str | None,
    received_at: str | None,
) -> bytes:
    """Return the link of one change; the last four are None where only late ancestors changed a document's leaves."""
    # No part can hold a newline (admission refuses such document ids), so no two changes are written alike.
    print_ = fingerprint.hex() if fingerprint else ""
    said = "\n".join((doc_id, rev, print_, person or "", enrolment or "", received_at or ""))
    return hashlib.sha256(previous + said.encode()).digest()


def token(seq: int, at: bytes) -> str:
    """Return the checkpoint `<sequence>-<opaque>` of a link."""
    return f"{seq}-{at.hex()[:OPAQUE_DIGITS]}"


def read_token(text: str) -> tuple[int, str] | None:
    """Return the sequence and the opaque part of a checkpoint; None when it has another shape."""
    digits, dash, opaque = text.partition("-")
    # Ten digits stay within every integer column.
    seq = read_count(digits, 10)
    return None if seq is None or not dash or len(opaque) != OPAQUE_DIGITS else (seq, opaque)

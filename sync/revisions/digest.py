"""A fingerprint of what a replica holds that does not depend on order and is kept up to date by adding and taking away.

It is the sum, modulo 2^128, of the first 16 bytes of SHA-256(document id, newline, revision id) over the live documents
and their winners. A phone and the server compare it after an exchange: unequal sums mean unequal holdings, and the
phone pulls that database afresh once. It finds faults, not forgers: whoever may choose many ids can make sums collide.
"""

import hashlib
from collections.abc import Iterable

from sync.revisions.revision_id import RevisionId

MODULUS = 2**128
EMPTY = "0" * 32

#: Documents that are never sent to phones, and so must not count in what both sides compare.
SERVER_ONLY = ("seal:", "_design/")


def counts(doc_id: str) -> bool:
    """Whether the document is one that phones get."""
    return not doc_id.startswith(SERVER_ONLY)


def term(doc_id: str, winner: RevisionId) -> int:
    """Return what one live document adds to the sum; 0 for documents that do not count."""
    if not counts(doc_id):
        return 0
    return int.from_bytes(hashlib.sha256(f"{doc_id}\n{winner}".encode()).digest()[:16], "big")


def digest_of(pairs: Iterable[tuple[str, RevisionId]]) -> str:
    """Return the digest of (document id, winner) pairs, in any order, as 32 hex digits."""
    return moved(EMPTY, sum(term(doc_id, winner) for doc_id, winner in pairs))


def moved(digest: str, by: int) -> str:
    """Return `digest` after terms were added and taken away; `by` is their sum, perhaps negative."""
    return f"{(int(digest, 16) + by) % MODULUS:032x}"

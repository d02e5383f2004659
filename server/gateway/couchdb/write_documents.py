"""Documents on their way out, as bytes: stored contents are canonical JSON, so they are joined and never parsed.

Members that the door adds (`_id`, `_rev`, `_revisions`, …) stand in front of the document's own, whose order nobody
relies on.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring

from sync.revisions.revision_id import RevisionId, digest_of, generation_of

#: Ids that need no escaping, which is nearly all of them.
_PLAIN = re.compile(r"[A-Za-z0-9_.:\-]*")
#: Rows leave in pieces of about so many bytes: a request may name one large document hundreds of times.
PIECE_BYTES = 64 * 1024
#: Rows with documents are read about so many bytes at a time; how long documents are shows with the first few.
ROWS_BYTES = 4_000_000
FIRST_ROWS = 16


class Stride:
    """How many rows to read next: few first where documents come with them, as many as are few enough bytes."""

    def __init__(self, most: int, *, has_documents: bool) -> None:
        """Read at most so many."""
        self._most = most
        self._has_documents = has_documents
        self.rows = min(most, FIRST_ROWS) if has_documents else most

    def came(self, contents: Iterable[bytes | None]) -> None:
        """Learn from the contents of the rows that came how many to read the next time."""
        if self._has_documents:
            size = sum(len(content or b"") for content in contents)
            fitting = self.rows * ROWS_BYTES // max(size, 1)
            self.rows = max(1, min(self._most, self.rows * 2, fitting))


def dumps(value: object) -> bytes:
    """Return JSON of the door's own making."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def joined(rows: Iterable[bytes], between: bytes) -> Iterator[bytes]:
    """Yield rows with something between them, in pieces; no more of them are in memory than a piece holds."""
    piece: list[bytes] = []
    size = 0
    for row in rows:
        piece.append(row)
        size += len(row)
        if size >= PIECE_BYTES:
            yield between.join(piece)
            piece, size = [], 0
    if piece:
        yield between.join(piece)


def string(text: str) -> bytes:
    """Return a string as JSON."""
    if _PLAIN.fullmatch(text):
        return b'"%b"' % text.encode()
    # Lone surrogates only come back to whoever put them into a query; UTF-8 cannot hold them.
    return encode_basestring(text).encode("utf-8", "replace")


def document(doc_id: str, rev: RevisionId, content: bytes, *, deleted: bool = False, more: bytes = b"") -> bytes:
    """Return a document; `more` are members of the door's (see `members`), each with a comma in front."""
    flag = b',"_deleted":true' if deleted else b""
    own = b"" if content == b"{}" else b"," + content[1:-1]
    return b'{"_id":%b,"_rev":"%b"%b%b%b}' % (string(doc_id), rev.encode(), flag, more, own)


def revisions(line: Sequence[RevisionId]) -> bytes:
    """Return the member `_revisions` of a revision and its ancestors, with a comma in front."""
    ids = b",".join(b'"%b"' % digest_of(rev).encode() for rev in line)
    return b',"_revisions":{"start":%d,"ids":[%b]}' % (generation_of(line[0]), ids)


def rev_list(name: bytes, revs: Sequence[RevisionId]) -> bytes:
    """Return a member that lists revisions, with a comma in front; nothing when there are none."""
    if not revs:
        return b""
    return b',"%b":[%b]' % (name, b",".join(b'"%b"' % rev.encode() for rev in revs))

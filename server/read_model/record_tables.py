"""Tables of the projection: everything here is computed from the journal and can be computed again.

`conflicts`, `review` and `publish` read them; only this stage writes them.
"""

import hashlib

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

#: Bytes of a path that a row's key takes: PostgreSQL refuses an entry of an index over 2,704, all its columns together.
MOST_PATH_BYTES = 1000


def path_key(path: str) -> str:
    """Return a field's path as rows hold it: itself, or its beginning and its digest where no index could hold it.

    Members that no form knows are called whatever somebody called them.
    """
    # A person may have let in anything, and PostgreSQL keeps no NUL.
    path = path.replace("\0", "\ufffd")
    encoded = path.encode()
    if len(encoded) <= MOST_PATH_BYTES:
        return path
    digest = hashlib.sha256(encoded).hexdigest()
    return f"{encoded[: MOST_PATH_BYTES // 2].decode(errors='ignore')}…{digest}"


#: One row a record: its winner, where it stands, and what its reviewers want to see in a list. A record that is
#: deleted keeps what it last said, with `is_deleted`.
records = Table(
    "records",
    metadata,
    Column("database", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("rev", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("form_version", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_corrected", Boolean, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("is_erased", Boolean, nullable=False),
    Column("published_rev", Text),
    # The worker who last captured or edited it, and who has decided about it since; NULL where nobody has.
    Column("by_person", Text),
    Column("by_name", Text, nullable=False),
    Column("decided_by_name", Text),
    Column("recorded_at", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("flags", Json, nullable=False),
    # How many flags: what the queue is ordered by before time.
    Column("urgency", Integer, nullable=False),
    Column("branches", Integer, nullable=False),
    # Title, author and who decided in folded letters, for searching without diacritics.
    Column("folded", Text, nullable=False),
    Index(None, "database", "state", "urgency", "received_at", "id"),
    Index(None, "form", "database"),
    # The same record in another scope: `server.projections.relocations`.
    Index(None, "id"),
)

#: The review documents of a record, which may arrive before it.
decisions = Table(
    "decisions",
    metadata,
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("content", Json, nullable=False),
)

#: Files that a record names, or a side of what is asked about it, and the media store did not hold when it was
#: projected: looked for again until they come.
awaited_media = Table(
    "awaited_media",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Index(None, "database", "record"),
)

#: What a person must settle: one row a field of a record about which people disagree, whatever the cause.
open_questions = Table(
    "open_questions",
    metadata,
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    # A JSON Pointer from the document's root; rows of repeats stand in it by their `_rid`. Of a long one `path_key`.
    Column("path", Text, primary_key=True),
    Column("cause", Text, nullable=False),
    # The revisions that say something else, the greatest first, and who wrote them.
    Column("candidates", Json, nullable=False),
    Column("people", Json, nullable=False),
    Column("form", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("title", Text, nullable=False),
    # When the youngest candidate was received.
    Column("since", UtcDateTime, nullable=False),
    # Title and authors in folded letters, for searching without diacritics.
    Column("folded", Text, nullable=False),
    # Whole for the queue: none of its counts reads a row.
    Index("ix_open_questions_queue", "database", "record", "cause", "form", "path", "since"),
)

#: Form versions that the branches of a record wait for: looked for again until they come.
awaited_forms = Table(
    "awaited_forms",
    metadata,
    Column("form", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Index(None, "database", "record"),
)

#: Where a field comes from that a machine brought together: not asked, and not of the winner's own line.
provenance = Table(
    "provenance",
    metadata,
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("rev", Text),
    Column("how", Text, nullable=False),
)

#: What managers asked those who know, and their replies: the `question:` and `reply:` documents of a record.
questions = Table(
    "questions",
    metadata,
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    # Who brought it in, which may be somebody else than it says.
    Column("person", Text),
    Column("received_at", UtcDateTime, nullable=False),
    Column("content", Json, nullable=False),
)

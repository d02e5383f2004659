"""The desk's own tables: notes on quarantined revisions, presence at a conflict, batch decisions, decisions of places.

No answer of a record is here but in a batch that waits to be applied: what was decided stands in the journal.
"""

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table, Text

from server.journal.store.tables import Id
from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

#: Each says that somebody has seen an entry of the quarantine, and what they made of it.
quarantine_notes = Table(
    "quarantine_notes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("database", Id, nullable=False),
    Column("doc_id", Id, nullable=False),
    Column("rev", Id, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("person", String(36), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("comment", Text, nullable=False),
    Index("ix_quarantine_notes_entry", "database", "doc_id", "rev"),
)

#: Who is looking at a record's conflict, until when. Shown to others; nobody is kept out.
conflict_claims = Table(
    "conflict_claims",
    metadata,
    Column("database", Id, primary_key=True),
    Column("record", Id, primary_key=True),
    Column("person", String(36), primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)

#: Conflicts that were looked through together: `selection` is what the dry run showed, and nothing else is decided.
conflict_batches = Table(
    "conflict_batches",
    metadata,
    Column("token", String(36), primary_key=True),
    Column("person", String(36), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("applied_at", UtcDateTime),
    Column("is_undone", Boolean, nullable=False),
    Column("rule", Json, nullable=False),
    Column("selection", Json, nullable=False),
    # The decisions that came of it, as [database, record, revision id].
    Column("decided", Json, nullable=False),
    Index(None, "expires_at"),
)

#: What was written together when a record's place was decided, one row a revision: it is taken back together as well.
conflict_moves = Table(
    "conflict_moves",
    metadata,
    Column("database", Id, primary_key=True),
    Column("record", Id, primary_key=True),
    Column("rev", Id, primary_key=True),
    # The same in all rows of one decision.
    Column("move", String(36), nullable=False),
    # The database in which the record stays.
    Column("stays", Id, nullable=False),
    Index(None, "record"),
)

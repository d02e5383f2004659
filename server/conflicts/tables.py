"""What people said about revisions that are kept aside. Rows are only ever added: no look replaces an earlier one."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from server.db.metadata import metadata
from server.db.types import UtcDateTime
from server.revisions.tables import Id

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

"""The table of what seals say about revisions that came without their author: see `server.revisions.authors`."""

from sqlalchemy import Boolean, Column, String, Table

from server.db.metadata import metadata
from server.revisions.tables import Id

sealed_revisions = Table(
    "sealed_revisions",
    metadata,
    Column("database", Id, primary_key=True),
    Column("doc_id", Id, primary_key=True),
    Column("rev", Id, primary_key=True),
    Column("enrolment", String, primary_key=True),
    Column("person", String, nullable=False),
    # Whether the revision is here and says itself that this enrolment saved it; until then it is only announced.
    Column("holds", Boolean, nullable=False),
    # Whether those who show authors have been told.
    Column("is_told", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

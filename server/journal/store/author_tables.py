"""The table of what seals say about revisions that came without their author: see `server.journal.store.authors`."""

from sqlalchemy import Boolean, Column, Index, String, Table, and_

from server.journal.store.tables import Id
from server.platform.db.metadata import metadata

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

#: What is to be told yet, which is asked every few seconds: nearly always nothing, however many have been told.
IS_UNTOLD = and_(sealed_revisions.c.holds, sealed_revisions.c.is_told.is_(False))
Index(
    "ix_sealed_revisions_untold",
    sealed_revisions.c.database,
    sealed_revisions.c.doc_id,
    sqlite_where=IS_UNTOLD,
    postgresql_where=IS_UNTOLD,
)

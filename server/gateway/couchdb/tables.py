"""The table of databases that administrators made: any documents, no forms, members of their own."""

from sqlalchemy import Column, String, Table

from server.journal.store.tables import Id
from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

made_databases = Table(
    "made_databases",
    metadata,
    Column("name", Id, primary_key=True),
    Column("security", Json, nullable=False),
    Column("made_by", String(36), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

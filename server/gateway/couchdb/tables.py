"""The table of databases that administrators made: any documents, no forms, members of their own."""

from sqlalchemy import Column, String, Table

from server.db.metadata import metadata
from server.db.types import Json, UtcDateTime
from server.revisions.tables import Id

made_databases = Table(
    "made_databases",
    metadata,
    Column("name", Id, primary_key=True),
    Column("security", Json, nullable=False),
    Column("made_by", String(36), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

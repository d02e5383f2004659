"""The table of local documents: what a replica keeps here for itself, above all its checkpoints."""

from sqlalchemy import Column, Integer, LargeBinary, Table

from server.journal.store.tables import Id
from server.platform.db.metadata import metadata

local_documents = Table(
    "local_documents",
    metadata,
    Column("database", Id, primary_key=True),
    # Whose it is: two people's replicas may use one id, and neither may read or move the other's checkpoint.
    Column("owner", Id, primary_key=True),
    Column("doc_id", Id, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

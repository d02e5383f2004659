"""The table of files that could not be carried between this server and a peer: each with its reason, until it is."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import UtcDateTime

#: `direction` is which way the file would have gone; `reason` a code of `server.peers.media_book`.
peer_files_left = Table(
    "peer_files_left",
    metadata,
    Column("peer", ForeignKey("peers.id", ondelete="CASCADE"), primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("database", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("told", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

"""Tables of the feeds' followers: how far each one is, and the documents that it could not take."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import UtcDateTime

checkpoints = Table(
    "follower_checkpoints",
    metadata,
    Column("follower", Text, primary_key=True),
    Column("database", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("follower", Text, primary_key=True),
    Column("database", Text, primary_key=True),
    Column("doc_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Index(None, "last_at"),
)

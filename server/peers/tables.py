"""Tables of peers: who they are, how far each database is, and what could not be taken."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

#: `sealed` is the password under the server's secret, so that a copy of the database opens no other server.
peers = Table(
    "peers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("auth", String(16), nullable=False),
    Column("username", Text),
    Column("sealed", LargeBinary),
    Column("scopes", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sync_asked_at", UtcDateTime),
)

#: `trouble` is a code of `server.peers.failures`, null while all is well; `since` is when that began.
peer_status = Table(
    "peer_status",
    metadata,
    Column("peer", ForeignKey("peers.id", ondelete="CASCADE"), primary_key=True),
    Column("database", Text, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("last_seq", Text),
    Column("behind", BigInteger),
    Column("documents", BigInteger, nullable=False),
    Column("trouble", String(32)),
    Column("told", Text),
    Column("since", UtcDateTime, nullable=False),
    Column("checked_at", UtcDateTime, nullable=False),
)

#: What one side has and the other would not or could not take; the checkpoint goes past it, so it is named here.
peer_left_out = Table(
    "peer_left_out",
    metadata,
    Column("peer", ForeignKey("peers.id", ondelete="CASCADE"), primary_key=True),
    Column("database", Text, primary_key=True),
    Column("doc_id", Text, primary_key=True),
    Column("rev", Text, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

#: On a hub: which province it belongs to and how far its directory is. One row.
hub = Table(
    "hub",
    metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("peer", ForeignKey("peers.id", ondelete="CASCADE"), nullable=False),
    Column("etag", Text),
    Column("pulled_at", UtcDateTime),
    Column("is_complete", Boolean, nullable=False),
)

#: What the province has ended, as this hub last heard it: sign-ins here since then go on.
hub_ended = Table(
    "hub_ended",
    metadata,
    Column("holder", String(43), primary_key=True),
    Column("is_person", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

"""Tables of media: what is kept, which records show it, and what is on its way."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table

from server.platform.db.metadata import metadata
from server.platform.db.types import UtcDateTime

#: One row per content. `readable` is false for an image that cannot be opened: it is kept, since it may be all there
#: is, and a person is told.
media = Table(
    "media",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("type", String(100), nullable=False),
    Column("readable", Boolean, nullable=False),
    Column("person", String(36), nullable=False),
    Column("enrolment", String(43)),
    Column("received_at", UtcDateTime, nullable=False),
)

#: Where a content belongs. Whoever may read the database may read the content.
media_links = Table(
    "media_links",
    metadata,
    Column("database", String(100), primary_key=True),
    Column("record", String(36), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Index(None, "sha256"),
)

#: Uploads under way, one per person and content. How far one has come is the length of its file.
media_uploads = Table(
    "media_uploads",
    metadata,
    Column("person", String(36), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("type", String(100), nullable=False),
    Column("database", String(100), nullable=False),
    Column("record", String(36), nullable=False),
    Column("name", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
)

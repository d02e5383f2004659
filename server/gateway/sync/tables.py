"""Tables of the sync door: the numbers of each enrolment, and outcomes that its phone has yet to confirm."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import UtcDateTime

#: Sets of numbers as ranges (`1-41,43`). `gaps` are numbers that nobody has: neither received nor held nor discarded.
#: `exchange` is the number of the last request whose word about all this counted.
sync_numbers = Table(
    "sync_numbers",
    metadata,
    Column("enrolment", String(43), primary_key=True),
    Column("received", Text, nullable=False),
    Column("refused", Text, nullable=False),
    Column("discarded", Text, nullable=False),
    Column("unsent", Text, nullable=False),
    Column("gaps", Text, nullable=False),
    Column("drafts", Integer, nullable=False),
    Column("media", Integer, nullable=False),
    Column("exchange", BigInteger, nullable=False, server_default="0"),
    #: Saves whose files were here and are gone: told as missing until the phone sends them again.
    Column("lacking", Text, nullable=False, server_default=""),
    #: Up to which number everything, files included, is in a verified backup.
    Column("covered", BigInteger, nullable=False, server_default="0"),
)

#: Backups that were verified. From the first one on, phones keep what none of them covers.
backups = Table(
    "backups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("verified_at", UtcDateTime, nullable=False),
    Column("place", Text, nullable=False),
)

#: Revisions that went to quarantine. Once a person has decided, the outcome is repeated to the phone until it confirms.
sync_outcomes = Table(
    "sync_outcomes",
    metadata,
    Column("enrolment", String(43), primary_key=True),
    Column("database", String(100), primary_key=True),
    Column("doc_id", String(200), primary_key=True),
    Column("rev", String(64), primary_key=True),
    Column("number", String(15)),
)

"""Tables of what records tell about whom they describe, and of the pairs that may be one household.

All of it is computed from the journal but what people made of a pair (`verdict` and what follows it), which outlives
every computation.
"""

from sqlalchemy import Column, Float, Index, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

#: What a record tells, as `sync.matching.duplicates.Particulars` has it, by record.
households = Table(
    "households",
    metadata,
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("form", Text, nullable=False),
    Column("particulars", Json, nullable=False),
)

#: Under which keys a record is filed; a key begins with its form, since only records of one form are compared.
household_keys = Table(
    "household_keys",
    metadata,
    Column("database", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Index(None, "database", "record"),
)

#: Two records that may be of one household; `one` is the lesser id.
likenesses = Table(
    "likenesses",
    metadata,
    Column("database", Text, primary_key=True),
    Column("one", Text, primary_key=True),
    Column("other", Text, primary_key=True),
    Column("form", Text, nullable=False),
    Column("score", Float, nullable=False),
    # [[particular, agreement] …]
    Column("agreements", Json, nullable=False),
    # open, same (computed: one says that it is the other), different, unsure (what a person said)
    Column("verdict", Text, nullable=False),
    # Which of the two the pair is, where it is the same.
    Column("survivor", Text),
    Column("by_person", Text),
    Column("at", UtcDateTime),
    Column("comment", Text),
    Index(None, "database", "verdict", "score", "one", "other"),
    Index(None, "database", "other"),
)

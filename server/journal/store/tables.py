"""The journal's tables. Each leads with its database, so that PostgreSQL can partition or spread them by scope.

`databases` holds one head a database, `documents` one row a document (what the feed shows), `revisions` the graph with
who brought each revision and when, `bodies` their content apart from it, `entries` the chain, one link a sequence, and
`quarantine` what waits beside the graph. Nothing but `server.journal` reads or writes them.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from server.platform.db.metadata import metadata
from server.platform.db.types import UtcDateTime

#: Ids compare by bytes: the order of the feed and of keys must not depend on a server's locale.
Id = String().with_variant(String(collation="C"), "postgresql")
Sequence = BigInteger().with_variant(Integer(), "sqlite")

databases = Table(
    "databases",
    metadata,
    Column("name", Id, primary_key=True),
    Column("seq", Sequence, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("documents", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Whether an administrator made it for anything: there no revision waits for a person.
    Column("takes_anything", Boolean, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("database", Id, primary_key=True),
    Column("doc_id", Id, primary_key=True),
    Column("seq", Sequence, nullable=False),
    Column("winner", Id, nullable=False),
    Column("deleted", Boolean, nullable=False),
    # All leaves, winner first, separated by spaces: the feed answers from one row.
    Column("leaves", Text, nullable=False),
    Index("ix_documents_feed", "database", "seq", unique=True),
    sqlite_with_rowid=False,
)

revisions = Table(
    "revisions",
    metadata,
    Column("database", Id, primary_key=True),
    Column("doc_id", Id, primary_key=True),
    Column("rev", Id, primary_key=True),
    Column("parent", Id),
    Column("deleted", Boolean, nullable=False),
    # Null for a revision that a path named and nobody has brought yet, as are the columns below.
    Column("fingerprint", LargeBinary),
    Column("seq", Sequence),
    Column("person", String),
    Column("enrolment", String),
    Column("number", String),
    Column("received_at", UtcDateTime),
    sqlite_with_rowid=False,
)

# A row of its own kind on SQLite (with rowid): a kilobyte inside a clustered index would overflow its pages.
bodies = Table(
    "bodies",
    metadata,
    Column("database", Id, primary_key=True),
    Column("doc_id", Id, primary_key=True),
    Column("rev", Id, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("database", Id, primary_key=True),
    Column("seq", Sequence, primary_key=True, autoincrement=False),
    Column("doc_id", Id, nullable=False),
    Column("rev", Id, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("database", Id, primary_key=True),
    Column("doc_id", Id, primary_key=True),
    Column("rev", Id, primary_key=True),
    # Part of the key: a known id can come with any number of other contents.
    Column("fingerprint", LargeBinary, primary_key=True),
    Column("ancestors", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("reason", String, nullable=False),
    Column("person", String),
    Column("enrolment", String),
    Column("number", String),
    Column("received_at", UtcDateTime, nullable=False),
    Column("accepted_at", UtcDateTime),
    Column("accepted_by", String),
    # Of what its bringer may not say: the door that asked the contract, and why it would wait otherwise.
    Column("door", String),
    Column("besides", String),
    # What the door asks for again, in its own words; nothing once that has come.
    Column("awaits", String),
    Index("ix_quarantine_queue", "database", "received_at"),
    Index(
        "ix_quarantine_awaits",
        "awaits",
        "reason",
        "database",
        sqlite_where=text("awaits IS NOT NULL AND accepted_at IS NULL"),
        postgresql_where=text("awaits IS NOT NULL AND accepted_at IS NULL"),
    ),
)

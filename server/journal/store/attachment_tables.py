"""The table of attachments' bytes: each once a database, whichever revisions name it."""

from sqlalchemy import Column, LargeBinary, String, Table

from server.journal.store.tables import Id
from server.platform.db.metadata import metadata

attachments = Table(
    "attachments",
    metadata,
    Column("database", Id, primary_key=True),
    # As documents name it: `md5-` and 24 characters.
    Column("digest", String(40), primary_key=True),
    # MD5 can be forged: what comes under a known name must be the same by this, too.
    Column("sha256", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

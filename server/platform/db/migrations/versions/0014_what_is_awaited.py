"""What was quarantined for its form alone says which version it waits for, so that it is judged again when that comes.

Revision ID: 0014
Revises: 0013
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOST_AWAITED = 500

quarantine = sa.table(
    "quarantine",
    *(sa.column(name) for name in ("database", "doc_id", "rev", "fingerprint", "content", "accepted_at")),
    *(sa.column(name) for name in ("reason", "besides", "awaits")),
)
KEY = (quarantine.c.database, quarantine.c.doc_id, quarantine.c.rev, quarantine.c.fingerprint)


def upgrade() -> None:
    """Change the schema from the previous version, and note what waits already."""
    op.add_column("quarantine", sa.Column("awaits", sa.String(), nullable=True))
    op.create_index(
        "ix_quarantine_awaits",
        "quarantine",
        ["awaits"],
        sqlite_where=sa.text("awaits IS NOT NULL"),
        postgresql_where=sa.text("awaits IS NOT NULL"),
    )
    connection = op.get_bind()
    for_forms = sa.or_(quarantine.c.reason == "unknown_form", quarantine.c.besides == "unknown_form")
    keys = connection.execute(sa.select(*KEY).where(for_forms, quarantine.c.accepted_at.is_(None))).all()
    for key in keys:
        here = sa.and_(*(column == value for column, value in zip(KEY, key, strict=True)))
        content = json.loads(connection.execute(sa.select(quarantine.c.content).where(here)).scalar_one())
        named = [content.get("form"), content.get("form_version")]
        awaits = json.dumps(named) if all(isinstance(each, str) for each in named) else ""
        if 0 < len(awaits) <= MOST_AWAITED:
            connection.execute(sa.update(quarantine).where(here).values(awaits=awaits))

"""Databases that administrators make keep attachments.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema from the previous version."""
    key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "attachments",
        sa.Column("database", key, nullable=False),
        sa.Column("digest", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("database", "digest", name=op.f("pk_attachments")),
    )

"""Followers are called by what they keep, and what they could not take stands among dead letters.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from server.platform.db.types import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

RENAMED = {"closing": "branches", "still_open": "open_documents", "forwarding": "aliases"}
COLUMNS = "follower, database, doc_id, seq, error, attempts, first_at, last_at"


def upgrade() -> None:
    """Change the schema from the previous version."""
    op.create_table(
        "dead_letters",
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("database", sa.Text(), nullable=False),
        sa.Column("doc_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("follower", "database", "doc_id", name=op.f("pk_dead_letters")),
    )
    op.execute(f"INSERT INTO dead_letters ({COLUMNS}) SELECT {COLUMNS} FROM follower_set_aside")
    op.drop_table("follower_set_aside")
    op.create_index(op.f("ix_dead_letters_last_at"), "dead_letters", ["last_at"], unique=False)
    for table in ("follower_checkpoints", "dead_letters"):
        for before, after in RENAMED.items():
            op.execute(f"UPDATE {table} SET follower = '{after}' WHERE follower = '{before}'")

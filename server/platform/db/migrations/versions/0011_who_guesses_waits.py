"""Wrong passwords are counted for a name at an address, for an address and for a name, no longer for a name alone.

What was counted until now is forgotten: it was of a day at most.
"""

import sqlalchemy as sa
from alembic import op

from server.platform.db.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.drop_table("login_failures")
    op.create_table(
        "login_failures",
        sa.Column("counter", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("counter", name=op.f("pk_login_failures")),
    )
    op.create_index(op.f("ix_login_failures_failed_at"), "login_failures", ["failed_at"])
    op.create_table(
        "known_places",
        sa.Column("pair", sa.String(length=64), nullable=False),
        sa.Column("signed_in_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_known_places")),
    )
    op.create_index(op.f("ix_known_places_signed_in_at"), "known_places", ["signed_in_at"])

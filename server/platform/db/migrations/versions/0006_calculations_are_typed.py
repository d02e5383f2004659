"""Calculations are published with their types beside the text columns that stand; published rows are made anew."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    with op.batch_alter_table("publication_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("calculations_as_text", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("published", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rules", sa.Integer(), nullable=False, server_default="1"))
    # The forms for their views, the records for their rows.
    op.execute("DELETE FROM follower_checkpoints WHERE follower = 'published'")

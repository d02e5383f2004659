"""What was written together when a record's place was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "conflict_moves",
        sa.Column("database", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("record", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("rev", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("move", sa.String(length=36), nullable=False),
        sa.Column("stays", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("database", "record", "rev", name=op.f("pk_conflict_moves")),
    )
    with op.batch_alter_table("conflict_moves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conflict_moves_record"), ["record"], unique=False)

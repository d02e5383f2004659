"""Whether a database takes anything, as those do that administrators made."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    with op.batch_alter_table("databases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("takes_anything", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE databases SET takes_anything = true WHERE name IN (SELECT name FROM made_databases)")
    with op.batch_alter_table("databases", schema=None) as batch_op:
        batch_op.alter_column("takes_anything", server_default=None)

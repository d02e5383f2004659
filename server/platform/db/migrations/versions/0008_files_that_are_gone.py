"""The numbers of each phone's saves whose files were here and are gone or damaged."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("sync_numbers", sa.Column("lacking", sa.Text(), nullable=False, server_default=""))

"""When a sign-in began, when it was last used and what it is called: people see their own and end them.

Of the sign-ins that stand already nobody knows it; they are listed without.
"""

import sqlalchemy as sa
from alembic import op

from server.platform.db.types import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("refresh_tokens", sa.Column("began_at", UtcDateTime(), nullable=True))
    op.add_column("refresh_tokens", sa.Column("issued_at", UtcDateTime(), nullable=True))
    op.add_column("refresh_tokens", sa.Column("label", sa.String(length=200), nullable=True))

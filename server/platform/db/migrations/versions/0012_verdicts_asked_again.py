"""What waits because its bringer may not say it keeps which door said so, so that it can be judged again.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema from the previous version."""
    for name in ("door", "besides"):
        op.add_column("quarantine", sa.Column(name, sa.String(), nullable=True))

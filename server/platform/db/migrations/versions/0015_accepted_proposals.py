"""What the server proposed to a form's author, and they accepted, is kept with the version.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

from server.platform.db.types import Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema from the previous version."""
    op.add_column("form_candidates", sa.Column("accepted", Json, nullable=True))
    op.create_table(
        "accepted_proposals",
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("accepted", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["form", "version"],
            ["form_versions.form", "form_versions.version"],
            name=op.f("fk_accepted_proposals_form_version"),
        ),
        sa.PrimaryKeyConstraint("form", "version", name=op.f("pk_accepted_proposals")),
    )

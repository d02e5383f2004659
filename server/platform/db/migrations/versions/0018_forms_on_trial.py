"""Chosen people try a form before it is live.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from server.platform.db.types import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema from the previous version."""
    op.create_table(
        "form_trials",
        sa.Column("candidate", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate"], ["form_candidates.id"], name=op.f("fk_form_trials_candidate")
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_form_trials_person")),
        sa.PrimaryKeyConstraint("candidate", "person", name=op.f("pk_form_trials")),
    )

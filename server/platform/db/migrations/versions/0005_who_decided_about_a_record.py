"""Who decided about a record, beside the worker whose it is; rows that a desk's act had taken over are computed anew."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("decided_by_name", sa.Text(), nullable=True))
    # What no phone saved was written by a desk, a machine or a replica: those feeds are followed from the beginning.
    op.execute(
        """
        DELETE FROM follower_checkpoints WHERE follower = 'records' AND database IN (
            SELECT records.database FROM records JOIN revisions
            ON revisions.database = records.database AND revisions.doc_id = records.id AND revisions.rev = records.rev
            WHERE revisions.enrolment IS NULL
        )
        """
    )

"""The epoch that a restore begins, the last request of each phone that counted, and what phones tell of themselves."""

import uuid

import sqlalchemy as sa
from alembic import op

from server.platform.db.types import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("identity", sa.Column("epoch", sa.String(length=36), nullable=True))
    identity = sa.table("identity", sa.column("epoch", sa.String()))
    op.execute(identity.update().values(epoch=str(uuid.uuid4())))
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.alter_column("epoch", existing_type=sa.String(length=36), nullable=False)
    op.add_column("sync_numbers", sa.Column("exchange", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("enrolments", sa.Column("device", Json, nullable=True))

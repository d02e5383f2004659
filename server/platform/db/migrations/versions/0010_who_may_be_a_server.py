"""What hubs must hear of ended sign-ins; accounts of other servers stay with those who may hand them out.

Until now an administrator of one commune could give somebody, or herself, the role `peer`. Such a grant is taken away
here unless the console gave it, or somebody who administers the whole province today; the audit trail says which.
"""

import sqlalchemy as sa
from alembic import op

from server.platform.clock import system_clock
from server.platform.db.types import Json, UtcDateTime
from server.platform.ids import uuid7

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

GRANTS = sa.table("grants", *(sa.column(name) for name in ("person", "role", "project", "unit")))
AUDIT = sa.table(
    "audit",
    sa.column("id", sa.String),
    sa.column("at", UtcDateTime()),
    sa.column("person", sa.String),
    sa.column("action", sa.String),
    sa.column("subject", sa.String),
    sa.column("details", Json),
)


def upgrade() -> None:
    """Bring the schema here."""
    for name in ("ended_sign_ins", "hub_ended"):
        op.create_table(
            name,
            sa.Column("holder", sa.String(length=43), nullable=False),
            sa.Column("is_person", sa.Boolean(), nullable=False),
            sa.Column("at", UtcDateTime(), nullable=False),
            sa.PrimaryKeyConstraint("holder", name=op.f(f"pk_{name}")),
        )
    _take_away_what_nobody_entitled_gave(op.get_bind())


def _take_away_what_nobody_entitled_gave(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(GRANTS)).all()
    entitled = {row.person for row in rows if (row.role, row.project, row.unit) == ("administrator", "*", "11")}
    for row in rows:
        if row.role != "peer":
            continue
        giver = _giver(connection, row.person, f"peer {row.project} {row.unit}")
        if giver is None or giver in entitled:
            continue
        same = [GRANTS.c[name] == getattr(row, name) for name in ("person", "role", "project", "unit")]
        connection.execute(sa.delete(GRANTS).where(*same))
        details = {"taken": f"peer {row.project} {row.unit}", "given_by": giver}
        entry = {
            "id": uuid7(system_clock),
            "at": system_clock(),
            "person": None,
            "action": "peer_taken_away",
            "subject": row.person,
            "details": details,
        }
        connection.execute(sa.insert(AUDIT).values(**entry))


def _giver(connection: sa.Connection, person: str, grant: str) -> str | None:
    """Return who gave a grant that stands, None for the console, or where the trail says nothing."""
    query = sa.select(AUDIT).where(AUDIT.c.subject == person, AUDIT.c.action.in_(["person_added", "grants_set"]))
    giver = None
    for act in connection.execute(query.order_by(AUDIT.c.id)):
        before, after = act.details.get("before", []), act.details.get("after", act.details.get("grants", []))
        if grant in after and grant not in before:
            giver = act.person
    return giver

"""What was quarantined for its form alone says which version it waits for, so that it is judged again when that comes.

Revision ID: 0014
Revises: 0013
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOST_AWAITED = 500
#: Rows that are read and written at once.
AT_ONCE = 200

quarantine = sa.table(
    "quarantine",
    *(sa.column(name) for name in ("database", "doc_id", "rev", "fingerprint", "content", "accepted_at")),
    *(sa.column(name) for name in ("reason", "besides", "awaits")),
)
KEY = (quarantine.c.database, quarantine.c.doc_id, quarantine.c.rev, quarantine.c.fingerprint)
NOTE = (
    sa.update(quarantine)
    .where(*(column == sa.bindparam(f"of_{column.name}") for column in KEY))
    .values(awaits=sa.bindparam("what"))
)


def upgrade() -> None:
    """Change the schema from the previous version, and note what waits already."""
    op.add_column("quarantine", sa.Column("awaits", sa.String(), nullable=True))
    connection = op.get_bind()
    last: tuple[object, ...] | None = None
    while rows := connection.execute(_behind(last)).all():
        last = tuple(rows[-1][: len(KEY)])
        known = [(row, awaits) for row in rows if (awaits := _awaits(row.content)) is not None]
        if known:
            values = [{f"of_{c.name}": row[n] for n, c in enumerate(KEY)} | {"what": awaits} for row, awaits in known]
            connection.execute(NOTE, values)
    is_asked = sa.text("awaits IS NOT NULL AND accepted_at IS NULL")
    columns = ["awaits", "reason", "database"]
    op.create_index("ix_quarantine_awaits", "quarantine", columns, sqlite_where=is_asked, postgresql_where=is_asked)


def _behind(last: tuple[object, ...] | None) -> sa.Select[tuple[object, ...]]:
    """Return the next of what waits for a form version, with its content."""
    for_forms = sa.or_(quarantine.c.reason == "unknown_form", quarantine.c.besides == "unknown_form")
    wanted = sa.select(*KEY, quarantine.c.content).where(for_forms, quarantine.c.accepted_at.is_(None))
    if last is not None:
        wanted = wanted.where(sa.tuple_(*KEY) > sa.tuple_(*map(sa.literal, last)))
    return wanted.order_by(*KEY).limit(AT_ONCE)


def _awaits(body: bytes) -> str | None:
    content = json.loads(body)
    named = [content.get("form"), content.get("form_version")]
    awaits = json.dumps(named) if all(isinstance(each, str) for each in named) else ""
    return awaits if 0 < len(awaits) <= MOST_AWAITED else None

"""Runs migrations on the connection that `server.platform.db.migrate` hands over, inside its transaction."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime


def render(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own column types by their names, all others as Alembic does."""
    name = "UtcDateTime()" if isinstance(item, UtcDateTime) else "Json" if item is Json else None
    if kind != "type" or name is None:
        return False
    autogen.imports.add(f"from server.platform.db.types import {name.removesuffix('()')}")
    return name


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters tables by copying them.
    render_as_batch=True,
    render_item=render,
)
context.run_migrations()

"""Tables of projects and of units with their validity and successors."""

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table

from server.platform.db.metadata import metadata

projects = Table(
    "projects",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name_vi", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
)

#: A code is reused for other places, so that a unit is a code *in a time*. Coordinates are text, as they were given.
units = Table(
    "units",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("code", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("district", String(200)),
    Column("longitude", String(32)),
    Column("latitude", String(32)),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Index(None, "code"),
)

unit_successors = Table(
    "unit_successors",
    metadata,
    Column("unit", ForeignKey("units.id"), primary_key=True),
    Column("successor", ForeignKey("units.id"), primary_key=True),
)

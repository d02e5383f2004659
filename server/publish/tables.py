"""Tables behind the published views: one row an approved record, and which versions and views each form has.

No other table's name begins with `published_`: the views of forms do."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

#: `data` holds the typed values as text by column name, sensitive ones too: the views leave these out.
published = Table(
    "published",
    metadata,
    Column("database", Text, primary_key=True),
    Column("record", Text, primary_key=True),
    Column("rev", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("form_version", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("approved_by", Text),
    Column("approved_by_name", Text, nullable=False),
    Column("approved_at", UtcDateTime),
    Column("data", Json, nullable=False),
    # By which rules `data` was made (`server.publish.projection.RULES`): rows of older ones are made anew.
    Column("rules", Integer, nullable=False),
    Index(None, "form", "database", "record"),
)

#: The versions of a form in the order in which they came here: names of columns depend on it, so it is kept.
publication_versions = Table(
    "publication_versions",
    metadata,
    Column("form", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("version", Text, nullable=False),
    # It came while every calculation was published as text: those columns stay.
    Column("calculations_as_text", Boolean, nullable=False),
)

publication_views = Table(
    "publication_views",
    metadata,
    Column("name", Text, primary_key=True),
    Column("form", Text, nullable=False),
    Column("definition", Text, nullable=False),
)

"""Tables of forms: contents by their hash, candidates on their way, and published versions."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, ForeignKeyConstraint, Integer, LargeBinary, String, Table

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

#: A text that phones fetch once, by hash: an XForm, a choice list. Never changed, never overwritten.
contents = Table(
    "contents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(100), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

#: Which project's people may fetch a content; none can until a form that names it is published.
content_projects = Table(
    "content_projects",
    metadata,
    Column("sha256", ForeignKey("contents.sha256"), primary_key=True),
    Column("project", String(40), primary_key=True),
)

#: A spreadsheet that passed every check of the server, waiting for its author's browser.
form_candidates = Table(
    "form_candidates",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project", String(40), nullable=False),
    Column("form", String(40), nullable=False),
    Column("version", String(40), nullable=False),
    Column("titles", Json, nullable=False),
    Column("languages", Json, nullable=False),
    Column("xform", ForeignKey("contents.sha256"), nullable=False),
    Column("source", ForeignKey("contents.sha256"), nullable=False),
    Column("lists", Json, nullable=False),
    Column("points", Json, nullable=False),
    Column("accepted", Json),
    Column("by_person", String(36)),
    Column("checked_at", UtcDateTime, nullable=False),
)

#: Who tries a candidate before it is live. Nothing that they fill is kept here.
form_trials = Table(
    "form_trials",
    metadata,
    Column("candidate", ForeignKey("form_candidates.id"), primary_key=True),
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("begun_at", UtcDateTime, nullable=False),
)

#: The statuses of a published version: one of a form is live, what came before it is retired.
LIVE: Final = "live"
RETIRED: Final = "retired"

#: Published versions; a row is only ever added, and only its status changes.
form_versions = Table(
    "form_versions",
    metadata,
    Column("form", String(40), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("project", String(40), nullable=False),
    Column("titles", Json, nullable=False),
    Column("languages", Json, nullable=False),
    Column("xform", ForeignKey("contents.sha256"), nullable=False),
    Column("source", ForeignKey("contents.sha256"), nullable=False),
    Column("lists", Json, nullable=False),
    Column("points", Json, nullable=False),
    Column("status", String(10), nullable=False),
    Column("loaded_in_browser", Boolean, nullable=False),
    Column("published_by", String(36)),
    Column("published_at", UtcDateTime, nullable=False),
)

#: What the server proposed to a version's author and they accepted: the cells that differ from the spreadsheet.
#: Beside the version and not in it, since hubs get the versions and need no more of them.
accepted_proposals = Table(
    "accepted_proposals",
    metadata,
    Column("form", String(40), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("accepted", Json, nullable=False),
    ForeignKeyConstraint(["form", "version"], ["form_versions.form", "form_versions.version"]),
)

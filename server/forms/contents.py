"""Contents by their hash: written once, the same for ever, so that a phone fetches each a single time."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.grants import EVERY_PROJECT, Holder
from server.forms.conversion.geojson_list import ENDING
from server.forms.conversion.label_media import media_type
from server.forms.tables import content_projects, contents
from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing

XFORM_TYPE = "application/xml; charset=utf-8"
CSV_TYPE = "text/csv; charset=utf-8"
GEOJSON_TYPE = "application/geo+json"
XLS_TYPE = "application/vnd.ms-excel"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes with their hash and media type."""

    sha256: str
    media_type: str
    body: bytes

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "Content":
        """Return `body` under its own hash."""
        return cls(hashlib.sha256(body).hexdigest(), media_type, body)


def file_type(name: str) -> str:
    """Return the media type of a file beside a form."""
    return media_type(name) or (GEOJSON_TYPE if name.endswith(ENDING) else CSV_TYPE)


async def keep(connection: AsyncConnection, kept: Iterable[Content]) -> None:
    """Store contents that are not there yet."""
    rows = {
        one.sha256: {"sha256": one.sha256, "media_type": one.media_type, "bytes": len(one.body), "body": one.body}
        for one in kept
    }
    await insert_missing(connection, contents, list(rows.values()))


async def assign(connection: AsyncConnection, hashes: Collection[str], project: str) -> None:
    """Let the people of `project` fetch these contents."""
    await insert_missing(connection, content_projects, [{"sha256": sha256, "project": project} for sha256 in hashes])


async def fetch(storage: Storage, sha256: str, holder: Holder | None = None) -> Content | None:
    """Return a content; None when it is not here or, for a `holder`, when it is none of their projects'."""
    query = select(contents).where(contents.c.sha256 == sha256)
    if holder is not None:
        projects = {grant.project for grant in holder.grants}
        query = query.join(content_projects).limit(1)
        if EVERY_PROJECT not in projects:
            query = query.where(content_projects.c.project.in_(projects))
    async with storage.read() as connection:
        row = (await connection.execute(query)).first()
    return Content(row.sha256, row.media_type, bytes(row.body)) if row is not None else None

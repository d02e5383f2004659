"""Where the atlas comes from: seeded from the province's lists, kept in the database, read through a short-lived copy.

`Areas.atlas()` may be half a minute old on a server with several processes; what this process changed shows at once.
Each unit that keeps records stands in the `catalog` as an `area:<unit>` document, so that phones know its name offline.
"""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.atlas import Atlas, Project, Unit
from server.areas.grants import CATALOG, PROVINCE
from server.areas.tables import projects, unit_successors, units
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.db.insert_missing import insert_missing

FRESH = timedelta(seconds=30)
FIRST_PROJECTS = (
    Project("agri", "Nông nghiệp và môi trường", "Agriculture and environment"),
    Project("tourism", "Du lịch và di sản", "Tourism and heritage"),
)


class Areas:
    """Places and projects of one server."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._clock = clock
        self._copy: Atlas | None = None
        self._read_at: datetime | None = None

    async def atlas(self) -> Atlas:
        """Return the present atlas."""
        now = self._clock()
        if self._copy is None or self._read_at is None or now - self._read_at > FRESH:
            async with self._storage.read() as connection:
                self._copy = await _read(connection)
            self._read_at = now
        return self._copy

    async def prepare(self) -> None:
        """Bring in the province's lists where they are missing, and a database for every scope and the catalog."""
        async with self._storage.write() as connection:
            await insert_missing(connection, projects, [_project_row(project) for project in FIRST_PROJECTS])
            await insert_missing(connection, units, list(_listed_units()))
            await insert_missing(connection, unit_successors, list(_listed_successors()))
        await self._follow()

    async def add_project(self, project: Project) -> bool:
        """Make a project with a scope in every unit; False if its id is taken."""
        async with self._storage.write() as connection:
            taken = await connection.scalar(select(projects.c.id).where(projects.c.id == project.id))
            await insert_missing(connection, projects, [_project_row(project)])
        if taken is None:
            await self._follow()
        return taken is None

    async def _follow(self) -> None:
        self._copy = None
        atlas = await self.atlas()
        await self._journal.ensure([CATALOG, *(scope.name for scope in atlas.scopes)])
        await self._publish(atlas)

    async def _publish(self, atlas: Atlas) -> None:
        wanted = {f"area:{unit.id}": _document(unit) for unit in atlas.units.values() if unit.has_scopes}
        known = await self._journal.documents(CATALOG, list(wanted))
        changes = []
        for doc_id, content in wanted.items():
            stands = known.get(doc_id)
            if stands is not None and stands.person is not None:
                # A hub has it from its province, perhaps before the directory that says the same: that is newer.
                continue
            following = NewRevision.following(doc_id, content, parent=stands.rev if stands else None)
            if stands is None or stands.content != following.content:
                changes.append(following)
        if changes:
            await self._journal.write(CATALOG, changes, Origin(person=None, enrolment=None))


def _document(unit: Unit) -> dict[str, str]:
    return {
        "type": "area",
        "unit": unit.id,
        "code": unit.code,
        "name": unit.name,
        "kind": unit.kind,
        "longitude": unit.longitude or "",
        "latitude": unit.latitude or "",
        "valid_from": unit.valid_from.isoformat() if unit.valid_from else "",
    }


async def _read(connection: AsyncConnection) -> Atlas:
    followers: dict[str, tuple[str, ...]] = {}
    for row in await connection.execute(select(unit_successors).order_by(unit_successors.c.successor)):
        followers[row.unit] = (*followers.get(row.unit, ()), row.successor)
    every_unit = await connection.execute(select(units).order_by(units.c.id))
    every_project = await connection.execute(select(projects).order_by(projects.c.id))
    return Atlas(
        units={row.id: Unit(**row._mapping) for row in every_unit},
        projects={row.id: Project(**row._mapping) for row in every_project},
        successors=followers,
    )


def _project_row(project: Project) -> dict[str, str]:
    return {"id": project.id, "name_vi": project.name_vi, "name_en": project.name_en}


def _list(name: str) -> Iterator[dict[str, str]]:
    text = (files("server.areas") / "data" / name).read_text(encoding="utf-8")
    return iter(csv.DictReader(text.splitlines()))


def _unit_id(code: str, valid_from: date | None) -> str:
    return f"{code}-{valid_from.year}" if valid_from else code


def _listed_units() -> Iterator[dict[str, Any]]:
    empty: dict[str, Any] = dict.fromkeys(column.name for column in units.columns)
    for row in _list("areas.csv"):
        valid_from = date.fromisoformat(row["valid_from"]) if row["valid_from"] else None
        yield empty | {
            "id": _unit_id(row["code"], valid_from),
            "code": row["code"],
            "kind": row["kind"],
            "name": row["name"],
            "longitude": row["longitude"] or None,
            "latitude": row["latitude"] or None,
            "valid_from": valid_from,
        }
    for row in _list("area_successors.csv"):
        valid_to = date.fromisoformat(row["valid_to"])
        yield empty | {
            "id": _old_unit_id(row["old_code"]),
            "code": row["old_code"],
            "kind": "former",
            "name": row["old_name"],
            "district": row["old_district"],
            "valid_to": valid_to,
        }


def _listed_successors() -> Iterator[dict[str, str]]:
    present = {row["code"]: row for row in _list("areas.csv") if row["code"] != PROVINCE}
    for row in _list("area_successors.csv"):
        successor = present[row["new_code"]]
        yield {
            "unit": _old_unit_id(row["old_code"]),
            "successor": _unit_id(row["new_code"], date.fromisoformat(successor["valid_from"])),
        }


def _old_unit_id(code: str) -> str:
    return f"{code}-until-2025"

"""The doors of areas and projects; here, because whoever asks must be signed in and `areas` knows no people."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from server.areas.areas import Areas
from server.areas.atlas import Project, Unit, local_day
from server.auth.audit import note
from server.auth.authentication import signed_in
from server.auth.authorise import require
from server.auth.principal import Principal
from server.auth.schemas import AreasAnswer, ProjectBody, ResolvedAnswer, UnitAnswer
from server.errors import Problem
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage


@get(guards=[signed_in])
async def list_areas(
    areas: NamedDependency[Areas],
    clock: NamedDependency[Clock],
    on: FromQuery[date | None] = None,
) -> AreasAnswer:
    """List the units of a day (today's where none is named), and the projects."""
    day = on or local_day(clock())
    atlas = await areas.atlas()
    return AreasAnswer(
        on=day,
        units=[_unit(unit) for unit in atlas.present(day)],
        projects=[_project(project) for project in atlas.projects.values()],
    )


@get("/resolve", guards=[signed_in])
@raises("not_found")
async def resolve(
    areas: NamedDependency[Areas],
    clock: NamedDependency[Clock],
    code: Annotated[str, QueryParameter(min_length=1, max_length=16)],
    on: FromQuery[date | None] = None,
) -> ResolvedAnswer:
    """Tell which unit a code meant on a day, and which units it is part of today."""
    today = local_day(clock())
    atlas = await areas.atlas()
    unit = atlas.resolve(code, on or today)
    if unit is None:
        raise Problem("not_found")
    return ResolvedAnswer(unit=_unit(unit), today=[_unit(later) for later in atlas.today(unit.id, today)])


@post("/projects")
@raises("not_allowed", "not_found", "project_taken")
async def add_project(
    data: JSONBody[ProjectBody],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
) -> ProjectBody:
    """Make a project, with a database in every unit."""
    require(principal, "manage_areas", "*")
    if not await areas.add_project(Project(data.id, data.name_vi, data.name_en)):
        raise Problem("project_taken", project=data.id)
    async with storage.write() as connection:
        await note(connection, clock, principal.person, "project_added", data.id)
    return data


def _unit(unit: Unit) -> UnitAnswer:
    return UnitAnswer(**asdict(unit))


def _project(project: Project) -> ProjectBody:
    return ProjectBody(id=project.id, name_vi=project.name_vi, name_en=project.name_en)


areas_router = Router("/api/areas", route_handlers=[list_areas, resolve, add_project])

"""`/api/publish`: approved records as files."""

from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from server.areas.areas import Areas
from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.errors import Problem
from server.platform.api_description.declarations import raises
from server.platform.db.engine import Storage
from server.publish.geojson import PublishedSelection, feature_collection
from server.publish.layout_book import Layouts


@get("/{file:str}", media_type="application/geo+json")
@raises("not_found", "not_allowed")
async def geojson(
    *,
    file: FromPath[str],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    layouts: NamedDependency[Layouts],
    # `scope` itself means something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None,
    sensitive: FromQuery[bool] = False,
) -> Stream:
    """Give the approved records of `<form>.geojson` in one's scopes, streamed.

    `sensitive=true` adds the answers that are marked so, for those who are entitled to them in all these scopes.
    """
    form = file.removesuffix(".geojson")
    async with storage.read() as connection:
        table = await layouts.of(connection, form)
    atlas = await areas.atlas()
    databases = tuple(each.name for each in atlas.scopes_of(principal) if database in {None, each.name})
    if table is None or form == file or not databases:
        raise Problem("not_found")
    if sensitive and not all(allowed(principal, "read_sensitive", each) for each in databases):
        raise Problem("not_allowed", action="read_sensitive")
    wanted = PublishedSelection(form, databases, with_sensitive=sensitive)
    return Stream(
        feature_collection(storage, table, wanted),
        media_type="application/geo+json",
        headers={"Content-Disposition": f'attachment; filename="{form}.geojson"', "Cache-Control": "private, no-store"},
    )


router = Router("/api/publish", route_handlers=[geojson], tags=["publish"])

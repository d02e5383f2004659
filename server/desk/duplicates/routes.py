"""`/api/duplicates`: records that may be of one household, and what people make of them."""

from typing import Annotated, get_args

from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from server.areas.areas import Areas
from server.auth.authorise import require
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts.queue_routes import Words, databases_of
from server.desk.duplicates import queue
from server.desk.duplicates.deciding import PairDesk, PairKey, pair_line
from server.desk.duplicates.schemas import NewVerdict, PairPage, PairQueue, Parting, Verdict
from server.errors import Problem
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage


def provide_desk(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    library: NamedDependency[FormLibrary],
    areas: NamedDependency[Areas],
    clock: NamedDependency[Clock],
) -> PairDesk:
    """Return what pairs are decided through."""
    return PairDesk(storage, journal, library, areas, clock)


@get("", operation_id="listDuplicates", summary="List records that may be of one household")
async def list_duplicates(
    *,
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    library: NamedDependency[FormLibrary],
    # `scope` itself means something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None,
    project: Annotated[str, QueryParameter(max_length=40)] = "",
    unit: Annotated[list[str] | None, QueryParameter(max_items=200)] = None,
    form: Annotated[str, QueryParameter(max_length=200)] = "",
    verdict: FromQuery[Verdict] = "open",
    before: Annotated[str | None, QueryParameter(max_length=1500)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
) -> PairQueue:
    """List the pairs of one's areas, the most alike first."""
    if any("\x00" in text for text in (form, before or "")):
        raise Problem("invalid_request", parameter="filters")
    atlas = await areas.atlas()
    databases = databases_of(principal, atlas, "read_conflicts", database)
    wanted = [each.partition("-") for each in databases]
    here = tuple(f"{p}-{u}" for p, _, u in wanted if project in {"", p} and (not unit or u in unit))
    filters = queue.Filters(here, form, verdict)
    async with storage.read() as connection:
        page = await queue.page(connection, filters, before, limit)
        counts = await queue.counts(connection, filters)
        names = await names_of(connection, {row["by_person"] for row in page.rows if row["by_person"]})
    words = Words(library)
    return PairQueue(
        pairs=[pair_line(row, page.records, names, atlas, await words.title(row["form"], None)) for row in page.rows],
        next=page.next,
        counts={each: counts.get(each, 0) for each in get_args(Verdict)},
    )


@get("/{database:str}/{one:str}/{other:str}", operation_id="readDuplicate", summary="Two records side by side")
async def read_duplicate(
    *,
    database: FromPath[str],
    one: FromPath[str],
    other: FromPath[str],
    principal: NamedDependency[Principal],
    pair_desk: NamedDependency[PairDesk],
) -> PairPage:
    """Return both records, field by field, with what speaks for and against their being one."""
    require(principal, "read_conflicts", database)
    return await pair_desk.page(principal, PairKey(database, one, other))


@post("/{database:str}/{one:str}/{other:str}/decide", operation_id="decideDuplicate", summary="Say what a pair is")
async def decide_duplicate(
    *,
    database: FromPath[str],
    one: FromPath[str],
    other: FromPath[str],
    data: JSONBody[NewVerdict],
    principal: NamedDependency[Principal],
    pair_desk: NamedDependency[PairDesk],
) -> PairPage:
    """Join the two (`same`), tell them apart, leave it unsure, or take the latter two back (`open`)."""
    require(principal, "decide_conflicts", database)
    return await pair_desk.decide(principal, PairKey(database, one, other), data)


@post("/{database:str}/{one:str}/{other:str}/part", operation_id="partDuplicate", summary="Take a joining back")
async def part_duplicate(
    *,
    database: FromPath[str],
    one: FromPath[str],
    other: FromPath[str],
    data: JSONBody[Parting],
    principal: NamedDependency[Principal],
    pair_desk: NamedDependency[PairDesk],
) -> PairPage:
    """Let the record that was joined stand for itself again; what came over with it goes back."""
    require(principal, "decide_conflicts", database)
    return await pair_desk.part(principal, PairKey(database, one, other), data)


router = Router(
    "/api/duplicates",
    route_handlers=[list_duplicates, read_duplicate, decide_duplicate, part_duplicate],
    dependencies={"pair_desk": Provide(provide_desk, sync_to_thread=False)},
    tags=["conflicts"],
)

"""`/api/duplicates`: records that may be of one household, and what people make of them."""

from typing import get_args

from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from server.areas.areas import Areas
from server.auth.authorise import require, scopes_where
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts.queue_routes import FormLabels
from server.desk.duplicates import queue
from server.desk.duplicates.deciding import PairDesk, PairKey, pair_line
from server.desk.duplicates.schemas import NewVerdict, PairPage, PairQueue, PairSearch, Parting, Verdict
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.paging import PAGING, Paging


def provide_desk(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    library: NamedDependency[FormLibrary],
    areas: NamedDependency[Areas],
    clock: NamedDependency[Clock],
) -> PairDesk:
    """Return what pairs are decided through."""
    return PairDesk(storage, journal, library, areas, clock)


@get(
    "",
    dependencies={"search": Provide(PairSearch, sync_to_thread=False), **PAGING},
    operation_id="listDuplicates",
    summary="List records that may be of one household",
)
@raises("not_allowed", "not_found")
async def list_duplicates(
    *,
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    library: NamedDependency[FormLibrary],
    search: NamedDependency[PairSearch],
    paging: NamedDependency[Paging],
) -> PairQueue:
    """List the pairs of one's areas, the most alike first."""
    atlas = await areas.atlas()
    databases = scopes_where(principal, "read_conflicts", atlas, search.database)
    filters = queue.PairFilters(tuple(filter(search.admits, databases)), search.form, search.verdict)
    async with storage.read() as connection:
        page = await queue.page(connection, filters, paging)
        found = await queue.records_of(connection, page.rows)
        counts = await queue.counts(connection, filters)
        names = await names_of(connection, {row["by_person"] for row in page.rows if row["by_person"]})
    words = FormLabels(library)
    return PairQueue(
        pairs=[pair_line(row, found, names, atlas, await words.title(row["form"], None)) for row in page.rows],
        next=page.next,
        counts={each: counts.get(each, 0) for each in get_args(Verdict)},
    )


@get("/{database:str}/{one:str}/{other:str}", operation_id="readDuplicate", summary="Two records side by side")
@raises("not_allowed", "not_found")
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
@raises("not_allowed", "not_found", "pair_joined", "pair_said", "record_moved_on", "pair_apart", "unknown_choice")
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
@raises("not_allowed", "not_found", "pair_not_joined", "pair_said", "record_moved_on")
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

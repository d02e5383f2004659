"""`/api/conflicts/quarantine`: what is in quarantine, letting it in, marking it as seen."""

from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.areas.grants import CATALOG
from server.auth.authorise import administers_everything, scopes_where
from server.auth.principal import Principal
from server.desk.quarantine.queue import QuarantineDesk, QuarantineFilters
from server.desk.quarantine.schemas import Accepted, EntryKey, NewNote, QuarantineQueue, QuarantineSearch
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
    clock: NamedDependency[Clock],
) -> QuarantineDesk:
    """Return what the queue is worked off through."""
    return QuarantineDesk(storage, journal, library, clock)


@get(
    "",
    dependencies={"search": Provide(QuarantineSearch, sync_to_thread=False), **PAGING},
    operation_id="listQuarantine",
    summary="List what is in quarantine",
)
@raises("not_allowed", "not_found")
async def list_quarantine(
    *,
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    quarantine_desk: NamedDependency[QuarantineDesk],
    search: NamedDependency[QuarantineSearch],
    paging: NamedDependency[Paging],
) -> QuarantineQueue:
    """List what is in quarantine in one's scopes, the newest first; `seen` tells what somebody has looked at.

    What waits in the catalog shows to whoever administers everything.
    """
    atlas = await areas.atlas()
    databases = _databases(principal, atlas, search.database)
    filters = QuarantineFilters(databases, search.reason, search.seen)
    return await quarantine_desk.page(filters, atlas, paging)


@post("/accept", status_code=200, operation_id="acceptQuarantined", summary="Let one of them in")
@raises("not_allowed", "not_found", "not_waiting", "parent_waits", "not_acceptable", "waits_for_more")
async def accept(
    data: JSONBody[EntryKey],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    quarantine_desk: NamedDependency[QuarantineDesk],
) -> Accepted:
    """Let exactly this content in; 409 when it does not wait any more, or may not come in."""
    _databases(principal, await areas.atlas(), data.database)
    return await quarantine_desk.accept(principal, data)


@post("/seen", status_code=204, operation_id="markQuarantinedSeen", summary="Say what one made of one of them")
@raises("not_allowed", "not_found", "not_waiting")
async def mark_seen(
    data: JSONBody[NewNote],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    quarantine_desk: NamedDependency[QuarantineDesk],
) -> None:
    """Say what one made of an entry; it stays where it is."""
    _databases(principal, await areas.atlas(), data.database)
    await quarantine_desk.mark_seen(principal, data)


def _databases(principal: Principal, atlas: Atlas, asked: str | None) -> tuple[str, ...]:
    """Return the databases whose quarantine the person works off, or the one that is asked for; raise a problem."""
    if not administers_everything(principal):
        return scopes_where(principal, "release_quarantine", atlas, asked)
    if asked == CATALOG:
        return (CATALOG,)
    scopes = scopes_where(principal, "release_quarantine", atlas, asked)
    return scopes if asked is not None else (*scopes, CATALOG)


router = Router(
    "/api/conflicts/quarantine",
    route_handlers=[list_quarantine, accept, mark_seen],
    dependencies={"quarantine_desk": Provide(provide_desk, sync_to_thread=False)},
    tags=["conflicts"],
)

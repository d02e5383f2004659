"""`/api/conflicts`: all of the data manager's desk; here what was kept aside, letting it in, marking it as seen."""

import base64
import json
from datetime import datetime
from typing import Annotated

from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, QueryParameter

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.desk.conflicts.batch_routes import decide_many, undo_many
from server.desk.conflicts.dependencies import PROVIDED
from server.desk.conflicts.page_routes import ask_about, claim_conflict, decide_conflict, show_conflict, undo_decision
from server.desk.conflicts.queue_routes import conflict_filters, list_conflicts
from server.desk.conflicts.schemas import Accepted, EntryKey, NewNote, QuarantineQueue
from server.desk.quarantine.queue import Filters, QuarantineDesk
from server.errors import Problem
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.journal.model import QuarantinedKey
from server.platform.clock import Clock
from server.platform.db.engine import Storage


def provide_desk(
    storage: NamedDependency[Storage],
    journal: NamedDependency[Journal],
    library: NamedDependency[FormLibrary],
    clock: NamedDependency[Clock],
) -> QuarantineDesk:
    """Return what the queue is worked off through."""
    return QuarantineDesk(storage, journal, library, clock)


@get("/quarantine", operation_id="listQuarantine", summary="List what is kept aside")
async def list_quarantine(
    *,
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    quarantine_desk: NamedDependency[QuarantineDesk],
    # `scope` itself means something else to the framework.
    database: Annotated[str | None, QueryParameter(name="scope", max_length=100)] = None,
    reason: Annotated[str | None, QueryParameter(max_length=60, pattern=r"^[a-z_]+$")] = None,
    seen: Annotated[bool | None, QueryParameter()] = None,
    before: Annotated[str | None, QueryParameter(max_length=6000)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=50)] = 20,
) -> QuarantineQueue:
    """List what is kept aside in one's scopes, the newest first; `seen` tells what somebody has looked at."""
    require(principal, "release_quarantine", database)
    atlas = await areas.atlas()
    databases = _databases(principal, atlas, database)
    mark = None if before is None else _mark(before)
    page, further = await quarantine_desk.page(Filters(databases, reason, seen), atlas, mark, limit)
    return page if further is None else page.model_copy(update={"next": _token(further)})


@post("/quarantine/accept", status_code=200, operation_id="acceptQuarantined", summary="Let one of them in")
async def accept(
    data: JSONBody[EntryKey],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    quarantine_desk: NamedDependency[QuarantineDesk],
) -> Accepted:
    """Let exactly this content in; 409 when it does not wait any more, or may not come in."""
    require(principal, "release_quarantine", data.database)
    _databases(principal, await areas.atlas(), data.database)
    return await quarantine_desk.accept(principal, data)


@post(
    "/quarantine/seen", status_code=204, operation_id="markQuarantinedSeen", summary="Say what one made of one of them"
)
async def mark_seen(
    data: JSONBody[NewNote],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    quarantine_desk: NamedDependency[QuarantineDesk],
) -> None:
    """Say what one made of an entry; it stays where it is."""
    require(principal, "release_quarantine", data.database)
    _databases(principal, await areas.atlas(), data.database)
    await quarantine_desk.mark_seen(principal, data)


def _databases(principal: Principal, atlas: Atlas, wanted: str | None) -> tuple[str, ...]:
    """Return the databases whose queue the person may work off, or the one that is wanted; raise `not_found`."""
    names = [scope.name for scope in atlas.scopes_of(principal) if wanted in {None, scope.name}]
    found = tuple(name for name in names if allowed(principal, "release_quarantine", name))
    if wanted is not None and not found:
        raise Problem("not_found")
    return found


def _token(key: QuarantinedKey) -> str:
    parts = [key.received_at.isoformat(), key.database, key.doc_id, key.rev, key.fingerprint.hex()]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _mark(token: str) -> QuarantinedKey:
    try:
        at, database, doc_id, rev, fingerprint = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or "\x00" in f"{database}{doc_id}{rev}":
            raise ValueError
        return QuarantinedKey(str(database), str(doc_id), str(rev), bytes.fromhex(fingerprint), moment)
    except (ValueError, TypeError, RecursionError):
        raise Problem("invalid_request", parameter="before") from None


router = Router(
    "/api/conflicts",
    route_handlers=[
        list_conflicts,
        conflict_filters,
        decide_many,
        undo_many,
        show_conflict,
        decide_conflict,
        undo_decision,
        claim_conflict,
        ask_about,
        list_quarantine,
        accept,
        mark_seen,
    ],
    dependencies={"quarantine_desk": Provide(provide_desk, sync_to_thread=False), **PROVIDED},
    tags=["conflicts"],
)

"""`/api/review`: the queue, one record, and decisions about it."""

from collections.abc import Mapping
from typing import Any, get_args

from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from sqlalchemy import RowMapping, select

from server.areas.areas import Areas
from server.areas.atlas import Atlas
from server.auth.authorise import allowed, require
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.review import queue
from server.desk.review.decide import Desk
from server.desk.review.page import Reviewed, document_of, recorded_at
from server.desk.review.schemas import (
    Branch,
    Decided,
    HistoryEntry,
    NewReview,
    Place,
    Queue,
    RecordLine,
    RecordPage,
    RecordSearch,
    ReviewEntry,
)
from server.errors import Problem
from server.journal.journal import Journal
from server.journal.model import StoredRevision
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.paging import PAGING, Paging
from server.read_model.record_tables import records
from sync.matching.text_normalisation import fold
from sync.review import State

_LINE = ("database", "id", "rev", "form", "form_version", "title", "state", "recorded_at", "received_at")
_REST = ("by_name", "decided_by_name", "unit", "project", "flags", "is_corrected", "is_deleted")


def provide_desk(
    storage: NamedDependency[Storage], journal: NamedDependency[Journal], clock: NamedDependency[Clock]
) -> Desk:
    """Return what decisions are made through."""
    return Desk(storage, journal, clock)


@get("/records", dependencies={"search": Provide(RecordSearch, sync_to_thread=False), **PAGING})
@raises("not_found")
async def list_records(
    *,
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    search: NamedDependency[RecordSearch],
    paging: NamedDependency[Paging],
) -> Queue:
    """List the records of one's scopes, the doubtful first, then the newest; `state` may stand several times."""
    atlas = await areas.atlas()
    databases = tuple(each.name for each in atlas.scopes_of(principal) if search.database in {None, each.name})
    if search.database is not None and not databases:
        raise Problem("not_found")
    filters = queue.RecordFilters(databases, search.form or "", tuple(search.states or ()), fold(search.q or ""))
    async with storage.read() as connection:
        page = await queue.page(connection, filters, paging)
        counts = await queue.counts(connection, filters)
    return Queue(
        records=[RecordLine(**_line(row, atlas), branches=row["branches"]) for row in page.rows],
        next=page.next,
        counts={each: counts.get(each, 0) for each in get_args(State)},
    )


@get("/records/{database:str}/{record:str}")
@raises("not_allowed", "not_found")
async def show_record(
    *,
    database: FromPath[str],
    record: FromPath[str],
    principal: NamedDependency[Principal],
    storage: NamedDependency[Storage],
    areas: NamedDependency[Areas],
    desk: NamedDependency[Desk],
) -> RecordPage:
    """Show one record with its history, decisions and other branches, and say whether one may decide."""
    require(principal, "read", database)
    reviewed = await desk.read(database, record)
    async with storage.read() as connection:
        query = select(records).where(records.c.database == database, records.c.id == record)
        row = (await connection.execute(query)).mappings().one_or_none()
        names = await names_of(connection, (each.person for each in reviewed.history if each.person))
    if row is None or row["is_erased"]:
        raise Problem("not_found")
    winner = next(each for each in reviewed.history if each.rev == row["rev"])
    corrected = reviewed.corrected(winner.rev) if row["is_corrected"] else None
    is_supervisor = allowed(principal, "review", database)
    is_own = principal.person in reviewed.authors_of(winner.rev)
    atlas = await areas.atlas()
    return RecordPage(
        **_line(row, atlas),
        sent_at=_author(reviewed, winner).received_at,
        doc=document_of(winner),
        published_rev=row["published_rev"],
        area=_centre(atlas, row["unit"]),
        history=[_history_entry(each, reviewed, row, names) for each in reviewed.history],
        reviews=[_review_entry(name, reviewed) for name in reviewed.contents],
        branches=[
            Branch(
                rev=each.rev,
                by_name=names.get(_author(reviewed, each).person or "", ""),
                received_at=each.received_at,
                doc=document_of(each),
            )
            for each in reviewed.branches(winner.rev)
        ],
        returned=document_of(corrected) if corrected else None,
        may_decide=is_supervisor,
        may_approve=is_supervisor and not is_own,
        why_not=None if is_supervisor and not is_own else "own_work" if is_supervisor else "not_supervisor",
    )


@post("/records/{database:str}/{record:str}/decisions")
@raises("not_allowed", "not_found", "record_moved_on", "own_work", "decided_meanwhile")
async def decide(
    database: FromPath[str],
    record: FromPath[str],
    data: JSONBody[NewReview],
    principal: NamedDependency[Principal],
    desk: NamedDependency[Desk],
) -> Decided:
    """Approve, return or reject exactly the revision that was looked at; 409 when the record has moved on."""
    require(principal, "review", database)
    written = await desk.decide(principal, database, record, data)
    return Decided(id=written.id, state=written.state)


def _line(row: RowMapping, atlas: Atlas) -> dict[str, Any]:
    unit = atlas.units.get(row["unit"])
    return {**{name: row[name] for name in (*_LINE, *_REST)}, "unit_name": unit.name if unit else row["unit"]}


def _centre(atlas: Atlas, unit: str) -> Place | None:
    known = atlas.units.get(unit)
    if known is None or not known.longitude or not known.latitude:
        return None
    return Place(longitude=float(known.longitude), latitude=float(known.latitude))


def _author(reviewed: Reviewed, stored: StoredRevision) -> StoredRevision:
    """Return the worker's edit that the record is shown as where it stands at a revision."""
    return reviewed.line.by_rev.get(reviewed.line.authorship(stored.rev).edit, stored)


def _history_entry(
    stored: StoredRevision, reviewed: Reviewed, row: RowMapping, names: Mapping[str, str]
) -> HistoryEntry:
    return HistoryEntry(
        kind=reviewed.line.act(stored.rev),
        rev=stored.rev,
        parent=stored.parent,
        by_person=stored.person,
        by_name=names.get(stored.person or "", ""),
        recorded_at=recorded_at(stored),
        received_at=stored.received_at,
        is_deleted=stored.deleted,
        is_winner=stored.rev == row["rev"],
        is_branch=stored.is_leaf and stored.rev != row["rev"],
        is_published=stored.rev == row["published_rev"],
    )


def _review_entry(name: str, reviewed: Reviewed) -> ReviewEntry:
    content = reviewed.contents[name]
    return ReviewEntry(
        id=name,
        rev=content["rev"],
        decision=content["decision"],
        comment=str(content.get("comment", "")),
        comments={str(path): str(text) for path, text in (content.get("comments") or {}).items()},
        by=content["by"],
        by_name=str(content.get("by_name", "")),
        at=str(content.get("at", "")),
        follows=[str(each) for each in content.get("follows") or []],
        stands=reviewed.is_standing(name),
    )


router = Router(
    "/api/review",
    route_handlers=[list_records, show_record, decide],
    dependencies={"desk": Provide(provide_desk, sync_to_thread=False)},
    tags=["review"],
)

"""`/api/following`: the documents that followers set aside, for administrators, and trying one again."""

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy import and_, select

from server.areas.grants import CATALOG
from server.auth.audit import note
from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.errors import Problem
from server.journal.followers.runner import Runner
from server.journal.followers.tables import dead_letters
from server.journal.quarantine import waiting_for_revisions
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.projections.schemas import Following, Retried, Retry, SetAsideDocument, WaitingRevisions
from server.read_model.record_tables import records

#: A screen shows no more, and nobody has to scroll to see that something is wrong.
MOST = 200


@get()
@raises("not_allowed")
async def list_set_aside(principal: NamedDependency[Principal], storage: NamedDependency[Storage]) -> Following:
    """List what could not be taken into lists and tables, the newest first, and what waits for other revisions."""
    require(principal, "manage_areas")
    newest = select(dead_letters).order_by(dead_letters.c.last_at.desc(), dead_letters.c.doc_id)
    async with storage.read() as connection:
        rows = [row for row in await connection.execute(newest) if _may_see(principal, row.database)][:MOST]
        named = and_(records.c.database.in_({row.database for row in rows}), records.c.id.in_(map(_record, rows)))
        titles = await connection.execute(select(records.c.database, records.c.id, records.c.title).where(named))
        title_of = {(each.database, each.id): each.title for each in titles}
        waiting = await waiting_for_revisions(connection)
    return Following(
        set_aside=[
            SetAsideDocument(
                follower=row.follower,
                database=row.database,
                document=row.doc_id,
                record=_record(row),
                title=title_of.get((row.database, _record(row)), ""),
                error=row.error,
                attempts=row.attempts,
                since=row.first_at,
                last_at=row.last_at,
            )
            for row in rows
        ],
        waiting=[
            WaitingRevisions(database=database, reason=reason, count=count, since=since)
            for database, reason, count, since in waiting
            if _may_see(principal, database)
        ],
    )


@post("/retry", status_code=200)
@raises("not_allowed", "not_found")
async def retry(
    data: JSONBody[Retry],
    principal: NamedDependency[Principal],
    runner: NamedDependency[Runner],
    storage: NamedDependency[Storage],
    clock: NamedDependency[Clock],
) -> Retried:
    """Try a document again that was set aside; whatever became of it is in the list afterwards."""
    require(principal, "manage_areas")
    follower = next((each for each in runner.followers if each.name == data.follower), None)
    if follower is None or not _may_see(principal, data.database):
        raise Problem("not_found")
    taken = await follower.retry(data.database, data.document)
    async with storage.write() as connection:
        subject = f"{data.database}/{data.document}"
        await note(connection, clock, principal.person, "set_aside.retried", subject, follower=data.follower)
    return Retried(taken=taken)


def _may_see(principal: Principal, database: str) -> bool:
    # The catalog is everybody's; a database that is no scope covers no grant's area, so only the province sees it.
    return database == CATALOG or allowed(principal, "manage_areas", database)


def _record(row: object) -> str:
    """Return the record that a document is, or is about."""
    document = str(getattr(row, "doc_id", ""))
    prefix, colon, rest = document.partition(":")
    return rest.rpartition(":")[0] or rest if colon and prefix else document


router = Router(
    path="/api/following",
    route_handlers=[list_set_aside, retry],
    tags=["following"],
)

"""`/api/conflicts/batch`: many conflicts that are alike, decided together."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from server.areas.areas import Areas
from server.auth.authorise import require, scopes_where
from server.auth.principal import Principal
from server.desk.conflicts import queue
from server.desk.conflicts.batch import Batches
from server.desk.conflicts.batch_schemas import BatchDone, BatchShown, BatchUndo, BatchUndone, NewBatch
from server.platform.api_description.declarations import raises
from server.platform.clock import Clock
from sync.matching.text_normalisation import fold


@post(
    "/batch",
    status_code=200,
    operation_id="decideMany",
    summary="Look at what a rule would decide for many conflicts alike, then decide exactly these",
)
@raises("not_allowed", "not_found", "batch_gone")
async def decide_many(
    data: JSONBody[NewBatch],
    principal: NamedDependency[Principal],
    areas: NamedDependency[Areas],
    batches: NamedDependency[Batches],
    clock: NamedDependency[Clock],
) -> BatchShown | BatchDone:
    """With `dry_run`, tell what a rule would do and remember it under a token; without, do what the token names.

    Only conflicts of areas where one is data manager. What somebody touched since the dry run is left alone. A token
    serves once, its person, for half an hour: 409 `batch_gone` afterwards.
    """
    if not data.dry_run:
        require(principal, "decide_conflicts")
        return await batches.apply(principal, data.token or "", data.comment)
    atlas = await areas.atlas()
    filters = queue.ConflictFilters(
        databases=scopes_where(principal, "decide_conflicts", atlas, data.filters.scope),
        project=data.filters.project,
        units=tuple(data.filters.unit),
        form=data.form or "",
        kinds=(data.kind,) if data.kind else (),
        person=data.filters.person,
        path=data.path,
        folded_text=fold(data.filters.q),
    ).aged(clock(), data.filters.waiting_days, data.filters.newest_days)
    return await batches.look(principal, atlas, data, filters)


@post(
    "/batch/undo",
    status_code=200,
    operation_id="undoMany",
    summary="Take back what was decided for many at once",
)
@raises("not_allowed", "batch_gone")
async def undo_many(
    data: JSONBody[BatchUndo],
    principal: NamedDependency[Principal],
    batches: NamedDependency[Batches],
) -> BatchUndone:
    """Take a batch's decisions back, each where nobody has said anything new about it since; once."""
    require(principal, "decide_conflicts")
    return await batches.undo(principal, data.batch, data.comment)

"""`/api/conflicts`: the queue of conflicts, one of them, and many decided at once."""

from litestar import Router

from server.desk.conflicts.batch_routes import decide_many, undo_many
from server.desk.conflicts.dependencies import PROVIDED
from server.desk.conflicts.page_routes import ask_about, claim_conflict, decide_conflict, show_conflict, undo_decision
from server.desk.conflicts.queue_routes import conflict_filters, list_conflicts

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
    ],
    dependencies=PROVIDED,
    tags=["conflicts"],
)

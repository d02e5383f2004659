"""Where people disagree about a record, why a person is asked, and which choices make sense then."""

from collections.abc import Mapping
from typing import Final, cast

from sqlalchemy import RowMapping

from server.desk.conflicts.page_schemas import Way
from server.desk.conflicts.queue_schemas import Cause
from server.desk.conflicts.record_case import Case
from server.read_model.record_tables import path_key
from sync.merging.merge import FieldOutcome, WaitingMerge

#: Where the candidates of a question are revisions in several databases.
MOVED: Final = "moved"
#: The path of the whole record.
WHOLE = ""


def paths_of(case: Case, rows: Mapping[str, RowMapping], *, is_moved: bool) -> list[str]:
    """Return where people disagree: what the engine finds now, and what only the rows of the follower know.

    `is_moved`: the record lives in another database as well, which only matters while it lives here.
    """
    is_waiting = isinstance(case.combined, WaitingMerge)
    known = {path for path, row in rows.items() if is_waiting and row["cause"] != MOVED}
    moved = {WHOLE} if is_moved and not case.winner.deleted else set()
    return sorted({*case.open, *known, *moved})


def cause_of(case: Case, path: str, rows: Mapping[str, RowMapping], *, is_moved: bool) -> Cause:
    """Return why a person is asked about a field; what is known beside the engine goes first."""
    row = rows.get(path_key(path))
    if path == WHOLE and is_moved:
        return MOVED
    if row is not None and (row["cause"] == "after_approval" or path not in case.open):
        return cast(Cause, row["cause"])
    outcome = outcome_at(case, path)
    return outcome.cause if outcome is not None and outcome.cause is not None else "value"


def outcome_at(case: Case, path: str) -> FieldOutcome | None:
    """Return what became of a field that was edited since everybody last knew the same."""
    return None if isinstance(case.combined, WaitingMerge) else case.combined.fields.get(path)


def ways(case: Case, path: str, cause: Cause, *, may_move: bool, may_keep: bool) -> list[Way]:
    """Return which choices make sense for a question; none while what is asked cannot be read here.

    `may_move`: the person sees where else the record lives. Without that, somebody else must say where it stays.
    `may_keep`: it is known what a row says when it stays.
    """
    if isinstance(case.combined, WaitingMerge):
        return []
    if cause == MOVED:
        return ["stay"] if may_move else []
    if not path:
        return ["keep", "delete"]
    if cause == "row" or not path.startswith("/answers/"):
        return ["candidate", "keep", "confirm"] if may_keep else ["candidate", "confirm"]
    return ["candidate", "value", "confirm"]

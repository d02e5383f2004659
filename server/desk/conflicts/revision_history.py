"""A record's history, revision by revision, and the decisions about it that can still be taken back.

A machine's merge and the closing of a branch are named as what they are. A decision can be taken back while nobody has
said anything new about its fields: afterwards taking it back would bring up what is settled twice over.
"""

from collections.abc import Callable, Mapping

from server.desk.conflicts.labels import Spot, row_title, spot_of
from server.desk.conflicts.page_schemas import ChangedField, DecisionLine, HistoryLine, ShownValue
from server.desk.conflicts.record_case import Case
from server.forms.schema import Field
from sync.merging.field_diff import changes, value_at
from sync.merging.field_schema import ABSENT, Value, place_of
from sync.revisions.authorship import Act, act_of
from sync.revisions.canonical import Json

#: A first record changes everything: enough of it to know it again.
MOST_CHANGES = 100

Names = Mapping[str, str]
Content = Mapping[str, Json]


def shown(value: Value) -> ShownValue:
    """Return a field's value as the desk shows it."""
    return ShownValue(value=None if value is ABSENT else value, is_absent=value is ABSENT)


def spotted(case: Case, path: str) -> Spot:
    """Return what stands at a path in the words of the version that stands."""
    return spot_of(case.published, path)


def row_of(case: Case, spot: Spot, *revs: str) -> str | None:
    """Return what the row is called that a place lies in: as it stands, else as one of `revs` has it, else its id."""
    if not spot.rows:
        return None
    fields: Mapping[str, Field] = case.published.schema.by_path if case.published else {}
    for content in (case.content, *map(case.last_said, revs)):
        title = row_title(spot, content.get("answers"), fields)
        if title is not None:
            return title
    return spot.rows[-1][1]


def history_of(case: Case, names: Names, devices: Names) -> list[HistoryLine]:
    """Return every revision that is here, the oldest first."""
    return [_line(case, each.rev, names, devices) for each in case.in_order()]


def decisions_of(case: Case, history: list[HistoryLine], *, may_decide: bool) -> list[DecisionLine]:
    """Return the decisions, the newest first."""
    undone = _undone(history, case.reaches)
    return [
        DecisionLine(
            rev=line.rev,
            by_person=line.by_person,
            by_name=line.by_name,
            at=line.received_at,
            paths=line.decided,
            comment=line.comment,
            may_undo=may_decide and line.rev not in undone and may_be_undone(case, history, line),
            is_undone=line.rev in undone,
            stays=None,
        )
        for line in reversed(history)
        if line.kind == "decision"
    ]


def may_be_undone(case: Case, history: list[HistoryLine], decision: HistoryLine) -> bool:
    """Whether nobody who knew this decision has said something new about its fields."""
    undone = _undone(history, case.reaches)
    mine = _fields(decision)
    for line in history:
        if line.rev == decision.rev or line.rev in undone or line.kind in {"merge", "resolved", "undo"}:
            continue
        if case.reaches(line.rev, decision.rev) and any(_touch(one, other) for one in mine for other in _fields(line)):
            return False
    return True


def differing(case: Case, before: Content, after: Content, *revs: str) -> list[ChangedField]:
    """Return the answers and files in which two contents of the record differ; rows are called as `revs` call them."""
    found = changes(before, after, case.shape)
    told = [
        path for path in sorted(found) if not place_of(path, case.shape).shape.is_calculated and _is_told(case, path)
    ]
    return [
        _changed(
            case,
            path,
            value_at(before, path, case.shape, case.rows),
            value_at(after, path, case.shape, case.rows),
            *revs,
        )
        for path in told[:MOST_CHANGES]
    ]


def _undone(history: list[HistoryLine], reaches: Callable[[str, str], bool]) -> set[str]:
    """Return the decisions that an undo took back which stands itself."""
    undone: set[str] = set()
    for line in reversed(history):
        if line.rev not in undone:
            undone.update(each for each in line.undoes if reaches(line.rev, each))
    return undone


def _fields(line: HistoryLine) -> set[str]:
    return {*line.decided, *(each.path for each in line.changed), *([""] if line.is_deleted else [])}


def _touch(one: str, other: str) -> bool:
    """Whether two paths are about the same thing: one lies in the other. The whole record touches only itself."""
    if not one or not other:
        return one == other
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _line(case: Case, rev: str, names: Names, devices: Names) -> HistoryLine:
    stored = case.whole.revisions[rev]
    content = case.document.revisions[rev].content
    saved = content.get("saved")
    decided, undoes = case.says(rev, "decided"), case.says(rev, "undoes")
    is_merge = case.is_merge(rev)
    merged = content.get("merged") if is_merge else case.document.graph.merged.get(rev, ())
    return HistoryLine(
        rev=rev,
        parent=stored.parent,
        merged=[str(each) for each in merged] if isinstance(merged, list | tuple) else [],
        kind="merge" if is_merge else _kind(case, rev),
        by_person=stored.person,
        by_name=names.get(stored.person or "", ""),
        device=devices.get(stored.enrolment or "", ""),
        recorded_at=str(saved.get("at", "")) if isinstance(saved, dict) else "",
        received_at=stored.received_at,
        is_deleted=stored.deleted,
        is_winner=rev == case.leaves[0],
        is_branch=rev in case.counting and rev != case.leaves[0],
        changed=[_changed(case, path, *values, rev) for path, values in _shown_changes(case, rev)],
        comment=str(content.get("comment", "")) if decided or undoes else "",
        decided=decided,
        undoes=undoes,
    )


def _kind(case: Case, rev: str) -> Act:
    revision = case.document.revisions[rev]
    act = act_of(revision, case.document.revisions.get(revision.parent or ""))
    # Whether a machine merged is told by its id: what only says so is somebody's edit.
    return "edit" if act == "merge" else act


def _shown_changes(case: Case, rev: str) -> list[tuple[str, tuple[Value, Value]]]:
    return [each for each in case.changed_by(rev).items() if _is_told(case, each[0])][:MOST_CHANGES]


def _is_told(case: Case, path: str) -> bool:
    # A choice is told with its question, and that a group is there goes without saying.
    roles = {"atom", "choices", "row", "order"}
    if case.is_recorded_file(path):
        return False
    return path.startswith(("/answers/", "/media/")) and place_of(path, case.shape).role in roles


def _changed(case: Case, path: str, before: Value, after: Value, *revs: str) -> ChangedField:
    spot = spotted(case, path)
    return ChangedField(
        path=path, label=spot.labels, row=row_of(case, spot, *revs), before=shown(before), after=shown(after)
    )

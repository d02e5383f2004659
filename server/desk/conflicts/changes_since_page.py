"""Fields that have changed since the page on which a person decided.

A page names its revisions, `rev` and `leaves`, and that is all that can be known of it: what they reach is what the
person saw. Machines' merges and the closing of branches say nothing that had not been said before.
"""

from collections.abc import Collection, Mapping, Sequence

from server.desk.conflicts.record_case import Case
from sync.merging.field_diff import changes
from sync.merging.field_schema import Path, place_of
from sync.merging.merge import WaitingMerge, combine
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId


def moved_since(case: Case, seen: Sequence[RevisionId], paths: Collection[Path]) -> tuple[set[Path], set[RevisionId]]:
    """Return those of the paths that somebody has touched since these were the leaves, and the revisions that did."""
    if any(each not in case.whole.revisions for each in seen):
        return set(paths), set()
    known = case.document.graph.reached(seen)
    moved: set[Path] = set()
    by: set[RevisionId] = set()
    for rev in case.whole.revisions.keys() - known:
        if case.is_merge(rev) or case.is_resolved(rev):
            continue
        # That a row stands elsewhere among the others says nothing of what is in it.
        touched = {path for path in case.changed_by(rev) if path in paths or place_of(path, case.shape).role != "order"}
        touched |= {*case.says(rev, "decided")}
        touched |= {""} if case.whole.revisions[rev].deleted or case.says(rev, "undoes") else set()
        found = {path for path in paths if any(_is_one_thing(path, other) for other in touched)}
        if found:
            moved |= found
            by.add(rev)
    return moved, by


def content_seen(case: Case, seen: Sequence[RevisionId]) -> Mapping[str, Json] | None:
    """Return the record as the page had it whose leaves these were; None where that cannot be known here."""
    revisions = case.document.revisions
    if any(each not in revisions for each in seen):
        return None
    if revisions.keys() <= case.document.graph.reached(seen):
        return case.content
    together = combine(case.document.reached(seen), case.forms)
    return None if isinstance(together, WaitingMerge) or together.is_deleted else together.content


def edited_in_form(case: Case, seen: Mapping[str, Json], answers: Mapping[str, Json]) -> set[Path]:
    """Return the questions and rows that the answers of a form have otherwise than the page that it was opened on."""
    found = changes(seen, {**seen, "answers": dict(answers)}, case.shape)
    places = (place_of(path, case.shape) for path in found)
    # Where rows stand goes together with rows that others brought, and what forms compute nobody touches.
    return {each.question for each in places if each.role not in {"group", "order"} and not each.shape.is_calculated}


def _is_one_thing(path: Path, other: Path) -> bool:
    if not path or not other:
        # Whether a record lives is about all that anybody says of it.
        return True
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")

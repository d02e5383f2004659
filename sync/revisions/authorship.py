"""A record's author: the person who last captured or edited it, whatever servers and desks have written since.

A desk's decision, a joining, an undo and a machine's merge are revisions of the record too. Each stands on what workers
wrote and is shown beside it: the record stays the worker's. What a revision merely repeats from its parent, as a
replica that reads, changes and writes does, it does not say itself.

Who may approve is another matter (`sync.review`): there everybody counts, also who decided.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sync.merging.document import RESOLVED, Revision
from sync.revisions.canonical import Json, same
from sync.revisions.revision_id import RevisionId, generation_of

#: `joined` says that the record is the same as another one, `parted` takes that back.
Act = Literal["edit", "merge", "resolved", "decision", "undo", "joined", "parted"]

#: Returns a revision whose body is here, else None.
Read = Callable[[RevisionId], Revision | None]


@dataclass(frozen=True, slots=True)
class Authorship:
    """The worker's edit that a record is shown as, and the desk's act on top of it that holds, if there is one."""

    edit: RevisionId
    decision: RevisionId | None


def act_of(revision: Revision, parent: Revision | None) -> Act:
    """Return what kind of act a revision is; `parent` is None where there is none or its body is not here."""
    content = revision.content
    before: Mapping[str, Json] = {} if parent is None else parent.content

    def says(member: str) -> bool:
        return bool(content.get(member)) and not same(content.get(member), before.get(member))

    is_alive = not revision.deleted
    kinds: tuple[tuple[Act, bool], ...] = (
        ("resolved", not is_alive and same(content, RESOLVED)),
        ("edit", says("saved")),
        ("decision", says("decided")),
        ("undo", says("undoes")),
        ("merge", is_alive and says("merged")),
        ("joined", says("same_as")),
        ("parted", is_alive and bool(before.get("same_as")) and "same_as" not in content),
    )
    return next((act for act, holds in kinds if holds), "edit")


def authorship(winner: RevisionId, read: Read) -> Authorship:
    """Return whose a record is that stands at `winner`.

    Below a merge there may be several workers' edits: it is the latest by generation and hash. Of a record that lives,
    a deletion that was not followed is nobody's. Where no edit is here (a path whose first bodies never came), the
    winner stands for it.
    """
    standing = read(winner)
    is_alive = standing is not None and not standing.deleted
    edits: list[Revision] = []
    acts: list[tuple[Revision, Act]] = []
    seen = {winner}
    ahead = [winner]
    while ahead:
        revision = read(ahead.pop())
        if revision is None:
            continue
        act = act_of(revision, read(revision.parent) if revision.parent else None)
        if act == "edit" and not (is_alive and revision.deleted):
            edits.append(revision)
            continue
        acts.append((revision, act))
        below = {*([revision.parent] if revision.parent else []), *_texts(revision.content.get("merged"))} - seen
        seen |= below
        ahead.extend(below)
    first = max(edits, key=_order, default=None)
    return Authorship(winner if first is None else first.rev, _standing(acts))


def _standing(acts: list[tuple[Revision, Act]]) -> RevisionId | None:
    """Return the greatest decision or joining that no undo above it has taken back."""
    undone: set[RevisionId] = set()
    for revision, act in sorted(acts, key=lambda each: _order(each[0]), reverse=True):
        if revision.rev in undone:
            continue
        match act:
            case "undo":
                undone.update(_texts(revision.content.get("undoes")))
            case "parted":
                # The joining below is what it takes back.
                undone.update(each.rev for each, kind in acts if kind == "joined")
            case "decision" | "joined":
                return revision.rev
            case _:
                pass
    return None


def _order(revision: Revision) -> tuple[int, RevisionId]:
    return generation_of(revision.rev), revision.rev


def _texts(value: Json) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

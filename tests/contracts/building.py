"""Revisions to try the journal with."""

from collections.abc import Sequence

from server.journal.model import NewRevision, Origin, Outcome
from sync.revisions.canonical import canonical

AREA = "agri-03226-2025"
OTHER_AREA = "tourism-03127-2025"
SOMEBODY = Origin("person-1", "enrolment-1")
ANOTHER = Origin("person-2", "enrolment-2")


def edit(doc_id: str, said: str, parent: NewRevision | None = None, *, deleted: bool = False) -> NewRevision:
    """Return the edit of `parent` that says this, with its whole line of ancestors."""
    content = {"type": "record", "said": said}
    made = NewRevision.following(doc_id, content, parent.rev if parent else None, deleted=deleted)
    line = (parent.rev, *parent.ancestors) if parent else ()
    return NewRevision(doc_id, made.rev, line, deleted, made.content)


def foreign(doc_id: str, rev: str, *ancestors: str, said: str = "", deleted: bool = False) -> NewRevision:
    """Return a revision whose id another replica made, by its own rules."""
    content = canonical({"type": "record", "said": said or rev})
    return NewRevision(doc_id, rev, ancestors, deleted, content, verify=False)


def rev(generation: int, letter: str) -> str:
    """Return a revision id that is easy to read."""
    return f"{generation}-{letter * 32}"


def outcomes(of: Sequence[Outcome]) -> list[str]:
    """Return outcomes with their reasons, as words."""
    return [one.outcome if one.reason is None else f"{one.outcome}: {one.reason}" for one in of]

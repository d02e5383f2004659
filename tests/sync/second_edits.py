"""What each edit edits, as the second telling of the merge rules has it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.merging.document import Document, Forms
from sync.merging.field_schema import FieldSchema
from sync.revisions.canonical import canonical
from sync.revisions.revision_id import revision_id
from tests.sync.second_fields import (
    ABSENT,
    ANSWERS,
    THERE,
    Spot,
    Way,
    alike,
    fields_of,
    is_below,
    number_of,
    spot_of,
    version_of,
)


@dataclass(eq=False)
class Edit:
    """One edit: what it changed, what it decided, and of what it said everything."""

    rev: str
    knows: set[str]
    is_deletion: bool = False
    is_undo: bool = False
    lacks_parent: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)
    #: Its fields in the version that is merged into; None where there is no way.
    says: dict[Way, Any] | None = None
    before: Mapping[str, Any] | None = None
    lifted: Mapping[str, Any] | None = None
    changes: dict[Way, Any] = field(default_factory=dict)
    covered: dict[Way, Any] = field(default_factory=dict)
    decided: set[Way] = field(default_factory=set)
    covers: set[Way] = field(default_factory=set)

    def value(self, way: Way) -> Any:
        return self.changes.get(way, self.covered.get(way, ABSENT))


class Reading:
    """Reads who knew what in one document, and what each edit edits."""

    def __init__(self, document: Document, forms: Forms) -> None:
        self.document, self.forms = document, forms
        self.bodies = document.revisions
        self.parents, self.merged = document.graph.parents, document.graph.merged
        self.form = self.version = ""
        self.shape = FieldSchema("", "", {})
        self.edits: list[Edit] = []

    # Who knew what.

    def reaches(self, rev: str) -> set[str]:
        found, ahead = {rev}, [rev]
        while ahead:
            each = ahead.pop()
            for next_ in [*self.merged.get(each, ()), *([self.parents[each]] if self.parents.get(each) else [])]:
                if next_ is not None and next_ not in found:
                    found.add(next_)
                    ahead.append(next_)
        return found

    def line(self, rev: str) -> list[str]:
        found: list[str] = []
        parent = self.parents.get(rev)
        while parent is not None and parent not in found:
            found.append(parent)
            parent = self.parents.get(parent)
        return found

    def leaves(self) -> list[str]:
        """Return the leaves that count, the winner first."""
        held = self.document.graph.held
        ends = [rev for rev in held if rev not in self.parents.values()]
        live = [rev for rev in ends if not held[rev]]
        known = set().union(*(self.reaches(rev) for rev in live))
        dead = [rev for rev in ends if held[rev] and rev not in known and not self.is_resolved(rev)]
        return sorted([*live, *dead], key=lambda rev: (not held[rev], number_of(rev), rev), reverse=True)

    def is_resolved(self, rev: str) -> bool:
        body = self.bodies.get(rev)
        return body is not None and body.deleted and body.content == {"type": "record", "resolved": True}

    def is_machine_merge(self, rev: str) -> bool:
        body = self.bodies[rev]
        if body.deleted or "saved" in body.content or body.content.get("decided") or body.content.get("undoes"):
            return False
        known = set() if body.parent is None else self.reaches(body.parent)
        id_ = revision_id(self.document.doc_id, deleted=False, parent=body.parent, content=canonical(body.content))
        return rev == id_ and any(each not in known for each in self.merged.get(rev, ()))

    def choose_version(self, people: Sequence[str], live: Sequence[str]) -> bool:
        contents = [self.bodies[rev].content for rev in [*people, *live] if not self.bodies[rev].deleted]
        if any(each.get("form") and self.forms.shape(*version_of(each)) is None for each in contents):
            return False
        self.form, self.version = version_of(self.bodies[live[0]].content)
        versions = {
            version for form, version in (version_of(self.bodies[rev].content) for rev in live) if form == self.form
        }
        if len(versions) > 1:
            self.version = self.forms.newest(self.form, versions)
        self.shape = (self.forms.shape(self.form, self.version) if self.form else None) or self.shape
        return True

    # What each edit edits.

    def said(self, rev: str, member: str) -> list[str]:
        """Return a list that a revision says itself: one that its parent says too says nothing."""
        body = self.bodies[rev]
        value = body.content.get(member)
        parent = self.bodies.get(self.parents.get(rev) or "")
        if not isinstance(value, list) or (parent is not None and parent.content.get(member) == value):
            return []
        return [each for each in value if isinstance(each, str)]

    def takes_back(self, rev: str) -> list[str]:
        """Return the decisions that a revision takes back: those that it reaches."""
        reached = self.reaches(rev)
        return [
            named
            for named in self.said(rev, "undoes")
            if named != rev and named in reached and (named not in self.bodies or self.is_decision(named))
        ]

    def is_decision(self, rev: str) -> bool:
        if self.is_machine_merge(rev) or self.is_resolved(rev):
            return False
        return any(self.said(rev, member) for member in ("decided", "undoes", "forwarded"))

    def undone(self, people: Sequence[str]) -> set[str]:
        undone: set[str] = set()
        for rev in sorted(people, key=lambda rev: (len(self.reaches(rev) & set(people)), rev), reverse=True):
            if rev not in undone:
                undone |= set(self.takes_back(rev))
        return undone

    def edit(self, rev: str, undone: set[str]) -> Edit:
        body = self.bodies[rev]
        edit = Edit(rev, self.reaches(rev), raw=body.content, is_deletion=body.deleted)
        line = self.line(rev)
        here = [each for each in line if each in self.bodies]
        compared = next((each for each in here if not self.bodies[each].deleted), None)
        first = line.index(compared) if compared in line else len(line)
        edit.lacks_parent = any(each not in self.bodies for each in line[:first])
        if edit.lacks_parent:
            compared = next((each for each in here if not self.bodies[each].deleted and each not in undone), None)
        if compared is None:
            edit.lacks_parent = edit.lacks_parent or number_of(line[-1] if line else rev) > 1
        if self.can_take_back(edit):
            edit.is_undo = True
            edit.lifted = {} if body.deleted else self.lifted(rev)
            return edit
        decided = self.said(rev, "decided")
        if body.deleted:
            edit.changes[()] = ABSENT
            edit.decided = {()} if "" in decided else set()
            return edit
        raw_before = {} if compared is None else self.bodies[compared].content
        before = {} if compared is None else self.lifted(compared)
        edit.before, edit.lifted = before, self.lifted(rev)
        edit.says = None if edit.lifted is None else fields_of(edit.lifted, self.shape)
        if before is not None and edit.lifted is not None:
            edit.changes = self.differences(fields_of(before, self.shape), fields_of(edit.lifted, self.shape))
        else:
            beside = [
                {name: value for name, value in each.items() if name != "answers"} for each in (raw_before, edit.raw)
            ]
            edit.changes = self.differences(*(fields_of(each, self.shape) for each in beside))
            if edit.says is not None:
                edit.changes |= {way: value for way, value in edit.says.items() if way[:1] == ANSWERS}
                edit.changes[ANSWERS] = edit.says.get(ANSWERS, ABSENT)
                edit.covers.add(ANSWERS)
            elif raw_before.get("answers") != edit.raw.get("answers"):
                edit.changes[ANSWERS] = edit.raw.get("answers", ABSENT)
        if edit.lacks_parent:
            edit.covers |= {way for way in edit.changes if self.spot(way).kind == "choices"}
        was = {} if before is None else fields_of(before, self.shape)
        made = [way for way in edit.changes if self.spot(way).kind == "row" and edit.changes[way] is not ABSENT]
        edit.covers |= {way for way in made if was.get(way, ABSENT) is ABSENT}
        if here and self.bodies[here[0]].deleted:
            edit.changes[()] = THERE
        edit.decided = {self.decided_way(edit, path) for path in decided}
        says = fields_of(edit.raw if edit.lifted is None else edit.lifted, self.shape)
        edit.covers |= set() if decided else self.repeated(edit, says)
        for way in edit.decided:
            now = THERE if way == () else says.get(way, ABSENT)
            is_apart = way == ANSWERS and edit.lifted is None
            edit.changes.setdefault(way, edit.raw.get("answers", ABSENT) if is_apart else now)
            kind = self.spot(way).kind
            if way == ANSWERS or kind == "choices" or (kind == "row" and now is not ABSENT):
                edit.covers.add(way)
        return edit

    def can_take_back(self, edit: Edit) -> bool:
        """Whether an edit takes decisions back, and all is here that came between."""
        decisions = self.takes_back(edit.rev)
        between = {each for named in decisions for each in edit.knows - (self.reaches(named) - {named})}
        return bool(decisions) and between <= set(self.bodies)

    def repeated(self, edit: Edit, says: Mapping[Way, Any]) -> set[Way]:
        """Return the lists and rows in which an edit changes something, and which it marks as its parent does."""
        marked = edit.raw.get("decided")
        paths = [path for path in marked if isinstance(path, str)] if isinstance(marked, list) else []
        ways = {self.decided_way(edit, path) for path in paths}
        ways = {way for way in ways if any(each == way or is_below(each, way) for each in edit.changes)}
        kinds = {way: self.spot(way).kind for way in ways}
        return {way for way in ways if kinds[way] == "choices" or (kinds[way] == "row" and way in says)}

    def decided_way(self, edit: Edit, path: str) -> Way:
        form, version = version_of(edit.raw)
        if form == self.form and version != self.version:
            path = self.forms.lifted_path(form, path, version, self.version)
        way = tuple(each.replace("~1", "/").replace("~0", "~") for each in path.split("/")[1:])
        return ANSWERS if edit.says is None and way[:1] == ANSWERS else way

    def lifted(self, rev: str) -> Mapping[str, Any] | None:
        content = self.bodies[rev].content
        form, version = version_of(content)
        if (form, version) == (self.form, self.version):
            return content
        answers = content.get("answers", {})
        if form != self.form or not isinstance(answers, Mapping):
            return None
        lifted = self.forms.lift(form, answers, version, self.version)
        return None if lifted is None else {**content, "answers": lifted}

    def differences(self, before: dict[Way, Any], after: dict[Way, Any]) -> dict[Way, Any]:
        found = {}
        for way in {*before, *after}:
            was, now = before.get(way, ABSENT), after.get(way, ABSENT)
            spot = self.spot(way)
            if any(row in before and row not in after for row in spot.rows):
                continue
            if spot.kind == "order":
                was, now = (() if each is ABSENT else each for each in (was, now))
            if isinstance(was, tuple) and isinstance(now, tuple):
                # Rows that are gone turn no order.
                if now != tuple(each for each in was if each in now):
                    found[way] = now
            elif not alike(was, now):
                found[way] = now
        for way in list(found):
            if self.spot(way).kind == "choice":
                list_ = self.spot(way).list_
                found[list_] = after.get(list_, ABSENT)
        return found

    def cover(self) -> None:
        """Let the edits that said everything of something say it of every field that anybody ever touched."""
        everything = set().union(*(edit.changes for edit in self.edits))
        for edit in self.edits:
            if any(way in edit.decided or edit.changes.get(way) != THERE for way in edit.covers):
                everything |= set(edit.says or ())
        for edit in self.edits:
            for around in edit.covers:
                for way in everything - set(edit.changes):
                    if is_below(way, around) and edit.says is not None:
                        rows = [row for row in self.spot(way).rows if row == around or is_below(row, around)]
                        if all(row in edit.says for row in rows):
                            edit.covered[way] = edit.says.get(way, ABSENT)

    def spot(self, way: Way) -> Spot:
        return spot_of(way, self.shape)


def latest(edits: Collection[Edit]) -> list[Edit]:
    """Return the edits that no other of them knows."""
    return [edit for edit in edits if not any(edit.rev in other.knows for other in edits if other is not edit)]


def beside(gone: Sequence[Edit], others: Iterable[Edit]) -> list[Edit]:
    """Return the latest edits beside deletions: those that one of them doesn't know, nor they it, and none knew."""
    return latest(
        [
            other
            for other in others
            if not other.is_deletion
            and not any(other.rev in edit.knows for edit in gone)
            and any(edit.rev not in other.knows for edit in gone)
        ]
    )

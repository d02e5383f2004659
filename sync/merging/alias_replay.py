"""Later edits of a record that was joined to another land on the one that stays.

A record that goes says `same_as` which record it is, and at which revision that one stood. Whoever had it on a phone
without signal knows nothing of it and goes on correcting. Each such edit is written once more as an edit of the record
that stays, on a branch from exactly that revision: it meets whatever happened there since as any other concurrent edit
would, field by field, and where people disagree it is asked. Edits that follow each other do so here as well.

A pure function of both documents and the forms: servers that forward alone write the same revisions. Rows of a repeat
keep their identity; a cell of a row that did not come over brings its row along.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.merging.document import Content, Document, Forms, Revision, WaitingMerge, is_machine_merge, version_of
from sync.merging.field_diff import changes, field_at, of_record, patch, value_at
from sync.merging.field_schema import ABSENT, FieldSchema, Path, Value, place_of
from sync.merging.merge import NewRev, combine
from sync.revisions.canonical import Json, canonical, same
from sync.revisions.revision_id import RevisionId, order_of, revision_id

SAME_AS = "same_as"
FORWARDED = "forwarded"
CARRIED = ("/answers/", "/media/")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An edit of the record that went, and what it becomes on the record that stays."""

    edit: RevisionId
    revision: NewRev


@dataclass(frozen=True, slots=True)
class _At:
    """Where a line of forwarded edits stands on the record that stays."""

    rev: RevisionId
    content: Content


def forward(goes: Document, stays: Document, forms: Forms) -> list[Forwarded]:
    """Return what later edits of the record that goes become on the one that stays, parents first.

    Nothing while the record doesn't say `same_as`, or what it names isn't here; an edit without a way into the form
    version there is left out, and stands in the record that goes.
    """
    # Not the winner's word: a late edit may win until its branch is closed.
    combined = combine(goes, forms)
    word = None if isinstance(combined, WaitingMerge) else combined.content.get(SAME_AS)
    if not isinstance(word, dict) or word.get("record") != stays.doc_id:
        return []
    target = stays.revisions.get(str(word.get("rev")))
    if target is None or target.deleted:
        return []
    return _Forwarding(goes, stays, forms, target).forwarded(word)


class _Forwarding:
    """Carries edits over one by one; holds where the line of each stands."""

    def __init__(self, goes: Document, stays: Document, forms: Forms, target: Revision) -> None:
        self.goes = goes
        self.stays = stays
        self.forms = forms
        self.form, self.version = version_of(target.content)
        self.start = _At(target.rev, target.content)
        self.shape = forms.shape(self.form, self.version)
        self.stand: dict[RevisionId, _At] = {}

    def forwarded(self, word: Json) -> list[Forwarded]:
        revisions, graph = self.goes.revisions, self.goes.graph
        if self.shape is None:
            return []
        said = [rev for rev, each in revisions.items() if each.content.get(SAME_AS) == word]
        # Who edited knowing the word edited the record that goes nevertheless: only what the word itself knew is left.
        first = [rev for rev in said if self._before(rev).get(SAME_AS) != word and not is_machine_merge(self.goes, rev)]
        known = graph.reached(first)
        found: list[Forwarded] = []
        for rev in sorted(revisions.keys() - known, key=order_of):
            revision = revisions[rev]
            parent = revision.parent
            if revision.deleted or parent is None or parent not in revisions or is_machine_merge(self.goes, rev):
                continue
            at = self._line_before(parent)
            carried = self._carried(revision, at, self.shape)
            if carried is None:
                self.stand[rev] = at
                continue
            self.stand[rev] = _At(carried.rev, carried.content)
            found.append(Forwarded(rev, carried))
        return found

    def _before(self, rev: RevisionId) -> Content:
        parent = self.goes.revisions.get(self.goes.revisions[rev].parent or "")
        return {} if parent is None else parent.content

    def _line_before(self, parent: RevisionId) -> _At:
        """Return where the edits stand that `parent` knows: the furthest of them, or where the records were joined."""
        reached = self.goes.graph.reached([parent])
        behind = [self.stand[rev] for rev in reached if rev in self.stand]
        return max(behind, key=lambda at: order_of(at.rev), default=self.start)

    def _carried(self, revision: Revision, at: _At, shape: FieldSchema) -> NewRev | None:
        """Return the edit on the record that stays; None where it changes nothing there."""
        before, after = self._lifted(self._before(revision.rev)), self._lifted(revision.content)
        if before is None or after is None:
            return None
        values: dict[Path, Value] = {}
        for path, value in changes(before, after, shape).items():
            place = place_of(path, shape)
            # The order of rows is left to the record that stays, which has others.
            if not path.startswith(CARRIED) or place.shape.is_calculated or place.role == "order":
                continue
            row = next((row for row in place.rows if value_at(at.content, row, shape) is ABSENT), None)
            if row is not None:
                values[row] = value_at(after, row, shape)
            elif not same(field_at(at.content, path, shape), value):
                values[path] = value
        content = of_record(patch(at.content, values, shape))
        if same(content, of_record(at.content)):
            return None
        content[FORWARDED] = [self.goes.doc_id, revision.rev]
        data = canonical(content)
        rev = revision_id(self.stays.doc_id, deleted=False, parent=at.rev, content=data)
        return NewRev(self.stays.doc_id, rev, at.rev, False, content, data)

    def _lifted(self, content: Content) -> Content | None:
        """Return a content in the form version of the record that stays; None where there is no way."""
        form, version = version_of(content)
        if not content or (form, version) == (self.form, self.version):
            return content
        answers = content.get("answers")
        if form != self.form or not isinstance(answers, Mapping) or self.forms.shape(form, version) is None:
            return None
        lifted = self.forms.lift(form, answers, version, self.version)
        return None if lifted is None else {**content, "answers": lifted}

"""A document's edits put together: each field's candidates, what stands, and what a person must settle.

A register for every field over the revision graph: the candidates of a field are the edits of it from which no later
edit of it descends, over parents and `merged`; `sync.policy` says what stands of several. The result is the base, the
last revision that everybody knew, with what stands put into it; what machine merges hold is never read, so that nothing
but edits can change it.

A deletion beside edits, of the record or of a row, is asked about whatever the edits were: they never edited that it is
there, but somebody was at work in what another took for superfluous. Such a question ends with an edit of just this: a
decision, or another deletion.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sync.canonical import Json
from sync.document import Checked, Content, Forms
from sync.fields import ATTRIBUTES, changes, chosen, patch, value_at
from sync.history import ANSWERS, Edit, History
from sync.policy import Candidate, Cause, How, Settled, are_same_choices, choices_cause, settle
from sync.revision import RevisionId, rank
from sync.shape import ABSENT, GROUP, Path, Place, Value, place_of


class FieldOutcome(NamedTuple):
    """What became of one field: `source` is the edit that its value comes from, None where it was made of several.

    `candidates` stand greatest first. A `cause` means that a person is asked. The values of a question of several
    choices are lists, those of a row the rows themselves.
    """

    path: Path
    value: Value
    candidates: tuple[Candidate, ...]
    source: RevisionId | None
    how: How
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Combined:
    """A document as all its edits have it: what of a record is no attribute of a revision, and the open questions.

    `fields` has what was edited since the last revision that everybody knew; where nobody worked side by side it is
    empty. `open` is as a merge writes it. `winner` is the greatest leaf, `leaves` those that count.
    """

    content: Content
    open: Mapping[Path, tuple[RevisionId, ...]]
    fields: Mapping[Path, FieldOutcome]
    winner: RevisionId
    leaves: tuple[RevisionId, ...]
    is_deleted: bool = False


def combined(history: History, forms: Forms) -> Combined:
    """Return what all edits of a document say together."""
    return _Combination(history, forms).combined()


def value_before(history: History, path: Path, candidates: Collection[RevisionId]) -> Value:
    """Return what a field was in the nearest revision here that all candidates reach; ABSENT if there is none."""
    revisions, graph = history.document.revisions, history.document.graph
    common: set[RevisionId] = {rev for rev in revisions if not revisions[rev].deleted}
    for candidate in candidates:
        common &= graph.reached([candidate])
    common.difference_update(candidates)
    if not common:
        return ABSENT
    content = history.content_of(max(common, key=lambda rev: rank(rev, deleted=False)))
    return ABSENT if content is None else value_at(content, path, history.shape)


class _Combination:
    """Puts a history together, step by step."""

    def __init__(self, history: History, forms: Forms) -> None:
        self.history = history
        self.forms = forms
        self.shape = history.shape
        self.edits: Mapping[RevisionId, Edit] = {edit.rev: edit for edit in history.edits}
        self.editors: dict[Path, list[Edit]] = {}
        for edit in history.edits:
            for path in edit.changes:
                self.editors.setdefault(path, []).append(edit)
        self.places: dict[Path, Place] = {}
        self.outcomes: dict[Path, FieldOutcome] = {}
        #: Fields whose values are marks: questions of several choices, and rows.
        self.marked: list[Path] = []

    def combined(self) -> Combined:
        history = self.history
        content = {name: value for name, value in history.base_content.items() if name not in ATTRIBUTES}
        is_deleted = False
        if history.edits:
            is_deleted = self._settle_document()
            self._settle_way()
            for path, editors in self.editors.items():
                if path not in self.outcomes:
                    self._settle_field(path, editors)
            self._leave_out_cells_of_absent_rows()
            standing = {path: outcome.value for path, outcome in self.outcomes.items() if path and path != ANSWERS}
            content = patch(content, standing, self.shape)
            self._complete(content)
            content = self._checked(content)
        if history.form:
            content |= {"form": history.form, "form_version": history.version}
        asked = [] if is_deleted else [each for each in self.outcomes.values() if each.cause is not None]
        open_ = {
            outcome.path: tuple(sorted(candidate.rev for candidate in outcome.candidates))
            for outcome in sorted(asked, key=_path_of)
        }
        return Combined(content, open_, self.outcomes, history.leaves[0], history.leaves, is_deleted)

    def _settle_document(self) -> bool:
        """Settle whether the document is there; return whether it is deleted beyond question."""
        latest = _latest(self.editors.get("", []))
        gone = [edit for edit in latest if edit.is_deletion]
        if not latest:
            return False
        self.places[""] = Place("", "document", GROUP, "")
        candidates = self._candidates("", _with(latest, _beside(gone, self.history.edits)))
        living = next((candidate.rev for candidate in candidates if candidate.value is not ABSENT), None)
        if living is None:
            self._note("", candidates, Settled(ABSENT, candidates[0].rev, _plainly(candidates)))
        elif gone:
            self._note("", candidates, Settled(True, living, "stands", "delete"))
        else:
            self._note("", candidates, Settled(True, living, _plainly(candidates)))
        return living is None

    def _settle_way(self) -> None:
        """Ask about the answers as a whole where the chosen version cannot hold those of an edit."""
        latest = _latest(self.editors.get(ANSWERS, []))
        apart = [edit for edit in latest if edit.content is None]
        if apart:
            self.places[ANSWERS] = place_of(ANSWERS, self.shape)
            candidates = self._candidates(ANSWERS, _with(latest, _beside(apart, self._touching(ANSWERS))))
            self._note(ANSWERS, candidates, Settled(candidates[0].value, None, "stands", "form_version"))

    def _settle_field(self, path: Path, editors: Sequence[Edit]) -> None:
        place = self.places[path] = place_of(path, self.shape)
        if place.role in {"choices", "row"}:
            self.marked.append(path)
        latest = editors if len(editors) == 1 else _latest(editors)
        if place.role == "row":
            self._settle_row(path, latest)
            return
        if len(latest) == 1:
            # Nearly all fields of nearly all merges: nothing is to be weighed.
            edit = latest[0]
            value = edit.changes[path]
            only = Candidate(edit.rev, value, _decides(edit, path, place.question))
            how: How = "recomputed" if place.shape.is_calculated else "only"
            self.outcomes[path] = FieldOutcome(path, value, (only,), edit.rev, how)
            return
        candidates = self._candidates(path, latest)
        lacks_parent = any(edit.lacks_parent for edit in latest)
        revs = [edit.rev for edit in latest]
        before = partial(value_before, self.history, path, revs)
        self._note(path, candidates, settle(place, candidates, before, is_parent_unknown=lacks_parent))

    def _settle_row(self, path: Path, latest: Sequence[Edit]) -> None:
        gone = [edit for edit in latest if edit.changes[path] is ABSENT]
        asked = _with(latest, _beside(gone, self._touching(path))) if gone else latest
        candidates = self._candidates(path, asked)
        greatest = candidates[0]
        if all((each.value is ABSENT) == (greatest.value is ABSENT) for each in candidates):
            self._note(path, candidates, Settled(greatest.value, greatest.rev, _plainly(candidates)))
        else:
            self._note(path, candidates, Settled(greatest.value, greatest.rev, "stands", "row"))

    def _touching(self, path: Path) -> list[Edit]:
        below = path + "/"
        return [edit for edit in self.history.edits if any(each.startswith(below) for each in edit.changes)]

    def _candidates(self, path: Path, latest: Sequence[Edit]) -> tuple[Candidate, ...]:
        """Return these edits as candidates, greatest first by (is a decision, generation, hash)."""
        question = self.places[path].question
        if len(latest) == 1:
            (edit,) = latest
            return (Candidate(edit.rev, edit.changes.get(path, True), _decides(edit, path, question)),)
        ranked = sorted(
            ((_decides(edit, path, question), edit.rank, edit) for edit in latest), key=_before_edit, reverse=True
        )
        return tuple(Candidate(edit.rev, edit.changes.get(path, True), is_decision) for is_decision, _, edit in ranked)

    def _note(self, path: Path, candidates: tuple[Candidate, ...], settled: Settled) -> None:
        self.outcomes[path] = FieldOutcome(path, settled.value, candidates, settled.source, settled.how, settled.cause)

    def _leave_out_cells_of_absent_rows(self) -> None:
        absent = {
            path
            for path, outcome in self.outcomes.items()
            if outcome.value is ABSENT and self.places[path].role == "row"
        }
        if absent:
            self.outcomes = {
                path: outcome for path, outcome in self.outcomes.items() if absent.isdisjoint(self.places[path].rows)
            }

    def _complete(self, content: Content) -> None:
        """Show values as people know them where fields are marks, and ask about choices that don't go together."""
        for path in self.marked:
            outcome, place = self.outcomes.get(path), self.places[path]
            if outcome is not None:
                value = value_at(content, path, self.shape)
                candidates = tuple(
                    Candidate(each.rev, self._shown(each.rev, path), each.is_decision) for each in outcome.candidates
                )
                shown = FieldOutcome(path, value, candidates, outcome.source, outcome.how, outcome.cause)
                self.outcomes[path] = self._with_cause(place, shown) if place.role == "choices" else shown

    def _with_cause(self, place: Place, outcome: FieldOutcome) -> FieldOutcome:
        """Return what became of a question of several choices, asked about where its choices don't go together."""
        if len(outcome.candidates) == 1:
            return outcome
        lists = [candidate.value for candidate in outcome.candidates]
        lacks_parent = any(self.edits[candidate.rev].lacks_parent for candidate in outcome.candidates)
        cause = choices_cause(place, lists, chosen(outcome.value), is_parent_unknown=lacks_parent)
        if cause is not None:
            return outcome._replace(how="stands", cause=cause)
        return outcome._replace(how="alike" if are_same_choices(lists) else "policy", source=None, cause=None)

    def _shown(self, rev: RevisionId, path: Path) -> Value:
        content = self.edits[rev].content
        return ABSENT if content is None else value_at(content, path, self.shape)

    def _checked(self, content: dict[str, Json]) -> dict[str, Json]:
        """Return the content with calculated fields computed anew, and ask about constraints that merging broke."""
        answers = content.get("answers")
        if not self.history.form or not isinstance(answers, Mapping):
            return content
        checked = self._check(answers)
        if checked.answers is not answers:
            computed = {**content, "answers": checked.answers}
            for path, value in changes(content, computed, self.shape).items():
                known = self.outcomes.get(path)
                candidates = () if known is None else known.candidates
                self.outcomes[path] = FieldOutcome(path, value, candidates, None, "recomputed")
            content = computed
        for path in sorted(checked.broken):
            known = self.outcomes.get(path)
            if (known is None or known.cause is None) and not self._is_accepted(path):
                self._ask_about_constraint(path, content, known)
        return content

    def _check(self, answers: Json) -> Checked:
        if not isinstance(answers, Mapping):
            return Checked({})
        return self.forms.check(self.history.form, self.history.version, answers)

    def _is_accepted(self, path: Path) -> bool:
        """Whether some person's own revision broke this constraint: by its edit, or knowing that it was broken."""
        base = self.history.base_content
        if path in self._check(base.get("answers")).broken:
            return True
        for edit in self.history.edits:
            if edit.content is not None and path in self._check(edit.content.get("answers")).broken:
                before = {} if edit.before is None else edit.before
                if path in edit.changes or path not in self._check(before.get("answers")).broken:
                    return True
        return False

    def _ask_about_constraint(self, path: Path, content: Content, known: FieldOutcome | None) -> None:
        if known is not None:
            self.outcomes[path] = known._replace(how="stands", cause="constraint")
            return
        value = value_at(content, path, self.shape)
        base = self.history.base
        candidates = () if base is None else (Candidate(base, value, is_decision=False),)
        self.outcomes[path] = FieldOutcome(path, value, candidates, base, "stands", "constraint")


def _latest(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits from which none of the others descends."""
    if len(edits) == 1:
        return list(edits)
    return [edit for edit in edits if not any(other.knows & edit.bit for other in edits if other is not edit)]


def _beside(edits: Sequence[Edit], others: Iterable[Edit]) -> list[Edit]:
    """Return the latest of the others that are no deletions and neither knew one of the edits nor were known to it."""
    return _latest(
        [
            other
            for other in others
            if not other.is_deletion
            and any(not other.knows & edit.bit and not edit.knows & other.bit for edit in edits)
        ]
    )


def _with(edits: Sequence[Edit], others: Iterable[Edit]) -> list[Edit]:
    return [*edits, *(other for other in others if other not in edits)]


def _decides(edit: Edit, path: Path, question: Path) -> bool:
    """Whether an edit decided this field; a choice is decided with its question."""
    return path in edit.decided or question in edit.decided


def _path_of(outcome: FieldOutcome) -> Path:
    return outcome.path


def _before_edit(ranked: tuple[bool, tuple[int, str], Edit]) -> tuple[bool, tuple[int, str]]:
    return ranked[:2]


def _plainly(candidates: Sequence[Candidate]) -> How:
    return "only" if len(candidates) == 1 else "alike"

"""A document's edits put together: each field's candidates, what stands, and what a person must settle.

A register for every field over the revision graph: the candidates of a field are the edits of it from which no later
edit of it descends, over parents and `merged`; `sync.merging.policy` says what stands of several. The result is the
base, the last revision that everybody knew, with what stands put into it; what machine merges hold is never read, so
that nothing but edits can change it.

A deletion beside edits, of the record or of a row, is asked about whatever the edits were: they never edited that it is
there, but somebody was at work in what another took for superfluous. Such a question ends with an edit of just this: a
decision, or another deletion.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sync.merging.causal_history import CausalHistory
from sync.merging.choice_lists import as_written
from sync.merging.constraints import Constraints
from sync.merging.document import Content, Forms
from sync.merging.edits import ANSWERS, Edit, beside, joined, latest
from sync.merging.field_diff import ATTRIBUTES, Verbatim, changes, chosen, field_at, in_form_order, patch, value_at
from sync.merging.field_schema import ABSENT, GROUP, FieldPlace, Path, Value, place_of
from sync.merging.policy import Candidate, Cause, How, Settled, are_same_choices, choices_cause, settle
from sync.merging.values import Put, is_choices
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, rank

CHOSEN = frozenset({"choices", "choice"})


class FieldOutcome(NamedTuple):
    """The result for one field: `source` is the edit that its value comes from, None where it was made of several.

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


def combined(history: CausalHistory, forms: Forms) -> Combined:
    """Return what all edits of a document say together."""
    return _Combination(history, forms).combined()


def value_before(history: CausalHistory, path: Path, candidates: Collection[RevisionId]) -> Value:
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

    def __init__(self, history: CausalHistory, forms: Forms) -> None:
        self.history = history
        self.constraints = Constraints(history, forms)
        self.shape = history.shape
        self.rows = history.rows
        self.places = history.places
        self.edits: Mapping[RevisionId, Edit] = {edit.rev: edit for edit in history.edits}
        self.editors: dict[Path, list[Edit]] = {}
        for edit in history.edits:
            for path in (*edit.changes, *edit.covered) if edit.covered else edit.changes:
                self.editors.setdefault(path, []).append(edit)
        self.outcomes: dict[Path, FieldOutcome] = {}
        #: Fields whose values are marks: questions of several choices, and rows.
        self.marked: list[Path] = []
        #: By the path of a row the edits that changed something in it.
        self.inside: dict[Path, list[Edit]] | None = None

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
            content = patch(content, self._standing(), self.shape)
            self._leave_out_what_is_not_there(content)
            if lists := self._complete(content):
                content = patch(content, lists, self.shape)
            content = self._checked(content)
            self._ask_about_answers_as_a_whole()
        if history.form:
            content |= {"form": history.form, "form_version": history.version}
        asked = [] if is_deleted else [each for each in self.outcomes.values() if each.cause is not None]
        open_ = {
            outcome.path: tuple(sorted(candidate.rev for candidate in outcome.candidates))
            for outcome in sorted(asked, key=_path_of)
        }
        return Combined(content, open_, self.outcomes, history.leaves[0], history.leaves, is_deleted)

    def last_of(self, path: Path) -> tuple[Candidate, ...]:
        """Return the candidates of a field, greatest first."""
        editors = self.editors.get(path, [])
        self.places.setdefault(path, place_of(path, self.shape))
        return tuple(
            Candidate(each.rev, self._shown(each.rev, path), each.is_decision)
            for each in (self._candidates(path, latest(editors)) if editors else ())
        )

    def _settle_document(self) -> bool:
        """Settle whether the document is there; return whether it is deleted beyond question."""
        last = latest(self.editors.get("", []))
        gone = [edit for edit in last if edit.is_deletion]
        if not last:
            return False
        self.places[""] = FieldPlace("", "document", GROUP, "")
        candidates = self._candidates("", joined(last, beside(gone, self.history.edits)))
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
        last = latest(self.editors.get(ANSWERS, []))
        apart = [edit for edit in last if edit.content is None]
        if apart:
            self.places[ANSWERS] = place_of(ANSWERS, self.shape)
            candidates = self._candidates(ANSWERS, joined(last, beside(apart, self._touching(ANSWERS))))
            self._note(ANSWERS, candidates, Settled(candidates[0].value, None, "stands", "form_version"))

    def _settle_field(self, path: Path, editors: Sequence[Edit]) -> None:
        place = self.places.get(path)
        if place is None:
            place = self.places[path] = place_of(path, self.shape)
        if place.role in {"choices", "row"}:
            self.marked.append(path)
        last = editors if len(editors) == 1 else latest(editors)
        if place.role == "row" and (len(last) > 1 or last[0].value(path) is ABSENT):
            self._settle_row(path, last)
            return
        if len(last) == 1:
            # Nearly all fields of nearly all merges: nothing is to be weighed.
            edit = last[0]
            value = edit.value(path)
            only = Candidate(edit.rev, value, _decides(edit, place))
            how: How = "recomputed" if place.shape.is_calculated else "only"
            self.outcomes[path] = FieldOutcome(path, value, (only,), edit.rev, how)
            return
        self._note(path, self._candidates(path, last), self._settled(place, last))

    def _settled(self, place: FieldPlace, last: Sequence[Edit]) -> Settled:
        """Return what stands of the last edits of a field."""
        lacks_parent = any(edit.lacks_parent for edit in last)
        before = partial(self._known_to_all, place, last)
        return settle(place, self._candidates(place.path, last), before, is_parent_unknown=lacks_parent)

    def _known_to_all(self, place: FieldPlace, candidates: Sequence[Edit]) -> Value:
        """Return what a field was by the edits that all candidates knew."""
        mask = -1
        for edit in candidates:
            mask &= edit.knows & ~edit.bit
        earlier = [edit for edit in self.editors[place.path] if edit.bit & mask and place.path in edit.changes]
        earlier = latest(joined(earlier, self.history.covering.known(place, mask)))
        if earlier:
            return self._settled(place, earlier).value
        return field_at(self.history.base_content, place.path, self.shape, self.rows)

    def _settle_row(self, path: Path, last: Sequence[Edit]) -> None:
        gone = [edit for edit in last if edit.value(path) is ABSENT]
        asked = joined(last, beside(gone, self._touching(path))) if gone else last
        candidates = self._candidates(path, asked)
        greatest = candidates[0]
        if all((each.value is ABSENT) == (greatest.value is ABSENT) for each in candidates):
            self._note(path, candidates, Settled(greatest.value, greatest.rev, _plainly(candidates)))
        else:
            self._note(path, candidates, Settled(greatest.value, greatest.rev, "stands", "row"))

    def _touching(self, around: Path) -> list[Edit]:
        """Return the edits that changed something in a row, or in the answers."""
        if self.inside is None:
            self.inside = {}
            for edit in self.history.edits:
                inside = dict.fromkeys(row for path in edit.changes for row in self._around(path))
                for row in inside:
                    self.inside.setdefault(row, []).append(edit)
        return self.inside.get(around, [])

    def _around(self, path: Path) -> tuple[Path, ...]:
        """Return the rows and the answers around a field; nothing around what forms compute."""
        place = self.places.get(path) or self.places.setdefault(path, place_of(path, self.shape))
        if place.shape.is_calculated:
            return ()
        return (ANSWERS, *place.rows) if path.startswith(ANSWERS + "/") else ()

    def _candidates(self, path: Path, last: Sequence[Edit]) -> tuple[Candidate, ...]:
        """Return these edits as candidates, greatest first by (is a decision, generation, hash)."""
        place = self.places[path]
        if len(last) == 1:
            (edit,) = last
            return (Candidate(edit.rev, edit.value(path), _decides(edit, place)),)
        ranked = sorted(((_decides(edit, place), edit.rank, edit) for edit in last), key=_before_edit, reverse=True)
        return tuple(Candidate(edit.rev, edit.value(path), is_decision) for is_decision, _, edit in ranked)

    def _note(self, path: Path, candidates: tuple[Candidate, ...], settled: Settled) -> None:
        self.outcomes[path] = FieldOutcome(path, settled.value, candidates, settled.source, settled.how, settled.cause)

    def _standing(self) -> dict[Path, Put]:
        """Return what stands in each field; of answers that are asked about as a whole, only that they are there."""
        standing: dict[Path, Put] = {path: each.value for path, each in self.outcomes.items() if path}
        answers = self.outcomes.get(ANSWERS)
        if answers is not None and answers.cause is not None:
            del standing[ANSWERS]
            edits = [edit for edit in self.history.edits if not edit.is_undo]
            if any(edit.content is not None and "answers" in edit.content for edit in edits):
                standing[ANSWERS] = {}
        return standing

    def _leave_out_what_is_not_there(self, content: Content) -> None:
        """Forget fields inside rows that are not there: they are neither fields nor questions."""
        is_there: dict[Path, bool] = {}
        for path in self.outcomes:
            for row in self.places[path].rows:
                if row not in is_there:
                    is_there[row] = self.rows.row(content, row, self.shape) is not ABSENT
        if not all(is_there.values()):
            self.outcomes = {
                path: outcome
                for path, outcome in self.outcomes.items()
                if all(is_there[row] for row in self.places[path].rows)
            }

    def _complete(self, content: Content) -> dict[Path, Put]:
        """Show values as people know them where fields are marks; return the lists that stand otherwise."""
        lists: dict[Path, Put] = {}
        for path in self.marked:
            outcome, place = self.outcomes.get(path), self.places[path]
            if outcome is None:
                continue
            candidates = tuple(
                Candidate(each.rev, self._shown(each.rev, path), each.is_decision) for each in outcome.candidates
            )
            value = self._whole(content, path)
            shown = FieldOutcome(path, value, candidates, outcome.source, outcome.how, outcome.cause)
            if place.role == "choices":
                shown = self._with_cause(place, shown)
                if shown.cause is not None:
                    lists[path] = Verbatim(shown.value)
            self.outcomes[path] = shown
        changed = (self.places[path].question for path in self.outcomes if self.places[path].role in CHOSEN)
        return lists | as_written(self.history, content, (path for path in changed if path not in lists))

    def _with_cause(self, place: FieldPlace, outcome: FieldOutcome) -> FieldOutcome:
        """Return what became of a question of several choices, asked about where its choices don't go together.

        Then the greatest candidate's list stands, whole: nobody said what all of them come to.
        """
        if place.shape.is_calculated:
            return outcome
        lists = [candidate.value for candidate in outcome.candidates]
        lacks_parent = any(self.edits[candidate.rev].lacks_parent for candidate in outcome.candidates)
        cause = choices_cause(place, lists, chosen(outcome.value), is_parent_unknown=lacks_parent)
        if cause is None and len(outcome.candidates) == 1:
            return outcome
        if cause is None:
            return outcome._replace(how="alike" if are_same_choices(lists) else "policy", source=None, cause=None)
        greatest = outcome.candidates[0]
        codes = greatest.value
        value = in_form_order(codes, place.shape) if isinstance(codes, list) and is_choices(codes) else codes
        return outcome._replace(value=value, source=greatest.rev, how="stands", cause=cause)

    def _shown(self, rev: RevisionId, path: Path) -> Value:
        content = self.edits[rev].content
        return ABSENT if content is None else self._whole(content, path)

    def _whole(self, content: Content, path: Path) -> Value:
        """Return a field as people know it: a row, a list of choices."""
        if self.places[path].role == "row":
            return self.rows.row(content, path, self.shape)
        return value_at(content, path, self.shape, self.rows)

    def _checked(self, content: dict[str, Json]) -> dict[str, Json]:
        """Return the content with calculated fields computed anew, and ask about constraints that merging broke."""
        answers = content.get("answers")
        if not self.history.form or not isinstance(answers, Mapping):
            return content
        checked = self.constraints.check(answers)
        if checked.answers is not answers:
            computed = {**content, "answers": checked.answers}
            for path, value in changes(content, computed, self.shape).items():
                known = self.outcomes.get(path)
                candidates = () if known is None else known.candidates
                self.outcomes[path] = FieldOutcome(path, value, candidates, None, "recomputed")
            content = computed
        for path in sorted(checked.broken):
            known = self.outcomes.get(path)
            if (known is None or known.cause is None) and not self.constraints.is_accepted(path):
                self._ask_about_constraint(path, content, known)
        return content

    def _ask_about_constraint(self, path: Path, content: Content, known: FieldOutcome | None) -> None:
        if known is not None:
            self.outcomes[path] = known._replace(how="stands", cause="constraint")
            return
        # Nobody touched it since the base: who said it last is told by all that was said.
        whole = _Combination(self.history.whole(), self.constraints.forms)
        candidates = whole.last_of(path)
        source = candidates[0].rev if candidates else None
        value = value_at(content, path, self.shape)
        self.places.setdefault(path, place_of(path, self.shape))
        self.outcomes[path] = FieldOutcome(path, value, candidates, source, "stands", "constraint")

    def _ask_about_answers_as_a_whole(self) -> None:
        """While the answers are asked about as a whole, nothing in them is asked about by itself."""
        answers = self.outcomes.get(ANSWERS)
        if answers is not None and answers.cause is not None:
            for path, outcome in self.outcomes.items():
                if outcome.cause is not None and path.startswith(ANSWERS + "/"):
                    self.outcomes[path] = outcome._replace(cause=None)


def _decides(edit: Edit, place: FieldPlace) -> bool:
    """Whether an edit decided this field: itself, its list of choices, the row around it or the answers as a whole."""
    decided = edit.decided
    if not decided:
        return False
    if place.path in decided or place.question in decided:
        return True
    around = [row for row in place.rows if row in decided and row in edit.covers]
    return bool(around) or (ANSWERS in decided and place.path.startswith(ANSWERS + "/"))


def _path_of(outcome: FieldOutcome) -> Path:
    return outcome.path


def _before_edit(ranked: tuple[bool, tuple[int, str], Edit]) -> tuple[bool, tuple[int, str]]:
    return ranked[:2]


def _plainly(candidates: Sequence[Candidate]) -> How:
    return "only" if len(candidates) == 1 else "alike"

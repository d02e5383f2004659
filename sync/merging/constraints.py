"""Constraints that a form finds broken, and those of them that some person left broken."""

from sync.merging.causal_history import CausalHistory
from sync.merging.document import Checked, Content, Forms
from sync.merging.edits import Edit
from sync.merging.field_schema import Path
from sync.revisions.canonical import Json


class Constraints:
    """A form's constraints over a document's answers and those of its edits, each evaluated once."""

    def __init__(self, history: CausalHistory, forms: Forms) -> None:
        """Take what is asked about."""
        self.history = history
        self.forms = forms
        self._broken: dict[int, frozenset[Path]] = {}

    def check(self, answers: Content) -> Checked:
        """Return what the form makes of answers."""
        return self.forms.check(self.history.form, self.history.version, answers)

    def is_accepted(self, path: Path) -> bool:
        """Whether a person broke a constraint, or changed the field while it was broken, and nobody mended it since."""
        history = self.history
        if path in self._broken_in(history.base_content) and not self._is_mended(path, 0):
            return True
        return any(self._is_left_broken(edit, path) for edit in history.edits)

    def _is_left_broken(self, edit: Edit, path: Path) -> bool:
        if edit.is_undo or path not in self._broken_in(edit.content):
            return False
        is_its_own = path in edit.changes or path not in self._broken_in(edit.before)
        return is_its_own and not self._is_mended(path, edit.bit)

    def _is_mended(self, path: Path, bit: int) -> bool:
        """Whether somebody who knew an edit left the constraint whole; who knew the base, where it is 0."""
        return any(
            path not in self._broken_in(edit.content)
            for edit in self.history.edits
            if edit.bit != bit
            and (edit.knows & bit or not bit)
            and not (edit.is_undo or edit.is_deletion or edit.content is None)
        )

    def _broken_in(self, content: Content | None) -> frozenset[Path]:
        answers: Json = None if content is None else content.get("answers")
        if not isinstance(answers, dict):
            return frozenset()
        known = self._broken.get(id(answers))
        if known is None:
            known = self._broken[id(answers)] = self.check(answers).broken
        return known

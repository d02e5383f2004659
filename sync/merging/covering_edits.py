"""The fields covered by edits that set a whole row, list or form version.

Who brings a row, or decides a row or a list of choices, or answers anew where no way led from the version before, has
said everything of it: of fields that others touch there, also that it leaves them out. Of a row that it doesn't have
itself it says nothing but that.
"""

from collections.abc import Iterator, Sequence

from sync.merging.document import Content
from sync.merging.edits import ANSWERS, Edit, latest
from sync.merging.field_diff import RepeatRows, field_at, flatten, value_at
from sync.merging.field_schema import ABSENT, FieldPlace, FieldSchema, Path, place_of


class CoveringEdits:
    """Edits that say everything around a field."""

    def __init__(self, edits: Sequence[Edit], shape: FieldSchema, rows: RepeatRows) -> None:
        """Take a document's edits."""
        self.shape = shape
        self.rows = rows
        self.by_path: dict[Path, list[Edit]] = {}
        for edit in edits:
            if edit.content is not None:
                for path in edit.covers:
                    self.by_path.setdefault(path, []).append(edit)
        self._known: dict[tuple[Path, ...], list[Edit]] = {}

    def of(self, place: FieldPlace) -> list[Edit]:
        """Return the latest edits that have said everything around a place."""
        around = self._around(place)
        found = self._known.get(around)
        if found is None:
            found = self._known[around] = latest(self._all_of(around, place))
        return found

    def known(self, place: FieldPlace, mask: int) -> list[Edit]:
        """Return those of these edits (a mask) that have said everything around a place."""
        return [edit for edit in self._all_of(self._around(place), place) if edit.bit & mask]

    def spread(self, edits: Sequence[Edit], base: Content, places: dict[Path, FieldPlace]) -> None:
        """Note in the edits what they say of each field that another one touched or that the base has."""
        if not self.by_path:
            return
        for path in self._owing(edits, base):
            place = places[path] = place_of(path, self.shape)
            for edit in self.of(place):
                if path not in edit.changes:
                    edit.covered[path] = field_at(edit.content or {}, path, self.shape, self.rows)

    def _owing(self, edits: Sequence[Edit], base: Content) -> dict[Path, None]:
        """Return the fields around which some edit has said everything, and of which it hasn't said so itself."""
        touched = dict.fromkeys(path for edit in edits for path in edit.changes)
        # What they took over from a decision that is taken back, nobody else need have touched.
        taking = {
            edit.bit: edit
            for path, edits in self.by_path.items()
            for edit in edits
            # Who brought a row changed all that is in it.
            if path in edit.decided or edit.changes.get(path) is not True
        }
        for edit in taking.values():
            touched |= dict.fromkeys(flatten(edit.content or {}, self.shape))
        if any(value_at(base, path, self.shape, self.rows) is not ABSENT for path in self._in_base(base)):
            touched |= dict.fromkeys(flatten(base, self.shape))
        # Nearly always only rows are covered, by who brought them and whoever touches nothing else of them.
        least = 2 if ANSWERS in self.by_path else 3
        return dict.fromkeys(path for path in touched if path.count("/") >= least and self._is_owing(path))

    def _is_owing(self, path: Path) -> bool:
        around = path.rpartition("/")[0]
        while around:
            for edit in self.by_path.get(around, ()):
                if path not in edit.changes:
                    return True
            around = around.rpartition("/")[0]
        return False

    def _in_base(self, base: Content) -> Iterator[Path]:
        """Return the paths of `by_path` that may be in the base: of rows only those of its own repeats."""
        known: dict[Path, bool] = {}
        for path, edits in self.by_path.items():
            if edits[0].before is base and edits[0].changes.get(path) is True and path not in edits[0].decided:
                # Who brought a row to the base itself did not find it there.
                continue
            around = path.rpartition("/")[0]
            if around not in known:
                known[around] = value_at(base, around, self.shape, self.rows) not in (ABSENT, [])
            if known[around]:
                yield path

    def _around(self, place: FieldPlace) -> tuple[Path, ...]:
        around = place.rows if place.question == place.path else (*place.rows, place.question)
        return (ANSWERS, *around) if place.path.startswith(ANSWERS + "/") else around

    def _all_of(self, around: Sequence[Path], place: FieldPlace) -> list[Edit]:
        found: dict[int, Edit] = {}
        for path in around:
            inner = [row for row in place.rows if len(row) >= len(path)]
            for edit in self.by_path.get(path, ()):
                if all(self.rows.row(edit.content or {}, row, self.shape) is not ABSENT for row in inner):
                    found[edit.bit] = edit
        return list(found.values())

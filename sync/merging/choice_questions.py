"""Edits that answer a question of several choices, which they say everything of.

While people are asked about a list as a whole, the greatest candidate's stands. Whoever writes another list then saw
that one, and not the choices of the other candidates. So they say of each choice whether it is in; otherwise what
others had chosen would join their list as soon as nothing is asked any more.
"""

from collections.abc import Iterable, Mapping, Sequence

from sync.merging.document import Content
from sync.merging.edits import Edit, latest
from sync.merging.field_diff import RepeatRows, chosen, place_of, value_at
from sync.merging.field_schema import ABSENT, FieldSchema, Path
from sync.merging.policy import choices_cause
from sync.revisions.json_pointer import escape, split_last


class _Editors:
    """The edits of one field, of which the latest that somebody knew are found without a look at all of them."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self.by_length: dict[int, Edit] = {}
        self.mask = 0
        for edit in edits:
            self.add(edit)

    def add(self, edit: Edit) -> None:
        self.by_length[edit.bit.bit_length()] = edit
        self.mask |= edit.bit

    def known(self, mask: int) -> list[Edit]:
        """Return the latest of those in a mask."""
        found: list[Edit] = []
        ahead = self.mask & mask
        while ahead:
            # What an edit knows has lower bits, unless a forger wrote otherwise.
            edit = self.by_length[ahead.bit_length()]
            found.append(edit)
            ahead &= ~edit.knows
        return latest(found)


def say_whole_lists(edits: Sequence[Edit], base: Content, shape: FieldSchema, rows: RepeatRows) -> None:
    """Let edits that answer an open question of choices cover the list."""
    lists: dict[Path, dict[int, Edit]] = {}
    for edit in edits:
        for path in edit.lists:
            lists.setdefault(path, {})[edit.bit] = edit
    # Nearly always nobody knew another editor of the same list.
    lists = {path: editors for path, editors in lists.items() if len(editors) > 1 and _is_known(editors)}
    for edit in edits if lists else ():
        for path in edit.covered.keys() & lists.keys():
            lists[path][edit.bit] = edit
    for path, editors in lists.items():
        if not place_of(path, shape).shape.is_calculated:
            _List(path, [editors[bit] for bit in sorted(editors)], base, shape, rows).answer()


def _is_known(editors: Mapping[int, Edit]) -> bool:
    """Whether one of some edits knew another one."""
    bits = sum(editors)
    return any(edit.knows & bits != bit for bit, edit in editors.items())


class _List:
    """One list of choices, and the edits of it in their order."""

    def __init__(
        self, path: Path, editors: Sequence[Edit], base: Content, shape: FieldSchema, rows: RepeatRows
    ) -> None:
        self.place = place_of(path, shape)
        self.shape = shape
        self.rows = rows
        self.editors = editors
        self.in_base = self._codes(base)
        self.of_list = _Editors(editors)
        below = path + "/"
        touched = {each for edit in editors for each in (*edit.changes, *edit.covered) if each.startswith(below)}
        held = {
            below + escape(code) for edit in editors if edit.content is not None for code in self._codes(edit.content)
        }
        #: The editors of each choice that somebody touched or has.
        self.of_choice = {
            each: _Editors([edit for edit in editors if each in edit.changes or each in edit.covered])
            for each in sorted(touched | held | {below + escape(code) for code in self.in_base})
        }

    def answer(self) -> None:
        """Let each edit cover the list that knew it asked about."""
        path = self.place.path
        for edit in self.editors:
            if edit.content is None or path in edit.covers or path in edit.covered:
                continue
            before = self.of_list.known(edit.knows & ~edit.bit)
            if before and self._is_asked(before, edit.knows & ~edit.bit):
                self._cover(edit, edit.content)

    def _is_asked(self, before: Sequence[Edit], mask: int) -> bool:
        path = self.place.path
        lists = [
            ABSENT if edit.content is None else value_at(edit.content, path, self.shape, self.rows) for edit in before
        ]
        standing = [split_last(each)[1] for each in self.of_choice if self._is_set(each, mask)]
        is_parent_unknown = len(before) > 1 and any(edit.lacks_parent for edit in before)
        return choices_cause(self.place, lists, standing, is_parent_unknown=is_parent_unknown) is not None

    def _is_set(self, choice: Path, mask: int) -> bool:
        last = self.of_choice[choice].known(mask)
        if not last:
            return split_last(choice)[1] in self.in_base
        return any(edit.value(choice) is not ABSENT for edit in last)

    def _cover(self, edit: Edit, content: Content) -> None:
        edit.covers |= {self.place.path}
        codes = self._codes(content)
        for choice, editors in self.of_choice.items():
            if choice not in edit.changes:
                edit.covered[choice] = True if split_last(choice)[1] in codes else ABSENT
                editors.add(edit)

    def _codes(self, content: Content) -> frozenset[str]:
        return frozenset(chosen(value_at(content, self.place.path, self.shape, self.rows)))

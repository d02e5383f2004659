"""How lists of choices are written: in the form's order, or as all who spoke last write them."""

from collections.abc import Iterable

from sync.merging.causal_history import CausalHistory
from sync.merging.document import Content
from sync.merging.edits import latest
from sync.merging.field_diff import chosen, in_form_order, place_of, value_at
from sync.merging.field_schema import ABSENT, Path, Value
from sync.merging.values import Put, Verbatim, is_choices
from sync.revisions.canonical import same


def as_written(history: CausalHistory, content: Content, changed: Iterable[Path]) -> dict[Path, Put]:
    """Return the lists that are to be written otherwise than they stand in a content.

    A list that the last edits write alike keeps its order; any other stands in the form's. Asked about are lists that
    were changed or only written anew, also by decisions that are taken back: what they wrote goes on in later edits.
    """
    touched = dict.fromkeys(changed) | dict.fromkeys(history.rewritten)
    if not touched:
        return {}
    last = [edit.content for edit in latest([edit for edit in history.edits if not edit.is_undo])]
    found: dict[Path, Put] = {}
    for path in touched:
        stands = value_at(content, path, history.shape, history.rows)
        if stands is ABSENT or not is_choices(stands):
            continue
        lists = [value_at(each, path, history.shape, history.rows) for each in last if each]
        codes = set(chosen(stands))
        ordered = in_form_order(codes, place_of(path, history.shape).shape) or None
        alike = [each for each in lists if each == stands or _has(each, codes)]
        value = alike[0] if alike and all(same(alike[0], each) for each in alike) else ordered
        if not same(value, stands):
            found[path] = Verbatim(value)
    return found


def _has(value: Value, codes: set[str]) -> bool:
    """Whether a list is of just these choices."""
    return value is not ABSENT and is_choices(value) and set(chosen(value)) == codes

"""A content with other fields: `patch` puts values into it and copies only what it changes."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from sync.merging.field_schema import ABSENT, FieldNode, FieldSchema, Path, Value
from sync.merging.values import (
    ROW_ID,
    Put,
    Verbatim,
    as_object,
    chosen,
    in_form_order,
    is_choices,
    is_mapping,
    is_object,
    rows_by_id,
)
from sync.revisions.canonical import Json
from sync.revisions.json_pointer import unescape


def patch(content: Mapping[str, Json], values: Mapping[Path, Put], shape: FieldSchema) -> dict[str, Json]:
    """Return `content` with these fields; what is equal is shared with it.

    A question of several choices may be given as its whole list, a row as its whole object. `Verbatim` values
    are put as they are.
    """
    tree = _Tree()
    for path, value in values.items():
        tree.at(path).value = value
    return _patch_object(content, tree.root.inner, shape.nodes)


def without_empty_repeats(content: Mapping[str, Json], shape: FieldSchema) -> Mapping[str, Json]:
    """Return a content without lists that have no rows, which say what no list says; itself where it has none."""
    return _without_empty(content, shape.nodes, ("answers",))


def _without_empty(
    part: Mapping[str, Json], nodes: Mapping[str, FieldNode], names: Iterable[str]
) -> Mapping[str, Json]:
    changed: dict[str, Value] = {}
    for name in names:
        was, node = part.get(name, ABSENT), nodes[name]
        now = was
        if node.shape.kind == "repeat" and isinstance(was, list):
            now = _rows_without_empty(was, node)
        elif node.repeats and is_mapping(was):
            now = _without_empty(was, node.inner, node.repeats)
        if now is not was:
            changed[name] = now
    if not changed:
        return part
    return {name: value for name, value in {**part, **changed}.items() if value is not ABSENT}


def _rows_without_empty(rows: list[Json], node: FieldNode) -> Value:
    if not rows or not node.repeats:
        return rows or ABSENT
    now = [_without_empty(row, node.inner, node.repeats) if is_mapping(row) else row for row in rows]
    return rows if all(one is other for one, other in zip(now, rows, strict=True)) else now


class _Change:
    """The value to put at one place, and changes below it; UNTOUCHED where only below."""

    __slots__ = ("inner", "value")

    def __init__(self) -> None:
        self.value: Put | _Untouched = UNTOUCHED
        self.inner: dict[str, _Change] = {}


class _Tree:
    """Values to put, by name from the document's root."""

    __slots__ = ("_by_path", "root")

    def __init__(self) -> None:
        self.root = _Change()
        self._by_path: dict[Path, _Change] = {"": self.root}

    def at(self, path: Path) -> _Change:
        """Return what is to be put at a path: fields that stand side by side find the same around them."""
        change = self._by_path.get(path)
        if change is None:
            around, is_below, step = path.rpartition("/")
            # What begins with no slash names the document, as a pointer's first token does.
            change = self._inner(self.at(around), unescape(step)) if is_below else self.root
            self._by_path[path] = change
        return change

    def _inner(self, around: _Change, name: str) -> _Change:
        change = around.inner.get(name)
        if change is None:
            change = around.inner[name] = _Change()
        return change


class _Untouched(Enum):
    UNTOUCHED = "untouched"


UNTOUCHED: Final = _Untouched.UNTOUCHED


def _patch_object(
    content: Mapping[str, Json], inner: Mapping[str, _Change], nodes: Mapping[str, FieldNode]
) -> dict[str, Json]:
    patched = dict(content)
    for name, change in inner.items():
        value = _patch(patched.get(name, ABSENT), change, nodes.get(name))
        if value is ABSENT:
            patched.pop(name, None)
        else:
            patched[name] = value
    return patched


def _patch(was: Value, change: _Change, node: FieldNode | None) -> Value:
    value = change.value
    if isinstance(value, Verbatim):
        return value.value
    if node is not None:
        if node.shape.kind == "choices":
            return _patch_choices(was, value, change, node)
        if node.shape.kind == "repeat":
            return _patch_rows(was, value, change, node)
        if node.shape.kind == "group" and (value is UNTOUCHED or is_object(value)):
            patched = _patch_object(as_object(was), change.inner, node.inner)
            if not patched and value is UNTOUCHED and not is_object(was):
                return was
            # What is in a group keeps it, whoever found the group not relevant.
            return ABSENT if not patched and (value is ABSENT or (value is UNTOUCHED and was is ABSENT)) else patched
    return was if value is UNTOUCHED else value


def _patch_choices(was: Value, value: "Value | _Untouched", change: _Change, node: FieldNode) -> Value:
    if value is not UNTOUCHED and value is not ABSENT and value is not None:
        return in_form_order(chosen(value), node.shape) if is_choices(value) else value
    codes = set(chosen(was))
    for code, inner in change.inner.items():
        if inner.value is True:
            codes.add(code)
        else:
            codes.discard(code)
    if codes:
        return in_form_order(codes, node.shape)
    if value is UNTOUCHED and not is_choices(was):
        return was
    return ABSENT if value is ABSENT or (value is UNTOUCHED and was is ABSENT) else None


def _patch_rows(was: Value, value: "Value | _Untouched", change: _Change, node: FieldNode) -> Value:
    order = value if isinstance(value, list) else None
    if value is not UNTOUCHED and value is not ABSENT and not _is_order(value):
        return value
    known = rows_by_id(was)
    rows = known or {}
    named = list(rows) if order is None else order
    for row_id, inner in change.inner.items():
        if inner.value is ABSENT:
            rows.pop(row_id, None)
        elif inner.value is not UNTOUCHED or row_id in rows:
            base = inner.value if isinstance(inner.value, Mapping) else rows.get(row_id, {})
            rows[row_id] = _patch_object({**base, ROW_ID: row_id}, inner.inner, node.inner)
    placed = [row_id for row_id in dict.fromkeys(map(str, named)) if row_id in rows]
    # Rows that the order does not name follow by their ids.
    patched: list[Json] = [rows[row_id] for row_id in (*placed, *sorted(rows.keys() - set(placed)))]
    # No rows are no list, as in the form's own XML. What never was made of rows stays.
    return patched or (was if value is UNTOUCHED and known is None else ABSENT)


def _is_order(value: "Value | _Untouched") -> bool:
    return isinstance(value, list) and all(isinstance(row_id, str) for row_id in value)

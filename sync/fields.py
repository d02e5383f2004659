"""The fields of a record: what differs between two contents, and a content with other fields.

A field is the smallest thing that two people can change without disagreeing; `sync.shape` says how fields are called.
`changes` compares two contents without taking either apart where they are equal; `patch` puts values into a content
and copies only what it changes; `flatten` and `unflatten` are the two over nothing. Whatever the form does not know,
and whatever has not the shape that the form gives it, is one field with its whole value, kept verbatim. Members that
say something about a revision and nothing about the record (`saved`, `merged`, …) are no fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, TypeGuard

from sync.canonical import PLAIN, Json, is_exact, same
from sync.shape import (
    ABSENT,
    EXTRA,
    OPEN,
    Absent,
    FieldShape,
    Kind,
    Merge,
    Node,
    Path,
    Place,
    Role,
    Shape,
    Value,
    name_of,
    place_of,
    token,
)

__all__ = [
    "ABSENT",
    "ATTRIBUTES",
    "EXTRA",
    "ROW_ID",
    "Absent",
    "FieldShape",
    "Kind",
    "Merge",
    "Path",
    "Place",
    "Role",
    "Shape",
    "Value",
    "changes",
    "field_at",
    "flatten",
    "of_record",
    "patch",
    "place_of",
    "unflatten",
    "value_at",
]

ROW_ID = "_rid"
#: What a revision says of itself, or of the merge that it is; the form's name and version follow their own rule.
ATTRIBUTES = frozenset(
    {"_id", "_rev", "_deleted", "form", "form_version", "saved", "merged", "open", "decided", "undoes", "comment"}
    | {"forwarded"}
)
FORM = frozenset({"form", "form_version"})


def changes(
    before: Mapping[str, Json], after: Mapping[str, Json], shape: Shape, made: list[Path] | None = None
) -> dict[Path, Value]:
    """Return the fields of `after` that differ from those of `before`, by path; `made` collects rows that are new.

    The cells of a row that is gone are not among them. The order of rows differs if those that stayed changed places
    or new ones came, not because some are gone.
    """
    comparison = _Comparison()
    comparison.records(before, after, shape.nodes)
    if made is not None:
        made += comparison.made
    return comparison.found


def flatten(content: Mapping[str, Json], shape: Shape) -> dict[Path, Value]:
    """Return every field that is there, by path."""
    return changes({}, content, shape)


def unflatten(fields: Mapping[Path, Value], shape: Shape) -> dict[str, Json]:
    """Return the content that has exactly these fields."""
    return patch({}, fields, shape)


def patch(content: Mapping[str, Json], values: Mapping[Path, Value], shape: Shape) -> dict[str, Json]:
    """Return `content` with these fields; what is equal is shared with it.

    A question of several choices may be given as its whole list, a row as its whole object.
    """
    tree = _Tree()
    for path, value in values.items():
        tree.at(path).value = value
    return _patch_object(content, tree.root.inner, shape.nodes)


def value_at(content: Mapping[str, Json], path: Path, shape: Shape) -> Value:
    """Return what a person would call the field's value: of a question of several choices the list, of a row the row.

    Of a choice and of the document it is True, of a repeat the list of its rows' ids; ABSENT of what is not there.
    """
    here: Value = content
    nodes: Mapping[str, Node] = shape.nodes
    node: Node | None = None
    steps = path.split("/")[1:]
    for name in map(name_of, steps) if "~" in path else steps:
        kind = node.shape.kind if node is not None else "group"
        if kind == "choices":
            return True if name in chosen(here) else ABSENT
        if kind == "repeat" and node is not None:
            rows = rows_by_id(here)
            here = ABSENT if rows is None else rows.get(name, ABSENT)
            nodes, node = node.inner, OPEN
            continue
        here = here.get(name, ABSENT) if _is_mapping(here) else ABSENT
        node = nodes.get(name)
        nodes = node.inner if node is not None else {}
    if not path:
        return True
    if node is not None and node.shape.kind == "repeat" and (rows := rows_by_id(here)) is not None:
        return list(rows)
    return here


def field_at(content: Mapping[str, Json], path: Path, shape: Shape) -> Value:
    """Return the field's value as `flatten` has it: a mark where `value_at` shows the whole."""
    value = value_at(content, path, shape)
    role = place_of(path, shape).role
    if role == "row":
        return ABSENT if value is ABSENT else True
    if role == "group" and isinstance(value, Mapping):
        return {}
    if role == "choices" and value is not ABSENT and is_choices(value):
        return None
    return value


def of_record(content: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a content says of the record: without what a revision says of itself."""
    return {name: value for name, value in content.items() if name not in ATTRIBUTES or name in FORM}


def is_choices(value: object) -> bool:
    """Whether this is an answer to a question of several choices: codes, each once, or nothing."""
    if value is None or value is ABSENT:
        return True
    return isinstance(value, list) and all(isinstance(code, str) for code in value) and len(set(value)) == len(value)


def chosen(value: object) -> Sequence[str]:
    """Return the codes that are chosen; none where the answer is blank, absent or no such answer."""
    return value if isinstance(value, list) and is_choices(value) else ()


def rows_by_id(value: object) -> dict[str, Mapping[str, Json]] | None:
    """Return the rows of a repeat by their ids, in their order; None where it is not made of such rows."""
    if value is ABSENT:
        return {}
    if not isinstance(value, list):
        return None
    rows: dict[str, Mapping[str, Json]] = {}
    for row in value:
        row_id = row.get(ROW_ID) if isinstance(row, dict) else None
        if not isinstance(row_id, str) or row_id in rows:
            return None
        rows[row_id] = row
    return rows


def in_form_order(codes: Iterable[str], shape: FieldShape) -> list[str]:
    """Return the codes as the form lists them, those that it doesn't know last."""
    rank = {code: position for position, code in enumerate(shape.choices)}
    return sorted(codes, key=lambda code: (rank.get(code, len(rank)), code))


class _Comparison:
    """What two contents differ in, as far as they have been walked."""

    __slots__ = ("found", "made")

    def __init__(self) -> None:
        self.found: dict[Path, Value] = {}
        self.made: list[Path] = []

    def records(self, before: Mapping[str, Json], after: Mapping[str, Json], nodes: Mapping[str, Node]) -> None:
        """Note how two contents differ in what they say of the record."""
        for name, now in after.items():
            if name not in ATTRIBUTES and not same(before.get(name, ABSENT), now):
                self.members(before.get(name, ABSENT), now, nodes.get(name), "/" + token(name))
        for name, was in before.items():
            if name not in after and name not in ATTRIBUTES:
                self.members(was, ABSENT, nodes.get(name), "/" + token(name))

    def objects(
        self, before: Mapping[str, Json], after: Mapping[str, Json], nodes: Mapping[str, Node], path: Path
    ) -> None:
        was_of = before.get
        # Nearly all members of nearly all contents are equal, and this is the loop over them.
        differ = [name for name, now in after.items() if was_of(name, ABSENT) != now]
        if not PLAIN.issuperset(map(type, after.values())):
            equal = [name for name, now in after.items() if type(now) not in PLAIN and name not in differ]
            differ += [name for name in equal if not is_exact(before[name], after[name])]
        for name in differ:
            self.members(was_of(name, ABSENT), after[name], nodes.get(name), f"{path}/{token(name)}")
        if not before.keys() <= after.keys():
            for name, was in before.items():
                if name not in after:
                    self.members(was, ABSENT, nodes.get(name), f"{path}/{token(name)}")

    def members(self, was: Value, now: Value, node: Node | None, path: Path) -> None:
        """Note how a member that differs does so."""
        kind = node.shape.kind if node is not None else "atom"
        if kind == "choices":
            self._choices(was, now, path)
        elif kind == "group" and node is not None and _is_object(was) and _is_object(now):
            if was is ABSENT or now is ABSENT:
                self.found[path] = ABSENT if now is ABSENT else {}
            self.objects(_object(was), _object(now), node.inner, path)
        elif kind == "repeat" and node is not None:
            before, after = rows_by_id(was), rows_by_id(now)
            if before is None or after is None:
                self.found[path] = now
            else:
                self._rows(before, after, node, path)
        else:
            self.found[path] = now

    def _choices(self, was: Value, now: Value, path: Path) -> None:
        before, after = set(chosen(was)), set(chosen(now))
        for code in after - before:
            self.found[f"{path}/{token(code)}"] = True
        for code in before - after:
            self.found[f"{path}/{token(code)}"] = ABSENT
        if not is_choices(now):
            self.found[path] = now
        # Another order of the same choices says nothing.
        elif before != after or (was is ABSENT) != (now is ABSENT) or not is_choices(was):
            self.found[path] = ABSENT if now is ABSENT else None

    def _rows(
        self, before: Mapping[str, Mapping[str, Json]], after: Mapping[str, Mapping[str, Json]], node: Node, path: Path
    ) -> None:
        for row_id, row in after.items():
            was = before.get(row_id)
            if same(was, row):
                continue
            at = f"{path}/{token(row_id)}"
            if was is None:
                self.found[at] = True
                self.made.append(at)
            self.objects({ROW_ID: row_id} if was is None else was, row, node.inner, at)
        for row_id in before:
            if row_id not in after:
                self.found[f"{path}/{token(row_id)}"] = ABSENT
        if list(after) != [row_id for row_id in before if row_id in after]:
            self.found[path] = list(after)


def _is_mapping(value: Value) -> TypeGuard[Mapping[str, Json]]:
    # What was read from JSON is a dict, of which the general question takes ten times as long.
    return type(value) is dict or isinstance(value, Mapping)


def _is_object(value: Value) -> bool:
    return value is ABSENT or _is_mapping(value)


def _object(value: Value) -> Mapping[str, Json]:
    return value if _is_mapping(value) else {}


class _Change:
    """What is to be put at one place, and below it; UNTOUCHED where only below."""

    __slots__ = ("inner", "value")

    def __init__(self) -> None:
        self.value: Value | _Untouched = UNTOUCHED
        self.inner: dict[str, _Change] = {}


class _Tree:
    """What is to be put where, by name from the document's root."""

    __slots__ = ("_by_path", "root")

    def __init__(self) -> None:
        self.root = _Change()
        self._by_path: dict[Path, _Change] = {"": self.root}

    def at(self, path: Path) -> _Change:
        """Return what is to be put at a path: fields that stand side by side find the same around them."""
        change = self._by_path.get(path)
        if change is None:
            around, is_below, escaped = path.rpartition("/")
            # What begins with no slash names the document, as a pointer's first token does.
            change = self._inner(self.at(around), name_of(escaped)) if is_below else self.root
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
    content: Mapping[str, Json], inner: Mapping[str, _Change], nodes: Mapping[str, Node]
) -> dict[str, Json]:
    patched = dict(content)
    for name, change in inner.items():
        value = _patch(patched.get(name, ABSENT), change, nodes.get(name))
        if value is ABSENT:
            patched.pop(name, None)
        else:
            patched[name] = value
    return patched


def _patch(was: Value, change: _Change, node: Node | None) -> Value:
    value = change.value
    if node is not None:
        if node.shape.kind == "choices":
            return _patch_choices(was, change, node)
        if node.shape.kind == "repeat":
            return _patch_rows(was, change, node)
        if node.shape.kind == "group" and (value is UNTOUCHED or _is_object(value)):
            base = _object(was)
            patched = _patch_object(base, change.inner, node.inner)
            # What is in a group keeps it, whoever found the group not relevant.
            return ABSENT if not patched and (value is ABSENT or (value is UNTOUCHED and was is ABSENT)) else patched
    return was if value is UNTOUCHED else value


def _patch_choices(was: Value, change: _Change, node: Node) -> Value:
    value = change.value
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
    return ABSENT if value is ABSENT or (value is UNTOUCHED and was is ABSENT) else None


def _patch_rows(was: Value, change: _Change, node: Node) -> Value:
    value = change.value
    order = value if isinstance(value, list) else None
    if value is not UNTOUCHED and value is not ABSENT and not _is_order(value):
        return value
    rows = rows_by_id(was) or {}
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
    # No rows are no list, as in the form's own XML; an empty one that was there stays.
    return patched if patched or was == [] else ABSENT


def _is_order(value: Value) -> bool:
    return isinstance(value, list) and all(isinstance(row_id, str) for row_id in value)

"""The fields of a record: what differs between two contents, and a content with other fields.

A field is the smallest thing that two people can change without disagreeing; `sync.merging.field_schema` says how
fields are called. `changes` compares two contents without taking either apart where they are equal; `patch` puts values
into a content and copies only what it changes; `flatten` and `unflatten` are the two over nothing. Whatever the form
does not know, and whatever has not the shape that the form gives it, is one field with its whole value, kept verbatim.
Members that say something about a revision and nothing about the record (`saved`, `merged`, …) are no fields.
"""

from collections.abc import Callable, Mapping

from sync.contract.members import MEMBERS
from sync.merging.field_schema import (
    ABSENT,
    EXTRA,
    OPEN,
    Absent,
    FieldNode,
    FieldPlace,
    FieldSchema,
    FieldShape,
    Kind,
    Merge,
    Path,
    Role,
    Value,
    place_of,
)
from sync.merging.patching import patch
from sync.merging.values import (
    ROW_ID,
    RowsById,
    Verbatim,
    as_object,
    chosen,
    in_form_order,
    is_choices,
    is_mapping,
    rows_by_id,
)
from sync.revisions.canonical import PLAIN, Json, is_exact, same
from sync.revisions.json_pointer import escape, tokens_of, unescape

__all__ = [
    "ABSENT",
    "ATTRIBUTES",
    "EXTRA",
    "ROW_ID",
    "Absent",
    "FieldPlace",
    "FieldSchema",
    "FieldShape",
    "Kind",
    "Merge",
    "Path",
    "RepeatRows",
    "Role",
    "Value",
    "Verbatim",
    "changes",
    "chosen",
    "field_at",
    "flatten",
    "in_form_order",
    "of_record",
    "patch",
    "place_of",
    "rows_by_id",
    "unflatten",
    "value_at",
]

#: What a revision says of itself, or of the merge that it is; the form's name and version follow their own rule.
ATTRIBUTES = frozenset(
    {"_id", "_rev", "_deleted", "form", "form_version"}
    | {name for name, member in MEMBERS.items() if member.kind == "revision"}
)
FORM = frozenset({"form", "form_version"})


def changes(
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    shape: FieldSchema,
    *,
    made: list[Path] | None = None,
    reordered: list[Path] | None = None,
    lists: list[Path] | None = None,
) -> dict[Path, Value]:
    """Return the fields of `after` that differ from those of `before`, by path.

    The cells of a row that is gone are not among them. The order of rows differs if those that stayed changed places
    or new ones came, not because some are gone. `made` collects rows that are new, `reordered` lists of choices of
    which only the writing differs, `lists` those of which more does.
    """
    comparison = _Comparison()
    comparison.records(before, after, shape.nodes)
    if made is not None:
        made += comparison.made
    if reordered is not None:
        reordered += comparison.reordered
    if lists is not None:
        lists += comparison.lists
    return comparison.found


def flatten(content: Mapping[str, Json], shape: FieldSchema) -> dict[Path, Value]:
    """Return every field that is there, by path."""
    return changes({}, content, shape)


def unflatten(fields: Mapping[Path, Value], shape: FieldSchema) -> dict[str, Json]:
    """Return the content that has exactly these fields."""
    return patch({}, fields, shape)


class RepeatRows:
    """Reads the rows of repeats by their ids, each list once; it keeps the contents that it has read."""

    def __init__(self) -> None:
        """Know none yet."""
        self._lists: dict[int, tuple[Value, RowsById | None]] = {}
        self._repeats: dict[tuple[int, Path], tuple[Mapping[str, Json], RowsById]] = {}

    def __call__(self, value: Value) -> RowsById | None:
        """Return what `rows_by_id` does; not to be changed."""
        known = self._lists.get(id(value))
        if known is None:
            known = self._lists[id(value)] = (value, rows_by_id(value))
        return known[1]

    def row(self, content: Mapping[str, Json], path: Path, shape: FieldSchema) -> Value:
        """Return the row at the path of a row; ABSENT where there is none."""
        around, _, step = path.rpartition("/")
        known = self._repeats.get((id(content), around))
        if known is None:
            here, node = _walked(content, around, shape, self)
            rows = self(here) if node is not None and node.shape.kind == "repeat" else None
            known = self._repeats[id(content), around] = (content, rows or {})
        return known[1].get(unescape(step), ABSENT)


def value_at(
    content: Mapping[str, Json],
    path: Path,
    shape: FieldSchema,
    rows_of: Callable[[Value], RowsById | None] = rows_by_id,
) -> Value:
    """Return what a person would call the field's value: of a question of several choices the list, of a row the row.

    Of a choice and of the document it is True, of a repeat the list of its rows' ids; ABSENT of what is not there.
    Whoever asks for many rows hands in `RepeatRows`, which reads each list once.
    """
    if not path:
        return True
    here, node = _walked(content, path, shape, rows_of)
    if node is not None and node.shape.kind == "repeat" and (rows := rows_of(here)) is not None:
        return list(rows)
    return here


def _walked(
    content: Mapping[str, Json], path: Path, shape: FieldSchema, rows_of: Callable[[Value], RowsById | None]
) -> tuple[Value, FieldNode | None]:
    """Return what stands at a path as it is, and what the form knows of it."""
    here: Value = content
    nodes: Mapping[str, FieldNode] = shape.nodes
    node: FieldNode | None = None
    for name in tokens_of(path):
        kind = node.shape.kind if node is not None else "group"
        if kind == "choices":
            return (True if name in chosen(here) else ABSENT), None
        if kind == "repeat" and node is not None:
            rows = rows_of(here)
            here = ABSENT if rows is None else rows.get(name, ABSENT)
            nodes, node = node.inner, OPEN
            continue
        here = here.get(name, ABSENT) if is_mapping(here) else ABSENT
        node = nodes.get(name)
        nodes = node.inner if node is not None else {}
    return here, node


def field_at(
    content: Mapping[str, Json],
    path: Path,
    shape: FieldSchema,
    rows_of: Callable[[Value], RowsById | None] = rows_by_id,
) -> Value:
    """Return the field's value as `flatten` has it: a mark where `value_at` shows the whole."""
    value = value_at(content, path, shape, rows_of)
    role = place_of(path, shape).role
    if role == "row":
        return ABSENT if value is ABSENT else True
    if role == "order" and value == []:
        return ABSENT
    if role == "group" and isinstance(value, Mapping):
        return {}
    if role == "choices" and value is not ABSENT and is_choices(value):
        return None
    return value


def of_record(content: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a content says of the record: without what a revision says of itself."""
    return {name: value for name, value in content.items() if name not in ATTRIBUTES or name in FORM}


class _Comparison:
    """The differences of two contents found so far."""

    __slots__ = ("found", "lists", "made", "reordered")

    def __init__(self) -> None:
        self.found: dict[Path, Value] = {}
        self.made: list[Path] = []
        self.reordered: list[Path] = []
        self.lists: list[Path] = []

    def records(self, before: Mapping[str, Json], after: Mapping[str, Json], nodes: Mapping[str, FieldNode]) -> None:
        """Note how two contents differ in what they say of the record."""
        for name, now in after.items():
            if name not in ATTRIBUTES and not same(before.get(name, ABSENT), now):
                self.members(before.get(name, ABSENT), now, nodes.get(name), "/" + escape(name))
        for name, was in before.items():
            if name not in after and name not in ATTRIBUTES:
                self.members(was, ABSENT, nodes.get(name), "/" + escape(name))

    def objects(
        self, before: Mapping[str, Json], after: Mapping[str, Json], nodes: Mapping[str, FieldNode], path: Path
    ) -> None:
        was_of = before.get
        # Nearly all members of nearly all contents are equal, and this is the loop over them.
        differ = [name for name, now in after.items() if was_of(name, ABSENT) != now]
        if not PLAIN.issuperset(map(type, after.values())):
            known = set(differ)
            equal = [name for name, now in after.items() if type(now) not in PLAIN and name not in known]
            differ += [name for name in equal if not is_exact(before[name], after[name])]
        for name in differ:
            self.members(was_of(name, ABSENT), after[name], nodes.get(name), f"{path}/{escape(name)}")
        if not before.keys() <= after.keys():
            for name, was in before.items():
                if name not in after:
                    self.members(was, ABSENT, nodes.get(name), f"{path}/{escape(name)}")

    def members(self, was: Value, now: Value, node: FieldNode | None, path: Path) -> None:
        """Note how a member that differs does so."""
        kind = node.shape.kind if node is not None else "atom"
        if kind == "choices":
            self._choices(was, now, path)
        elif kind == "group" and node is not None:
            if not is_mapping(was) or not is_mapping(now):
                self.found[path] = {} if is_mapping(now) else now
            self.objects(as_object(was), as_object(now), node.inner, path)
        elif kind == "repeat" and node is not None:
            self._repeat(was, now, node, path)
        else:
            self.found[path] = now

    def _choices(self, was: Value, now: Value, path: Path) -> None:
        before, after = set(chosen(was)), set(chosen(now))
        for code in after - before:
            self.found[f"{path}/{escape(code)}"] = True
        for code in before - after:
            self.found[f"{path}/{escape(code)}"] = ABSENT
        if not is_choices(now):
            self.found[path] = now
        elif before != after or (was is ABSENT) != (now is ABSENT) or not is_choices(was):
            self.found[path] = ABSENT if now is ABSENT else None
        else:
            # Another order of the same choices says nothing.
            self.reordered.append(path)
            return
        self.lists.append(path)

    def _repeat(self, was: Value, now: Value, node: FieldNode, path: Path) -> None:
        before, after = rows_by_id(was), rows_by_id(now)
        self._rows(before or {}, after or {}, node, path)
        if after is None:
            self.found[path] = now
        elif before is None:
            self.found[path] = list(after) or ABSENT
        elif list(after) != [row_id for row_id in before if row_id in after]:
            self.found[path] = list(after)

    def _rows(
        self,
        before: Mapping[str, Mapping[str, Json]],
        after: Mapping[str, Mapping[str, Json]],
        node: FieldNode,
        path: Path,
    ) -> None:
        for row_id, row in after.items():
            was = before.get(row_id)
            if same(was, row):
                continue
            at = f"{path}/{escape(row_id)}"
            if was is None:
                self.found[at] = True
                self.made.append(at)
            self.objects({ROW_ID: row_id} if was is None else was, row, node.inner, at)
        for row_id in before:
            if row_id not in after:
                self.found[f"{path}/{escape(row_id)}"] = ABSENT

"""A form's facts about a record's fields, and the paths of fields.

A path is a JSON Pointer from the document's root: `/answers/area`, `/media/<name>`, `/of`; a row of a repeat is named
by its `_rid` (`/answers/plots/<rid>/crop`) and its presence is a field (`/answers/plots/<rid>`), so is the order of the
rows (`/answers/plots`, a list of row ids), so is each choice of a `select_multiple` (`/answers/crops/<code>`) beside
the question itself (`/answers/crops`: blank, not relevant, or touched). That a group is there is a field too. `""` is
the document. What is not there has the value `ABSENT`, which is not null: null is a question left blank.

The server makes shapes from published forms; here nobody knows what an XForm is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, NamedTuple, TypeAlias

from sync.revisions.canonical import Json
from sync.revisions.json_pointer import escape, unescape

Path: TypeAlias = str


class Absent(Enum):
    """The type of `ABSENT`: a field that is not there."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Value: TypeAlias = "Json | Literal[Absent.ABSENT]"

Kind: TypeAlias = Literal["atom", "choices", "repeat", "group"]
Merge: TypeAlias = Literal["max", "min", "append", "ask"]
Role: TypeAlias = Literal["document", "atom", "group", "choices", "choice", "order", "row"]

#: What the form does not know is carried under this name of the object it stood in.
EXTRA = "$extra"


@dataclass(frozen=True, slots=True)
class FieldShape:
    """A question as its form declares it; `type` as people know it ("decimal"), `was` its name in earlier versions."""

    kind: Kind = "atom"
    type: str = "text"
    is_calculated: bool = False
    merge: Merge | None = None
    choices: tuple[str, ...] = ()
    exclusive: frozenset[str] = frozenset()
    was: str | None = None


@dataclass(frozen=True, slots=True)
class FieldNode:
    """A question and, of groups and repeats, those in it by name."""

    shape: FieldShape
    inner: Mapping[str, "FieldNode"]
    #: The names in it of repeats, and of what holds repeats.
    repeats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FieldSchema:
    """A form version as the engine needs it: its questions by path from the answers' root, rows left out.

    Compared by identity: there is one for each version.
    """

    form: str
    version: str
    fields: Mapping[Path, FieldShape]
    nodes: Mapping[str, FieldNode] = field(init=False, repr=False)
    #: The repeats that stand in no other one, by their paths from the document's root.
    repeats: dict[Path, FieldNode] = field(init=False, repr=False, default_factory=dict)
    #: Places that were asked for, of fields that the form knows and outside rows: as many as the form has.
    places: dict[Path, "FieldPlace"] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", _nodes(self.fields))
        object.__setattr__(self, "repeats", dict(_repeats(self.nodes, "")))


class FieldPlace(NamedTuple):
    """The target of a path: its role, the question's shape where the form knows it, and the rows that it stands in.

    `question` is the path of the `select_multiple` that a choice belongs to, of any other place its own; `rows` are
    the paths of the rows around it, outermost first, itself left out.
    """

    path: Path
    role: Role
    shape: FieldShape
    question: Path
    rows: tuple[Path, ...] = ()


ATOM: Final = FieldShape()
GROUP: Final = FieldShape("group")
#: A group of which the form says nothing: each member is an atom.
OPEN: Final = FieldNode(GROUP, {})

_ROLES: Final[Mapping[Kind, Role]] = {"atom": "atom", "choices": "choices", "repeat": "order", "group": "group"}


def place_of(path: Path, shape: FieldSchema) -> FieldPlace:
    """Return what `path` names."""
    place = shape.places.get(path)
    if place is None:
        place = _place(path, shape)
        is_forms_own = place.role != "choice" or path.rpartition("/")[2] in place.shape.choices
        if not place.rows and place.role != "row" and place.shape is not ATOM and is_forms_own:
            shape.places[path] = place
    return place


def _place(path: Path, shape: FieldSchema) -> FieldPlace:
    if not path:
        return FieldPlace(path, "document", GROUP, path)
    around, _, step = path.rpartition("/")
    # Of a record with many rows nearly all paths are of rows and of cells, and these are found without a walk.
    if (repeat := shape.repeats.get(around)) is not None:
        return FieldPlace(path, "row", repeat.shape, path)
    if (repeat := shape.repeats.get(around.rpartition("/")[0])) is not None:
        node = repeat.inner.get(unescape(step))
        if node is None:
            return FieldPlace(path, "atom", ATOM, path, (around,))
        return FieldPlace(path, _ROLES[node.shape.kind], node.shape, path, (around,))
    return _walked_to(path, shape)


def _walked_to(path: Path, shape: FieldSchema) -> FieldPlace:
    nodes: Mapping[str, FieldNode] = shape.nodes
    around = OPEN
    rows: tuple[Path, ...] = ()
    is_row = False
    steps = path.split("/")
    for depth in range(1, len(steps)):
        kind = around.shape.kind
        if kind == "choices":
            return FieldPlace(path, "choice", around.shape, "/".join(steps[:depth]), rows)
        if is_row:
            rows, is_row = (*rows, "/".join(steps[:depth])), False
        elif kind == "repeat":
            is_row = True
            continue
        found = nodes.get(unescape(steps[depth]))
        if found is None:
            return FieldPlace(path, "atom", ATOM, path, rows)
        around, nodes = found, found.inner
    return FieldPlace(path, "row" if is_row else _ROLES[around.shape.kind], around.shape, path, rows)


def _repeats(nodes: Mapping[str, FieldNode], path: Path) -> Iterator[tuple[Path, FieldNode]]:
    for name, node in nodes.items():
        at = f"{path}/{escape(name)}"
        if node.shape.kind == "repeat":
            yield at, node
        else:
            yield from _repeats(node.inner, at)


def _nodes(fields: Mapping[Path, FieldShape]) -> dict[str, FieldNode]:
    answers: dict[str, FieldNode] = {EXTRA: OPEN}
    inside: dict[Path, dict[str, FieldNode]] = {"": answers}
    repeats: dict[Path, dict[str, None]] = {}
    for path, shape in fields.items():
        if shape.kind == "repeat":
            while path:
                path, _, name = path.rpartition("/")  # noqa: PLW2901 - up to the root
                repeats.setdefault(path, {})[name] = None
    # Sorted, parents stand before what is in them.
    for path in sorted(fields):
        around, _, name = path.rpartition("/")
        shape = fields[path]
        inner: dict[str, FieldNode] = {EXTRA: OPEN} if shape.kind in {"group", "repeat"} else {}
        inside[path] = inner
        inside[around][name] = FieldNode(shape, inner, tuple(repeats.get(path, ())))
    return {"answers": FieldNode(GROUP, answers, tuple(repeats.get("", ()))), "media": OPEN}

"""The parts of composite answers: the codes of a list of choices, the rows of a repeat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeGuard

from sync.merging.field_schema import ABSENT, FieldShape, Value
from sync.revisions.canonical import Json

ROW_ID = "_rid"

RowsById = dict[str, Mapping[str, Json]]


class Verbatim(NamedTuple):
    """A value to be put as it stands, whatever the form makes of its place."""

    value: Value


#: What can be put at a path.
Put: TypeAlias = "Value | Verbatim"


def is_mapping(value: Value) -> TypeGuard[Mapping[str, Json]]:
    """Whether a value is an object."""
    # What was read from JSON is a dict, of which the general question takes ten times as long.
    return type(value) is dict or isinstance(value, Mapping)


def is_object(value: Value) -> bool:
    """Whether a value is an object or nothing."""
    return value is ABSENT or is_mapping(value)


def as_object(value: Value) -> Mapping[str, Json]:
    """Return an object, an empty one for anything else."""
    return value if is_mapping(value) else {}


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

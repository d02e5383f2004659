"""Fields as the second telling of the merge rules has them: spelled out, with the ways that lead to them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from sync.merging.field_schema import FieldSchema, FieldShape
from sync.revisions.canonical import canonical

Way = tuple[str, ...]
"""The names from the root to a field, ids of rows among them."""

ABSENT = "<absent>"
GROUP, BLANK, THERE = "<group>", "<blank>", "<there>"
ANSWERS: Way = ("answers",)
ITS_OWN = {"_id", "_rev", "_deleted", "form", "form_version", "saved", "merged", "open", "decided", "undoes", "comment"}
ITS_OWN |= {"forwarded"}


class Spot(NamedTuple):
    """What a way leads to: its kind, its question, the rows around it, and the list that a choice belongs to."""

    kind: str
    field: FieldShape
    rows: tuple[Way, ...]
    list_: Way


def number_of(rev: str) -> int:
    return int(rev.split("-", maxsplit=1)[0])


def version_of(content: Mapping[str, Any]) -> tuple[str, str]:
    form, version = content.get("form"), content.get("form_version")
    return (form, version) if isinstance(form, str) and isinstance(version, str) else ("", "")


def pointer(way: Way) -> str:
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in way)


def is_below(way: Way, around: Way) -> bool:
    return len(way) > len(around) and way[: len(around)] == around


def alike(one: Any, other: Any) -> bool:
    """Whether two values are one JSON; what is absent or a mark is the same as its like."""
    return (one is other) or (ABSENT not in (str(one), str(other)) and canonical({"v": one}) == canonical({"v": other}))


def agree(one: Sequence[str], other: Sequence[str]) -> bool:
    return [each for each in one if each in other] == [each for each in other if each in one]


def is_codes(value: Any) -> bool:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value) and len(set(value)) == len(value)
    return value is None or is_list


def as_set(value: Any) -> Any:
    return (
        frozenset(value) if isinstance(value, list) and is_codes(value) else ("blank" if value is None else str(value))
    )


def sorted_codes(codes: Iterable[str], question: FieldShape) -> list[str]:
    known = [code for code in question.choices if code in codes]
    return [*known, *sorted(set(codes) - set(known))]


def is_rows(value: Any) -> bool:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return False
    names = [row.get("_rid") for row in value]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def size_of(type_: str, value: Any) -> tuple[bool, Any] | None:
    """Return what `max` and `min` compare, and whether it has a zone; None of what has no size."""
    if not isinstance(value, str) or value == ABSENT:
        return None
    if type_ in {"integer", "decimal"}:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return (False, number) if number.is_finite() else None
    for reading in (datetime.fromisoformat, lambda text: datetime.combine(date(2000, 1, 1), time.fromisoformat(text))):
        try:
            moment = reading(value)
        except ValueError:
            continue
        return (True, moment.astimezone(UTC)) if moment.tzinfo else (False, moment)
    return None


def fields_of(content: Mapping[str, Any], shape: FieldSchema) -> dict[Way, Any]:
    """Return every field of a content, by the way to it."""
    found: dict[Way, Any] = {}

    def note(way: Way, value: Any) -> None:
        spot = spot_of(way, shape)
        if spot.kind == "group" and isinstance(value, Mapping):
            found[way] = GROUP
            for name, inner in value.items():
                note((*way, name), inner)
        elif spot.kind == "order" and is_rows(value):
            # No rows are no list.
            if not value:
                return
            found[way] = tuple(row["_rid"] for row in value)
            for row in value:
                found[(*way, row["_rid"])] = THERE
                for name, inner in row.items():
                    if name != "_rid":
                        note((*way, row["_rid"], name), inner)
        elif spot.kind == "choices" and is_codes(value):
            found[way] = BLANK
            found.update({(*way, code): THERE for code in value or ()})
        else:
            found[way] = value

    for name, value in content.items():
        if name not in ITS_OWN:
            note((name,), value)
    return found


def read(content: Mapping[str, Any], way: Way, shape: FieldSchema) -> Any:
    """Return what stands at a way, whole."""
    here: Any = content
    for depth, name in enumerate(way):
        if spot_of(way[: depth + 1], shape).kind == "row":
            here = next((row for row in here if row["_rid"] == name), ABSENT) if is_rows(here) else ABSENT
        else:
            here = here.get(name, ABSENT) if isinstance(here, Mapping) else ABSENT
    return here


def spot_of(way: Way, shape: FieldSchema) -> Spot:  # noqa: PLR0911
    """Return what a way leads to."""
    plain, group = FieldShape(), FieldShape("group")
    if not way:
        return Spot("record", group, (), way)
    if way in {ANSWERS, ("media",)}:
        return Spot("group", group, (), way)
    if way[0] != "answers":
        return Spot("atom", plain, (), way)
    rows: tuple[Way, ...] = ()
    names: tuple[str, ...] = ()
    around, is_open = group, False
    for depth in range(1, len(way)):
        here, name = way[: depth + 1], way[depth]
        if around.kind == "choices":
            return Spot("choice", around, rows, way[:depth])
        if around.kind == "repeat":
            if depth == len(way) - 1:
                return Spot("row", around, rows, here)
            rows, around = (*rows, here), group
            continue
        names = (*names, name)
        known = None if is_open else shape.fields.get("/" + "/".join(names))
        if known is None and name == "$extra" and not is_open:
            known, is_open = group, True
        if known is None:
            return Spot("atom", plain, rows, way)
        around = known
    kind = "order" if around.kind == "repeat" else around.kind
    return Spot(kind, around, rows, way)

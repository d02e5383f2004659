"""The columns that a form's published table has, over all its versions, and the typed values that fill them.

A column is never renamed, retyped or dropped by a later version: a question that changes its type gets a second column
named after the new type, so that whoever built a report on the view keeps it. Names are the question's path joined
with underscores. What a question's text doesn't type as is left empty here; the record keeps it. Values are kept as
text under the column's name, so that a database casts them exactly (no binary fractions on the way).

A calculation is typed by its bind, else by what its expression gives (`server.forms.evaluate.static_types`). Where a
form came here while all calculations were text, that column stays and is filled, and a typed one stands beside it.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from server.forms.answers.typed_values import typed
from server.forms.schema import MEDIA_TYPES, Field, FormSchema
from server.publish.values import ColumnType, geometry, position

#: What every row has besides its answers.
FIXED = ("record_id", "revision", "form_version", "project", "unit", "approved_by", "approved_at")
#: What every row of a repeat has besides its answers.
ROW_COLUMNS = ("record_id", "row", "row_id")
#: PostgreSQL cuts longer names off silently.
NAME_BYTES = 63
SCALARS: dict[str, ColumnType] = {
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "time": "time",
    "dateTime": "moment",
}
PARTS = ("longitude", "latitude", "altitude", "accuracy")
ROW_ID = "_rid"
META = "/meta"
UNANSWERED = frozenset({"note"})

Part = Literal["", "list", "sha256", "longitude", "latitude", "altitude", "accuracy"]


@dataclass(frozen=True, slots=True)
class _Version:
    """The questions of one version, or of a repeat in it; `as_text` while calculations are what their bind says."""

    fields: tuple[Field, ...]
    as_text: bool = False

    def type_of(self, field: Field) -> str:
        return field.type if self.as_text else field.value_type


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `part` says which of several it is where a question needs more than one."""

    name: str
    path: str
    type: ColumnType
    part: Part
    question_type: str
    is_sensitive: bool


@dataclass(frozen=True)
class Table:
    """The published layout of one form, or of one of its repeats: columns and repeats as they first appeared."""

    path: str
    name: str
    items: tuple["Column | Table", ...]
    is_sensitive: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns that hold one value a row."""
        return tuple(item for item in self.items if isinstance(item, Column))

    @cached_property
    def repeats(self) -> tuple["Table", ...]:
        """Return the tables of the repeats directly within this one."""
        return tuple(item for item in self.items if isinstance(item, Table))

    @cached_property
    def by_question(self) -> dict[tuple[str, str, Part], Column]:
        """Return the columns by path, type of question and part; every question of every version has its own."""
        return {(each.path, each.question_type, each.part): each for each in self.columns}

    @cached_property
    def by_repeat(self) -> dict[str, "Table"]:
        """Return the repeats by path."""
        return {each.path: each for each in self.repeats}


def layout(form: str, schemas: Iterable[FormSchema], as_text: Collection[str] = ()) -> Table:
    """Return the table of a form from all its versions, oldest first.

    `as_text` are the versions that came here while calculations were text: their columns stay what and where they were.
    """
    known = [*schemas]
    older = [_Version(schema.fields, as_text=True) for schema in known if schema.version in as_text]
    # Once more with their types: what that adds stands at the end, where views may get columns.
    again = [_Version(each.fields) for each in older]
    newer = [_Version(schema.fields) for schema in known if schema.version not in as_text]
    versions = [*older, *again, *newer]
    return _table("", form, versions, FIXED, False)


def row(
    table: Table, fields: tuple[Field, ...], answers: Mapping[str, Any], media: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the typed values of `answers` by column name; empty columns are left out."""
    values: dict[str, Any] = {}
    for field, answer in _answered(fields, answers):
        if field.kind == "repeat":
            repeat = table.by_repeat[field.path]
            rows = [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []
            values[repeat.name] = [{**_row_id(each), **row(repeat, field.children, each, media)} for each in rows]
        else:
            for kind in {field.type, field.value_type}:
                for part, value in _parts(field, kind, answer, media):
                    # A calculation has a column of its bind's type only where it was published as that.
                    if (column := table.by_question.get((field.path, kind, part))) is not None:
                        values[column.name] = value
    return values


def _parts(field: Field, kind: str, answer: Any, media: Mapping[str, Any]) -> Iterable[tuple[Part, Any]]:
    """Give the values of one answer that fit a type, each with the column's part that it belongs to."""
    if isinstance(answer, list):
        codes = [each for each in answer if isinstance(each, str)]
        yield "", " ".join(codes)
        yield "list", codes
    elif not isinstance(answer, str):
        return
    elif kind == "geopoint":
        yield from zip(PARTS, position(answer), strict=False)
    elif kind in {"geotrace", "geoshape"}:
        if shape := geometry(kind, answer):
            yield "", shape
    elif (value := typed(kind, answer)) is not None:
        yield "", value
        file = media.get(answer) if field.type in MEDIA_TYPES else None
        if isinstance(file, Mapping) and isinstance(file.get("sha256"), str):
            yield "sha256", file["sha256"]


def _row_id(answers: Mapping[str, Any]) -> dict[str, str]:
    row_id = answers.get(ROW_ID)
    return {ROW_ID: row_id} if isinstance(row_id, str) else {}


def _answered(fields: tuple[Field, ...], answers: Mapping[str, Any]) -> Iterable[tuple[Field, Any]]:
    for field in fields:
        answer = answers.get(field.name)
        if answer is None or field.path == META or field.name == ROW_ID or field.type in UNANSWERED:
            continue
        if field.kind != "group":
            yield field, answer
        elif isinstance(answer, dict):
            yield from _answered(field.children, answer)


def _table(path: str, name: str, versions: list[_Version], taken: Iterable[str], is_sensitive: bool) -> Table:
    names = _Names(taken)
    columns: dict[tuple[str, str, Part], Column] = {}
    repeats: dict[str, _Repeat] = {}
    # Paths of columns and repeats in the order of their first appearance: later versions only add at the end.
    order: dict[tuple[str, str, Part] | str, None] = {}
    hidden_paths: set[str] = set()
    for version in versions:
        known_paths = {each.path for each in columns.values()}
        for field, is_hidden in _questions(version.fields, is_sensitive):
            if is_hidden:
                hidden_paths.add(field.path)
            own = field.path.removeprefix(path).strip("/").replace("/", "_")
            if field.kind == "repeat":
                repeat = repeats.get(field.path) or repeats.setdefault(field.path, _Repeat(names, own))
                repeat.versions.append(replace(version, fields=field.children))
                order[field.path] = None
                continue
            kind = version.type_of(field)
            suffix = kind if field.path in known_paths else ""
            for part, column_type in _columns_of(kind):
                key = (field.path, kind, part)
                if key not in columns:
                    column_name = names.give(own, suffix, part)
                    columns[key] = Column(column_name, field.path, column_type, part, kind, False)
                    order[key] = None
    # Sensitive in any version is sensitive in every row.
    items = [
        _table(key, repeats[key].name, repeats[key].versions, ROW_COLUMNS, key in hidden_paths)
        if isinstance(key, str)
        else replace(columns[key], is_sensitive=key[0] in hidden_paths)
        for key in order
    ]
    return Table(path, name, tuple(items), is_sensitive)


class _Repeat:
    """The versions of one repeat, under the name that it got first."""

    def __init__(self, names: "_Names", own: str) -> None:
        self.name = names.give(own)
        self.versions: list[_Version] = []


def _questions(fields: tuple[Field, ...], hidden: bool) -> Iterable[tuple[Field, bool]]:
    for field in fields:
        if field.path == META or field.name == ROW_ID or field.type in UNANSWERED:
            continue
        is_hidden = hidden or field.is_sensitive
        if field.kind == "group":
            yield from _questions(field.children, is_hidden)
        else:
            yield field, is_hidden


def _columns_of(kind: str) -> list[tuple[Part, ColumnType]]:
    match kind:
        case "geopoint":
            return [("longitude", "float"), ("latitude", "float"), ("altitude", "float"), ("accuracy", "float")]
        case "geotrace" | "geoshape":
            return [("", "json")]
        case "select_multiple" | "rank":
            return [("", "text"), ("list", "json")]
        case media if media in MEDIA_TYPES:
            return [("", "text"), ("sha256", "text")]
        case other:
            return [("", SCALARS.get(other, "text"))]


class _Names:
    """Gives every column a name that no other has and that both databases keep whole."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def give(self, *pieces: str) -> str:
        wanted = re.sub(r"[^a-z0-9_]", "_", "_".join(piece for piece in pieces if piece).lower())
        name, number = short(wanted), 1
        while name in self._taken:
            number += 1
            name = short(f"{wanted}_{number}")
        self._taken.add(name)
        return name


def short(name: str) -> str:
    """Return `name`, shortened to what a database keeps and told apart by a digest where it is too long."""
    if len(name.encode()) <= NAME_BYTES:
        return name
    return f"{name[: NAME_BYTES - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"

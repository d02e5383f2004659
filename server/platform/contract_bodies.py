"""Strict bodies from dataclasses of the contract: they are described in `sync`, which knows no pydantic."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import pydantic
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from sync.contract.wire import ValueLimits

Described = TypeVar("Described")
_STRICT = ConfigDict(extra="forbid")


@cache
def strict(described: type[Described]) -> type[Described]:
    """Return a dataclass's subclass that is checked when made from JSON: unknown members and values are refused."""
    hints = get_type_hints(described, include_extras=True)
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {"__module__": __name__, "__doc__": described.__doc__, "__annotations__": annotations}
    for part in fields(cast(Any, described)):
        annotations[part.name] = Annotated[_checked(hints[part.name]), _told_default(part)]
        body |= _default(part)
    made = type(described.__name__, (described,), body)
    return cast(type[Described], dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)(made))


def _default(part: Field[Any]) -> Mapping[str, Any]:
    if part.default_factory is not MISSING:
        return {part.name: field(default_factory=part.default_factory)}
    return {} if part.default is MISSING else {part.name: part.default}


def _told_default(part: Field[Any]) -> Any:
    """Return a note with what is made anew for each body: a schema would not tell it."""
    if part.default_factory is MISSING:
        return None
    return pydantic.Field(json_schema_extra={"default": part.default_factory()})


def _checked(hint: Any) -> Any:
    """Return a type with the contract's limits in pydantic's words, and its dataclasses as strict ones."""
    if is_dataclass(hint):
        return strict(cast(type, hint))
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return Annotated[(_checked(parts[0]), *map(_field, parts[1:]))]
    if origin in (Union, types.UnionType):
        return reduce(or_, map(_checked, parts))
    if origin in (list, dict):
        return origin[tuple(map(_checked, parts))]
    return hint


def _field(note: ValueLimits | str) -> Any:
    if isinstance(note, str):
        return pydantic.Field(description=note)
    return pydantic.Field(
        pattern=note.pattern, max_length=note.max_length, ge=note.minimum, le=note.maximum, title=note.title
    )

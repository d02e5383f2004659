"""Selectors of the changes filter `_selector`: which documents match, in Mango's words without patterns.

A document costs about as much as it is long, whatever the selector holds: lists of values are looked up, not walked.
`$regex` is refused: a pattern of a stranger's can keep a processor busy for hours over one string.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.gateway.couchdb.refusals import Refusal
from sync.revisions.canonical import Json

Matcher = Callable[[Any], bool]

#: In the place of a value that is not there: it matches nothing but `$exists: false` and what negates.
ABSENT = object()
MAX_PARTS = 500
#: Each walks through a list of the document's.
PARTS_OF_A_WALK = 25
_TYPES: dict[str, type | tuple[type, ...]] = {
    "null": type(None),
    "boolean": bool,
    "number": (int, float),
    "string": str,
    "array": list,
    "object": dict,
}


def matcher(selector: Json) -> Matcher:
    """Return what tells of a document whether it matches; raise Refusal for what is no selector."""
    if not isinstance(selector, Mapping):
        raise _refuse("Selector must be a JSON object")
    budget = [MAX_PARTS]
    return _all_of(selector, budget)


def _all_of(selector: Mapping[str, Json], budget: list[int]) -> Matcher:
    parts = [_member(name, said, budget) for name, said in selector.items()]
    return lambda value: all(part(value) for part in parts)


def _member(name: str, said: Json, budget: list[int]) -> Matcher:
    _spend(budget, 1)
    if name.startswith("$"):
        return _operator(name, said, budget)
    path = [part.replace("\0", ".") for part in name.replace("\\.", "\0").split(".")]
    inner = _condition(said, budget)
    return lambda value: inner(_at(value, path))


def _condition(said: Json, budget: list[int]) -> Matcher:
    if isinstance(said, Mapping) and said:
        return _all_of(said, budget)
    return lambda value: value is not ABSENT and _same(value, said)


def _operator(name: str, said: Json, budget: list[int]) -> Matcher:  # noqa: PLR0911 - an operator each
    if name in ("$and", "$or", "$nor"):
        parts = [matcher_in(each, budget) for each in _list(name, said)]
        if name == "$and":
            return lambda value: all(part(value) for part in parts)
        if name == "$or":
            return lambda value: any(part(value) for part in parts)
        return lambda value: not any(part(value) for part in parts)
    if name == "$not":
        inner = _condition(said, budget)
        return lambda value: not inner(value)
    if name in ("$elemMatch", "$allMatch"):
        _spend(budget, PARTS_OF_A_WALK)
        each = _condition(said, budget)
        if name == "$elemMatch":
            return lambda value: isinstance(value, list) and any(each(item) for item in value)
        return lambda value: isinstance(value, list) and bool(value) and all(each(item) for item in value)
    return _comparison(name, said)


def matcher_in(selector: Json, budget: list[int]) -> Matcher:
    """Return the matcher of a selector inside another one."""
    if not isinstance(selector, Mapping):
        raise _refuse("Selector must be a JSON object")
    return _all_of(selector, budget)


def _comparison(name: str, said: Json) -> Matcher:  # noqa: PLR0911, PLR0912 - an operator each
    match name:
        case "$eq":
            return lambda value: value is not ABSENT and _same(value, said)
        case "$ne":
            return lambda value: value is not ABSENT and not _same(value, said)
        case "$lt" | "$lte" | "$gt" | "$gte":
            return _ordered(name, said)
        case "$in":
            among = _keys(_list(name, said))
            return lambda value: (
                not among.isdisjoint(_keys(value if isinstance(value, list) else [value])) and value is not ABSENT
            )
        case "$nin":
            among = _keys(_list(name, said))
            return lambda value: value is not ABSENT and _key(value) not in among
        case "$all":
            wanted = _keys(_list(name, said))
            return lambda value: isinstance(value, list) and len(wanted) <= len(value) and wanted <= _keys(value)
        case "$exists":
            return lambda value: (value is not ABSENT) == (said is True)
        case "$size":
            return lambda value: isinstance(value, list) and len(value) == said
        case "$type":
            kind = _TYPES.get(str(said))
            if kind is None:
                raise _refuse(f"Invalid argument for $type: {said}")
            return lambda value: isinstance(value, kind) and not (said == "number" and isinstance(value, bool))
        case "$mod":
            divisor, remainder = _pair(said)
            return lambda value: type(value) is int and value % divisor == remainder
        case "$beginsWith":
            if not isinstance(said, str):
                raise _refuse("Invalid argument for $beginsWith")
            return lambda value: isinstance(value, str) and value.startswith(said)
    raise _refuse(f"Invalid operator: {name}")


def _ordered(name: str, said: Json) -> Matcher:
    there = _rank(said)

    def compare(value: Any) -> bool:
        if value is ABSENT:
            return False
        here = _rank(value)
        if name == "$lt":
            return here < there
        if name == "$lte":
            return here <= there
        return here > there if name == "$gt" else here >= there

    return compare


def _rank(value: Any) -> tuple[int, Any]:
    """Return what values are ordered by: CouchDB's collation without its alphabets."""
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int | float):
        return (2, value)
    if isinstance(value, str):
        return (3, value)
    if isinstance(value, Sequence):
        return (4, tuple(_rank(each) for each in value))
    return (5, tuple((key, _rank(each)) for key, each in value.items()))


def _keys(values: Sequence[Any]) -> frozenset[Any]:
    return frozenset(map(_key, values))


def _key(value: Any) -> Any:
    """Return what is equal and hashed alike for the same JSON; True is 1 to Python."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, list):
        return (list, *map(_key, value))
    if isinstance(value, dict):
        return (dict, frozenset((name, _key(each)) for name, each in value.items()))
    return value


def _same(here: Any, there: Any) -> bool:
    # True is 1 to Python.
    return isinstance(here, bool) == isinstance(there, bool) and here == there


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return ABSENT
        value = value[step]
    return value


def _spend(budget: list[int], parts: int) -> None:
    budget[0] -= parts
    if budget[0] < 0:
        raise _refuse("The selector is too large")


def _list(name: str, said: Json) -> list[Any]:
    if not isinstance(said, list):
        raise _refuse(f"Invalid argument for {name}")
    return said


def _pair(said: Json) -> tuple[int, int]:
    if isinstance(said, list) and len(said) == 2:
        divisor, remainder = said
        if type(divisor) is int and type(remainder) is int and divisor != 0:
            return divisor, remainder
    raise _refuse("Invalid argument for $mod")


def _refuse(reason: str) -> Refusal:
    # In the feed CouchDB says no more of it than this; `invalid_selector_json` is for `_find`.
    return Refusal(400, "bad_request", reason)

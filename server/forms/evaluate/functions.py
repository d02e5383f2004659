"""ODK's functions over values: what each takes, what it gives, and the one list of those that a form may call.

A function gets its arguments already evaluated, after the context where it asks for it. `if` and `once`, which must not
evaluate all they are given, are built by `compiling`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.forms.evaluate import geometry, moments, numbers, texts
from server.forms.evaluate.context import Context, Unevaluable
from server.forms.evaluate.values import (
    Node,
    Value,
    as_boolean,
    as_number,
    as_text,
    number_in_text,
    numbers_of,
    texts_of,
    trimmed,
    utf16,
)

#: What cannot be computed again: the clock and chance. A caller may say what now is; chance is never taken.
CLOCK = frozenset({"now", "today"})
CHANCE = frozenset({"random", "uuid"})


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments (`most` None: any number), what kind comes back (None: that depends), and how."""

    least: int
    most: int | None
    gives: str | None
    call: Callable[..., Value]
    needs_context: bool = False


def _nodes(value: Value) -> list[Node]:
    if not isinstance(value, list):
        raise Unevaluable("a node set is needed")
    return value


def _number(value: Value) -> Value:
    if isinstance(value, list):
        value = value[0].text() if value else ""
        if not trimmed(value):
            return math.nan
    if isinstance(value, str):
        parsed = moments.parse(value) if value[4:5] == "-" else None
        if parsed is not None:
            return moments.Moment(parsed.days, str(math.floor(parsed.days)))
        return number_in_text(value)
    return as_number(value) if isinstance(value, bool) else value


def _parsed(value: Value) -> moments.Parsed | None:
    if isinstance(value, bool):
        raise Unevaluable("a truth is no date")
    if isinstance(value, float):
        return None if math.isnan(value) else moments.from_days(value)
    return moments.parse(as_text(value))


def _date(value: Value) -> Value:
    if isinstance(value, bool):
        return ""
    if isinstance(value, float):
        parsed = _parsed(value)
        return moments.NO_MOMENT if parsed is None else parsed.moment
    text = as_text(value)
    return moments.date_of_text(text) if text else ""


def _decimal_date_time(value: Value) -> float:
    parsed = _parsed(value)
    return math.nan if parsed is None else parsed.days


def _checklist(least: Value, most: Value, *values: Value) -> bool:
    count = sum(as_boolean(each) for value in values for each in _each(value))
    return _is_within(as_number(least), as_number(most), float(count))


def _weighted_checklist(least: Value, most: Value, *values: Value) -> bool:
    if len(values) % 2:
        raise Unevaluable("an argument without its weight")
    if as_number(most) == -1 and as_number(least) < 1:
        return True
    total = 0.0
    for value, weight in zip(values[::2], values[1::2], strict=True):
        answers, weights = _each(value), numbers_of(weight)
        if len(weights) > len(answers):
            return False
        total += sum(number for answer, number in zip(answers, weights, strict=False) if as_boolean(answer))
    return _is_within(as_number(least), as_number(most), total)


def _each(value: Value) -> list[Value]:
    """Return a node set's nodes as truths one by one: those that are not blank."""
    return [bool(trimmed(node.text())) for node in value] if isinstance(value, list) else [value]


def _is_within(least: float, most: float, count: float) -> bool:
    return count >= least and (most == -1 or count <= most)


def _distance(*values: Value) -> float:
    length = geometry.length_m([text for value in values for text in texts_of(value)])
    if length is None:
        raise Unevaluable("no places")
    return length


def _area(value: Value) -> float:
    return geometry.area_m2(texts_of(value))


def _chance(_context: Context, *_values: Value) -> Value:
    raise Unevaluable("chance is not taken again")


def _position(context: Context, value: Value | None = None) -> float:
    if value is None:
        return float(context.position)
    nodes = _nodes(value)
    if not nodes:
        return math.nan
    if len(nodes) > 1:
        raise Unevaluable("the position of several nodes")
    return float(nodes[0].index)


def _indexed_repeat(_context: Context, target: Value, *pairs: Value) -> Value:
    """Return the nodes of `target` inside the rows that are named by repeat and position, outer rows first."""
    if len(pairs) % 2:
        raise Unevaluable("a repeat without its position")
    named: list[tuple[list[Node], float]] = []
    for repeat, position in zip(pairs[::2], pairs[1::2], strict=True):
        rows, at = _nodes(repeat), as_number(position)
        if not rows or math.isnan(at):
            return []
        named.append((rows, at))
    named.sort(key=lambda pair: _depth(pair[0][0]))
    row: Node | None = None
    for rows, at in named:
        inside = rows if row is None else [each for each in rows if is_within(each, row)]
        if not at.is_integer() or not 1 <= at <= len(inside):
            return []
        row = inside[int(at) - 1]
    return [node for node in _nodes(target) if row is not None and is_within(node, row)]


def _depth(node: Node) -> int:
    depth = 0
    around = node.parent
    while around is not None:
        depth, around = depth + 1, around.parent
    return depth


def is_within(node: Node, around: Node) -> bool:
    """Say whether `node` is `around` or stands in it."""
    at: Node | None = node
    while at is not None:
        if at is around:
            return True
        at = at.parent
    return False


def _instance(context: Context, name: Value) -> Value:
    return context.record.instance(as_text(name))


def _pulldata(context: Context, name: Value, wanted: Value, key: Value, sought: Value) -> str:
    column, key_column, text = as_text(wanted), as_text(key), as_text(sought)
    for document in context.record.instance(as_text(name)):
        for root in document.named("root"):
            for item in root.named("item"):
                if any(cell.text() == text for cell in item.named(key_column)):
                    return next((cell.text() for cell in item.named(column)), "")
    return ""


def _choice_name(context: Context, value: Value, path: Value) -> str:
    return context.record.choice_name(context, as_text(value), as_text(path))


def _itext(context: Context, name: Value) -> str:
    return context.record.itext(as_text(name))


def _of_context(call: Callable[[Value], Value]) -> Callable[..., Value]:
    """Return a function whose argument may be left out for the context node."""

    def compute(context: Context, value: Value | None = None) -> Value:
        return call([context.node] if value is None else value)

    return compute


def _name(value: Value) -> str:
    nodes = _nodes(value)
    return nodes[0].name if nodes else ""


def _text_function(call: Callable[[str, str], bool]) -> Callable[[Value, Value], bool]:
    return lambda one, other: call(as_text(one), as_text(other))


def _simple() -> dict[str, tuple[int, int | None, str | None, Callable[..., Any]]]:
    text, number, truth = "text", "number", "truth"
    return {
        "abs": (1, 1, number, numbers.real(abs)),
        "acos": (1, 1, number, numbers.real(math.acos)),
        "area": (1, 1, number, _area),
        "asin": (1, 1, number, numbers.real(math.asin)),
        "atan": (1, 1, number, numbers.real(math.atan)),
        "atan2": (2, 2, number, numbers.real_of_two(math.atan2)),
        "base64-decode": (1, 1, text, texts.base64_decoded),
        "boolean": (1, 1, truth, as_boolean),
        "boolean-from-string": (1, 1, truth, lambda value: as_text(value) in {"1", "true"}),
        "ceiling": (1, 1, number, numbers.real(numbers.to_integer(math.ceil))),
        "checklist": (2, None, truth, _checklist),
        "coalesce": (2, 2, text, lambda one, other: as_text(one) or as_text(other)),
        "concat": (0, None, text, lambda *values: texts.joined("", *values)),
        "contains": (2, 2, truth, _text_function(lambda hay, needle: needle in hay)),
        "cos": (1, 1, number, numbers.real(math.cos)),
        "count": (1, 1, number, lambda nodes: float(len(_nodes(nodes)))),
        "count-non-empty": (1, 1, number, lambda nodes: float(sum(node.text() != "" for node in _nodes(nodes)))),
        "count-selected": (1, 1, number, texts.count_selected),
        "date": (1, 1, None, _date),
        "date-time": (1, 1, None, _date),
        "decimal-date-time": (1, 1, number, _decimal_date_time),
        "decimal-time": (1, 1, number, lambda value: moments.time_of_day(as_text(value))),
        "digest": (2, 3, text, texts.digest),
        "distance": (1, None, number, _distance),
        "ends-with": (2, 2, truth, _text_function(str.endswith)),
        "exp": (1, 1, number, numbers.real(math.exp)),
        "exp10": (1, 1, number, lambda value: numbers.power(10.0, as_number(value))),
        "false": (0, 0, truth, lambda: False),
        "floor": (1, 1, number, numbers.real(numbers.to_integer(math.floor))),
        "format-date": (2, 2, text, lambda value, form: moments.formatted(as_text(value), as_text(form))),
        "format-date-time": (2, 2, text, lambda value, form: moments.formatted(as_text(value), as_text(form))),
        "geofence": (2, 2, truth, lambda point, outline: geometry.is_inside(as_text(point), as_text(outline))),
        "int": (1, 1, number, numbers.whole_part),
        "join": (1, None, text, texts.joined),
        "log": (1, 1, number, numbers.real(numbers.logarithm(math.log))),
        "log10": (1, 1, number, numbers.real(numbers.logarithm(math.log10))),
        "max": (0, None, number, numbers.extreme(max)),
        "min": (0, None, number, numbers.extreme(min)),
        "not": (1, 1, truth, lambda value: not as_boolean(value)),
        "pi": (0, 0, number, lambda: math.pi),
        "pow": (2, 2, number, numbers.real_of_two(numbers.power)),
        # The order of choices is for the eye; nothing is decided by it.
        "randomize": (1, 2, "nodes", lambda nodes, _seed=0.0: _nodes(nodes)),
        "regex": (2, 2, truth, texts.is_matched),
        "round": (1, 2, number, numbers.rounded_to),
        "selected": (2, 2, truth, texts.is_selected),
        "selected-at": (2, 2, text, texts.selected_at),
        "sin": (1, 1, number, numbers.real(math.sin)),
        "sqrt": (1, 1, number, numbers.real(math.sqrt)),
        "starts-with": (2, 2, truth, _text_function(str.startswith)),
        "substr": (2, 3, text, texts.substr),
        "substring": (2, 3, text, texts.substring),
        "substring-after": (2, 2, text, texts.substring_after),
        "substring-before": (2, 2, text, texts.substring_before),
        "sum": (1, 1, number, numbers.summed),
        "tan": (1, 1, number, numbers.real(math.tan)),
        "translate": (3, 3, text, texts.translated),
        "true": (0, 0, truth, lambda: True),
        "weighted-checklist": (2, None, truth, _weighted_checklist),
    }


def _contextual() -> dict[str, tuple[int, int | None, str | None, Callable[..., Any]]]:
    return {
        "current": (0, 0, "nodes", lambda context: [context.current]),
        "indexed-repeat": (3, None, "nodes", _indexed_repeat),
        "instance": (1, 1, "nodes", _instance),
        "jr:choice-name": (2, 2, "text", _choice_name),
        "jr:itext": (1, 1, "text", _itext),
        "last": (0, 0, "number", lambda context: float(context.size)),
        "local-name": (0, 1, "text", _of_context(_name)),
        "name": (0, 1, "text", _of_context(_name)),
        "normalize-space": (0, 1, "text", _of_context(texts.normalized)),
        "now": (0, 0, None, lambda context: context.record.clock("now")),
        "number": (0, 1, None, _of_context(_number)),
        "position": (0, 1, "number", _position),
        "pulldata": (4, 4, "text", _pulldata),
        "random": (0, 0, "number", _chance),
        "string": (0, 1, "text", _of_context(as_text)),
        "string-length": (0, 1, "number", _of_context(lambda value: float(len(utf16(as_text(value)))))),
        "today": (0, 0, None, lambda context: context.record.clock("today")),
        "uuid": (0, 1, "text", _chance),
    }


FUNCTIONS: Mapping[str, Function] = {
    **{name: Function(*shape) for name, shape in _simple().items()},
    **{name: Function(*shape, needs_context=True) for name, shape in _contextual().items()},
}
#: What `compiling` builds itself: how many arguments each takes.
FORMS = {"if": 3, "once": 1}
#: Every function that a form may call. The phone's engine has them all, and a few that nobody here computes.
NAMES = frozenset(FUNCTIONS) | frozenset(FORMS)

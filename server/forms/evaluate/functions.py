"""ODK's functions over values: what each takes, what it gives, and the one list of those that a form may call.

A function gets its arguments already evaluated, after the context where it asks for it. `if` and `once`, which must not
evaluate all they are given, are built by `compiling`.
"""

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.forms.evaluate import geometry, moments, patterns
from server.forms.evaluate.context import Context, Unevaluable
from server.forms.evaluate.values import (
    Node,
    Value,
    as_boolean,
    as_number,
    as_text,
    from_utf16,
    number_in_text,
    numbers_of,
    texts_of,
    trimmed,
    utf16,
)

#: A longer text than this comes from no form that people fill in.
MAX_TEXT = 1_000_000
MAX_MATCHED = 10_000

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


def _int(value: Value) -> float:
    number = as_number(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def rounded(number: float) -> float:
    """Return the nearest whole number, the upper of two: JavaScript's Math.round."""
    if not math.isfinite(number) or abs(number) >= 2**52:
        return number
    below = math.floor(number)
    return float(below + 1 if number - below >= 0.5 else below)


def power(base: float, exponent: float) -> float:
    """Return JavaScript's Math.pow: no exceptions, and no number where none is real."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.nan if base != 0 else (-math.inf if math.copysign(1, base) < 0 and exponent % 2 == -1 else math.inf)


def divided(left: float, right: float) -> float:
    """Return JavaScript's quotient, infinite or no number where the divisor is 0."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def remainder(left: float, right: float) -> float:
    """Return JavaScript's remainder, which has the sign of what is divided."""
    return math.nan if right == 0 or not math.isfinite(left) or math.isnan(right) else math.fmod(left, right)


def _round(value: Value, decimals: Value = 0.0) -> float:
    number, places = as_number(value), as_number(decimals)
    if math.isnan(number) or math.isnan(places):
        return math.nan
    factor = power(10.0, places)
    shifted = rounded(abs(number) * factor)
    return divided(shifted, factor) * (-1 if number < 0 else 1)


def _math(call: Callable[[float], float]) -> Callable[[Value], float]:
    def compute(value: Value) -> float:
        number = as_number(value)
        if math.isnan(number):
            return number
        try:
            return call(number)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return compute


def _logarithm(call: Callable[[float], float]) -> Callable[[float], float]:
    return lambda number: -math.inf if number == 0 else call(number)


def _whole(call: Callable[[float], int]) -> Callable[[float], float]:
    return lambda number: float(call(number)) if math.isfinite(number) else number


def _two(call: Callable[[float, float], float]) -> Callable[[Value, Value], float]:
    def compute(one: Value, other: Value) -> float:
        first, second = as_number(one), as_number(other)
        return math.nan if math.isnan(first) or math.isnan(second) else call(first, second)

    return compute


def _sum(values: Value) -> float:
    total: float | None = None
    for number in numbers_of(values):
        if math.isnan(number):
            return number
        total = number if total is None else total + number
    return math.nan if total is None else total


def _most(call: Callable[[list[float]], float]) -> Callable[..., float]:
    def compute(*values: Value) -> float:
        numbers = [number for value in values for number in numbers_of(value)]
        return math.nan if not numbers or any(map(math.isnan, numbers)) else call(numbers)

    return compute


def _nodes(value: Value) -> list[Node]:
    if not isinstance(value, list):
        raise Unevaluable("a node set is needed")
    return value


def _limited(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise Unevaluable("the text grows too long")
    return text


def _join(glue: Value, *values: Value) -> str:
    return _limited(as_text(glue).join(text for value in values for text in texts_of(value)))


_SPACES = re.compile("[ \t\r\n]+")
_SEVERAL_SPACES = re.compile("[ \t\r\n]{2,}")


def _words(text: str) -> list[str]:
    return _SPACES.split(trimmed(text))


def _selected(chosen: Value, wanted: Value) -> bool:
    return trimmed(as_text(wanted)) in _words(as_text(chosen))


def _count_selected(chosen: Value) -> float:
    text = trimmed(as_text(chosen))
    return float(len(_words(text))) if text else 0.0


def _leading_integer(value: Value) -> int | None:
    """Return what JavaScript's parseInt reads at the beginning of a text."""
    text = as_text(value).lstrip()
    end = 1 if text[:1] in {"+", "-"} else 0
    while text[end : end + 1].isdigit() and text[end].isascii() and end < 20:
        end += 1
    return int(text[:end]) if text[:end].strip("+-") else None


def _selected_at(chosen: Value, index: Value) -> str:
    words, at = _words(as_text(chosen)), _leading_integer(index)
    return words[at] if at is not None and 0 <= at < len(words) else ""


def _substr(value: Value, start: Value, end: Value | None = None) -> str:
    text = utf16(as_text(value))
    first, last = _leading_integer(start), len(text) if end is None else _leading_integer(end)
    # The engine's arithmetic on what is no number takes the whole comparison down to an empty text.
    if not text or first is None or last is None:
        return ""
    first = first + len(text) if first < 0 else first
    last = last + len(text) if last < 0 else last
    return from_utf16(text[max(0, first) : max(0, last)])


def _substring(value: Value, start: Value, length: Value | None = None) -> str:
    text = utf16(as_text(value))
    first = rounded(as_number(start)) - 1
    count = math.inf if length is None else rounded(as_number(length))
    last = first + count
    if not text or math.isnan(first) or first == math.inf or math.isnan(last):
        return ""
    begin, end = (int(min(max(0.0, at), len(text))) for at in (first, last))
    # JavaScript's substring swaps ends that come in the wrong order.
    return from_utf16(text[min(begin, end) : max(begin, end)])


def _substring_before(value: Value, needle: Value) -> str:
    text, sought = as_text(value), as_text(needle)
    at = text.find(sought)
    return text[:at] if at > 0 else ""


def _substring_after(value: Value, needle: Value) -> str:
    text, sought = utf16(as_text(value)), utf16(as_text(needle))
    if not sought:
        return from_utf16(text)
    at = text.find(sought)
    # One letter after where it begins, as the engine has it, not after where it ends.
    return from_utf16(text[at + 1 :]) if at >= 0 else ""


def _translate(value: Value, letters: Value, others: Value) -> str:
    replaced = utf16(as_text(others))
    table: dict[int, str] = {}
    for at, letter in enumerate(utf16(as_text(letters))):
        table.setdefault(ord(letter), replaced[at : at + 1])
    return from_utf16(utf16(as_text(value)).translate(table))


def _regex(value: Value, pattern: Value) -> bool:
    text = utf16(as_text(value))
    if len(text) > MAX_MATCHED:
        raise Unevaluable("too long for a pattern")
    try:
        return patterns.pattern(utf16(as_text(pattern))).is_in(text)
    except patterns.NotAPattern as error:
        raise Unevaluable(str(error)) from error


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


def _digest(value: Value, algorithm: Value, encoding: Value = "base64") -> str:
    name = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}.get(
        as_text(algorithm)
    )
    if name is None or as_text(encoding) not in {"base64", "hex"}:
        raise Unevaluable("no such digest")
    digest = hashlib.new(name, as_text(value).encode("utf-8", "replace"), usedforsecurity=False).digest()
    return digest.hex() if as_text(encoding) == "hex" else base64.b64encode(digest).decode()


def _base64_decode(value: Value) -> str:
    text = "".join(as_text(value).split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4) if "=" not in text else text, validate=True).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return ""


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


def _normalized(value: Value) -> str:
    # The engine makes one space of several, and leaves a single tab a tab.
    return _SEVERAL_SPACES.sub(" ", trimmed(as_text(value)))


def _text_function(call: Callable[[str, str], bool]) -> Callable[[Value, Value], bool]:
    return lambda one, other: call(as_text(one), as_text(other))


def _simple() -> dict[str, tuple[int, int | None, str | None, Callable[..., Any]]]:
    text, number, truth = "text", "number", "truth"
    return {
        "abs": (1, 1, number, _math(abs)),
        "acos": (1, 1, number, _math(math.acos)),
        "area": (1, 1, number, _area),
        "asin": (1, 1, number, _math(math.asin)),
        "atan": (1, 1, number, _math(math.atan)),
        "atan2": (2, 2, number, _two(math.atan2)),
        "base64-decode": (1, 1, text, _base64_decode),
        "boolean": (1, 1, truth, as_boolean),
        "boolean-from-string": (1, 1, truth, lambda value: as_text(value) in {"1", "true"}),
        "ceiling": (1, 1, number, _math(_whole(math.ceil))),
        "checklist": (2, None, truth, _checklist),
        "coalesce": (2, 2, text, lambda one, other: as_text(one) or as_text(other)),
        "concat": (0, None, text, lambda *values: _join("", *values)),
        "contains": (2, 2, truth, _text_function(lambda hay, needle: needle in hay)),
        "cos": (1, 1, number, _math(math.cos)),
        "count": (1, 1, number, lambda nodes: float(len(_nodes(nodes)))),
        "count-non-empty": (1, 1, number, lambda nodes: float(sum(node.text() != "" for node in _nodes(nodes)))),
        "count-selected": (1, 1, number, _count_selected),
        "date": (1, 1, None, _date),
        "date-time": (1, 1, None, _date),
        "decimal-date-time": (1, 1, number, _decimal_date_time),
        "decimal-time": (1, 1, number, lambda value: moments.time_of_day(as_text(value))),
        "digest": (2, 3, text, _digest),
        "distance": (1, None, number, _distance),
        "ends-with": (2, 2, truth, _text_function(str.endswith)),
        "exp": (1, 1, number, _math(math.exp)),
        "exp10": (1, 1, number, lambda value: power(10.0, as_number(value))),
        "false": (0, 0, truth, lambda: False),
        "floor": (1, 1, number, _math(_whole(math.floor))),
        "format-date": (2, 2, text, lambda value, form: moments.formatted(as_text(value), as_text(form))),
        "format-date-time": (2, 2, text, lambda value, form: moments.formatted(as_text(value), as_text(form))),
        "geofence": (2, 2, truth, lambda point, outline: geometry.is_inside(as_text(point), as_text(outline))),
        "int": (1, 1, number, _int),
        "join": (1, None, text, _join),
        "log": (1, 1, number, _math(_logarithm(math.log))),
        "log10": (1, 1, number, _math(_logarithm(math.log10))),
        "max": (0, None, number, _most(max)),
        "min": (0, None, number, _most(min)),
        "not": (1, 1, truth, lambda value: not as_boolean(value)),
        "pi": (0, 0, number, lambda: math.pi),
        "pow": (2, 2, number, _two(power)),
        # The order of choices is for the eye; nothing is decided by it.
        "randomize": (1, 2, "nodes", lambda nodes, _seed=0.0: _nodes(nodes)),
        "regex": (2, 2, truth, _regex),
        "round": (1, 2, number, _round),
        "selected": (2, 2, truth, _selected),
        "selected-at": (2, 2, text, _selected_at),
        "sin": (1, 1, number, _math(math.sin)),
        "sqrt": (1, 1, number, _math(math.sqrt)),
        "starts-with": (2, 2, truth, _text_function(str.startswith)),
        "substr": (2, 3, text, _substr),
        "substring": (2, 3, text, _substring),
        "substring-after": (2, 2, text, _substring_after),
        "substring-before": (2, 2, text, _substring_before),
        "sum": (1, 1, number, _sum),
        "tan": (1, 1, number, _math(math.tan)),
        "translate": (3, 3, text, _translate),
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
        "normalize-space": (0, 1, "text", _of_context(_normalized)),
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

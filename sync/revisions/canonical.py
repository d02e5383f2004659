"""JSON read strictly and written in one way only, so that equal content has equal bytes on every machine (I1).

`parse` refuses whatever two readers could understand differently: duplicate keys, NaN and infinities, numbers that a
double does not hold, lone surrogates, `__proto__`, and trees too deep or too large to walk. `canonical` writes RFC 8785
(JSON Canonicalization Scheme): no spaces, keys in UTF-16 order, numbers as ECMAScript writes them. Documents hold
hardly any numbers and no astral keys, for which the C encoder of `json` already gives that form in a fraction of the
time; a look at its output decides whether the slow writer must run. Python and TypeScript share
`tests/vectors/canonical.json`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from math import isfinite
from typing import Any, TypeAlias

from sync.revisions.json_pointer import pointer_to

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_DEPTH = 64
MAX_NODES = 500_000
#: The greatest integer that a double holds together with both neighbours (ECMAScript's MAX_SAFE_INTEGER).
MAX_INTEGER = 2**53 - 1
#: The longest integer that ECMAScript writes without an exponent, with its sign.
MAX_DIGITS = 22

#: A tree that holds itself ends in a RecursionError; looking for it object by object would cost more than that.
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, check_circular=False, separators=(",", ":")
).encode
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Output of the C encoder that may differ from RFC 8785: what looks like a fraction, an exponent or a long integer (or
#: an astral character, perhaps in a key). Text inside strings can look so too; then the slow writer runs in vain.
_NUMBER = re.compile(r'[:\[,](?:(?<=":)|(?<!:))-?\d+(?:\.\d|e|(?<=\d{16}))')
#: For a first look, which nearly every document passes: what can begin a number becomes 0, what can stand before one in
#: a list a comma, what begins an astral character in UTF-8 a byte that never occurs there. One pass and three searches
#: for bytes cost a third of the pattern above.
_FIRST_LOOK = bytes.maketrans(b"-123456789[\xf0\xf1\xf2\xf3\xf4", b"0000000000,\xff\xff\xff\xff\xff")


class ExactNumber(float):
    """A number that keeps the text it came in, where that is not the way in which its value is written here."""

    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        """Keep the text; the value is as near as a double comes, or infinite."""
        number = super().__new__(cls, float(text))
        number.text = text
        return number


class MalformedJson(ValueError):
    """Bytes or a value that no document may hold; `where` is a JSON Pointer, or an offset where no tree exists yet."""

    def __init__(self, code: str, where: str = "") -> None:
        """Keep the code for the client and the place for its author."""
        self.code = code
        self.where = where
        super().__init__(f"{code} at {where}" if where else code)


@dataclass(frozen=True, slots=True)
class Reading:
    """A tree together with the places in it that no document may hold, so that one bad document spoils no batch."""

    value: Json
    flaws: tuple[MalformedJson, ...]


#: What equals nothing but its like: of these `==` says what JSON says.
PLAIN = frozenset({str, type(None)})


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON: 1 and 1.0 are one number, and neither of them is `true`.

    Whatever is no JSON, as a mark for what is absent, is the same as what equals it.
    """
    return one == other and (type(one) in PLAIN or is_exact(one, other))


def is_exact(one: Any, other: Any) -> bool:
    """Whether values that are equal to Python hold no truth value where the other holds a number."""
    # Asked by class first: of a class that a mapping may be, Python asks many times as long.
    if type(one) is dict or isinstance(one, Mapping):
        # Nearly all values are strings, and one look at all of their types is cheaper than one at each.
        if PLAIN.issuperset(map(type, one.values())):
            return True
        return all(type(value) in PLAIN or is_exact(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return PLAIN.issuperset(map(type, one)) or all(map(is_exact, one, other))
    return one is other if isinstance(one, bool) or isinstance(other, bool) else True


def parse(data: bytes, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> Json:
    """Return the value of strict JSON in UTF-8; raise MalformedJson with the first flaw."""
    reading = read(data, max_depth=max_depth, max_nodes=max_nodes)
    if reading.flaws:
        raise reading.flaws[0]
    return reading.value


def read(
    data: bytes, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES, keeps_numbers: bool = False
) -> Reading:
    """Return the tree and its flaws by place; raise MalformedJson where no tree can be had at all.

    With `keeps_numbers` no number is a flaw: those that are written otherwise here, or that no double holds, are
    `ExactNumber`, and `canonical` writes them digit for digit as they came.
    """
    check_size(data, max_nodes)
    flawed: list[tuple[str, object]] = []

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            flawed.append(("duplicate_key", found))
        if "__proto__" in found:
            flawed.append(("forbidden_key", found))
        return found

    def integer(digits: str) -> int | float:
        if keeps_numbers and (digits == "-0" or len(digits) > MAX_DIGITS or abs(int(digits)) > MAX_INTEGER):
            return ExactNumber(digits)
        if len(digits) <= MAX_DIGITS:
            number = int(digits)
            if abs(number) <= MAX_INTEGER:
                return number
            # Doubles above 2^53 are written as integers too: those that are a double's own digits lose nothing.
            if _number(float(number)) == digits:
                return float(number)
        return flaw("number_out_of_range")

    def fraction(digits: str) -> float:
        number = float(digits)
        if keeps_numbers and (number in (float("inf"), float("-inf")) or _number(number) != digits):
            return ExactNumber(digits)
        return flaw("number_out_of_range") if number in (float("inf"), float("-inf")) else number

    def constant(_name: str) -> float:
        return flaw("not_a_number")

    def flaw(code: str) -> float:
        # A new object each time: the place is found by identity, and this one stands in one place only.
        stand_in = float("nan")
        flawed.append((code, stand_in))
        return stand_in

    try:
        value: Json = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=members,
            parse_int=integer,
            parse_float=fraction,
            parse_constant=constant,
        )
    except UnicodeDecodeError as error:
        raise MalformedJson("not_utf8", str(error.start)) from None
    except json.JSONDecodeError as error:
        raise MalformedJson("not_json", str(error.pos)) from None
    except RecursionError:
        raise MalformedJson("too_deep") from None
    _check_depth(value, max_depth)
    if flawed or _SURROGATE_ESCAPE.search(data):
        return Reading(value, tuple(_locate(value, flawed)))
    return Reading(value, ())


def check_size(data: bytes, max_nodes: int = MAX_NODES) -> None:
    """Return when JSON has so few values that a tree of them may be made; raise MalformedJson."""
    # Every value but the first follows a comma or an opening bracket, so counting those bounds the tree before any
    # memory is spent on it. Commas inside strings count too; only when they decide is it worth cutting strings out.
    if len(data) < max_nodes or data.count(b",") + data.count(b"[") + data.count(b"{") < max_nodes:
        return
    bare = _STRINGS.sub(b"", data)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") >= max_nodes:
        raise MalformedJson("too_many_values")


def canonical(value: Json) -> bytes:
    """Return `value` in RFC 8785; raise MalformedJson for a lone surrogate or a number outside the doubles."""
    try:
        if type(value) is str:
            return encode_basestring(value).encode("utf-8")
        text = _encode(value)
        data = text.encode("utf-8")
        look = data.translate(_FIRST_LOOK)
        may_have_numbers = b'":0' in look or b",0" in look
        if b"\xff" in look or (may_have_numbers and _NUMBER.search(text)) or isinstance(value, int | float):
            data = _write(value).encode("utf-8")
        return data
    except UnicodeEncodeError:
        raise MalformedJson("lone_surrogate") from None
    except RecursionError:
        raise MalformedJson("too_deep") from None
    except ValueError as error:
        if isinstance(error, MalformedJson):
            raise
        # Either it is no number, or it is too large for a double and keeps its text: the slow writer tells them apart.
        return _by_the_letter(value)


def _by_the_letter(value: Json) -> bytes:
    try:
        return _write(value).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedJson("lone_surrogate") from None


def member(data: bytes, name: str) -> Json:
    """Return one member of an object in canonical form without reading what stands before it; None without it."""
    key = json.dumps(name, ensure_ascii=False).encode() + b":"
    at = data.rfind(key)
    while at >= 0:
        # A quotation mark inside a string has a backslash before it.
        if data[at - 1 : at] in {b"{", b","}:
            try:
                # What stands from here to the end is the rest of an object. Where the member belongs to one further in,
                # that one ends before the data does.
                found: dict[str, Json] = json.loads("{" + data[at:].decode())
            except json.JSONDecodeError:
                pass
            else:
                return found[name]
        at = data.rfind(key, 0, at)
    return None


def _check_depth(value: Json, max_depth: int) -> None:
    level = [value] if isinstance(value, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > max_depth:
            raise MalformedJson("too_deep")
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]


def _locate(value: Json, flawed: list[tuple[str, object]]) -> list[MalformedJson]:
    """Return the flaws of a parsed tree by place: those noted of its objects, and lone surrogates."""
    codes: dict[int, list[str]] = {}
    for code, thing in flawed:
        codes.setdefault(id(thing), []).append(code)
    found: list[MalformedJson] = []
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), value)]
    while waiting:
        path, part = waiting.pop()
        found.extend(MalformedJson(code, pointer_to(path)) for code in codes.get(id(part), ()))
        if isinstance(part, str):
            if _SURROGATE.search(part):
                found.append(MalformedJson("lone_surrogate", pointer_to(path)))
        elif isinstance(part, Mapping):
            found.extend(MalformedJson("lone_surrogate", pointer_to(path)) for key in part if _SURROGATE.search(key))
            waiting.extend(((*path, key), child) for key, child in part.items())
        elif isinstance(part, Sequence):
            waiting.extend(((*path, index), child) for index, child in enumerate(part))
    return found


def _write(value: Json) -> str:
    """Return RFC 8785 text by its letter, whatever the tree holds."""
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_string(key)}:{_write(child)}" for key, child in members) + "}"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, ExactNumber):
        return value.text
    if isinstance(value, float):
        if not isfinite(value):
            raise MalformedJson("not_a_number")
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_INTEGER:
        raise MalformedJson("number_out_of_range", str(value)[:20])
    return json.dumps(value)


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """Return a double as ECMA-262 Number::toString does: Python's digits are the same, their layout is not."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, part = mantissa.partition(".")
    part = "" if part == "0" else part
    digits = (whole + part).lstrip("0")
    # The decimal point stands after `point` digits, counted from the first that is not zero.
    point = len(whole) + int(exponent or 0) - (len(whole + part) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        text = digits.ljust(point, "0") if len(digits) <= point else f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        power = point - 1
        text = f"{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{'+' if power > 0 else '-'}{abs(power)}"
    return sign + text

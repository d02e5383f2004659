"""Values of expressions, as the phone's engine converts and compares them: texts, numbers, booleans, node sets.

Numbers are JavaScript's, since the engine is written in it: what a text is as a number, how a number is written, and
that text which looks like a date counts as days since 1970. Node sets compare as XPath 1.0 says: if any of their nodes
does.
"""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

from server.forms.evaluate import moments


class Node(Protocol):
    """An element that expressions look at: of a record's answers or of a choice list."""

    @property
    def name(self) -> str:
        """The element's name, "" for what stands above the root."""

    @property
    def index(self) -> int:
        """Return its position among siblings of the same name, from 1."""

    @property
    def parent(self) -> "Node | None":
        """The element around it."""

    def named(self, name: str) -> Sequence["Node"]:
        """Return the child elements of that name, in order."""

    def children(self) -> Sequence["Node"]:
        """Return all child elements, in order."""

    def text(self) -> str:
        """Return the value that expressions see: "" for what is blank or not relevant."""


class DocumentNode:
    """The node above the root: an element without a name, whose only child is the root."""

    __slots__ = ("_root",)
    name = ""
    index = 1
    parent: Node | None = None

    def __init__(self, root: Node) -> None:
        """Stand above `root`."""
        self._root = root

    def named(self, name: str) -> Sequence[Node]:
        """Return the root if that is its name."""
        return [self._root] if name == self._root.name else []

    def children(self) -> Sequence[Node]:
        """Return the root."""
        return [self._root]

    def text(self) -> str:
        """Return ""."""
        return ""


Value = str | float | bool | list[Node]

#: What JavaScript trims: white space and ends of lines.
_JS_SPACE = " \t\n\r\v\f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_JS_TRIM = re.compile(rf"^[{_JS_SPACE}]+|[{_JS_SPACE}]+\Z")
_XML_SPACE = " \t\r\n"
_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
#: Numbers have seventeen digits; a text that is longer than this is no number that a person entered.
MAX_NUMBER_LENGTH = 1_000


def number_of_text(text: str) -> float:
    """Return what JavaScript's Number() makes of a text."""
    if _PLAIN(text):
        return float(text)
    if len(text) > MAX_NUMBER_LENGTH:
        return math.nan
    trimmed = _JS_TRIM.sub("", text)
    if not trimmed:
        return 0.0
    if _DECIMAL.fullmatch(trimmed):
        return float(trimmed)
    if _RADIX.fullmatch(trimmed):
        return float(int(trimmed, 0))
    return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(trimmed, math.nan)


def text_of_number(number: float) -> str:
    """Return a number as JavaScript writes it; what is no number, or has no end, is blank."""
    if not math.isfinite(number):
        return ""
    if number == 0:
        return "0"
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number)) if abs(number) < 1e15 else format(Decimal(repr(number)), "f").removesuffix(".0")
    if 1e-6 <= abs(number) < 1e21:
        return format(Decimal(repr(number)), "f")
    digits, _, exponent = repr(number).partition("e")
    if not exponent:
        # Python turns to exponents a little later than JavaScript.
        digits, _, exponent = f"{Decimal(repr(number)):e}".partition("e")
    power = int(exponent)
    return f"{digits.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"


def trimmed(text: str) -> str:
    """Return a text without XML's white space around it."""
    return text.strip(_XML_SPACE)


def number_in_text(text: str) -> float:
    """Return a text as a number: days since 1970 where it looks like a date."""
    if not text:
        return math.nan
    # Most texts are short numbers; a date has a dash at its fifth place.
    if text[4:5] == "-":
        moment = moments.parse(text)
        if moment is not None:
            return moment.days
    return number_of_text(text)


def number_in_node(node: Node) -> float:
    """Return a node's value as a number; blank is none."""
    text = node.text()
    if _PLAIN(text):
        return float(text)
    return number_in_text(text) if trimmed(text) else math.nan


def as_number(value: Value) -> float:
    """Return a value as a number; of a node set its first node's."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return number_in_text(value)
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    return number_in_node(value[0]) if value else math.nan


def as_text(value: Value) -> str:
    """Return a value as a text; of a node set its first node's."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, moments.Moment):
        return value.text
    if isinstance(value, float):
        return text_of_number(value)
    return value[0].text() if value else ""


def as_boolean(value: Value) -> bool:
    """Return a value as a truth: a text that is not empty, a number but 0, a node set with any node."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return bool(value)


def texts_of(value: Value) -> list[str]:
    """Return the texts of all nodes, or the one text of another value."""
    return [node.text() for node in value] if isinstance(value, list) else [as_text(value)]


def numbers_of(value: Value) -> list[float]:
    """Return the numbers of all nodes, or the one number of another value."""
    return [number_in_node(node) for node in value] if isinstance(value, list) else [as_number(value)]


def equals(left: Value, right: Value) -> bool:
    """Return whether any two of their values are equal."""
    if isinstance(left, bool) or isinstance(right, bool):
        return as_boolean(left) == as_boolean(right)
    if isinstance(left, list):
        return any(_node_equals(node, right) for node in left)
    if isinstance(right, list):
        return any(_node_equals(node, left) for node in right)
    if isinstance(left, float) or isinstance(right, float):
        return as_number(left) == as_number(right)
    return left == right


def differs(left: Value, right: Value) -> bool:
    """Return whether any two of their values are not equal: of an empty node set none is."""
    if isinstance(left, bool) or isinstance(right, bool):
        return as_boolean(left) != as_boolean(right)
    if isinstance(left, list):
        if isinstance(right, list):
            return any(one.text() != other.text() for one in left for other in right)
        return any(not _node_equals(node, right) for node in left)
    if isinstance(right, list):
        return any(not _node_equals(node, left) for node in right)
    return not equals(left, right)


def _node_equals(node: Node, other: Value) -> bool:
    if isinstance(other, list):
        text = node.text()
        return any(text == each.text() for each in other)
    if isinstance(other, str):
        return node.text() == other
    return number_in_node(node) == as_number(other)


def compares(left: Value, right: Value, holds: Callable[[float, float], bool]) -> bool:
    """Return whether `holds` of any two of their numbers."""
    others = numbers_of(right)
    return any(holds(one, other) for one in numbers_of(left) for other in others)


def utf16(text: str) -> str:
    """Return a text as JavaScript counts it: letters beyond U+FFFF are two."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    pairs = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(pairs[at] | pairs[at + 1] << 8) for at in range(0, len(pairs), 2))


def from_utf16(text: str) -> str:
    """Return what `utf16` split, whole again."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

"""An author's expression cut into tokens, whatever it is written in: what is no XPath is a token too.

The readers of `evaluate` take XPath alone. Here `${name}`, `==`, `AND` and curly quotes are told apart as well, with
their places, so that a mend can replace just them. Linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["reference", "literal", "curly", "number", "function", "name", "symbol", "other"]

_NAME: Final = r"[^\W\d][\w.\-]*+"
_TOKEN: Final = re.compile(
    rf"""(?P<reference>\$\{{[^{{}}]*+\}})
       | (?P<literal>"[^"]*+"|'[^']*+')
       | (?P<curly>[“”„][^“”„"]*+[“”"]|[‘’‚][^‘’‚']*+[‘’']|'[^'’]*+’)
       | (?P<number>\d++(?:\.\d*+)?|\.\d++)
       | (?P<function>{_NAME}(?::{_NAME})?+)(?=\s*+\()
       | (?P<name>{_NAME}(?::(?!:){_NAME})?+)
       | (?P<symbol>==|!=|<>|<=|>=|&&|\|\||::|//|\.\.|[≠≤≥()\[\].@,/|+\-=<>*!])
       | (?P<other>\S)""",
    re.VERBOSE,
)
#: Words that join operands; any other name that follows an operand is a mistake of another kind.
OPERATORS: Final = frozenset({"and", "or", "div", "mod"})
_ENDS_OPERAND: Final = frozenset({")", "]", ".", ".."})
#: A name behind these is a step of a path, or of a reference that was left open.
_BEFORE_STEP: Final = frozenset({"/", "//", "@", "::", ".", "{"})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `start` and `end` are its place."""

    kind: Kind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextEdit:
    """What is written in place of text[start:end]."""

    start: int
    end: int
    text: str


def tokens(expression: str) -> list[Token]:
    """Return the tokens of an expression in their order, white space left out."""
    found = []
    for match in _TOKEN.finditer(expression):
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        found.append(Token(kind, match.group(kind), match.start(), match.end()))
    return found


def edited(expression: str, edits: Iterable[TextEdit]) -> str:
    """Return the expression with these edits, none of which overlaps another."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda one: one.start):
        pieces += [expression[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, expression[at:]])


def operators(stream: Sequence[Token]) -> list[bool]:
    """Say of each token whether it stands where an operator does, behind an operand: so `and` is one, or a name."""
    found = []
    is_behind_operand = False
    for token in stream:
        found.append(is_behind_operand)
        is_word = token.kind in ("name", "function") and token.text.lower() in OPERATORS and is_behind_operand
        is_operand = token.kind in ("reference", "literal", "curly", "number", "name") or token.text in _ENDS_OPERAND
        is_behind_operand = is_operand and not is_word
    return found


def bare_names(stream: Sequence[Token]) -> Iterator[Token]:
    """Give the names that stand alone as operands: no steps of a path, no operators, nothing inside [ ]."""
    depth = 0
    for at, (token, is_operator) in enumerate(zip(stream, operators(stream), strict=True)):
        if token.kind == "symbol":
            depth += (token.text == "[") - (token.text == "]")
        if token.kind != "name" or depth > 0:
            continue
        is_step = at > 0 and stream[at - 1].text in _BEFORE_STEP
        leads_on = at + 1 < len(stream) and stream[at + 1].text in ("/", "//", "::")
        if not is_step and not leads_on and not (token.text.lower() in OPERATORS and is_operator):
            yield token


def brackets(stream: Sequence[Token]) -> dict[int, tuple[int, int]]:
    """Return for each opening bracket where it closes, and how many commas stand directly in it."""
    found: dict[int, tuple[int, int]] = {}
    open_ones: list[list[int]] = []
    for at, token in enumerate(stream):
        text = token.text if token.kind == "symbol" else ""
        if text in ("(", "["):
            open_ones.append([at, 0])
        elif text in (")", "]") and open_ones:
            opening, commas = open_ones.pop()
            found[opening] = (at, commas)
        elif text == "," and open_ones:
            open_ones[-1][1] += 1
    return found

"""XPath 1.0 as a tree: read once when a form is compiled, linear in its length, refusing what is no XPath.

The grammar is that of the recommendation (https://www.w3.org/TR/1999/REC-xpath-19991116/), with its rule for telling
operators from names by what stands before them. Variables are left out, which forms do not have.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 64
#: A longer chain of operators would exhaust Python's stack when it is run.
MAX_TREE_DEPTH = 200
MAX_TOKENS = 20_000

AXES = frozenset(
    {
        "ancestor",
        "ancestor-or-self",
        "attribute",
        "child",
        "descendant",
        "descendant-or-self",
        "following",
        "following-sibling",
        "parent",
        "preceding",
        "preceding-sibling",
        "self",
    }
)
NODE_TYPES = frozenset({"node", "text", "comment", "processing-instruction"})


class NotXPath(ValueError):
    """The text is no expression; the message says where reading ended."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    value: float


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function with its arguments."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what joins them: or, and, a comparison, arithmetic, or | for a union."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus before an operand."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path; `name` is a name, "*", or a node type with brackets such as "node()"."""

    axis: str
    name: str
    predicates: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from the document ("/"), from the context node (None), or from what an expression gives."""

    start: "Expression | str | None"
    predicates: tuple["Expression", ...]
    steps: tuple[Step, ...]


Expression = Literal | Number | FunctionCall | Binary | Negative | Path

ROOT = "/"

_NAME = r"[^\W\d][\w.\-]*"
_TOKEN = re.compile(
    rf"""\s*+(?:
        (?P<number>[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)
      | (?P<literal>"[^"]*+"|'[^']*+')
      | (?P<symbol>\.\.|::|//|!=|<=|>=|[()\[\].@,/|+\-=<>*])
      | (?P<name>{_NAME}(?::(?!:)(?:{_NAME}|\*))?)
    )""",
    re.VERBOSE,
)
#: After these a name or a star is an operand; after anything else it is an operator.
_BEFORE_OPERAND = frozenset(
    {"", "@", "::", "(", "[", ",", "/", "//", "|", "+", "-", "=", "!=", "<", "<=", ">", ">=", "and", "or", "mod", "div"}
    | {"times"}
)
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"=", "!="}),
    frozenset({"<", "<=", ">", ">="}),
    frozenset({"+", "-"}),
    frozenset({"times", "div", "mod"}),
)


def parse(text: str) -> Expression:
    """Return the tree of an expression; raise `NotXPath`."""
    tree = _Parser(_tokens(text)).parse()
    level: list[Expression] = [tree]
    for _ in range(MAX_TREE_DEPTH):
        level = [part for around in level for part in inner_parts(around)]
    if level:
        raise NotXPath("too long a chain")
    return tree


def parts_of(tree: Expression) -> Iterator[Expression]:
    """Give an expression and all that it is made of."""
    open_parts: list[Expression] = [tree]
    while open_parts:
        part = open_parts.pop()
        yield part
        open_parts.extend(inner_parts(part))


def inner_parts(part: Expression) -> list[Expression]:
    """Return the expressions that stand directly in another."""
    match part:
        case FunctionCall(_, arguments):
            return list(arguments)
        case Binary(_, left, right):
            return [left, right]
        case Negative(operand):
            return [operand]
        case Path(start, predicates, steps):
            begin = [] if start is None or isinstance(start, str) else [start]
            return [*begin, *predicates, *(each for step in steps for each in step.predicates)]
        case Literal() | Number():
            return []


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return (kind, text) of every token, kind being number, literal, name, or an operator or symbol itself."""
    tokens: list[tuple[str, str]] = []
    position, before = 0, ""
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None or len(tokens) >= MAX_TOKENS:
            raise NotXPath(f"at character {position + 1}")
        position = found.end()
        kind, value = str(found.lastgroup), str(found.group(found.lastgroup or 0))
        if kind == "symbol":
            kind = value
        is_operator = before not in _BEFORE_OPERAND
        if value == "*" and is_operator:
            kind = "times"
        elif kind == "name" and is_operator:
            if value not in {"and", "or", "mod", "div"}:
                raise NotXPath(f"{value} at character {position + 1}")
            kind = value
        tokens.append((kind, value))
        before = kind
    return tokens


class _Parser:
    """Reads tokens from left to right, one of them ahead."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._at = 0
        self._depth = 0

    def parse(self) -> Expression:
        expression = self._expression()
        self._expect("end")
        return expression

    def _kind(self, ahead: int = 0) -> str:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)][0]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _expect(self, kind: str) -> str:
        if self._kind() != kind:
            raise NotXPath(f"{self._tokens[self._at][1] or 'the end'} where {kind} is expected")
        return self._take()

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotXPath("nested too deeply")
        expression = self._binary(0)
        self._depth -= 1
        return expression

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._negative()
        left = self._binary(level + 1)
        while self._kind() in _LEVELS[level]:
            operator = self._kind()
            self._take()
            left = Binary(operator, left, self._binary(level + 1))
        return left

    def _negative(self) -> Expression:
        minuses = 0
        while self._kind() == "-":
            self._take()
            minuses += 1
        operand = self._union()
        if minuses > MAX_DEPTH:
            raise NotXPath("nested too deeply")
        for _ in range(minuses):
            operand = Negative(operand)
        return operand

    def _union(self) -> Expression:
        left = self._path()
        while self._kind() == "|":
            self._take()
            left = Binary("|", left, self._path())
        return left

    def _path(self) -> Expression:
        kind = self._kind()
        if kind == "/":
            self._take()
            return Path(ROOT, (), self._steps() if self._begins_step() else ())
        if kind == "//":
            self._take()
            return Path(ROOT, (), (Step("descendant-or-self", "node()"), *self._steps()))
        if kind in {"literal", "number", "("} or self._begins_call():
            return self._filtered()
        return Path(None, (), self._steps())

    def _filtered(self) -> Expression:
        primary = self._primary()
        predicates = self._predicates()
        steps: tuple[Step, ...] = ()
        if self._kind() == "/":
            self._take()
            steps = self._steps()
        elif self._kind() == "//":
            self._take()
            steps = (Step("descendant-or-self", "node()"), *self._steps())
        return Path(primary, predicates, steps) if predicates or steps else primary

    def _primary(self) -> Expression:
        kind = self._kind()
        text = self._take()
        if kind == "literal":
            return Literal(text[1:-1])
        if kind == "number":
            return Number(float(text))
        if kind == "(":
            expression = self._expression()
            self._expect(")")
            return expression
        self._expect("(")
        arguments: list[Expression] = []
        if self._kind() != ")":
            arguments.append(self._expression())
            while self._kind() == ",":
                self._take()
                arguments.append(self._expression())
        self._expect(")")
        return FunctionCall(text, tuple(arguments))

    def _begins_call(self) -> bool:
        return self._kind() == "name" and self._kind(1) == "(" and self._tokens[self._at][1] not in NODE_TYPES

    def _begins_step(self) -> bool:
        return self._kind() in {"name", "*", ".", "..", "@"}

    def _steps(self) -> tuple[Step, ...]:
        steps = [self._step()]
        while self._kind() in {"/", "//"}:
            if self._take() == "//":
                steps.append(Step("descendant-or-self", "node()"))
            steps.append(self._step())
        return tuple(steps)

    def _step(self) -> Step:
        kind = self._kind()
        if kind == ".":
            self._take()
            return Step("self", "node()", self._predicates())
        if kind == "..":
            self._take()
            return Step("parent", "node()", self._predicates())
        axis = "child"
        if kind == "@":
            self._take()
            axis = "attribute"
        elif kind == "name" and self._kind(1) == "::":
            axis = self._take()
            self._take()
            if axis not in AXES:
                raise NotXPath(f"no axis {axis}")
        if self._kind() == "*":
            return Step(axis, self._take(), self._predicates())
        name = self._expect("name")
        if self._kind() == "(":
            if name not in NODE_TYPES:
                raise NotXPath(f"{name}() is no step")
            self._take()
            if self._kind() == "literal":
                self._take()
            self._expect(")")
            name = f"{name}()"
        return Step(axis, name, self._predicates())

    def _predicates(self) -> tuple[Expression, ...]:
        predicates: list[Expression] = []
        while self._kind() == "[":
            self._take()
            predicates.append(self._expression())
            self._expect("]")
        return tuple(predicates)

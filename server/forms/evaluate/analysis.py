"""Static facts about an expression: the functions that it calls, its kind of value, the paths that it reads."""

from server.forms.evaluate.functions import FUNCTIONS
from server.forms.evaluate.syntax import (
    Binary,
    Expression,
    FunctionCall,
    Literal,
    Negative,
    Number,
    Path,
    Step,
    parts_of,
)

ARITHMETIC = frozenset({"+", "-", "times", "div", "mod"})
SELF = Path(None, (), (Step("self", "node()"),))
#: These look at the node in hand, the second ones where they are given nothing else.
_OF_THE_NODE = frozenset({"current", "jr:choice-name", "last", "once", "position"})
_ELSEWHERE = _OF_THE_NODE | {"indexed-repeat", "instance", "jr:itext", "now", "pulldata", "random", "uuid"}
_OR_GIVEN_NOTHING = frozenset({"local-name", "name", "normalize-space", "number", "string", "string-length"})


def calls(tree: Expression) -> set[str]:
    """Return the names of all functions that are called."""
    return {part.name for part in parts_of(tree) if isinstance(part, FunctionCall)}


def literal_patterns(tree: Expression) -> list[str]:
    """Return the patterns that regex() is given as they stand."""
    return [
        part.arguments[1].text
        for part in parts_of(tree)
        if isinstance(part, FunctionCall) and part.name == "regex" and isinstance(part.arguments[1], Literal)
    ]


def conjuncts(tree: Expression) -> list[Expression]:
    """Return the parts that all must hold for the whole to hold."""
    if isinstance(tree, Binary) and tree.operator == "and":
        return [*conjuncts(tree.left), *conjuncts(tree.right)]
    return [tree]


def gives(tree: Expression) -> str | None:
    """Return the kind of value that an expression gives, None where only running it tells."""
    kind: str | None = None
    match tree:
        case Literal() | FunctionCall("once", _):
            kind = "text"
        case Number() | Negative():
            kind = "number"
        case Path() | Binary("|", _, _):
            kind = "nodes"
        case Binary(sign, _, _) if sign not in {"and", "or"}:
            kind = "number" if sign in ARITHMETIC else "truth"
        case FunctionCall(name, _) if name in FUNCTIONS:
            kind = FUNCTIONS[name].gives
    return kind


def is_settled(tree: Expression) -> bool:
    """Say whether nothing in an expression looks at the node in hand, so that it is the same all over a record."""
    return not any(map(_looks_at_the_node, parts_of(tree)))


def is_of_itself(tree: Expression) -> bool:
    """Say whether an expression looks at nothing but the value of the node in hand, and perhaps at what day it is."""
    return all(part == SELF if isinstance(part, Path) else not _looks_elsewhere(part) for part in parts_of(tree))


def _looks_elsewhere(part: Expression) -> bool:
    return isinstance(part, FunctionCall) and part.name in _ELSEWHERE


def _looks_at_the_node(part: Expression) -> bool:
    match part:
        case Path(None, _, _):
            return True
        case FunctionCall(name, arguments):
            return name in _OF_THE_NODE or (name in _OR_GIVEN_NOTHING and not arguments)
    return False

"""The type of value that a calculation gives, told from its expression and the types of the questions that it reads.

Never from answers: a column keeps its type whatever comes. Only what must be a number or a moment is called one; all
else is text, as the form itself says. An empty text is a blank beside anything: `if(x > 0, x div 2, "")` is decimal.
"""

from collections.abc import Callable, Mapping

from server.forms.evaluate.analysis import ARITHMETIC
from server.forms.evaluate.functions import FUNCTIONS
from server.forms.evaluate.syntax import (
    ROOT,
    Binary,
    Expression,
    FunctionCall,
    Literal,
    Negative,
    NotXPath,
    Number,
    Path,
    parse,
)

#: The types of questions, by their names in the form's schema, that a column of its own can hold.
SCALARS = frozenset({"integer", "decimal", "date", "time", "dateTime"})
TEXT, TRUTH, BLANK, INTEGER, DECIMAL = "text", "truth", "blank", "integer", "decimal"

#: A truth counts as 1 or 0 where a number is wanted.
_WHOLE = frozenset({INTEGER, TRUTH})
_MOMENTS = {"today": "date", "date": "date", "now": "dateTime", "date-time": "dateTime"}
_COUNTS = frozenset(
    {"ceiling", "count", "count-non-empty", "count-selected", "floor", "int", "last", "position", "string-length"}
)
_AS_ITS_ARGUMENTS = frozenset({"abs", "max", "min", "number", "sum"})
#: These give one of their arguments, from which place on.
_ONE_OF = {"coalesce": 0, "if": 1, "once": 0}

TypeOf = Callable[[str], str]


class _Needed(Exception):
    """The type of another calculation must be known first."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def static_types(calculations: Mapping[str, str], questions: Mapping[str, str]) -> dict[str, str]:
    """Return the type of every calculation by path; `questions` are the types of all other nodes.

    Calculations may read each other; one in a circle, or that is no XPath, is text.
    """
    trees = {path: _tree(text) for path, text in calculations.items()}
    found: dict[str, str] = {}
    for start in trees:
        # A stack of our own: calculations may lead to each other deeper than Python's.
        stack = [start]
        while stack:
            path = stack[-1]
            try:
                found[path] = _static(trees[path], path, _reader(found, trees, questions))
                stack.pop()
            except _Needed as needed:
                if needed.path in stack:
                    found[needed.path] = TEXT
                else:
                    stack.append(needed.path)
    return {path: each if each in SCALARS else TEXT for path, each in found.items()}


def _reader(found: Mapping[str, str], trees: Mapping[str, Expression], questions: Mapping[str, str]) -> TypeOf:
    def type_of(path: str) -> str:
        if path in found:
            return found[path]
        if path in trees:
            raise _Needed(path)
        return questions.get(path, TEXT)

    return type_of


def _tree(text: str) -> Expression:
    try:
        return parse(text)
    except NotXPath:
        return Literal(text)


def _static(tree: Expression, node: str, type_of: TypeOf) -> str:
    match tree:
        case Literal(text):
            return TEXT if text else BLANK
        case Number(value):
            return INTEGER if value.is_integer() else DECIMAL
        case Negative(operand):
            return _number(_static(operand, node, type_of))
        case Binary(sign, left, right):
            return _joined(sign, _static(left, node, type_of), _static(right, node, type_of))
        case FunctionCall(name, arguments):
            return _called(name, arguments, [_static(each, node, type_of) for each in arguments])
        case Path():
            path = _target(tree, node)
            return TEXT if path is None else type_of(path)


def _number(*types: str) -> str:
    return INTEGER if all(each in _WHOLE for each in types) else DECIMAL


def _joined(sign: str, left: str, right: str) -> str:
    if sign in ARITHMETIC:
        return DECIMAL if sign == "div" else _number(left, right)
    if sign == "|":
        return _one_of([left, right])
    # `and` and `or` give one of their operands on the phone, which nobody should count on.
    return TEXT if sign in {"and", "or"} else TRUTH


def _called(name: str, arguments: tuple[Expression, ...], types: list[str]) -> str:
    function = FUNCTIONS.get(name)
    if name in _ONE_OF:
        return _one_of(types[_ONE_OF[name] :])
    if name in _MOMENTS:
        return _MOMENTS[name]
    if name == "indexed-repeat":
        return types[0]
    if name in _COUNTS or (name == "round" and _is_to_units(arguments)):
        return INTEGER
    if name in _AS_ITS_ARGUMENTS:
        return _number(*types) if types else DECIMAL
    kind = None if function is None else function.gives
    return {"number": DECIMAL, "truth": TRUTH}.get(kind or "", TEXT)


def _one_of(types: list[str]) -> str:
    kinds = {*types} - {BLANK}
    if len(kinds) == 1:
        return kinds.pop()
    return BLANK if not kinds else DECIMAL if kinds == {INTEGER, DECIMAL} else TEXT


def _is_to_units(arguments: tuple[Expression, ...]) -> bool:
    """Whether round() is told to leave no decimal places."""
    match arguments:
        case (_,) | (_, Negative(Number(_))):
            return True
        case (_, Number(places)):
            return places == 0
    return False


def _target(path: Path, node: str) -> str | None:
    """Return the absolute path of the nodes that a path selects; None where they are not the record's own."""
    match path.start:
        case None:
            steps = node.split("/")
        case FunctionCall("current", _):
            steps = node.split("/")
        case start if start == ROOT:
            steps = [""]
        case _:
            return None
    for step in path.steps:
        if step.axis == "parent":
            steps = steps[:-1]
        elif step.axis == "child":
            steps.append(step.name)
        elif step.axis != "self":
            return None
    return "/".join(steps)

"""Expressions made runnable: each a function of its context, built once when a form is compiled.

Which kind of value a part gives is mostly known beforehand, so that comparisons and arithmetic ask for numbers, texts
and truths directly. Semantics are the phone's engine's: `and` and `or` give one of their operands, a predicate counts
positions over the whole step, and a number that is none is written as nothing.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from server.forms.evaluate import functions, syntax
from server.forms.evaluate.analysis import SELF, calls, gives, is_settled
from server.forms.evaluate.axes import axis, local
from server.forms.evaluate.context import Context, Unevaluable
from server.forms.evaluate.functions import FUNCTIONS
from server.forms.evaluate.numbers import divided, remainder
from server.forms.evaluate.syntax import Binary, Expression, FunctionCall, Literal, Negative, Number, Path, Step
from server.forms.evaluate.values import (
    Node,
    Value,
    as_boolean,
    as_number,
    as_text,
    compares,
    differs,
    equals,
    number_in_node,
)

Run = Callable[[Context], Value]
Truth = Callable[[Context], bool]
Numeric = Callable[[Context], float]
Select = Callable[[Context], list[Node]]

_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "times": operator.mul,
    "div": divided,
    "mod": remainder,
}


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A runnable expression, with the functions in it that ask the clock or chance.

    A settled one looks at absolute paths only, so that it is the same at every node of a record. Equal ones are one.
    """

    run: Run
    truth: Truth
    asks: frozenset[str]
    is_settled: bool


def compile_expression(text: str) -> Compiled:
    """Return a runnable expression; raise `NotXPath` for what is none or calls a function with too few arguments."""
    return compile_tree(syntax.parse(text))


@lru_cache(maxsize=4096)
def compile_tree(tree: Expression) -> Compiled:
    """Return a tree of `syntax` made runnable."""
    asks = frozenset(calls(tree) & (functions.CLOCK | functions.CHANCE))
    return Compiled(_run(tree), _truth(tree), asks, is_settled(tree))


def compile_select(tree: Expression) -> Select:
    """Return what gives the nodes of an expression that gives nodes."""
    return _select(tree)


def _run(tree: Expression) -> Run:
    run: Run
    match tree:
        case Literal(text):
            run = lambda _context: text  # noqa: E731 (one of many cases)
        case Number(value):
            run = lambda _context: value  # noqa: E731
        case Negative(operand):
            number = _number(operand)
            run = lambda context: -number(context)  # noqa: E731
        case Path() | Binary("|", _, _):
            run = _select(tree)
        case FunctionCall():
            run = _call(tree)
        case Binary("and" | "or" as kind, left, right):
            run = _either(kind, _run(left), _run(right))
        case Binary(kind, left, right) if kind in _ARITHMETIC:
            run = _arithmetic(kind, _number(left), _number(right))
        case Binary():
            run = _truth(tree)
    return run


def _either(kind: str, left: Run, right: Run) -> Run:
    goes_on = kind == "and"

    def run(context: Context) -> Value:
        value = left(context)
        return right(context) if as_boolean(value) == goes_on else value

    return run


def _truth(tree: Expression) -> Truth:
    """Return the expression as a condition."""
    match tree:
        case Binary("and" | "or" as kind, left, right):
            return _joined(kind, _truth(left), _truth(right))
        case Binary(kind, left, right) if kind in _ORDER:
            return _ordered(_ORDER[kind], left, right)
        case Binary("=" | "!=" as kind, left, right):
            return _compared(kind, left, right)
        case FunctionCall("not", (argument,)):
            denied = _truth(argument)
            return lambda context: not denied(context)
        case FunctionCall("selected", (chosen, Literal(wanted))) if gives(chosen) == "nodes" and " " not in wanted:
            return _is_selected(_select(chosen), wanted)
        case _:
            run = _run(tree)
            return lambda context: as_boolean(run(context))


def _joined(kind: str, one: Truth, other: Truth) -> Truth:
    if kind == "and":
        return lambda context: one(context) and other(context)
    return lambda context: one(context) or other(context)


def _is_selected(select: Select, wanted: str) -> Truth:
    chosen_call = FUNCTIONS["selected"].call

    def truth(context: Context) -> bool:
        nodes = select(context)
        # Most are blank or hold the one word, which needs no splitting.
        text = nodes[0].text() if nodes else ""
        return text == wanted or (wanted in text and bool(chosen_call(text, wanted)))

    return truth


def _ordered(holds: Callable[[float, float], bool], left: Expression, right: Expression) -> Truth:
    if gives(left) == "number" and gives(right) == "number":
        one, other = _number(left), _number(right)
        return lambda context: holds(one(context), other(context))
    if left == SELF and isinstance(right, Number):
        limit = right.value
        return lambda context: holds(number_in_node(context.node), limit)
    if gives(left) == "nodes" and gives(right) == "number":
        nodes, number = _select(left), _number(right)

        def any_holds(context: Context) -> bool:
            limit = number(context)
            found = nodes(context)
            if len(found) == 1:
                return holds(number_in_node(found[0]), limit)
            return any(holds(number_in_node(node), limit) for node in found)

        return any_holds
    first, second = _run(left), _run(right)
    return lambda context: compares(first(context), second(context), holds)


def _compared(kind: str, left: Expression, right: Expression) -> Truth:
    if gives(left) == "nodes" and isinstance(right, Literal):
        nodes, text, is_equality = _select(left), right.text, kind == "="

        def any_is(context: Context) -> bool:
            found = nodes(context)
            if len(found) == 1:
                return (found[0].text() == text) == is_equality
            return any((node.text() == text) == is_equality for node in found)

        return any_is
    first, second = _run(left), _run(right)
    compare = equals if kind == "=" else differs
    return lambda context: compare(first(context), second(context))


def _number(tree: Expression) -> Numeric:
    if isinstance(tree, Number):
        value = tree.value
        return lambda _context: value
    run = _run(tree)
    if isinstance(tree, FunctionCall) and is_settled(tree):
        # The same in every row: the year that it is, a total.
        once: Numeric = lambda context: as_number(run(context))  # noqa: E731
        return lambda context: context.record.remembered(once, context)
    return lambda context: as_number(run(context))


def _arithmetic(kind: str, left: Numeric, right: Numeric) -> Run:
    compute = _ARITHMETIC[kind]
    return lambda context: compute(left(context), right(context))


def _call(tree: FunctionCall) -> Run:
    name, arguments = tree.name, tree.arguments
    if name in functions.FORMS:
        if len(arguments) != functions.FORMS[name]:
            raise syntax.NotXPath(f"{name}() takes {functions.FORMS[name]} arguments")
        return _if(arguments) if name == "if" else _once(arguments[0])
    function = FUNCTIONS.get(name)
    if function is None:
        return _unknown(name)
    if len(arguments) < function.least or (function.most is not None and len(arguments) > function.most):
        raise syntax.NotXPath(f"{name}() with {len(arguments)} arguments")
    runs = [_run(argument) for argument in arguments]
    call = function.call
    if function.needs_context:
        return lambda context: call(context, *[run(context) for run in runs])
    if len(runs) == 1:
        only = runs[0]
        return lambda context: call(only(context))
    return lambda context: call(*[run(context) for run in runs])


def _unknown(name: str) -> Run:
    def run(_context: Context) -> Value:
        raise Unevaluable(f"no function {name}()")

    return run


def _if(arguments: Sequence[Expression]) -> Run:
    condition, yes, no = _truth(arguments[0]), _run(arguments[1]), _run(arguments[2])
    return lambda context: yes(context) if condition(context) else no(context)


def _once(argument: Expression) -> Run:
    run = _run(argument)
    return lambda context: context.node.text() or as_text(run(context))


def _select(tree: Expression) -> Select:
    """Return what gives the nodes of a path, of a union, or of a function that gives nodes."""
    match tree:
        case Binary("|", left, right):
            return _union(_select(left), _select(right))
        case Path(start, predicates, steps):
            return _path(start, predicates, steps)
        case _:
            run = _run(tree)

            def select(context: Context) -> list[Node]:
                value = run(context)
                if not isinstance(value, list):
                    raise Unevaluable("a node set is needed")
                return value

            return select


def _union(left: Select, right: Select) -> Select:
    def select(context: Context) -> list[Node]:
        nodes = {id(node): node for node in [*left(context), *right(context)]}
        return sorted(nodes.values(), key=_document_order)

    return select


def _document_order(node: Node) -> list[int]:
    order: list[int] = []
    at: Node | None = node
    while at is not None and (around := at.parent) is not None:
        order.append(next((place for place, each in enumerate(around.children()) if each is at), 0))
        at = around
    return order[::-1]


def _path(start: Expression | str | None, predicates: tuple[Expression, ...], steps: tuple[Step, ...]) -> Select:
    if start == syntax.ROOT and steps and all(map(_is_plain, steps)):
        names = tuple(local(step.name) for step in steps)

        def absolute(context: Context) -> list[Node]:
            return context.record.nodes_at(names)

        return absolute
    begin: Select
    if start is None:
        begin = lambda context: [context.node]  # noqa: E731 (three beginnings in a row)
    elif isinstance(start, str):
        begin = lambda context: [context.record.document]  # noqa: E731
    else:
        begin = _select(start)
    if Path(start, predicates, steps) == SELF:
        return begin
    walks = [_filtered(begin, predicates) if predicates else begin]
    for step in steps:
        walks.append(_walk(walks[-1], step))
    return walks[-1]


def _is_plain(step: Step) -> bool:
    return step.axis == "child" and not step.predicates and step.name != "*" and not step.name.endswith(")")


def _walk(before: Select, step: Step) -> Select:
    reach = axis(step)

    def select(context: Context) -> list[Node]:
        nodes = before(context)
        reached = reach(nodes[0]) if len(nodes) == 1 else _distinct(nodes, reach)
        context.record.spend(len(reached))
        return reached

    return _filtered(select, step.predicates) if step.predicates else select


def _distinct(nodes: Sequence[Node], reach: Callable[[Node], list[Node]]) -> list[Node]:
    return list({id(node): node for origin in nodes for node in reach(origin)}.values())


def _filtered(before: Select, predicates: tuple[Expression, ...]) -> Select:
    for predicate in predicates:
        before = _predicate(before, predicate)
    return before


def _predicate(before: Select, predicate: Expression) -> Select:
    keeps = _keeps(predicate)

    def select(context: Context) -> list[Node]:
        nodes = before(context)
        context.record.spend(len(nodes))
        return [
            node
            for position, node in enumerate(nodes, start=1)
            if keeps(Context(context.record, node, context.current, position, len(nodes)), position)
        ]

    return select


def _keeps(predicate: Expression) -> Callable[[Context, int], bool]:
    """Return whether a predicate keeps a node at a position: a number keeps that position."""
    if gives(predicate) in {"truth", "nodes", "text"}:
        truth = _truth(predicate)
        return lambda context, _position: truth(context)
    run = _run(predicate)

    def keeps(context: Context, position: int) -> bool:
        value = run(context)
        return value == position if isinstance(value, float) else as_boolean(value)

    return keeps

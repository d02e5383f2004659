"""XPath in forms, read as text: which functions it calls, what it depends on, whether it can be read at all.

Nothing is evaluated here; what can be is told by `evaluate`, whose list of functions is the only one. String literals
are blanked first, so that a message which mentions now() is no call.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from server.forms.answers.typed_values import as_date
from server.forms.evaluate import functions, patterns, syntax
from server.forms.evaluate.analysis import literal_patterns
from server.forms.evaluate.compiling import compile_tree

#: Functions whose value changes from one look to the next.
UNSTABLE = frozenset({"uuid", "now", "today", "random"})

_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
# Names are taken whole and never given back, so that a cell of 32,000 letters is read once and not 32,000 times.
_CALL = re.compile(r"(?<![\w.\-:])([A-Za-z_][\w.\-]*+(?::[A-Za-z_][\w.\-]*+)?+)\s*+\(|[()]")
_ONCE = re.compile(r"(?<![\w.\-:])once\s*+\(")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T.*)?", re.DOTALL)
_NOT_CALLS = frozenset({"and", "or", "div", "mod", "node", "text", "comment", "processing-instruction"})
_REFERENCE = re.compile(r"(?<![\w.\-\])/])((?:/[\w.\-]+){2,}|(?:current\(\)/)?(?:\.\.?/)+[\w.\-]+(?:/[\w.\-]+)*)")


def without_literals(expression: str) -> str:
    """Return the expression with every string literal blanked, at its length: what is left are names and operators."""
    return _LITERAL.sub(lambda literal: "'" + " " * (len(literal.group()) - 2) + "'", expression)


def calls(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Give every function that is called, with the functions in whose arguments it stands."""
    around: list[str] = []
    for found in _CALL.finditer(without_literals(expression)):
        if found.group() == ")":
            if around:
                around.pop()
        elif found.group() == "(" or found.group(1) in _NOT_CALLS:
            around.append("")
        else:
            yield found.group(1), frozenset(around)
            around.append(found.group(1))


def unstable_calls(expression: str) -> list[str]:
    """Return the functions that would give another value at each opening, since no once() holds the first."""
    return sorted({name for name, around in calls(expression) if name in UNSTABLE and "once" not in around})


def is_once(expression: str) -> bool:
    """Say whether the whole of a calculation is one `once(…)`: computed at first and kept from then on."""
    text = without_literals(expression).strip()
    begins = _ONCE.match(text)
    return begins is not None and _closes(text, begins.end()) == len(text)


def inner_onces(expression: str) -> list[str]:
    """Return the calls of once() that are not the whole expression, where it gives the question's own value."""
    if is_once(expression):
        return []
    text = without_literals(expression)
    found: list[str] = []
    at = 0
    while (begins := _ONCE.search(text, at)) is not None:
        at = _closes(text, begins.end())
        found.append(expression[begins.start() : at])
    return found


def impossible_days(expression: str) -> list[str]:
    """Return the days that a readable expression names and no month has."""
    literals = [part.text for part in syntax.parts_of(syntax.parse(expression)) if isinstance(part, syntax.Literal)]
    return [text for text in literals if _DAY.fullmatch(text) and as_date(text) is None]


def as_written(expression: str) -> str:
    """Return an expression as its author would write it, the questions that it names as ${name}."""
    text = without_literals(expression)
    pieces, at = [], 0
    for found in _REFERENCE.finditer(text):
        # The converter puts a space on both sides.
        start = found.start() - (text[found.start() - 1 : found.start()] == " ")
        pieces += [expression[at:start], f"${{{found.group(1).rpartition('/')[2]}}}"]
        at = found.end() + (text[found.end() : found.end() + 1] == " ")
    return "".join([*pieces, expression[at:]]).strip()


def unknown_functions(expression: str) -> list[str]:
    """Return the functions that the phone and the server do not both have."""
    return sorted({name for name, _around in calls(expression)} - functions.NAMES)


def is_readable(expression: str) -> bool:
    """Say whether the expression is XPath at all, and gives its functions as many arguments as they take."""
    try:
        compile_tree(syntax.parse(expression))
    except syntax.NotXPath:
        return False
    return True


def unmatched_patterns(expression: str) -> list[str]:
    """Return the patterns of a readable expression that the server cannot match: no pattern, or too much of one."""
    refused: list[str] = []
    for text in literal_patterns(syntax.parse(expression)):
        try:
            patterns.pattern(text)
        except patterns.NotAPattern:
            refused.append(text)
    return refused


def references(expression: str, node: str) -> set[str]:
    """Return the paths that an expression on `node` depends on; other rows of its own repeat are none."""
    text = _without_indexed_repeats(without_literals(expression))
    return {_resolve(found.group(1), node) for found in _REFERENCE.finditer(text)}


def named_paths(expression: str, node: str) -> set[str]:
    """Return the paths that an expression on `node` names, but for those that start from an entry of a list."""
    text = without_literals(expression)
    found = set()
    for reference in _REFERENCE.finditer(text):
        before = text[: reference.start()]
        is_within = before.count("[") > before.count("]")
        if not is_within or not reference.group(1).startswith("."):
            found.add(_resolve(reference.group(1), node))
    return found


def circles(dependencies: Mapping[str, set[str]]) -> list[Sequence[str]]:
    """Return circles among `dependencies`, each once, in the order in which the nodes lead to each other."""
    found: list[Sequence[str]] = []
    done: set[str] = set()
    for start in dependencies:
        trail: list[str] = []
        # A stack of our own: forms may nest deeper than Python's.
        stack: list[tuple[str, bool]] = [(start, True)]
        while stack:
            node, is_entering = stack.pop()
            if not is_entering:
                trail.pop()
                done.add(node)
            elif node in trail:
                found.append(trail[trail.index(node) :])
            elif node not in done:
                trail.append(node)
                stack.append((node, False))
                stack.extend((after, True) for after in sorted(dependencies.get(node, ())) if after in dependencies)
    return found


def _closes(text: str, start: int) -> int:
    """Return where what opened before `start` is closed: behind its bracket."""
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at + 1
    return len(text)


def _without_indexed_repeats(text: str) -> str:
    # indexed-repeat(x, repeat, position(..) - 1) reads another row: a running total is no circle.
    while (start := text.find("indexed-repeat")) >= 0:
        depth = 0
        for end in range(start, len(text)):
            depth += (text[end] == "(") - (text[end] == ")")
            if depth == 0 and text[end] == ")":
                break
        else:
            end = len(text) - 1
        text = text[:start] + text[end + 1 :]
    return text


def _resolve(path: str, node: str) -> str:
    if path.startswith("/"):
        return path
    steps = node.split("/")
    for step in path.removeprefix("current()/").split("/"):
        if step == ".":
            continue
        if step == "..":
            steps.pop() if len(steps) > 1 else None
        else:
            steps.append(step)
    return "/".join(steps)

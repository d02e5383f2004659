"""Expressions as people write them elsewhere, and how ODK writes them: `==`, `AND`, `||`, `if` with two arguments.

Each edit means exactly what the author wrote; where that is not sure nothing is proposed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.authoring.expression_cells import expression_cells, rewriting
from server.forms.authoring.tokens import TextEdit, Token, bare_names, brackets, operators, tokens
from server.forms.conversion.findings import Finding, error
from server.forms.evaluate import functions

_SYMBOLS: Final = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">=", "&&": "and", "||": "or"}
#: Other languages' functions that are ours under another name, argument for argument.
_RENAMED: Final = {
    "iif": "if",
    "len": "string-length",
    "length": "string-length",
    "concatenate": "concat",
    "ceil": "ceiling",
    "power": "pow",
    "choice-name": "jr:choice-name",
}
_CONSTANTS: Final = frozenset({"true", "false", "today", "now"})
#: Functions of other systems, and what ODK writes for them.
FOREIGN: Final[Mapping[str, str]] = {
    "difference-in-months": "int((decimal-date-time(${b}) - decimal-date-time(${a})) div 30.4375)",
    "difference-in-years": "int((decimal-date-time(${b}) - decimal-date-time(${a})) div 365.25)",
    "difference-in-days": "int(decimal-date-time(${b}) - decimal-date-time(${a}))",
    "date-diff": "int(decimal-date-time(${b}) - decimal-date-time(${a}))",
    "datediff": "int(decimal-date-time(${b}) - decimal-date-time(${a}))",
    "dateadd": "date(decimal-date-time(${a}) + 30)",
    "date-add": "date(decimal-date-time(${a}) + 30)",
    "duration": "(decimal-date-time(${b}) - decimal-date-time(${a})) * 24 * 60",
    "choice-label": "jr:choice-name(${a}, '${a}')",
    "label": "jr:choice-name(${a}, '${a}')",
    "year": "number(format-date(${a}, '%Y'))",
    "month": "number(format-date(${a}, '%n'))",
    "day": "number(format-date(${a}, '%e'))",
    "isnull": "${a} = ''",
    "is-null": "${a} = ''",
    "isblank": "${a} = ''",
    "nvl": "coalesce(${a}, 0)",
    "ifs": "if(${a} = 1, 'x', if(${a} = 2, 'y', ''))",
    "switch": "if(${a} = 1, 'x', if(${a} = 2, 'y', ''))",
    "avg": "sum(${a}) div count(${a})",
    "average": "sum(${a}) div count(${a})",
    "mean": "sum(${a}) div count(${a})",
    "between": "${a} >= 1 and ${a} <= 10",
    "in": "selected('x y z', ${a})",
    "upper": "translate(${a}, 'abc…', 'ABC…')",
    "lower": "translate(${a}, 'ABC…', 'abc…')",
    "trim": "normalize-space(${a})",
    "left": "substr(${a}, 0, 3)",
    "right": "substr(${a}, string-length(${a}) - 3)",
    "search": "select_one_from_file villages.csv",
}


def check_spelling(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give the expressions that ODK writes otherwise, each as it would be."""
    for cell in expression_cells(workbook):
        edits = spelling_edits(cell.text)
        if edits:
            yield rewriting(error("expression_spelling", "survey", cell.row, expression=cell.text), cell, edits)


def spelling_edits(expression: str) -> list[TextEdit]:
    """Return what ODK writes otherwise; none for an expression that it can read."""
    stream = tokens(expression)
    return [*_symbols(expression, stream), *_words(stream), *_calls(stream)]


def _symbols(expression: str, stream: Sequence[Token]) -> Iterator[TextEdit]:
    for token in stream:
        if token.kind == "symbol" and token.text in _SYMBOLS:
            word = _SYMBOLS[token.text]
            if word.isalpha():
                before = "" if expression[: token.start].endswith((" ", "\n")) else " "
                after = "" if expression[token.end :].startswith((" ", "\n")) else " "
                word = f"{before}{word}{after}"
            yield TextEdit(token.start, token.end, word)
        elif token.kind == "curly" and "'" not in token.text[1:-1]:
            yield TextEdit(token.start, token.end, f"'{token.text[1:-1]}'")


def _words(stream: Sequence[Token]) -> Iterator[TextEdit]:
    for token, is_operator in zip(stream, operators(stream), strict=True):
        if token.kind in ("name", "function") and is_operator:
            lower = token.text.lower()
            if lower in ("and", "or", "div", "mod") and token.text != lower:
                yield TextEdit(token.start, token.end, lower)
    for token in bare_names(stream):
        if token.text.lower() in _CONSTANTS and len(stream) > 1:
            yield TextEdit(token.start, token.end, f"{token.text.lower()}()")


def _calls(stream: Sequence[Token]) -> Iterator[TextEdit]:
    closes = brackets(stream)
    for at, (token, is_operator) in enumerate(zip(stream, operators(stream), strict=True)):
        if token.kind != "function" or is_operator:
            continue
        name = token.text
        if name not in functions.NAMES:
            lower = name.lower()
            name = lower if lower in functions.NAMES else _RENAMED.get(lower, name)
            if name != token.text and name in functions.NAMES:
                yield TextEdit(token.start, token.end, name)
        if name == "if":
            end, commas = closes.get(at + 1, (0, 0))
            if commas == 1:
                yield TextEdit(stream[end].start, stream[end].start, ", ''")

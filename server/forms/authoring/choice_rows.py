"""Rows of the choices: codes that are missing, stand twice or hold spaces, and what they would be instead.

A code with white space is two codes to a question that takes several, and the server's door refuses it; so it is mended
where it stands and in every expression that names it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook, Row
from server.forms.authoring.expression_cells import ExpressionCell, expression_cells
from server.forms.authoring.identity import slug
from server.forms.authoring.proposals import CellChange
from server.forms.authoring.tokens import TextEdit, edited, tokens
from server.forms.conversion.findings import FIRST_ROW, Finding, error
from server.forms.conversion.sheets import column_name, list_of, translations

_SPACES: Final = re.compile(r"\s+")
DUPLICATES: Final = "allow_choice_duplicates"


def check_choices(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give what is wrong with the rows of the choices, in their order."""
    sheet = workbook.sheet("choices")
    header = {column_name(each): each for each in sheet.headers}
    name_column = header.get("name", header.get("value", "name"))
    list_column = header.get("list_name", "list_name")
    settings = {column_name(each): cell for each, cell in workbook.settings.items()}
    may_repeat = settings.get(DUPLICATES, "").lower() in ("yes", "true")
    named_in = _cells_by_literal(workbook)
    seen: dict[tuple[str, str], Row] = {}
    last = ""
    for number, row in enumerate(sheet.rows, start=FIRST_ROW):
        plain = {column_name(each): cell for each, cell in row.items()}
        code, list_name = row.get(name_column, ""), list_of(plain)
        if not list_name and code:
            found = error("choice_no_list", "choices", number, name=code)
            yield found.proposing(CellChange("choices", number, list_column, "", last)) if last else found
            continue
        last = list_name or last
        if list_name and not code:
            label = next(iter(translations(plain).get("label", {}).values()), "")
            found = error("choice_no_name", "choices", number, list=list_name, label=label)
            proposed = _free(slug(label), list_name, seen)
            yield found.proposing(CellChange("choices", number, name_column, "", proposed)) if proposed else found
        elif code and _SPACES.search(code):
            yield _spaced(number, name_column, code, named_in.get(code, ()))
        elif code and (list_name, code) in seen and not may_repeat:
            yield _doubled(number, name_column, row, seen[list_name, code], _free(code, list_name, seen))
        seen.setdefault((list_name, code), row)


def _cells_by_literal(workbook: AuthorWorkbook) -> Mapping[str, list[ExpressionCell]]:
    """Return the expressions in which each text with white space stands in quotes."""
    found: dict[str, dict[ExpressionCell, None]] = defaultdict(dict)
    for cell in expression_cells(workbook):
        for token in tokens(cell.text) if "'" in cell.text or '"' in cell.text else ():
            if token.kind == "literal" and _SPACES.search(token.text):
                found[token.text[1:-1]][cell] = None
    return {text: list(cells) for text, cells in found.items()}


def _spaced(number: int, column: str, code: str, named_in: Iterable[ExpressionCell]) -> Finding:
    after = _SPACES.sub("_", code.strip())
    changes = [CellChange("choices", number, column, code, after)]
    for cell in named_in:
        edits = [
            TextEdit(token.start + 1, token.end - 1, after)
            for token in tokens(cell.text)
            if token.kind == "literal" and token.text[1:-1] == code
        ]
        changes.append(CellChange("survey", cell.row, cell.header, cell.text, edited(cell.text, edits)))
    return error("choice_spaces", "choices", number, name=code).proposing(*changes)


def _doubled(number: int, column: str, row: Row, first: Row, free: str) -> Finding:
    """Return the finding for a code that stands twice: what is proposed depends on what differs."""
    found = error("choice_twice", "choices", number, name=row[column])
    if row == first:
        return found.proposing(*(CellChange("choices", number, header, cell, "") for header, cell in row.items()))
    if translations(row) == translations(first):
        # The same choice under several of those that a filter chooses by.
        return found.proposing(CellChange("settings", FIRST_ROW, DUPLICATES, "", "yes"))
    return found.proposing(CellChange("choices", number, column, row[column], free))


def _free(code: str, list_name: str, seen: Mapping[tuple[str, str], Row]) -> str:
    if not code or (list_name, code) not in seen:
        return code
    return next(word for n in range(2, 100_000) if (list_name, word := f"{code}_{n}") not in seen)

"""Names in expressions that mean nothing: what bears them, and what their author most likely meant.

In XPath `a = 'x'` asks for a child of the question called a, which no question has: it is silently never true. The
converter lets it pass, and the phone shows the question never.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook, Row
from server.forms.authoring.expression_cells import ExpressionCell, expression_cells, rewriting
from server.forms.authoring.proposals import CellChange
from server.forms.authoring.tokens import TextEdit, Token, bare_names, edited, tokens
from server.forms.conversion.findings import FIRST_ROW, Finding, error, warning
from server.forms.conversion.sheets import chosen_list, column_name, list_of, type_of

#: Nothing of it is tried twice, and none reaches into the next: thousands that are left open are read in one go.
_REFERENCE: Final = re.compile(r"\$\{\s*+(?:last-saved#)?+([^{}\s]*+)\s*+\}")
#: Columns that the converter adds to the choices and a filter may name, and those that say where a choice stands.
INNER_COLUMNS: Final = frozenset({"itextId", "list_name", "list name"})
_COMPARES: Final = frozenset({"=", "!=", "=="})
#: Comparing names takes a tenth of a millisecond each: with how many, and for how many that nothing bears.
MAX_COMPARED: Final = 200
MAX_LOOKED_UP: Final = 40
#: What an author may have meant by a bare yes in a column that asks for it.
_YES: Final = frozenset(
    {"có", "co", "x", "y", "1", "bắt buộc", "bat buoc", "required", "đúng", "ok", "oui", "sí", "si"}
)
_NO: Final = frozenset({"không", "khong", "n", "0", "-", "optional", "sai", "non"})


@dataclass(frozen=True, slots=True)
class FormNames:
    """What a form's expressions may name."""

    questions: Mapping[str, Row]
    #: The codes of each choice list.
    codes: Mapping[str, Collection[str]]
    #: The columns of the choices.
    columns: Collection[str]
    #: The columns of each list that is a file.
    files: Mapping[str, Collection[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, workbook: AuthorWorkbook, files: Mapping[str, Collection[str]] | None = None) -> "FormNames":
        """Return the names that a workbook gives, with the columns of the files beside it."""
        questions: dict[str, Row] = {}
        for row in workbook.sheet("survey").rows:
            plain = {column_name(header): cell for header, cell in row.items()}
            if plain.get("name") and not type_of(plain).startswith("end_"):
                questions.setdefault(plain["name"], plain)
        codes: dict[str, dict[str, None]] = {}
        for row in workbook.sheet("choices").rows:
            plain = {column_name(header): cell for header, cell in row.items()}
            codes.setdefault(list_of(plain), {})[plain.get("name", "")] = None
        columns = {header.partition("::")[0].strip() for header in workbook.sheet("choices").headers}
        return cls(questions, codes, columns | {"name", "label", "itextId"}, files or {})

    def offered(self, name: str) -> Collection[str] | None:
        """Return the codes that the question `name` offers; None where it offers none, or a file's."""
        row = self.questions.get(name)
        if row is None or "or_other" in type_of(row):
            return None
        return self.codes.get(chosen_list(row) or "")

    def filtered_by(self, row: Row) -> Collection[str] | None:
        """Return the columns that the filter of a question may name; None where they are in a file that is not here."""
        kind, _, rest = type_of(row).partition(" ")
        if not kind.endswith("_from_file"):
            return self.columns
        return self.files.get((rest.split() or [""])[0])

    def is_code(self, name: str) -> bool:
        """Say whether any list has this code."""
        return any(name in codes for codes in self.codes.values())


def check_names(workbook: AuthorWorkbook, files: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Give the names that nothing bears; `files` are the columns of the lists beside the form."""
    names = FormNames.of(workbook, files)
    rows = workbook.sheet("survey").rows
    for cell in expression_cells(workbook):
        if cell.column in ("required", "readonly") and (word := _yes_or_no(cell.text)):
            change = CellChange("survey", cell.row, cell.header, cell.text, word)
            yield error("yes_word", "survey", cell.row, column=cell.column, value=cell.text).proposing(change)
            continue
        asked = {column_name(header): text for header, text in rows[cell.row - FIRST_ROW].items()}
        yield from _bare(cell, names, names.filtered_by(asked) if cell.column == "choice_filter" else ())
        yield from _codes(cell, names)
    yield from _references(workbook, names)


def _yes_or_no(text: str) -> str | None:
    word = text.strip().lower()
    return "yes" if word in _YES else "no" if word in _NO else None


def _bare(cell: ExpressionCell, names: FormNames, columns: Collection[str] | None) -> Iterator[Finding]:
    if columns is None:
        return
    is_filter = cell.column == "choice_filter"
    row = names.questions
    by_code: dict[str, list[tuple[Token, str]]] = {}
    for token in bare_names(tokens(cell.text)):
        name = token.text
        if is_filter and name in columns:
            continue
        if name in row:
            by_code.setdefault("name_bare", []).append((token, f"${{{name}}}"))
        elif names.is_code(name):
            by_code.setdefault("code_bare", []).append((token, f"'{name}'"))
        else:
            by_code.setdefault("column_unknown" if is_filter else "name_unknown", []).append((token, ""))
    for code, found in by_code.items():
        named = list(dict.fromkeys(token.text for token, _ in found))
        edits = [TextEdit(token.start, token.end, text) for token, text in found if text]
        instead = ", ".join(dict.fromkeys(edit.text for edit in edits))
        if not edits:
            instead = _few(sorted(set(columns) - INNER_COLUMNS)) if is_filter else f"${{{named[0]}}} / '{named[0]}'"
        told = {"name": ", ".join(named), "column": cell.column, "instead": instead}
        finding = error(code, "survey", cell.row, **told)
        yield rewriting(finding, cell, edits) if edits else finding


def _codes(cell: ExpressionCell, names: FormNames) -> Iterator[Finding]:
    """Give the values that a question is compared with and that its list has not."""
    if cell.column == "choice_filter" or not ("'" in cell.text or '"' in cell.text):
        return
    stream = tokens(cell.text)
    for at, token in enumerate(stream):
        if token.kind != "literal":
            continue
        before = [one.text for one in stream[max(at - 2, 0) : at]]
        after = [one.text for one in stream[at + 1 : at + 3]]
        if len(before) == 2 and before[1] in _COMPARES:
            asked = before[0]
        elif len(after) == 2 and after[0] in _COMPARES:
            asked = after[1]
        elif len(before) == 2 and before[1] == "," and at >= 4 and stream[at - 4].text == "selected":
            asked = before[0]
        else:
            continue
        value = token.text[1:-1]
        name = asked.removeprefix("${").removesuffix("}").strip()
        offered = names.offered(name) if asked.startswith("${") else None
        if not value or offered is None or value in offered:
            continue
        finding = warning("code_unknown", "survey", cell.row, value=value, name=name, codes=_few(offered))
        near = [code for code in offered if code.lower() == value.strip().lower()]
        edits = [TextEdit(token.start, token.end, f"'{near[0]}'")] if len(near) == 1 else []
        yield rewriting(finding, cell, edits) if edits else finding


def _references(workbook: AuthorWorkbook, names: FormNames) -> Iterator[Finding]:
    """Give every ${name} that no question bears, wherever it stands."""
    known = list(names.questions)
    alike: dict[str, list[str]] = {}
    for sheet in ("survey", "choices"):
        for number, row in enumerate(workbook.sheet(sheet).rows, start=FIRST_ROW):
            for header, text in row.items():
                for reference in _REFERENCE.finditer(text) if "${" in text else ():
                    name = reference.group(1)
                    if name in names.questions:
                        continue
                    finding = error("reference_unknown", sheet, number, name=name, column=header)
                    if name not in alike:
                        alike[name] = _alike(name, known) if len(alike) < MAX_LOOKED_UP else []
                    near = alike[name]
                    if len(near) == 1:
                        after = edited(text, [TextEdit(*reference.span(1), near[0])])
                        finding = finding.proposing(CellChange(sheet, number, header, text, after))
                    yield finding


def _alike(name: str, known: Sequence[str]) -> list[str]:
    """Return the one name that differs in capitals only, else up to two that are spelt nearly so."""
    same = [one for one in known if one.lower() == name.lower()]
    near = [one for one in known if abs(len(one) - len(name)) <= 2][:MAX_COMPARED]
    return same or get_close_matches(name, near, n=2, cutoff=0.8)


def _few(codes: Collection[str]) -> str:
    shown = list(codes)[:8]
    return ", ".join(shown) + (", …" if len(codes) > len(shown) else "")

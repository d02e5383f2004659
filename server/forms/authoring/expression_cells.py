"""Which cells of the survey hold expressions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.authoring.proposals import CellChange
from server.forms.authoring.tokens import TextEdit, edited
from server.forms.conversion.findings import FIRST_ROW, Finding, error
from server.forms.conversion.sheets import column_name

#: By what authors call the column: what it is called here.
EXPRESSIONS: Final = {
    "relevant": "relevant",
    "relevance": "relevant",
    "constraint": "constraint",
    "calculation": "calculation",
    "calculate": "calculation",
    "required": "required",
    "readonly": "readonly",
    "read_only": "readonly",
    "choice_filter": "choice_filter",
    "repeat_count": "repeat_count",
    "jr:count": "repeat_count",
    "count": "repeat_count",
}
#: Characters of all expressions together: 1,000 questions with 200 each. Beyond it a check would take too long.
MAX_LENGTH: Final = 200_000
#: Words of the converter's for true() and false().
YES_NO_WORDS: Final = frozenset({"yes", "no", "true", "false", "true()", "false()"})


@dataclass(frozen=True, slots=True)
class ExpressionCell:
    """An expression where it stands; `header` is the author's, `column` ours."""

    row: int
    header: str
    column: str
    text: str


def expression_cells(workbook: AuthorWorkbook) -> Iterator[ExpressionCell]:
    """Give every expression of the survey, row by row."""
    sheet = workbook.sheet("survey")
    columns = {header: column for header in sheet.headers if (column := _column(header)) is not None}
    for number, row in enumerate(sheet.rows, start=FIRST_ROW):
        for header, column in columns.items():
            text = row.get(header, "")
            if text and not (column in ("required", "readonly") and text.lower() in YES_NO_WORDS):
                yield ExpressionCell(number, header, column, text)


def check_length(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give the row at which all expressions together are longer than a check may take time for."""
    length = 0
    for cell in expression_cells(workbook):
        length += len(cell.text)
        if length > MAX_LENGTH:
            yield error("expressions_too_long", "survey", cell.row, limit=MAX_LENGTH)
            return


def rewriting(finding: Finding, cell: ExpressionCell, edits: Iterable[TextEdit]) -> Finding:
    """Return the finding with the cell as it would be written."""
    return finding.proposing(CellChange("survey", cell.row, cell.header, cell.text, edited(cell.text, edits)))


def _column(header: str) -> str | None:
    parts = column_name(header).split("::")
    if parts[0] in ("bind", "control", "body") and len(parts) == 2:
        del parts[0]
    return EXPRESSIONS.get(parts[0].lower()) if len(parts) == 1 else None

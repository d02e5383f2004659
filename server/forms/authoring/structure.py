"""What holds a form together: its columns, and the sheets that say what else becomes of a record."""

from collections.abc import Iterator

from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.authoring.proposals import HEADER_ROW, CellChange
from server.forms.findings import FIRST_ROW, Finding, error
from server.forms.sheets import column_name


def check_structure(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give what is wrong with the columns."""
    for name, sheet in workbook.sheets.items():
        for column in sheet.doubled:
            yield error("header_twice", name, HEADER_ROW, column=column)
    yield from _entities(workbook)


def _entities(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give what would keep parts of a record as an entity of its own; without them the record itself is whole."""
    for number, row in enumerate(workbook.sheet("survey").rows, start=FIRST_ROW):
        for header, cell in row.items():
            if column_name(header) == "save_to":
                yield error("entities", "survey", number).proposing(CellChange("survey", number, header, cell, ""))
    cells = [
        CellChange("entities", number, header, cell, "")
        for number, row in enumerate(workbook.sheet("entities").rows, start=FIRST_ROW)
        for header, cell in row.items()
    ]
    if cells:
        yield error("entities", "entities").proposing(*cells)

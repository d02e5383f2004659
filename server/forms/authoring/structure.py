"""What holds a form together: its columns."""

from collections.abc import Iterator

from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.authoring.proposals import HEADER_ROW
from server.forms.conversion.findings import Finding, error


def check_structure(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give what is wrong with the columns."""
    for name, sheet in workbook.sheets.items():
        for column in sheet.doubled:
            yield error("header_twice", name, HEADER_ROW, column=column)

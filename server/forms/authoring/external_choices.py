"""`select_one_external` as the plain question that it equals: its sheet's rows as a list in the form, or as a file.

Other systems keep such lists apart because theirs were slow; this phone filters both alike. A list that is too long for
the form becomes a file beside it.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.forms.authoring.author_workbook import AuthorSheet, AuthorWorkbook, Row
from server.forms.conversion.findings import FIRST_ROW, Finding, warning
from server.forms.conversion.sheets import column_name, list_of, translations
from server.forms.schema import language_code

SHEET: Final = "external_choices"
_KIND: Final = re.compile(r"\s*select[_ ]one[_ ]external\s+(\S+)(.*)", re.IGNORECASE)
#: As many as a list in the form may have.
MAX_IN_FORM: Final = 1_000


@dataclass(frozen=True, slots=True)
class PlainWorkbook:
    """The workbook without external choices, with the lists that became files and what is to be said of them."""

    workbook: AuthorWorkbook
    files: Mapping[str, bytes]
    findings: tuple[Finding, ...] = ()
    #: Rows of the choices from this one on stand in the external sheet, from its first row on.
    first_row: int = 0

    def placed(self, finding: Finding) -> Finding:
        """Return a finding where its author finds it: a row that was moved stands in its own sheet."""
        if not self.first_row or finding.sheet != "choices" or (finding.row or 0) < self.first_row:
            return finding
        return replace(finding, sheet=SHEET, row=(finding.row or 0) - self.first_row + FIRST_ROW)


def without_external(workbook: AuthorWorkbook) -> PlainWorkbook:
    """Return the workbook as it is where it has no external choices."""
    survey, sheet, own = workbook.sheet("survey"), workbook.sheet(SHEET), workbook.sheet("choices")
    type_column = next((each for each in survey.headers if column_name(each) == "type"), "type")
    if not sheet.rows or not any(_KIND.match(row.get(type_column, "")) for row in survey.rows):
        return PlainWorkbook(workbook, {})
    plain = [{column_name(header): cell for header, cell in row.items()} for row in sheet.rows]
    taken = {list_of({column_name(header): cell for header, cell in row.items()}) for row in own.rows}
    lists: dict[str, list[Row]] = {}
    for row in plain:
        lists.setdefault(list_of(row), []).append(row)
    names = {name: f"{name}_external" if name in taken else name for name in lists}
    files = {f"{names[name]}.csv": _file(rows) for name, rows in lists.items() if len(rows) > MAX_IN_FORM}
    moved = tuple(
        {} if f"{names[list_of(row)]}.csv" in files else {**row, "list_name": names[list_of(row)]} for row in plain
    )
    rows = tuple(_as_plain(row, type_column, names, files) for row in survey.rows)
    # The same column may be spelt in two ways on the two sheets.
    spelt = {column_name(header): header for header in own.headers}
    moved = tuple({spelt.get(header, header): cell for header, cell in row.items()} for row in moved)
    added = (spelt.get(header, header) for row in plain for header in row)
    choices = AuthorSheet(tuple(dict.fromkeys([*own.headers, *added])), (*own.rows, *moved), own.doubled)
    sheets = {name: each for name, each in workbook.sheets.items() if name != SHEET}
    sheets |= {"survey": replace(survey, rows=rows), "choices": choices}
    told = tuple(
        warning("external_one_language", SHEET, list=name, file=f"{names[name]}.csv")
        for name, rows_of in lists.items()
        if f"{names[name]}.csv" in files and len(translations(rows_of[0]).get("label", {})) > 1
    )
    kept = tuple(name for name in workbook.names if name.strip().lower() != SHEET)
    names_after = kept if any(name.strip().lower() == "choices" for name in kept) else (*kept, "choices")
    return PlainWorkbook(AuthorWorkbook(sheets, names_after), files, told, FIRST_ROW + len(own.rows))


def _as_plain(row: Row, column: str, names: Mapping[str, str], files: Mapping[str, bytes]) -> Row:
    found = _KIND.match(row.get(column, ""))
    if found is None:
        return row
    name = names.get(found.group(1), found.group(1))
    plain = f"select_one_from_file {name}.csv" if f"{name}.csv" in files else f"select_one {name}"
    return {**row, column: plain + found.group(2)}


def _file(rows: list[Row]) -> bytes:
    """Return a list as a file: its code, a label in one language, Vietnamese first, and what filters ask for."""
    others = dict.fromkeys(
        header for row in rows for header in row if "::" not in header and header not in ("list_name", "name", "label")
    )
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["name", "label", *others])
    for row in rows:
        labels = translations(row).get("label", {})
        vietnamese = next((text for language, text in labels.items() if language_code(language) == "vi"), None)
        label = vietnamese or next(iter(labels.values()), row.get("name", ""))
        writer.writerow([row.get("name", ""), label, *(row.get(each, "") for each in others)])
    return buffer.getvalue().encode()

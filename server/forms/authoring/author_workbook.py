"""The workbook as its author wrote it: every sheet that makes a form, each cell as text, at its own row.

Read here and not by the converter, whose reader stops after 60 blank rows or 20 blank columns without a word, and so
that proposals can change rows before anything is converted. Both formats are read by what the converter itself
depends on: openpyxl for .xlsx and xlrd (BSD licence) for .xls. Only files that passed the gate come here.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from server.forms.authoring.proposals import HEADER_ROW, CellChange
from server.forms.conversion.findings import FIRST_ROW, Finding, error

#: Sheets that make a form; all others are the author's own notes.
READ: Final = ("survey", "choices", "settings", "external_choices", "entities", "osm")
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 2_000

#: Older forms write `label:English`; the converter reads that only where no other column has two colons.
_SINGLE_COLON: Final = re.compile(r"^(label|hint|caption|media|image|audio|video|bind|body|control)\s*:\s*(?=\S)", re.I)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuthorSheet:
    """Headers in their order, and rows from row 2 on; an empty row stands where the author left one."""

    headers: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    #: Headers that stand twice with cells under both.
    doubled: tuple[str, ...] = ()

    def changed(self, changes: Iterable[CellChange]) -> "AuthorSheet":
        """Return the sheet with these cells changed, and then the columns renamed."""
        rows = [dict(row) for row in self.rows]
        headers = dict.fromkeys(self.headers)
        names: dict[str, str] = {}
        for change in changes:
            if change.row == HEADER_ROW:
                names[change.before] = change.after
                continue
            rows += [{} for _ in range(change.row - FIRST_ROW + 1 - len(rows))]
            row = rows[change.row - FIRST_ROW]
            headers.setdefault(change.column)
            if change.after:
                row[change.column] = change.after
            else:
                row.pop(change.column, None)
        if names:
            rows = [{names.get(column, column): cell for column, cell in row.items()} for row in rows]
        return replace(self, headers=tuple(names.get(each, each) for each in headers), rows=tuple(rows))


@dataclass(frozen=True, slots=True)
class AuthorWorkbook:
    """The sheets by their names in lower case, and the names of all sheets as they stand."""

    sheets: Mapping[str, AuthorSheet]
    names: tuple[str, ...]

    def sheet(self, name: str) -> AuthorSheet:
        """Return a sheet; an empty one where the author has none."""
        return self.sheets.get(name) or AuthorSheet()

    @property
    def settings(self) -> Row:
        """Return the row of the settings."""
        rows = self.sheet("settings").rows
        return rows[0] if rows else {}

    def changed(self, changes: Iterable[CellChange]) -> "AuthorWorkbook":
        """Return the workbook with these cells changed, and a sheet added where one of them needs it."""
        by_sheet: dict[str, list[CellChange]] = {}
        for change in changes:
            by_sheet.setdefault(change.sheet, []).append(change)
        changed = {name: self.sheet(name).changed(of_sheet) for name, of_sheet in by_sheet.items()}
        added = (name for name in by_sheet if name not in self.sheets)
        return AuthorWorkbook({**self.sheets, **changed}, (*self.names, *added))

    def for_converter(self) -> dict[str, Any]:
        """Return the workbook as the converter takes it."""
        given: dict[str, Any] = {"sheet_names": list(self.names)}
        for name, sheet in self.sheets.items():
            if name == "entities" and not any(sheet.rows):
                # Its author gave it up; the converter would ask for its columns.
                continue
            given[name] = [dict(row) for row in sheet.rows]
            given[f"{name}_header"] = [dict.fromkeys(sheet.headers)] if sheet.headers else []
        return given


class Unreadable(Exception):
    """The workbook cannot be read; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        """Keep what is said to the author."""
        super().__init__(finding.message)
        self.finding = finding


def read_xlsx(data: bytes, last_rows: Mapping[str, int]) -> AuthorWorkbook:
    """Return the workbook; `last_rows` are the last rows with a value, as the gate counted them by sheet name."""
    # Here and not above: it takes a third as long to load as all the rest, and few processes read workbooks.
    from openpyxl.reader.excel import ExcelReader
    from pyxform.xls2json_backends import xlsx_value_to_str

    # A part whose sheet the gate could not name is read as far as any such part goes.
    unnamed = max((last for name, last in last_rows.items() if name.startswith("xl/")), default=0)

    def grid(title: str) -> Iterator[list[str]]:
        sheet = reader.wb[title]
        last = last_rows.get(title, unnamed)
        if last > MAX_ROWS:
            raise Unreadable(Finding("error", "row_far_away", title, last, {"row": str(last), "limit": str(MAX_ROWS)}))
        width = 0
        for cells in sheet.iter_rows(max_row=1, values_only=True) if last else ():
            width = max((number for number, cell in enumerate(cells, start=1) if cell is not None), default=0)
        for cells in sheet.iter_rows(max_row=last, max_col=min(width, MAX_COLUMNS), values_only=True) if width else ():
            yield [_text(xlsx_value_to_str, cell) for cell in cells]

    try:
        reader = ExcelReader(io.BytesIO(data), read_only=True, data_only=True)
        reader.read()
    except Exception as failure:
        raise Unreadable(error("damaged", part=str(failure))) from failure
    try:
        return _workbook({title: grid(title) for title in reader.wb.sheetnames})
    finally:
        reader.wb.close()
        reader.archive.close()


def read_xls(data: bytes) -> AuthorWorkbook:
    """Return an old Excel workbook; raise `Unreadable` for what is none."""
    import xlrd
    from pyxform.xls2json_backends import xls_value_to_unicode

    try:
        # Rows as long as they are: padding them would let a small file ask for 65,536 x 256 cells.
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), ragged_rows=True)
    except Exception as failure:
        # On a file that lies about itself the reader raises whatever Python does.
        code = "encrypted" if "ncrypted" in str(failure) else "not_xlsx"
        raise Unreadable(error(code)) from failure

    def grid(sheet: Any) -> Iterator[list[str]]:
        if sheet.nrows > MAX_ROWS:
            raise Unreadable(
                Finding(
                    "error", "row_far_away", sheet.name, sheet.nrows, {"row": str(sheet.nrows), "limit": str(MAX_ROWS)}
                )
            )
        for number in range(sheet.nrows):
            yield [
                _text(lambda value, kind=kind: xls_value_to_unicode(value, kind, book.datemode), value)
                for value, kind in zip(sheet.row_values(number), sheet.row_types(number), strict=True)
            ]

    try:
        return _workbook({sheet.name: grid(sheet) for sheet in book.sheets()})
    except Unreadable:
        raise
    except Exception as failure:
        raise Unreadable(error("damaged", part=str(failure))) from failure


def _text(write: Any, value: Any) -> str:
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return ""
    return str(write(value))


def _workbook(grids: Mapping[str, Iterator[list[str]]]) -> AuthorWorkbook:
    sheets = {}
    for title, grid in grids.items():
        name = title.strip().lower()
        # A single sheet is the survey, whatever its name; the converter takes it so too.
        name = "survey" if len(grids) == 1 and name not in READ else name
        if name in READ and name not in sheets:
            sheets[name] = _sheet(grid)
    return AuthorWorkbook(sheets, tuple(grids))


def _sheet(grid: Iterator[list[str]]) -> AuthorSheet:
    first = [" ".join(header.split()) for header in next(grid, [])]
    if not any("::" in header for header in first):
        first = [_SINGLE_COLON.sub(r"\1::", header) for header in first]
    at: dict[str, int] = {}
    again: dict[int, str] = {}
    for number, header in enumerate(first):
        if header and header in at:
            again[number] = header
        elif header:
            at[header] = number
    rows: list[Row] = []
    doubled: dict[str, None] = {}
    for cells in grid:
        rows.append({header: cells[n] for header, n in at.items() if n < len(cells) and cells[n]})
        doubled |= dict.fromkeys(header for number, header in again.items() if number < len(cells) and cells[number])
    return AuthorSheet(tuple(at), tuple(_without_end(rows)), tuple(doubled))


def _without_end(rows: Sequence[Row]) -> Sequence[Row]:
    end = len(rows)
    while end and not rows[end - 1]:
        end -= 1
    return rows[:end]

"""Builders of XLSForms for tests: a small good one, and what its author could do to it."""

import io
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook, load_workbook

VI = "label::Tiếng Việt (vi)"
EN = "label::English (en)"
SURVEY = ("type", "name", VI, EN)
CHOICES = ("list_name", "name", VI, EN)
SETTINGS = {
    "form_id": "household",
    "version": "1",
    "form_title": "Hộ gia đình",
    "title_vi": "Hộ gia đình",
    "title_en": "Household",
    "default_language": "Tiếng Việt (vi)",
}

Cells = Sequence[object]


def question(kind: str, name: str, **more: str) -> dict[str, str]:
    """Return a row of the survey with a label in both languages; `__` in a column's name stands for `::`."""
    return {"type": kind, "name": name, VI: f"Câu {name}", EN: f"Question {name}"} | {
        column.replace("__", "::"): cell for column, cell in more.items()
    }


GOOD = (
    question("text", "head_name"),
    question("select_one yes_no", "has_land"),
    question("begin_repeat", "plot"),
    question("decimal", "area", calculation=""),
    {"type": "end_repeat", "name": ""},
)
YES_NO = (("yes_no", "yes", "Có", "Yes"), ("yes_no", "no", "Không", "No"))


def xlsform(
    survey: Sequence[dict[str, str]] = GOOD,
    choices: Sequence[Cells] = YES_NO,
    settings: dict[str, str] | None = None,
    **changed: str,
) -> bytes:
    """Return a workbook with these rows; `changed` are settings beside the usual ones, empty ones left out."""
    book = Workbook()
    columns = list(dict.fromkeys([*SURVEY, *(column for row in survey for column in row)]))
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    sheet.append(columns)
    for row in survey:
        sheet.append([row.get(column) or None for column in columns])
    listed = book.create_sheet("choices")
    listed.append(CHOICES)
    for cells in choices:
        listed.append(cells)
    given = {name: cell for name, cell in ((SETTINGS if settings is None else settings) | changed).items() if cell}
    kept = book.create_sheet("settings")
    kept.append(list(given))
    kept.append(list(given.values()))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """Return a workbook's bytes."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_sheet(data: bytes, name: str, rows: Sequence[Cells]) -> bytes:
    """Return the workbook with one sheet more."""
    book = load_workbook(io.BytesIO(data))
    sheet = book.create_sheet(name)
    for row in rows:
        sheet.append(row)
    return saved(book)


def with_part(data: bytes, part: str, content: bytes) -> bytes:
    """Return the workbook with one part of its archive replaced or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
        new.writestr(part, content)
    return buffer.getvalue()


def part_of(data: bytes, part: str) -> bytes:
    """Return one part of the workbook's archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(part)

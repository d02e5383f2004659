"""Rows of the survey that the phone would not do as they say: kinds, appearances, defaults, groups and repeats.

What a phone leaves out or shows otherwise is a warning; what would lose or block an answer is an error.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from server.forms.answers.record_answers import LEAVES
from server.forms.authoring.author_workbook import AuthorSheet, AuthorWorkbook, Row
from server.forms.authoring.names import FormNames
from server.forms.authoring.proposals import CellChange
from server.forms.conversion.findings import FIRST_ROW, Finding, error, warning
from server.forms.conversion.sheets import chosen_list, column_name, type_of

#: 2,000 rows take a phone 11 s, and 20,000 end the tab.
MAX_COUNTED_ROWS: Final = 200
_COUNTS: Final = ("repeat_count", "jr:count", "count")
_REFERENCE: Final = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
_SEARCH: Final = re.compile(r"""search\(\s*['"]([\w.\-]+)['"]\s*\)""")
_SHOWN_OTHERWISE: Final = frozenset({"map", "quickmap", "image-map"})
_LEFT_OUT: Final = frozenset({"background-geopoint", "start-geopoint"})
_STATIC: Final = {"integer": "integer", "int": "integer", "decimal": "decimal", "date": "date", "time": "time"}
#: A month or a year alone is kept as its first day.
_MONTH: Final = re.compile(r"\d{4}(-(?:0[1-9]|1[0-2]))?")
_MIDNIGHT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]00:00(?::00(?:\.0+)?)?")


def check_questions(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give what the phone would do otherwise than the rows say, row by row."""
    sheet = workbook.sheet("survey")
    header = {column_name(each): each for each in sheet.headers}
    rows = {
        number: {column_name(each): cell for each, cell in row.items()}
        for number, row in enumerate(sheet.rows, start=FIRST_ROW)
        if row
    }
    codes = FormNames.of(workbook).codes
    row_of = {row["name"]: number for number, row in rows.items() if row.get("name") and not _is_end(row)}
    depth = 0
    for number, row in rows.items():
        depth += type_of(row).startswith("begin_repeat") - type_of(row).startswith("end_repeat")
        yield from _kind(number, row, is_in_row=depth > 0)
        yield from _appearance(number, row, header)
        yield from _default(number, row, header, codes)
        if type_of(row).startswith("begin_repeat"):
            yield from _count(number, rows, row_of, header)
    yield from _empty_groups(workbook, rows)


def without_tables(workbook: AuthorWorkbook) -> AuthorWorkbook:
    """Return the workbook with its tables as plain groups: the converter would add a question for a table's head."""
    sheet = workbook.sheet("survey")
    column = next((each for each in sheet.headers if column_name(each) == "appearance"), None)
    if column is None or not any("table-list" in row.get(column, "") for row in sheet.rows):
        return workbook
    rows = tuple(
        {**row, column: row[column].replace("table-list", "field-list")} if column in row else row for row in sheet.rows
    )
    return AuthorWorkbook({**workbook.sheets, "survey": AuthorSheet(sheet.headers, rows)}, workbook.names)


def _is_end(row: Row) -> bool:
    return type_of(row).startswith("end_")


def _kind(number: int, row: Row, *, is_in_row: bool) -> Iterator[Finding]:
    kind = type_of(row).partition(" ")[0]
    name = row.get("name") or kind
    # A row has no beginning and no end that the phone could record from and to.
    if kind in _LEFT_OUT or (kind == "background-audio" and is_in_row):
        yield warning("kind_left_out", "survey", number, name=name, type=kind)
    elif kind == "audit" and "track-changes-reasons" in row.get("parameters", ""):
        yield warning("audit_reasons", "survey", number)
    elif kind == "osm":
        yield error("kind_unknown", "survey", number, name=name, type=kind, instead="geopoint, geotrace, geoshape")


def _is_needed(row: Row) -> bool:
    return row.get("required", "no").strip().lower() not in ("", "no", "false", "false()")


def _appearance(number: int, row: Row, header: Mapping[str, str]) -> Iterator[Finding]:
    appearance = row.get("appearance", "")
    kind = type_of(row).partition(" ")[0]
    words = appearance.split()
    name = row.get("name", "")
    if "search(" in appearance:
        found = error("search", "survey", number, name=name)
        file = _SEARCH.fullmatch(appearance.strip())
        if file is not None and kind in ("select_one", "select_multiple"):
            after = f"{kind}_from_file {file.group(1).removesuffix('.csv')}.csv"
            found = found.proposing(
                CellChange("survey", number, header["type"], row["type"], after),
                CellChange("survey", number, header["appearance"], appearance, ""),
            )
        yield found
    elif kind.startswith("select") and "label" in words and _is_needed(row):
        change = CellChange("survey", number, header["required"], row["required"], "")
        yield error("appearance_label", "survey", number, name=name).proposing(change)
    else:
        for word in _SHOWN_OTHERWISE.intersection(words):
            yield warning("appearance_otherwise", "survey", number, name=name, appearance=word)


def _default(
    number: int, row: Row, header: Mapping[str, str], codes: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Give a default that is no answer to its question: a date that Excel wrote, a code that no list has."""
    value = row.get("default", "")
    kind = type_of(row).partition(" ")[0]
    if not value or "(" in value or "${" in value:
        return
    proposed = None
    if kind in _STATIC:
        is_answer, _ = LEAVES[_STATIC[kind]]
        if is_answer(value):
            return
        proposed = _as_day(value) if kind == "date" else value.replace(",", ".")
        if not is_answer(proposed):
            proposed = None
    elif (name := chosen_list(row)) is not None:
        offered = codes.get(name, ())
        wanted = value.split() if kind.startswith("select_multiple") else [value]
        if not offered or all(code in offered for code in wanted):
            return
        near = [code for code in offered if code.lower() == value.lower()]
        proposed = near[0] if len(near) == 1 else None
    else:
        return
    found = error("default_unfit", "survey", number, name=row.get("name", ""), value=value, type=kind)
    if proposed is None:
        yield found
    else:
        yield found.proposing(CellChange("survey", number, header["default"], value, proposed))


def _as_day(value: str) -> str:
    """Return the day that Excel wrote with a time, or the first one of a month or a year."""
    if midnight := _MIDNIGHT.fullmatch(value):
        return midnight.group(1)
    month = _MONTH.fullmatch(value)
    return value if month is None else f"{value}-01" if month.group(1) else f"{value}-01-01"


def _count(
    number: int, rows: Mapping[int, Row], row_of: Mapping[str, int], header: Mapping[str, str]
) -> Iterator[Finding]:
    """Give a count of rows that nothing bounds: one mistyped number would end the tab."""
    column = next((each for each in _COUNTS if rows[number].get(each)), None)
    if column is None:
        return
    count = rows[number][column]
    told = {"name": rows[number].get("name", ""), "limit": str(MAX_COUNTED_ROWS)}
    if count.isdecimal():
        if int(count) > MAX_COUNTED_ROWS:
            yield error("repeat_long", "survey", number, count=count, **told)
        return
    if "min(" in count or "count-selected(" in count or "count(" in count:
        return
    reference = _REFERENCE.fullmatch(count.strip())
    asked = rows.get(row_of.get(reference.group(1), 0)) if reference else None
    if asked is not None and "<" in asked.get("constraint", ""):
        return
    found = error("repeat_unbounded", "survey", number, count=count, **told)
    if reference is not None and asked is not None and type_of(asked) in ("integer", "int"):
        where = row_of[reference.group(1)]
        before = asked.get("constraint", "")
        bound = f". <= {MAX_COUNTED_ROWS}"
        after = f"({before}) and {bound}" if before else bound
        yield found.proposing(CellChange("survey", where, header.get("constraint", "constraint"), before, after))
    else:
        after = f"min({count}, {MAX_COUNTED_ROWS})"
        yield found.proposing(CellChange("survey", number, header[column], count, after))


def _empty_groups(workbook: AuthorWorkbook, rows: Mapping[int, Row]) -> Iterator[Finding]:
    """Give groups and repeats with nothing in them, which the phone's engine does not open."""
    before: int | None = None
    for number, row in rows.items():
        if _is_end(row) and before is not None and type_of(rows[before]).startswith("begin_"):
            cells = [
                CellChange("survey", at, each, cell, "")
                for at in (before, number)
                for each, cell in workbook.sheet("survey").rows[at - FIRST_ROW].items()
            ]
            yield error("group_empty", "survey", before, name=rows[before].get("name", "")).proposing(*cells)
        before = number

"""Lists in `.xml` files (`xml-external`), which the phone does not read: each becomes a `.csv` of its name.

ODK's shape alone is read: a root, an element for each entry, and in it one for each column. The rows of the survey that
name such a file propose the other kind; expressions over `instance('name')` stay as they are.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook, Row
from server.forms.authoring.proposals import CellChange
from server.forms.conversion.findings import FIRST_ROW, Finding, error
from server.forms.conversion.sheets import column_name
from server.forms.xml_input import XmlRefused, local_name, parse_xml

ENDING: Final = ".xml"
_KIND: Final = re.compile(r"\s*xml[-_ ]external\s*", re.IGNORECASE)
_FROM_FILE: Final = re.compile(r"(.*_from_file\s+\S+)\.xml(.*)", re.DOTALL)


def with_csv(lists: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with each `.xml` list as a `.csv`; one that cannot be read, or is there as both, as it is."""
    files: dict[str, bytes] = {}
    for name, data in lists.items():
        plain = f"{name.removesuffix(ENDING)}.csv"
        made = _as_csv(data) if name.endswith(ENDING) and plain not in lists else None
        files[name if made is None else plain] = data if made is None else made
    return files


def check_xml_lists(workbook: AuthorWorkbook, lists: Collection[str]) -> Iterator[Finding]:
    """Give the rows that name a list in XML, and the files of which `with_csv` made none."""
    sheet = workbook.sheet("survey")
    column = next((each for each in sheet.headers if column_name(each) == "type"), "type")
    for number, row in enumerate(sheet.rows, start=FIRST_ROW):
        written = row.get(column, "")
        if _KIND.fullmatch(written):
            file, instead = f"{_name(row)}{ENDING}", "csv-external"
        elif found := _FROM_FILE.fullmatch(written):
            file, instead = f"{found.group(1).split()[-1]}{ENDING}", f"{found.group(1)}.csv{found.group(2)}"
        else:
            continue
        change = CellChange("survey", number, column, written, instead)
        yield error("xml_list", "survey", number, file=file, instead=instead).proposing(change)
        if file in lists and f"{file.removesuffix(ENDING)}.csv" not in lists:
            yield error("xml_list_unreadable", file=file)


def _name(row: Row) -> str:
    return next((cell for header, cell in row.items() if column_name(header) == "name"), "")


def _as_csv(data: bytes) -> bytes | None:
    try:
        root = parse_xml(data)
    except XmlRefused:
        return None
    entries = []
    for item in root:
        names = [local_name(cell) for cell in item]
        if not names or len(set(names)) < len(names) or any(len(cell) for cell in item):
            return None
        entries.append(dict(zip(names, ((cell.text or "").strip() for cell in item), strict=True)))
    if not entries:
        return None
    buffer = io.StringIO(newline="")
    columns = dict.fromkeys(name for entry in entries for name in entry)
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    return buffer.getvalue().encode()

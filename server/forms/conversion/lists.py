"""Choice lists that come as files beside the form: which it needs, and whether each is one."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from server.forms.conversion.findings import Finding, error, warning
from server.forms.conversion.geojson_list import ENDING, NotGeoJson, clean_geojson, geojson_entries
from server.forms.conversion.label_media import media_type, shown_files
from server.forms.schema import XFORMS

MAX_LIST_BYTES = 2_000_000
MAX_ROWS = 5_000
#: More rows with the same mistake are its kind, and known from these.
MAX_TOLD: Final = 10
#: What the converter writes for ${last-saved#…}.
LAST_SAVED: Final = "jr://instance/last-saved"
_SPACE: Final = re.compile(r"\s")
BOM = b"\xef\xbb\xbf"


def check_lists(document: etree._Element, lists: Mapping[str, bytes]) -> list[Finding]:
    """Return what is wrong with the lists that came with the form, and which files it has no use for."""
    return list(_check(document, lists))


def is_list(file: str) -> bool:
    """Say whether a file beside a form is a list, and no picture or sound of its labels."""
    return media_type(file) is None


def clean_list(file: str, data: bytes) -> bytes:
    """Return a list as phones get it: without the mark that spreadsheets put first, of a map only what they read."""
    if not is_list(file):
        return data
    return clean_geojson(data) if file.endswith(ENDING) else data.removeprefix(BOM)


def columns_of(file: str, data: bytes) -> Collection[str]:
    """Return the columns of a list, of a map the properties of its features; none of what cannot be read."""
    try:
        if file.endswith(ENDING):
            return {name for entry in geojson_entries(clean_geojson(data)) for name in entry}
        return next(csv.reader(io.StringIO(clean_list(file, data).decode(), newline="")), [])
    except (NotGeoJson, UnicodeDecodeError, csv.Error):
        return ()


def _check(document: etree._Element, lists: Mapping[str, bytes]) -> Iterator[Finding]:
    needed: set[str] = set(shown_files(document))
    for instance in document.iterfind(f".//{XFORMS}model/{XFORMS}instance[@src]"):
        source = instance.get("src") or ""
        file = source.rpartition("/")[2]
        if source == LAST_SAVED:
            yield error("last_saved", "survey")
            continue
        needed.add(file)
        if not source.startswith("jr://file-csv/") and not source.endswith(ENDING):
            yield error("list_kind", "survey", file=file)
        elif file not in lists:
            yield error("list_missing", "survey", file=file)
        else:
            yield from _check_list(file, lists[file], _uses(document, instance.get("id") or ""))
    for file in lists:
        if file not in needed:
            yield warning("list_unused", file=file)


@dataclass(frozen=True, slots=True)
class _Uses:
    """What the form's questions read from a list: the columns, those with codes, and whether all ask by a filter."""

    columns: frozenset[str]
    values: frozenset[str]
    is_filtered: bool


def _uses(document: etree._Element, instance_id: str) -> _Uses:
    columns: set[str] = set()
    values: set[str] = set()
    is_filtered = True
    for itemset in document.iterfind(f".//{XFORMS}itemset"):
        nodeset = itemset.get("nodeset") or ""
        if f"instance('{instance_id}')" in nodeset:
            columns |= {part.get("ref") or "" for part in itemset if part.get("ref")}
            values |= {part.get("ref") or "" for part in itemset.iterfind(f"{XFORMS}value")}
            is_filtered &= "[" in nodeset
    return _Uses(frozenset(columns), frozenset(values), is_filtered)


def _check_list(file: str, data: bytes, uses: _Uses) -> Iterator[Finding]:
    names = ", ".join(sorted(uses.columns)) or "name, label"
    if len(data) > MAX_LIST_BYTES:
        yield error("list_too_long", list=file, count=f"{len(data)} B", limit=f"{MAX_LIST_BYTES} B")
        return
    rows: Sequence[tuple[int, Mapping[str, str] | Finding]]
    try:
        if file.endswith(ENDING):
            entries = geojson_entries(clean_geojson(data))
            rows = [
                (number, entry if uses.columns <= entry.keys() else error("feature_lacks", file, number, columns=names))
                for number, entry in enumerate(entries, start=1)
            ]
        else:
            rows = _csv_rows(file, data, uses)
    except NotGeoJson as failure:
        if failure.feature is None:
            yield error("geojson_unreadable", file=file)
        else:
            yield error("feature_unreadable", file, failure.feature)
        return
    except (UnicodeDecodeError, csv.Error, _HeaderLacks):
        yield error("list_unreadable", file=file, columns=names)
        return
    if len(rows) > MAX_ROWS:
        yield error("list_too_long", list=file, count=len(rows), limit=MAX_ROWS)
        return
    told = Counter[str]()
    for finding in _check_rows(file, rows, uses):
        told[finding.code] += 1
        if told[finding.code] <= MAX_TOLD:
            yield finding


class _HeaderLacks(ValueError):
    """A column that the form's questions read is missing."""


def _csv_rows(file: str, data: bytes, uses: _Uses) -> list[tuple[int, Mapping[str, str] | Finding]]:
    reader = csv.reader(io.StringIO(clean_list(file, data).decode(), newline=""), strict=True)
    header = next(reader, [])
    if not header or uses.columns - set(header):
        raise _HeaderLacks
    rows: list[tuple[int, Mapping[str, str] | Finding]] = []
    for row in filter(None, reader):
        number, count = reader.line_num, len(row)
        is_whole = count == len(header)
        lacks = error("file_row_length", file, number, count=count, wanted=len(header))
        rows.append((number, dict(zip(header, row, strict=True)) if is_whole else lacks))
    return rows


def _check_rows(file: str, rows: Sequence[tuple[int, Mapping[str, str] | Finding]], uses: _Uses) -> Iterator[Finding]:
    """Give the rows whose codes the phone would drop, or the server's door refuse."""
    seen: dict[tuple[str, str], int] = {}
    for number, cells in rows:
        if isinstance(cells, Finding):
            yield cells
            continue
        for column in sorted(uses.values):
            code = cells[column]
            if not code.strip():
                yield error("file_code_blank", file, number, column=column)
            elif _SPACE.search(code):
                yield error("file_code_spaces", file, number, value=code)
            elif (column, code) in seen:
                say = warning if uses.is_filtered else error
                yield say("file_code_twice", file, number, value=code, other=seen[column, code])
            else:
                seen[column, code] = number

"""Choice lists that come as files beside the form: which it needs, and whether each is one."""

import csv
import io
from collections.abc import Iterator, Mapping

from lxml import etree

from server.forms.findings import Finding, error, warning
from server.forms.schema import XFORMS

MAX_LIST_BYTES = 2_000_000
MAX_ROWS = 5_000
BOM = b"\xef\xbb\xbf"


def check_lists(document: etree._Element, lists: Mapping[str, bytes]) -> list[Finding]:
    """Return what is wrong with the files that came with the form."""
    return list(_check(document, lists))


def clean_list(data: bytes) -> bytes:
    """Return a list as phones get it: without the mark that spreadsheets put before the first column's name."""
    return data.removeprefix(BOM)


def _check(document: etree._Element, lists: Mapping[str, bytes]) -> Iterator[Finding]:
    needed: set[str] = set()
    for instance in document.iterfind(f".//{XFORMS}model/{XFORMS}instance[@src]"):
        source = instance.get("src") or ""
        file = source.rpartition("/")[2]
        needed.add(file)
        if not source.startswith("jr://file-csv/"):
            yield error("list_kind", "survey", file=file)
        elif file not in lists:
            yield error("list_missing", "survey", file=file)
        else:
            yield from _check_list(file, lists[file], _columns(document, instance.get("id") or ""))
    for file in lists:
        if file not in needed:
            yield warning("list_unused", file=file)


def _columns(document: etree._Element, instance_id: str) -> set[str]:
    """Return the columns that the form's questions read from a list."""
    columns: set[str] = set()
    for itemset in document.iterfind(f".//{XFORMS}itemset"):
        if f"instance('{instance_id}')" in (itemset.get("nodeset") or ""):
            columns |= {part.get("ref") or "" for part in itemset if part.get("ref")}
    return columns


def _check_list(file: str, data: bytes, columns: set[str]) -> Iterator[Finding]:
    names = ", ".join(sorted(columns)) or "name, label"
    if len(data) > MAX_LIST_BYTES:
        yield error("list_too_long", list=file, count=f"{len(data)} B", limit=f"{MAX_LIST_BYTES} B")
        return
    try:
        reader = csv.DictReader(io.StringIO(clean_list(data).decode()), strict=True)
        header = set(reader.fieldnames or ())
        length = sum(1 for _row in reader)
    except (UnicodeDecodeError, csv.Error):
        yield error("list_unreadable", file=file, columns=names)
        return
    if not header or columns - header:
        yield error("list_unreadable", file=file, columns=names)
    if length > MAX_ROWS:
        yield error("list_too_long", list=file, count=length, limit=MAX_ROWS)

"""The gate before the converter: a file that is no honest workbook is refused before anything interprets it.

Guarantees for what passes: a zip archive within limits of size and ratio, every XML part of it well-formed and without
a document type, rows and cells within limits. The converter's own reader trusts what this gate has let through.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from server.forms.conversion.findings import Finding, error

MAX_FILE_BYTES = 5_000_000
MAX_PARTS = 500
MAX_UNPACKED_BYTES = 60_000_000
MAX_RATIO = 100
#: Below this, a ratio says nothing: a sheet of styled empty rows compresses very well.
RATIO_FREE_BYTES = 5_000_000
MAX_ROWS = 20_000
MAX_CELLS = 500_000
#: Comments, pictures, macros and what else lies in a workbook without making a form; Excel writes some of it as no XML.
UNREAD = (
    "customXml/",
    "xl/activeX/",
    "xl/charts/",
    "xl/comments",
    "xl/ctrlProps/",
    "xl/drawings/",
    "xl/embeddings/",
    "xl/media/",
    "xl/persons/",
    "xl/printerSettings/",
    "xl/threadedComments/",
)

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships "


class _Refused(Exception):
    """The workbook must not be opened, for the reason in `finding`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Gated:
    """A workbook that may be opened: without the parts that nobody reads, and how far down its sheets go."""

    data: bytes
    is_old: bool = False
    last_rows: Mapping[str, int] = field(default_factory=dict)


def gate_workbook(data: bytes) -> Gated | Finding:
    """Return the workbook that may be opened, or why none may."""
    try:
        return _gate(data)
    except _Refused as refusal:
        return refusal.finding


def _gate(data: bytes) -> Gated:
    if not data:
        raise _Refused(error("empty_file"))
    if len(data) > MAX_FILE_BYTES:
        raise _Refused(error("file_too_large", limit_mb=MAX_FILE_BYTES // 1_000_000))
    if data.startswith(OLE):
        # Excel wraps a workbook with a password in the same container that .xls used.
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _Refused(error("encrypted"))
        return Gated(data, is_old=True)
    if not data.startswith(ZIP):
        raise _Refused(error("not_xlsx"))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            last_rows = _gate_archive(archive)
            return Gated(_read_parts(data, archive), last_rows=last_rows)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as failure:
        raise _Refused(error("not_xlsx")) from failure


def _read_parts(data: bytes, archive: zipfile.ZipFile) -> bytes:
    """Return the workbook without the parts that were not looked at, so that no reader is led to them by a name."""
    if not any(_is_unread(part.filename) for part in archive.infolist()):
        return data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as kept:
        for part in archive.infolist():
            if not _is_unread(part.filename):
                kept.writestr(part.filename, archive.read(part))
    return buffer.getvalue()


def _is_unread(name: str) -> bool:
    return name.startswith(UNREAD) or name.endswith((".vml", ".bin"))


def _gate_archive(archive: zipfile.ZipFile) -> Mapping[str, int]:
    """Return the last row with a value of each sheet."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names or len(names) != len(parts):
        raise _Refused(error("not_xlsx"))
    if any(part.flag_bits & 1 for part in parts):
        raise _Refused(error("encrypted"))
    # The sizes are the archive's own words, but no more than these is ever read of a part.
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES or any(_is_bomb(part) for part in parts):
        raise _Refused(error("zip_bomb"))
    measure = _Measure()
    # Sheets last: the workbook and its relations say what their names are.
    for part in sorted(parts, key=lambda item: (item.filename.startswith("xl/worksheets/"), item.filename)):
        if not part.filename.endswith((".xml", ".rels")) or _is_unread(part.filename):
            continue
        try:
            with archive.open(part) as stream:
                measure.read(part.filename, stream)
        except (expat.ExpatError, LookupError) as failure:
            # An encoding that the parser does not know is a LookupError.
            raise _Refused(error("damaged", part=part.filename)) from failure
    return measure.last_rows


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    return part.file_size > RATIO_FREE_BYTES and part.file_size > MAX_RATIO * max(part.compress_size, 1)


class _Measure:
    """Reads parts one after the other and counts what the sheets hold; builds no tree."""

    def __init__(self) -> None:
        self.cells = 0
        self.rows = 0
        self.last_rows: dict[str, int] = {}
        self._row = 0
        self._part = ""
        self._title = ""
        self._cell_is_open = False
        self._row_holds = False
        self._names: dict[str, str] = {}
        self._targets: dict[str, str] = {}

    def read(self, name: str, stream: IO[bytes]) -> None:
        self.rows = self._row = 0
        self._part = name
        self._title = self._sheet_name()
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse_document_type
        if name.startswith("xl/worksheets/"):
            parser.StartElementHandler, parser.EndElementHandler = self._open_in_sheet, self._close_in_sheet
        elif name in {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"}:
            parser.StartElementHandler = self._open_in_workbook
        parser.ParseFile(stream)

    def _open_in_workbook(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == f"{MAIN}sheet":
            self._names[attributes.get(RELATION, "")] = attributes.get("name", "")
        elif tag == f"{PACKAGE}Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def _open_in_sheet(self, tag: str, attributes: dict[str, str]) -> None:
        if self._cell_is_open and tag in {f"{MAIN}v", f"{MAIN}is", f"{MAIN}f"}:
            self.cells += tag != f"{MAIN}f"
            self._row_holds = True
        elif tag == f"{MAIN}c":
            self._cell_is_open = True
        elif tag == f"{MAIN}row":
            told = attributes.get("r", "")
            self._row = int(told) if told.isdecimal() else self._row + 1

    def _close_in_sheet(self, tag: str) -> None:
        if tag == f"{MAIN}c":
            self._cell_is_open = False
        elif tag == f"{MAIN}row":
            if self._row_holds:
                self.rows += 1
                self.last_rows[self._title] = self._row
            self._row_holds = False
            if self.rows > MAX_ROWS:
                told = {"sheet": self._title, "limit": str(MAX_ROWS)}
                raise _Refused(Finding("error", "too_many_rows", self._title, params=told))
            if self.cells > MAX_CELLS:
                raise _Refused(error("too_many_cells", limit=MAX_CELLS))

    def _sheet_name(self) -> str:
        """Return what the author calls the sheet; the part's own name where that is not said."""
        ids = [key for key, target in self._targets.items() if self._part.endswith(target.lstrip("/"))]
        return next((self._names[key] for key in ids if key in self._names), self._part)


def _refuse_document_type(*_declaration: object) -> None:
    raise _Refused(error("document_type"))

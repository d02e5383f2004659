"""Builder of old Excel workbooks (.xls): the BIFF8 stream that Excel 97 wrote, in its compound file.

Only what a test needs of [MS-XLS] and [MS-CFB]: sheets of texts and numbers, and one stream of whole sectors.
"""

import struct
from collections.abc import Mapping, Sequence

SECTOR = 512
#: Shorter streams would live in a stream of their own for small ones.
SHORTEST = 4096
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
GLOBALS, SHEET = 0x0005, 0x0010


def xls(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """Return a workbook with these sheets; cells are texts, numbers, or None."""
    bodies = [_sheet(rows) for rows in sheets.values()]
    names = [_record(0x0085, struct.pack("<IBB", 0, 0, 0) + _text(name, "<B")) for name in sheets]
    at = len(_start(GLOBALS)) + sum(map(len, names)) + len(_record(0x000A))
    placed = []
    for name, body in zip(names, bodies, strict=True):
        placed.append(name[:4] + struct.pack("<I", at) + name[8:])
        at += len(body)
    return _compound(b"".join([_start(GLOBALS), *placed, _record(0x000A), *bodies]))


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _start(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0))


def _text(text: str, length: str) -> bytes:
    return struct.pack(length, len(text)) + b"\x01" + text.encode("utf-16-le")


def _sheet(rows: Sequence[Sequence[object]]) -> bytes:
    cells = []
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, (int, float)):
                cells.append(_record(0x0203, place + struct.pack("<d", value)))
            elif value is not None:
                cells.append(_record(0x0204, place + _text(str(value), "<H")))
    return b"".join([_start(SHEET), *cells, _record(0x000A)])


def _compound(stream: bytes) -> bytes:
    sectors = max(-(-len(stream) // SECTOR), SHORTEST // SECTOR)
    chain = [*range(3, sectors + 2), END]
    table = [FAT, END, *chain]
    table += [FREE] * (SECTOR // 4 - len(table))
    entries = _entry("Root Entry", 5, 1, END, 0) + _entry("Workbook", 2, FREE, 2, sectors * SECTOR) + bytes(256)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, SHORTEST, END, 0, END, 0) + struct.pack("<I", 0)
    head += struct.pack("<I", FREE) * 108
    return head + struct.pack(f"<{len(table)}I", *table) + entries + stream.ljust(sectors * SECTOR, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    links = struct.pack("<III", FREE, FREE, child)
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<III", start, size, 0)
    )

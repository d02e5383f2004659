"""JSON read as strictly as `sync.revisions.canonical` reads it, in a third of the time where a browser has written it.

msgspec's decoder lets pass what strict JSON refuses, a key that stands twice above all. So what it read is written once
more: text that comes out byte for byte can mean that tree only. What comes out otherwise (spaces, escapes, numbers
written in ways of their own), what msgspec refuses, and what it reads in another way than the engine does, is the
engine's to read or to refuse. `tests/server/test_reading.py` holds the two together.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import msgspec

from sync.revisions.canonical import MAX_DEPTH, MAX_NODES, Json, MalformedJson, Reading, check_size
from sync.revisions.canonical import read as by_the_letter

#: From here on reading may take more than some ten milliseconds.
LONG_BYTES = 100_000
Result = TypeVar("Result")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
#: What stands before a double in MessagePack.
_DOUBLE = b"\xcb"
#: For one look over the text: what can stand in an integer becomes 0, what can stand before one in a list a comma.
_LOOK = bytes.maketrans(b"-123456789[", b"0000000000,")
#: Integers shorter than this a double holds for certain.
_LONG = b"0" * 16

#: What opens and closes values, and the strings in which such signs mean nothing.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class _Apart(msgspec.Struct):
    docs: list[msgspec.Raw]


_take_apart = msgspec.json.Decoder(_Apart).decode


async def aside(work: Callable[[bytes], Result], data: bytes) -> Result:
    """Return what `work` makes of `data`: in a thread where there is much of it, so that others get their turns."""
    return await aside_where_long(len(data), partial(work, data))


async def aside_where_long(size: int, work: Callable[[], Result]) -> Result:
    """Return what `work` makes of so many bytes, in a thread where these are many."""
    return work() if size < LONG_BYTES else await asyncio.to_thread(work)


def read(data: bytes, *, max_depth: int = MAX_DEPTH, keeps_numbers: bool = False) -> Reading:
    """Return the tree and its flaws by place; raise MalformedJson where no tree can be had at all.

    `keeps_numbers`: as in `sync.revisions.canonical.read`.
    """
    # Both are asked only of what is long or nested enough to fail.
    if len(data) >= MAX_NODES:
        check_size(data)
    is_nested = data.count(b"{") + data.count(b"[") > max_depth
    look = data.translate(_LOOK)
    if b'":' + _LONG not in look and b"," + _LONG not in look and b'"__proto__"' not in data:
        try:
            value: Json = _decode(data)
            is_whole = isinstance(value, dict | list) and _encode(value) == data
            # A double may come out as it came and be written otherwise in canonical JSON: 1.0 is.
            is_plain = not keeps_numbers or _DOUBLE not in _pack(value)
            if is_whole and is_plain and not (is_nested and _may_be_deeper(data, max_depth)):
                return Reading(value, ())
        except (ValueError, RecursionError):
            pass
    return by_the_letter(data, max_depth=max_depth, keeps_numbers=keeps_numbers)


def read_documents(data: bytes, *, keeps_numbers: bool = False) -> tuple[Json, Iterator[Reading]]:
    """Return what a body says beside its list `docs`, which is empty there, and the documents, read one by one.

    A tree that is looked at and let go before the next is read never leaves the processor's caches. A document's flaws
    come with it; raise MalformedJson for all others, for some only while documents are read. `keeps_numbers`: as in
    `sync.revisions.canonical.read`, in documents.
    """
    check_size(data)
    try:
        documents = [bytes(document) for document in _take_apart(data).docs]
    except (ValueError, RecursionError):
        return _read_together(data, keeps_numbers=keeps_numbers)
    inside = b",".join(documents)
    before, _, after = data.partition(inside) if inside else (data, b"", b"")
    around = read(before + after)
    # There may be spaces between documents, two lists of this name, or the same bytes elsewhere.
    if around.flaws or not isinstance(around.value, dict) or around.value.get("docs") != []:
        return _read_together(data, keeps_numbers=keeps_numbers)
    return around.value, _each(documents, data, keeps_numbers=keeps_numbers)


def place_of(flaw: MalformedJson, data: bytes) -> str:
    """Return where `flaw` is in `data`: a JSON Pointer or an offset, also where the engine says only `too_deep`."""
    depth = 0
    for found in _BRACKETS.finditer(data) if flaw.code == "too_deep" else ():
        depth += 1 if found[0] in b"[{" else -1 if found[0] in b"]}" else 0
        if depth > MAX_DEPTH:
            return str(found.start())
    return flaw.where


def _each(documents: list[bytes], data: bytes, *, keeps_numbers: bool) -> Iterator[Reading]:
    for position, document in enumerate(documents):
        try:
            # Two levels are around it.
            reading = read(document, max_depth=MAX_DEPTH - 2, keeps_numbers=keeps_numbers)
        except MalformedJson:
            # Where in the body that is, only the body tells.
            by_the_letter(data)
            raise
        flaws = (MalformedJson(flaw.code, f"/docs/{position}{flaw.where}") for flaw in reading.flaws)
        yield Reading(reading.value, tuple(flaws))


def _read_together(data: bytes, *, keeps_numbers: bool) -> tuple[Json, Iterator[Reading]]:
    reading = by_the_letter(data, keeps_numbers=keeps_numbers)
    value = reading.value
    documents = value.get("docs") if isinstance(value, dict) else None
    flaws: defaultdict[int, list[MalformedJson]] = defaultdict(list)
    for flaw in reading.flaws:
        match flaw.where.split("/"):
            case ["", "docs", position, *_] if isinstance(documents, list):
                flaws[int(position)].append(flaw)
            case _:
                raise flaw
    if not isinstance(value, dict) or not isinstance(documents, list):
        return value, iter(())
    each = (Reading(document, tuple(flaws[position])) for position, document in enumerate(documents))
    return {**value, "docs": []}, each


def _may_be_deeper(data: bytes, max_depth: int) -> bool:
    # In a line of its own each value has as many spaces before it as there are levels around it.
    return b"\n" + b" " * max_depth in msgspec.json.format(data, indent=1)

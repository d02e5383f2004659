"""The server's own way to read JSON: the engine's trees and flaws, or its refusal."""

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.platform.json_reader import read, read_documents
from sync.revisions.canonical import MalformedJson, Reading
from sync.revisions.canonical import read as by_the_letter
from tests.server.test_canonical import VALUES
from tests.vectors import vectors

#: Pieces of which JSON is made, and what spoils it.
_MARKS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b" "]
_KEYS = [b'"a":', b'"a" :', b'"b":', b'"docs":[', b'"\\u0061":', b'"__proto__":']
_STRINGS = [b'"x"', b'"\\ud800"', b'"\\ud83c\\udf3e"', '"🌾"'.encode(), b'"\xff"', b'"\xed\xa0\x80"', b'"\\n"', b'"\n"']
_NUMBERS = b"1 -0 1.0 1e5 1E400 0.1 01 1e22 9007199254740991 9007199254740993 -1234567890123456 100000000000000000000"
PIECES = st.sampled_from([*_MARKS, *_KEYS, *_STRINGS, *_NUMBERS.split(), b"null", b"true", b"NaN"])
TEXTS = st.lists(PIECES, max_size=12).map(b"".join)
WRITTEN = st.builds(
    lambda value, compact: json.dumps(
        value, ensure_ascii=not compact, separators=(",", ":") if compact else None
    ).encode("utf-8", "surrogatepass"),
    VALUES,
    st.booleans(),
)


@given(WRITTEN | TEXTS)
@example(b'{"a":1,"a":1}')
@example(b'{"a":{"b":"x","b":"x"},"c":"y"}')
@example(b'{"a":12345678901234567}')
@example(b"[12345678901234567]")
@example(b"12345678901234567")
@example(b'{"a":-1234567890123456}')
@example(b'{"a":[],"__proto__":{}}')
@example(b'["\xed\xa0\x80"]')
def test_i1_it_reads_what_the_engine_reads_and_refuses_what_the_engine_refuses(data: bytes) -> None:
    assert _said(read, data) == _said(by_the_letter, data)


@pytest.mark.parametrize("kind", ["canonical", "malformed"])
def test_i1_vectors_are_read_as_the_engine_reads_them(kind: str) -> None:
    for case in vectors("canonical")[kind]:
        data = base64.b64decode(case["base64"]) if "base64" in case else case["json"].encode()
        assert _said(read, data) == _said(by_the_letter, data), case


@pytest.mark.parametrize("levels", [1, 60, 62, 63, 64, 65, 66, 100, 3000, 100_000])
@pytest.mark.parametrize(
    "around", [('{"a":', "}"), ("[", "]"), ('{"}":"}","a":', ',"b":"{"}'), ('{"b":[],"a":', ',"c":{}}')]
)
@pytest.mark.parametrize("inside", ["1", "[]", "{}"])
def test_as_deep_as_the_engine_reads(levels: int, around: tuple[str, str], inside: str) -> None:
    data = (around[0] * levels + inside + around[1] * levels).encode()
    assert _said(read, data) == _said(by_the_letter, data)
    body = b'{"docs":[{"_id":"a"},%b]}' % data
    assert _together(body) == _apart(body)


def test_as_many_values_as_the_engine_reads() -> None:
    for count in (499_999, 500_001):
        data = b"[" + b",".join([b"1"] * count) + b"]"
        assert _said(read, data) == _said(by_the_letter, data)
        body = b'{"docs":[%b]}' % data
        assert _together(body) == _apart(body)


BODIES = st.builds(
    lambda docs, comma, before, after: b'{%b"docs":[%b]%b}' % (before, comma.join(docs), after),
    st.lists(WRITTEN | TEXTS, max_size=4),
    st.sampled_from([b",", b",", b", "]),
    st.sampled_from([b"", b'"a":[1,1],', b'"docs":[1],', b'"a":"1",', b'"__proto__":1,', b'"new_edits":false,']),
    st.sampled_from(
        [b"", b',"docs":[]', b',"new_edits":false', b',"new_edits":true,"new_edits":true', b',"a":NaN', b","]
    ),
)


@given(BODIES | TEXTS)
@example(b'{"docs":[1,1],"docs":[1,1]}')
@example(b'{"a":[1,1],"docs":[1,1]}')
@example(b'{"docs":"none"}')
@example(b'{"docs":[{"x":"\\ud800"},{"x":1,"x":2},{"x":1e999}]}')
@example(b'{"docs":[{"x":1},{"x":]}')
@example(b'{"docs":[{"x":"\xff"}]}')
@example(b"[]")
def test_documents_are_read_one_by_one_as_they_are_read_together(body: bytes) -> None:
    assert _together(body) == _apart(body)


def _together(body: bytes) -> object:
    """Return what the engine says of a body, as `read_documents` tells it."""
    try:
        reading = by_the_letter(body)
        value = reading.value
        listed = value.get("docs") if isinstance(value, dict) else None
        under = [flaw for flaw in reading.flaws if isinstance(listed, list) and flaw.where.startswith("/docs/")]
        for flaw in reading.flaws:
            if flaw not in under:
                raise flaw
    except MalformedJson as refused:
        return refused.code, refused.where
    if not isinstance(value, dict) or not isinstance(listed, list):
        return _plain(value), []
    flaws = [sorted(str(flaw) for flaw in under if flaw.where.split("/")[2] == str(at)) for at in range(len(listed))]
    return _plain({**value, "docs": []}), [(_plain(each), of) for each, of in zip(listed, flaws, strict=True)]


def _apart(body: bytes) -> object:
    try:
        value, documents = read_documents(body)
        return _plain(value), [(_plain(each.value), sorted(map(str, each.flaws))) for each in documents]
    except MalformedJson as refused:
        return refused.code, refused.where


def _said(reading: Callable[[bytes], Reading], data: bytes) -> object:
    try:
        found = reading(data)
    except MalformedJson as refused:
        return refused.code, refused.where
    return _plain(found.value), [str(flaw) for flaw in found.flaws]


def _plain(value: Any) -> object:
    """Return a tree that equals another only where types, order of keys and NaNs are the same too."""
    if isinstance(value, dict):
        return [(key, _plain(child)) for key, child in value.items()]
    if isinstance(value, list):
        return ["list", *map(_plain, value)]
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else ("float", value.hex())
    return type(value).__name__, value

"""The canonical form: the vectors, the reference implementation, and what no document may hold."""

import base64
import hashlib
import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from sync.revisions.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    Json,
    MalformedJson,
    canonical,
    member,
    parse,
    read,
    same,
)
from sync.revisions.json_pointer import pointer_to
from tests.vectors import vectors

VECTORS = vectors("canonical")
CODES = {"none", "not_json", "not_utf8", "not_a_number", "lone_surrogate", "number_out_of_range", "too_deep"}
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\/\b\n\x1f\x7f\ue000\uffff🌾😀:[,'), max_size=8
)
NUMBERS = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("case", VECTORS["canonical"], ids=lambda case: case["name"])
def test_a_vector_has_its_canonical_form(case: dict[str, str]) -> None:
    value = parse(case["json"].encode())
    assert canonical(value).decode() == case["canonical"]
    assert hashlib.sha256(canonical(value)).hexdigest() == case["sha256"]
    assert rfc8785.dumps(value).decode() == case["canonical"]
    assert canonical(parse(case["canonical"].encode())).decode() == case["canonical"]


@pytest.mark.parametrize("case", VECTORS["malformed"], ids=lambda case: case["name"])
def test_a_malformed_vector_is_refused_with_its_code(case: dict[str, str]) -> None:
    data = base64.b64decode(case["base64"]) if "base64" in case else case["json"].encode()
    with pytest.raises(MalformedJson) as refused:
        parse(data)
    assert refused.value.code == case["code"]


@given(VALUES)
@example({"\ue000": "1", "🌾": "2"})
@example([1e21, 1e-7, -0.0, 5e-324])
@example({'"': 1.5, "b": ["a", 12345678901234567.0]})
def test_i1_the_canonical_form_is_that_of_the_reference(value: Json) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_i1_equal_values_have_equal_bytes_however_they_were_written(value: Json) -> None:
    spaced = json.dumps(value, indent=2).encode()
    assert canonical(parse(spaced)) == canonical(value)
    assert canonical(parse(canonical(value))) == canonical(value)


#: What Python takes for one and the same, and what is: few enough that two trees are often equal.
LIKE_EACH_OTHER: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, 1, 1.0, "1", False, 0, -0.0, ""]),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.sampled_from("ab"), children, max_size=2),
    max_leaves=4,
)


@given(LIKE_EACH_OTHER, LIKE_EACH_OTHER)
@example(1, True)
@example({"a": [0], "b": "x"}, {"b": "x", "a": [False]})
@example([{"a": 1}], [{"a": 1.0}])
def test_i1_values_are_the_same_whose_canonical_form_is(one: Json, other: Json) -> None:
    assert same(one, other) == (canonical(one) == canonical(other))


@given(st.binary(max_size=40) | TEXT.map(str.encode))
def test_whatever_comes_in_is_read_or_refused_with_a_code(data: bytes) -> None:
    try:
        parse(data)
    except MalformedJson as refused:
        code = refused.code
    else:
        code = "none"
    assert code in CODES


def test_every_flaw_of_a_batch_is_told_by_its_place() -> None:
    batch = b'{"push":[{"doc":{"a":"1","a":"2"}},{"doc":{}},{"doc":{"b/c":["\\ud800"]}},{"doc":{"__proto__":1}}]}'
    flaws = {(flaw.where, flaw.code) for flaw in read(batch).flaws}
    assert flaws == {
        ("/push/0/doc", "duplicate_key"),
        ("/push/2/doc/b~1c/0", "lone_surrogate"),
        ("/push/3/doc", "forbidden_key"),
    }


NAMES = st.sampled_from(["a", "media", 'x"media', ',"media', "media\\", '{"media":'])
MEMBERS: st.SearchStrategy[Json] = st.recursive(
    st.none() | NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)


@given(st.dictionaries(NAMES, MEMBERS, max_size=4))
@example({'x"media': "1", "z": {"media": "2"}})
@example({"a": {"media": "1"}, "media": {"media": "2"}, "z": '{"media":"3"}'})
def test_a_member_is_read_from_bytes_as_from_the_whole(value: dict[str, Json]) -> None:
    data = canonical(value)
    for name in ["media", *value]:
        assert member(data, name) == value.get(name)


def test_a_pointer_escapes_what_separates_its_steps() -> None:
    assert pointer_to(["a/b", 0, "~"]) == "/a~1b/0/~0"


def test_trees_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(MalformedJson, match="too_deep"):
            parse(b'{"a":' * depth + b"1" + b"}" * depth)


def test_a_tree_with_too_many_values_is_refused_before_it_is_built() -> None:
    with pytest.raises(MalformedJson, match="too_many_values"):
        parse(b"[" + b"[]," * 600_000 + b"[]]")
    commas = json.dumps("," * 600_000 + '\\"').encode()
    assert parse(commas) == "," * 600_000 + '\\"'


def test_a_number_of_many_digits_costs_nothing() -> None:
    with pytest.raises(MalformedJson, match="number_out_of_range"):
        parse(b"9" * 5_000_000)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, [-math.inf], MAX_INTEGER + 1, {"a": -(2**63)}, "\ud800", {"\udc00": 1}]
)
def test_a_value_that_no_document_may_hold_has_no_canonical_form(value: Json) -> None:
    with pytest.raises(MalformedJson):
        canonical(value)


def test_a_tree_too_deep_for_the_writer_is_refused() -> None:
    value: Json = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(MalformedJson, match="too_deep"):
        canonical(value)


@pytest.mark.parametrize("digits", ["9007199254740993", "-0", "1.0", "1e400", "1" + "0" * 400, "-1e-7"])
def test_numbers_that_are_kept_are_written_as_they_came(digits: str) -> None:
    written = f'{{"a":{digits}}}'.encode()
    assert canonical(read(written, keeps_numbers=True).value) == written


def test_kept_numbers_excuse_no_lone_surrogate() -> None:
    kept = read(b"[1e400]", keeps_numbers=True).value
    with pytest.raises(MalformedJson, match="lone_surrogate"):
        canonical([kept, "\ud800"])

"""The server's own way to canonical JSON: byte for byte the engine's, or the engine's refusal."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.platform.canonical_json import canonical
from sync.revisions.canonical import MalformedJson, parse
from sync.revisions.canonical import canonical as by_the_letter
from tests.vectors import vectors

CHARACTERS = st.characters() | st.sampled_from('"\\/\b\n\x1f\x7f\ue000\uffff🌾:[,-0n')
TEXT = st.text(CHARACTERS, max_size=8)
NUMBERS = st.integers() | st.floats()
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=20,
)


@given(VALUES)
@example({"\ue000": "1", "🌾": "2"})
@example({"a": [float("nan")]})
@example([[None], {"b": None, "a": 2**70}])
@example({"a": "\ud800"})
@example({"b": "1", "a": ["x", {"ð": "2", "đ": True}]})
def test_i1_it_writes_what_the_engine_writes_and_refuses_what_the_engine_refuses(value: Any) -> None:
    assert _said(canonical, value) == _said(by_the_letter, value)


def test_i1_every_character_is_written_as_the_engine_writes_it() -> None:
    for character in map(chr, range(0x10000)):
        value = {"before": "", character: "a" + character, "~" + character: [character]}
        assert _said(canonical, value) == _said(by_the_letter, value), ascii(character)


@pytest.mark.parametrize("case", vectors("canonical")["canonical"], ids=lambda case: case["name"])
def test_a_vector_has_its_canonical_form(case: dict[str, str]) -> None:
    assert canonical(parse(case["json"].encode())).decode() == case["canonical"]


def test_a_tree_too_deep_to_walk_is_refused() -> None:
    tree: Any = []
    for _ in range(100_000):
        tree = [tree]
    with pytest.raises(MalformedJson, match="too_deep"):
        canonical(tree)


def _said(write: Any, value: Any) -> bytes | str:
    try:
        written: bytes = write(value)
    except MalformedJson as refused:
        return refused.code
    return written

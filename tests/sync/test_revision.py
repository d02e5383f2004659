"""Revision ids and who wins."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.revisions.canonical import Json, canonical
from sync.revisions.revision_id import (
    MAX_GENERATION,
    generation_of,
    is_any_revision_id,
    is_revision_id,
    merged_of,
    rank,
    revision_id,
)
from tests.vectors import vectors

VECTORS = vectors("revision_ids")
PARENTS = st.none() | st.sampled_from([f"{generation}-{digit * 32}" for generation in (1, 9) for digit in "0af"])
CONTENTS = st.dictionaries(st.text("ab🌾", max_size=2), st.none() | st.text("xyĐ", max_size=3), max_size=3)
EDITS = st.tuples(st.text("ab", min_size=1, max_size=2), st.booleans(), PARENTS, CONTENTS)


def id_of(edit: tuple[str, bool, str | None, dict[str, str | None]]) -> str:
    doc_id, deleted, parent, content = edit
    return revision_id(doc_id, deleted=deleted, parent=parent, content=canonical(content))


@pytest.mark.parametrize("case", VECTORS["revisions"], ids=lambda case: case["name"])
def test_a_vector_has_its_revision_id(case: dict[str, Any]) -> None:
    content = canonical(case["content"])
    found = revision_id(case["id"], deleted=case["deleted"], parent=case["parent"], content=content)
    assert found == case["rev"]
    assert is_revision_id(found)


@pytest.mark.parametrize("case", VECTORS["winners"], ids=lambda case: case["name"])
def test_a_vector_has_its_winner(case: dict[str, Any]) -> None:
    greatest = max(case["leaves"], key=lambda leaf: rank(leaf["rev"], deleted=leaf["deleted"]))
    assert greatest["rev"] == case["winner"]


@given(EDITS, EDITS)
def test_i1_ids_are_equal_exactly_where_id_flag_parent_and_content_are(
    one: tuple[str, bool, str | None, dict[str, str | None]], other: tuple[str, bool, str | None, dict[str, str | None]]
) -> None:
    assert (id_of(one) == id_of(other)) == (one == other)


def test_a_revision_is_one_generation_above_its_parent() -> None:
    parent = "41-" + "0" * 32
    assert generation_of(revision_id("a", deleted=False, parent=parent, content=b"{}")) == 42


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1-", "-" + "0" * 32, "0-" + "0" * 32, "01-" + "0" * 32, "١-" + "0" * 32, " 1-" + "0" * 32),
        *("1-" + "0" * 31, "1-" + "0" * 33, "1-" + "G" * 32, "1-" + "A" * 32, "1-" + "0" * 32 + "\n"),
        f"{MAX_GENERATION + 1}-" + "0" * 32,
    ],
)
def test_what_has_another_shape_is_no_revision_id(text: str) -> None:
    assert not is_revision_id(text)


def test_what_a_revision_brings_together_is_read_from_its_content() -> None:
    a, b = "3-" + "a" * 32, "2-" + "b" * 32
    assert merged_of(canonical({"merged": [a, b, a], "type": "record"})) == (b, a)
    # Only its own member, and only what can be a revision.
    assert merged_of(canonical({"answers": {"merged": [a]}, "merged": ["x", None, b]})) == (b,)
    assert merged_of(canonical({"merged": [a], "open": {"merged": [b]}, "type": {"of": [{"merged": [b]}]}})) == (a,)
    others: list[Json] = [{}, {"merged": a}, {"merged": []}, {"answers": {"merged": [a]}}]
    others.append({'a"merged': [a]})
    others.append({"said": f'"merged":["{a}"]}}'})
    assert [merged_of(canonical(other)) for other in others] == [()] * len(others)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("1-a", True), ("999999999999-" + "F" * 200, True), ("0-a", False), ("1-a b", False), ("1-", False)],
)
def test_where_hashes_of_any_text_are_taken_a_revision_id_is_a_number_and_a_text(text: str, *, is_one: bool) -> None:
    assert is_any_revision_id(text) is is_one

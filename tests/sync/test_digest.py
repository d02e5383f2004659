"""The order-free digest and the chain."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.revisions import checkpoint_chain
from sync.revisions.digest import EMPTY, counts, digest_of, moved, term
from tests.vectors import vectors

PAIRS = st.lists(
    st.tuples(st.text("abĐ:", max_size=4) | st.just("seal:x"), st.sampled_from(["1-" + "0" * 32, "2-" + "f" * 32])),
    max_size=8,
)


@pytest.mark.parametrize("case", vectors("digest")["cases"], ids=lambda case: case["name"])
def test_a_vector_has_its_digest(case: dict[str, Any]) -> None:
    live = [(one["id"], one["rev"]) for one in case["documents"] if not one["deleted"]]
    assert digest_of(live) == case["digest"]


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs: list[tuple[str, str]], random: Any) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert digest_of(shuffled) == digest_of(pairs)


@given(PAIRS, PAIRS)
def test_moving_a_digest_equals_computing_it_anew(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> None:
    by = sum(term(*pair) for pair in after) - sum(term(*pair) for pair in before)
    assert moved(digest_of(before), by) == digest_of(after)


def test_what_phones_never_get_does_not_count() -> None:
    assert digest_of([("seal:x", "1-" + "0" * 32)]) == EMPTY
    assert not counts("_design/app")
    assert counts("record")


def test_a_link_depends_on_every_part_of_its_change() -> None:
    start = checkpoint_chain.seed("agri-03226-2025")
    change = {"fingerprint": b"\1" * 32, "person": "p", "enrolment": "e", "received_at": "2026-11-21T08:00:00+00:00"}
    links = {checkpoint_chain.link(start, "a", "1-x", **change)}  # type: ignore[arg-type]
    for member in change:
        links.add(checkpoint_chain.link(start, "a", "1-x", **(change | {member: None})))  # type: ignore[arg-type]
    links.add(checkpoint_chain.link(start, "b", "1-x", **change))  # type: ignore[arg-type]
    links.add(checkpoint_chain.link(checkpoint_chain.seed("agri-03127-2025"), "a", "1-x", **change))  # type: ignore[arg-type]
    assert len(links) == 7


@given(st.integers(0, 10**9), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_written(seq: int, link: bytes) -> None:
    assert checkpoint_chain.read_token(checkpoint_chain.token(seq, link)) == (seq, link.hex()[:8])


@pytest.mark.parametrize(
    "text", ["", "7", "-0123abcd", "7-0123abc", "7-0123abcde", "12345678901-0123abcd", "٧-0123abcd", "7x-0123abcd"]
)
def test_what_is_no_checkpoint_is_read_as_none(text: str) -> None:
    assert checkpoint_chain.read_token(text) is None

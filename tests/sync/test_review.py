"""Review as the vectors tell it, and what must hold for every set of decisions."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.review import STRICTNESS, AuthoredRevision, ReviewDecision, approved_revisions, authors, decision_of, review

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors" / "review.json").read_text())["cases"]


def decisions(case: dict[str, Any]) -> list[ReviewDecision]:
    return [ReviewDecision(**{**each, "follows": frozenset(each["follows"])}) for each in case["decisions"]]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_vector_gives_its_state(case: dict[str, Any]) -> None:
    found = review(case["winner"], decisions(case))
    assert found.state == case["state"]
    assert [each.id for each in found.standing] == case["standing"]
    assert found.is_corrected is case["is_corrected"]
    assert found.published == case["published"]


@pytest.mark.parametrize("case", [case for case in CASES if "edits" in case], ids=lambda case: str(case["name"]))
def test_every_vector_gives_its_authors(case: dict[str, Any]) -> None:
    edits = [AuthoredRevision(each["rev"], tuple(each["parents"]), each["person"]) for each in case["edits"]]
    assert sorted(authors(case["winner"], edits, approved_revisions(decisions(case)))) == case["authors"]


@st.composite
def some_decisions(draw: st.DrawFn) -> list[ReviewDecision]:
    ids = [f"d{number}" for number in range(draw(st.integers(0, 5)))]
    return [
        ReviewDecision(
            each,
            draw(st.sampled_from(["1-a", "2-b", "2-c", "3-d"])),
            draw(st.sampled_from(["approved", "returned", "rejected"])),
            "somebody",
            frozenset(draw(st.sets(st.sampled_from(ids)))),
        )
        for each in ids
    ]


@given(some_decisions())
def test_the_order_in_which_decisions_arrive_changes_nothing(some: list[ReviewDecision]) -> None:
    assert len({review("2-b", order) for order in permutations(some)}) == 1


@given(some_decisions())
def test_the_strictest_of_the_standing_decisions_holds(some: list[ReviewDecision]) -> None:
    found = review("2-b", some)
    if found.standing:
        assert STRICTNESS[found.state] == max(STRICTNESS[each.verdict] for each in found.standing)


@given(some_decisions())
def test_only_a_revision_that_somebody_approved_is_published(some: list[ReviewDecision]) -> None:
    published = review("2-b", some).published
    assert published is None or published in approved_revisions(some)
    assert approved_revisions(some) <= {each.rev for each in some if each.verdict == "approved"}


@pytest.mark.parametrize(
    "content",
    [
        {"type": "record", "rev": "1-a", "decision": "approved", "by": "x"},
        {"type": "review", "decision": "approved", "by": "x"},
        {"type": "review", "rev": "1-a", "decision": "applauded", "by": "x"},
        {"type": "review", "rev": "1-a", "decision": ["approved"], "by": "x"},
        {"type": "review", "rev": "1-a", "decision": "approved"},
    ],
)
def test_a_document_that_states_no_decision_is_none(content: dict[str, object]) -> None:
    assert decision_of("review:r:1", content) is None


def test_a_review_document_is_read_with_what_it_follows() -> None:
    content = {"type": "review", "rev": "1-a", "decision": "returned", "by": "p", "follows": ["review:r:1"]}
    assert decision_of("review:r:2", content) == ReviewDecision(
        "review:r:2", "1-a", "returned", "p", frozenset({"review:r:1"})
    )

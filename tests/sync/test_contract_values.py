"""Scopes, revision ids and field paths: what is put together comes apart as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.scope import Scope
from sync.revisions.json_pointer import pointer_to, split_last, tokens_of
from sync.revisions.revision_id import digest_of, generation_of, order_of, order_of_any, revision_id

NAMES = st.text(st.characters(codec="utf-8"))


@given(st.lists(NAMES))
def test_a_field_path_comes_apart_into_the_names_that_it_was_made_of(names: list[str]) -> None:
    assert tokens_of(pointer_to(names)) == names


@given(st.lists(NAMES, min_size=1))
def test_the_last_name_of_a_field_path_stands_behind_what_is_around_it(names: list[str]) -> None:
    assert split_last(pointer_to(names)) == (pointer_to(names[:-1]), names[-1])


@given(st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True), st.from_regex(r"[0-9]{2,5}(-[0-9]{4})?", fullmatch=True))
def test_a_scope_is_read_from_its_name(project: str, unit: str) -> None:
    scope = Scope(project, unit)
    assert Scope.of(scope.name) == scope


def test_a_project_alone_is_a_scope_of_no_unit() -> None:
    assert Scope.of("agri") == ("agri", "")


def test_a_later_revision_is_greater_and_a_text_that_is_none_comes_before_all() -> None:
    first = revision_id("record:a", deleted=False, parent=None, content=b"{}")
    later = first
    for _ in range(10):
        later = revision_id("record:a", deleted=False, parent=later, content=b"{}")
    assert (generation_of(later), digest_of(later)) == order_of(later) == order_of_any(later)
    assert order_of(later) > order_of(first) > order_of_any("not one")


@pytest.mark.parametrize("text", ["", "-", "x-1", "9" * 5000 + "-a", "²-a"])
def test_any_text_has_a_place_among_revisions(text: str) -> None:
    assert order_of_any(text)[0] == 0

"""Scopes, revision ids and field paths: what is put together comes apart as it was. Members stay what releases knew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.members import MEMBERS, TELLING_OF_PEOPLE
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


#: What each release knew: it quarantines what came later. A member that is new has its release's name here too.
MEMBERS_OF = {
    "0.1.0": {
        "type",
        "form",
        "form_version",
        "answers",
        "media",
        "of",
        "saved",
        "merged",
        "open",
        "resolved",
        "forwarded",
        "decided",
        "undoes",
        "comment",
        "same_as",
        "took",
        "erased",
    },
}


def test_a_member_that_a_release_knew_keeps_its_name_and_a_new_one_says_since_when() -> None:
    found: dict[str, set[str]] = {}
    for name, member in MEMBERS.items():
        found.setdefault(member.since, set()).add(name)
    assert found == MEMBERS_OF


def test_what_people_say_of_people_is_told_apart() -> None:
    assert MEMBERS["answers"].sensitivity == "by_form"
    assert {"answers", "media", "saved", "comment"} == TELLING_OF_PEOPLE

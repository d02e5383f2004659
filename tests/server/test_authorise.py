"""The one function that says who may do what where, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.areas.grants import Grant
from server.auth.authorise import allowed, may_hand_out, require
from server.auth.principal import Principal
from server.errors import Problem
from sync.contract.roles import RIGHTS, ROLES, Action

EVERY_ACTION: tuple[Action, ...] = tuple(sorted({action for granted in RIGHTS.values() for action in granted.actions}))
SCOPES = ("agri-03226-2025", "agri-03158-2025", "tourism-03226-2025")
grants_of_anyone = st.lists(
    st.builds(
        Grant,
        role=st.sampled_from(ROLES),
        project=st.sampled_from(("agri", "tourism", "*")),
        unit=st.sampled_from(("03226-2025", "03158-2025", "11")),
    ),
    max_size=4,
)


def holding(*grants: Grant) -> Principal:
    return Principal("p", "Lò Thị Lan", None, grants)


def code_of(principal: Principal, action: Action, scope: str | None) -> str | None:
    try:
        require(principal, action, scope)
    except Problem as problem:
        return problem.code
    return None


def test_a_field_worker_captures_in_their_commune_and_nowhere_else() -> None:
    worker = holding(Grant("field_worker", "agri", "03226-2025"))
    assert [scope for scope in SCOPES if allowed(worker, "capture", scope)] == ["agri-03226-2025"]
    assert not allowed(worker, "review", "agri-03226-2025")


def test_a_grant_on_the_province_covers_its_communes_and_one_on_every_project_all_departments() -> None:
    assert [s for s in SCOPES if allowed(holding(Grant("supervisor", "agri", "11")), "review", s)] == [*SCOPES[:2]]
    assert all(allowed(holding(Grant("supervisor", "*", "11")), "review", scope) for scope in SCOPES)


def test_a_whole_project_needs_a_grant_on_the_province() -> None:
    assert allowed(holding(Grant("administrator", "agri", "11")), "publish_forms", "agri")
    assert not allowed(holding(Grant("administrator", "agri", "03226-2025")), "publish_forms", "agri")
    assert not allowed(holding(Grant("administrator", "tourism", "11")), "publish_forms", "agri")


def test_a_foreign_scope_looks_like_one_that_does_not_exist() -> None:
    worker = holding(Grant("field_worker", "agri", "03226-2025"))
    assert code_of(worker, "review", "agri-03226-2025") == "not_allowed"
    assert code_of(worker, "review", "tourism-03226-2025") == "not_found"
    assert code_of(worker, "review", "no-such-scope") == "not_found"
    assert code_of(worker, "review", None) == "not_allowed"
    assert code_of(worker, "capture", None) is None


def test_an_administrator_hands_out_only_what_they_administer() -> None:
    admin = holding(Grant("administrator", "agri", "11"), Grant("supervisor", "tourism", "11"))
    assert may_hand_out(admin, Grant("administrator", "agri", "03226-2025"))
    assert may_hand_out(admin, Grant("field_worker", "agri", "11"))
    for project, unit in (("tourism", "03226-2025"), ("*", "03226-2025"), ("*", "11")):
        assert not may_hand_out(admin, Grant("field_worker", project, unit))
    assert not may_hand_out(holding(Grant("administrator", "agri", "03226-2025")), Grant("field_worker", "agri", "11"))


@pytest.mark.parametrize("action", EVERY_ACTION)
def test_nobody_may_do_anything_without_a_grant(action: Action) -> None:
    assert not allowed(holding(), action)
    assert code_of(holding(), action, SCOPES[0]) == "not_found"


@given(grants_of_anyone, grants_of_anyone, st.sampled_from(EVERY_ACTION), st.sampled_from((*SCOPES, "agri", None)))
def test_more_grants_never_allow_less(few: list[Grant], more: list[Grant], action: Action, scope: str | None) -> None:
    if allowed(holding(*few), action, scope):
        assert allowed(holding(*few, *more), action, scope)


@given(grants_of_anyone, st.sampled_from(EVERY_ACTION), st.sampled_from(SCOPES))
def test_what_is_allowed_in_a_scope_is_allowed_somewhere(grants: list[Grant], action: Action, scope: str) -> None:
    assert not allowed(holding(*grants), action, scope) or allowed(holding(*grants), action)

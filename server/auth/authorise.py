"""Rights, by `sync.contract.roles`: every stage asks `require` or `allowed`, none looks at roles itself.

Pure: it decides over the grants that the principal carries, which are those that held when the request began.
"""

from server.areas.atlas import Atlas
from server.areas.grants import EVERY_PROJECT, PROVINCE, Grant, Holder
from server.errors import Problem
from sync.contract.authority import MANAGED_BY, Belonging
from sync.contract.roles import RIGHTS, Action

#: The right of who manages peers and everybody's accounts; somebody must always have it.
EVERYTHING = Grant("administrator", EVERY_PROJECT, PROVINCE)


def allowed(holder: Holder, action: Action, scope: str | None = None) -> bool:
    """Whether a grant permits `action`: in `scope` (`<project>-<unit>`, or a whole project), or anywhere."""
    return any(
        action in RIGHTS[grant.role].actions and (scope is None or grant.covers_scope(scope)) for grant in holder.grants
    )


def require(holder: Holder, action: Action, scope: str | None = None) -> None:
    """Return if `action` is permitted; raise `not_allowed`, or `not_found` for a scope that is none of theirs.

    A foreign scope looks like one that does not exist, so that asking teaches nothing about other departments.
    """
    if allowed(holder, action, scope):
        return
    if scope is not None and not any(grant.covers_scope(scope) for grant in holder.grants):
        raise Problem("not_found")
    raise Problem("not_allowed", action=action)


def scopes_where(holder: Holder, action: Action, atlas: Atlas, scope: str | None = None) -> tuple[str, ...]:
    """Return the names of the scopes in which `action` is permitted, or `scope` alone; raise as `require` does."""
    require(holder, action, scope)
    names = (each.name for each in atlas.scopes_of(holder) if scope in {None, each.name})
    found = tuple(name for name in names if allowed(holder, action, name))
    if scope is not None and not found:
        raise Problem("not_found")
    return found


def administers_everything(holder: Holder) -> bool:
    """Whether `holder` administers every project of the whole province."""
    return EVERYTHING in holder.grants


def may_hand_out(holder: Holder, grant: Grant) -> bool:
    """Whether `holder` may give or take `grant`: only within the areas and projects where they manage people."""
    if RIGHTS[grant.role].handed_out_by == "everything":
        return administers_everything(holder)
    return any(
        "manage_people" in RIGHTS[own.role].actions and own.covers(grant.project, grant.unit) for own in holder.grants
    )


def may_manage(holder: Holder, person: Holder) -> bool:
    """Whether `holder` may change a person with these grants (`sync.contract.authority`)."""
    if MANAGED_BY[_belonging(holder, person)] == "everything":
        return administers_everything(holder)
    return allowed(holder, "manage_people")


def _belonging(holder: Holder, person: Holder) -> Belonging:
    if not person.grants:
        return "none"
    return "all within" if all(may_hand_out(holder, grant) for grant in person.grants) else "some elsewhere"

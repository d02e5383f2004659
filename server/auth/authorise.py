"""The one place that says who may do what; every stage asks `require` or `allowed`, none looks at roles itself.

Pure: it decides over the grants that the principal carries, which are those that held when the request began.
"""

from typing import Literal

from server.areas.grants import EVERY_PROJECT, PROVINCE, Grant, Holder, Role
from server.errors import Problem

Action = Literal[
    "capture",
    "read",
    "read_sensitive",
    "review",
    "read_conflicts",
    "decide_conflicts",
    "release_quarantine",
    "publish_forms",
    "manage_people",
    "manage_areas",
    "replicate",
]

ACTIONS: dict[Role, frozenset[Action]] = {
    "field_worker": frozenset({"capture", "read"}),
    "supervisor": frozenset({"read", "review"}),
    # What fields marked sensitive say outside of whole documents: exports, tables, layers.
    "data_manager": frozenset({"read", "read_sensitive", "read_conflicts", "decide_conflicts", "release_quarantine"}),
    "administrator": frozenset(
        {"read", "read_conflicts", "release_quarantine", "publish_forms", "manage_people", "manage_areas"}
    ),
    # Another server: it brings what other people wrote, whose each revision is stands in the seals that come along.
    "peer": frozenset({"read", "replicate"}),
}

#: The right of who manages peers and everybody's accounts; somebody must always have it.
EVERYTHING = Grant("administrator", EVERY_PROJECT, PROVINCE)


def allowed(holder: Holder, action: Action, scope: str | None = None) -> bool:
    """Whether a grant permits `action`: in `scope` (`<project>-<unit>`, or a whole project), or anywhere."""
    return any(
        action in ACTIONS[grant.role] and (scope is None or grant.covers_scope(scope)) for grant in holder.grants
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


def administers_everything(holder: Holder) -> bool:
    """Whether `holder` administers every project of the whole province."""
    return EVERYTHING in holder.grants


def may_hand_out(holder: Holder, grant: Grant) -> bool:
    """Whether `holder` may give or take `grant`: only within the areas and projects that they administer themselves.

    Another server's account brings other people's decisions and reads who there is: only who manages peers gives it.
    """
    if grant.role == "peer":
        return administers_everything(holder)
    return any(own.role == "administrator" and own.covers(grant.project, grant.unit) for own in holder.grants)

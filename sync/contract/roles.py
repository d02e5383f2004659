"""Roles: what each may do where it is granted, and who may hand it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

#: `peer` is the role of another server's account: a hub, a replica that brings other people's work.
Role = Literal["field_worker", "supervisor", "data_manager", "administrator", "peer"]
ROLES: tuple[Role, ...] = get_args(Role)

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

#: `there`: who manages people wherever the grant reaches; `everything`: only who administers all of the province.
HandedOutBy = Literal["there", "everything"]


@dataclass(frozen=True, slots=True)
class RoleRights:
    """One row: what the role may do, and who gives and takes it."""

    actions: frozenset[Action]
    handed_out_by: HandedOutBy = "there"


RIGHTS: Mapping[Role, RoleRights] = {
    "field_worker": RoleRights(frozenset({"capture", "read"})),
    "supervisor": RoleRights(frozenset({"read", "review"})),
    # What fields marked sensitive say outside of whole documents: exports, tables, layers.
    "data_manager": RoleRights(
        frozenset({"read", "read_sensitive", "read_conflicts", "decide_conflicts", "release_quarantine"})
    ),
    "administrator": RoleRights(
        frozenset({"read", "read_conflicts", "release_quarantine", "publish_forms", "manage_people", "manage_areas"})
    ),
    # Another server brings what other people wrote, whose each revision is stands in the seals that come along, and
    # reads who there is: its account is no ordinary grant.
    "peer": RoleRights(frozenset({"read", "replicate"}), handed_out_by="everything"),
}

"""Authority: the managers of people, and a hub's part of the directory; read by `server.auth` and `server.peers`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sync.contract.roles import HandedOutBy

#: Of somebody's grants, as seen by who would manage them: all could be handed out by them, some not, or there are none.
Belonging = Literal["all within", "some elsewhere", "none"]

#: Who may change people, their passwords, devices and grants. Setting a password is a way to all of somebody's rights,
#: so it takes the right to hand out every one of them. Who has none may have been somebody else's before.
MANAGED_BY: Mapping[Belonging, HandedOutBy] = {
    "all within": "there",
    "some elsewhere": "everything",
    "none": "everything",
}
#: Who adds, changes and removes peers: one may carry every department's records.
PEERS_MANAGED_BY: HandedOutBy = "everything"

#: Which rows of a table a hub is told: all; those of people with a grant that reaches one of its scopes, their grants
#: cut to the part that lies there; those of its scopes' projects.
SharedRows = Literal["all", "people", "projects"]


@dataclass(frozen=True, slots=True)
class DirectoryPart:
    """One row: which rows of a table go, and which of their columns; None for all of them."""

    rows: SharedRows
    columns: tuple[str, ...] | None = None
    #: Columns that go only of people all of whose grants lie within the hub's scopes.
    only_of_own: tuple[str, ...] = ()


#: What a directory holds, by the table it is of.
DIRECTORY: Mapping[str, DirectoryPart] = {
    "projects": DirectoryPart("all"),
    "units": DirectoryPart("all"),
    "unit_successors": DirectoryPart("all"),
    "people": DirectoryPart(
        "people",
        ("id", "username", "name", "birth_year", "locale", "password", "is_active", "created_at"),
        only_of_own=("password",),
    ),
    "grants": DirectoryPart("people", ("person", "role", "project", "unit")),
    "enrolments": DirectoryPart("people", ("id", "person", "jwk", "label", "registered_at", "revoked_at")),
    "ended_sign_ins": DirectoryPart("people"),
    "contents": DirectoryPart("projects", ("sha256",)),
    "content_projects": DirectoryPart("projects"),
    "form_versions": DirectoryPart("projects"),
}

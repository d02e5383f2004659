"""Grants: a role in a project and an area, and the scopes that such a grant covers.

Pure values. A grant on the province covers its communes, one on project `*` every project.
"""

from dataclasses import dataclass
from typing import Protocol

from sync.contract.roles import Role
from sync.contract.scope import Scope

#: The province's unit: the one that contains every other.
PROVINCE = "11"
EVERY_PROJECT = "*"
CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one project (or `*`) and one unit (or the province)."""

    role: Role
    project: str
    unit: str

    def covers(self, project: str, unit: str) -> bool:
        """Whether this grant reaches `unit` in `project`; `*` and the province are covered by themselves only."""
        return self.project in (project, EVERY_PROJECT) and self.unit in (unit, PROVINCE)

    def covers_scope(self, scope: str) -> bool:
        """Whether this grant reaches a scope by its name, `<project>-<unit>`; a bare project means all its units."""
        project, unit = Scope.of(scope)
        return self.covers(project, unit or PROVINCE)


class Holder(Protocol):
    """Whoever holds grants."""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Every grant, in no particular order."""

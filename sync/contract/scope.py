"""A scope: a project's records in one unit. Its name is its database's name, `<project>-<unit>`."""

from typing import NamedTuple, Self


class Scope(NamedTuple):
    """A project in a unit; a project of all its units has the unit `""`."""

    project: str
    unit: str

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the scope that a database's name says; whether it exists, the areas know."""
        project, _, unit = name.partition("-")
        return cls(project, unit)

    @property
    def name(self) -> str:
        """Return the name of its database."""
        return f"{self.project}-{self.unit}"

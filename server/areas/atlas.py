"""Units, their successors and projects as one immutable value, and the questions that need no database.

All 45 present codes were used before, 20 of them for another place, so that a code alone says nothing: `resolve` wants
the day it was written down.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property

from server.areas.grants import PROVINCE, Grant, Holder
from sync.contract.roles import RIGHTS
from sync.contract.scope import Scope

#: The province's clock; what "today" means for a unit's validity. No daylight saving since 1975.
LOCAL_TIME = timezone(timedelta(hours=7))


def local_day(moment: datetime) -> date:
    """Return the calendar day in the province at `moment`."""
    return moment.astimezone(LOCAL_TIME).date()


@dataclass(frozen=True, slots=True)
class Unit:
    """A place under a code from `valid_from` to `valid_to`, both included; None is open on that side."""

    id: str
    code: str
    kind: str
    name: str
    district: str | None
    longitude: str | None
    latitude: str | None
    valid_from: date | None
    valid_to: date | None

    def is_valid(self, on: date) -> bool:
        """Whether the unit exists on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    @property
    def has_scopes(self) -> bool:
        """Whether records are kept under this unit: those that began in the system's time, also after they end."""
        return self.id != PROVINCE and self.valid_from is not None


@dataclass(frozen=True, slots=True)
class Project:
    """A department's field of work, kept apart from others'."""

    id: str
    name_vi: str
    name_en: str


@dataclass(frozen=True)
class Atlas:
    """Everything known about places at one moment."""

    units: dict[str, Unit]
    projects: dict[str, Project]
    successors: dict[str, tuple[str, ...]]

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """Every scope, by name."""
        places = [unit.id for unit in self.units.values() if unit.has_scopes]
        pairs = [Scope(project, unit) for project in self.projects for unit in places]
        return tuple(sorted(pairs, key=lambda scope: scope.name))

    def has_scope(self, name: str) -> bool:
        """Whether `name` is a scope's: then its database holds records, and grants say who sees it."""
        project, unit = Scope.of(name)
        return project in self.projects and unit in self.units and self.units[unit].has_scopes

    def present(self, on: date) -> tuple[Unit, ...]:
        """Return the units that exist on that day, by code."""
        return tuple(sorted((unit for unit in self.units.values() if unit.is_valid(on)), key=lambda unit: unit.code))

    def resolve(self, code: str, on: date) -> Unit | None:
        """Return the unit that `code` meant on that day; None if it meant none."""
        return next((unit for unit in self.units.values() if unit.code == code and unit.is_valid(on)), None)

    def today(self, unit: str, on: date) -> tuple[Unit, ...]:
        """Return what `unit` has become by that day: itself while it exists, else what its successors became."""
        known = self.units.get(unit)
        if known is None:
            return ()
        if known.is_valid(on):
            return (known,)
        return tuple(later for successor in self.successors.get(unit, ()) for later in self.today(successor, on))

    def is_grantable(self, grant: Grant) -> bool:
        """Whether the grant names a unit and a project that exist."""
        unit = self.units.get(grant.unit)
        is_place = unit is not None and (unit.id == PROVINCE or unit.has_scopes)
        return is_place and (grant.project == "*" or grant.project in self.projects)

    def scopes_of(self, holder: Holder) -> tuple[Scope, ...]:
        """Return the scopes that any grant of `holder` covers, by name."""
        return self._covered(holder.grants)

    def carried(self, holder: Holder) -> tuple[Scope, ...]:
        """Return the scopes that a phone of `holder` carries: those in which they may record."""
        return self._covered(tuple(grant for grant in holder.grants if "capture" in RIGHTS[grant.role].actions))

    def _covered(self, grants: tuple[Grant, ...]) -> tuple[Scope, ...]:
        wanted = {(grant.project, grant.unit): grant for grant in grants}.values()
        return tuple(scope for scope in self.scopes if any(grant.covers(*scope) for grant in wanted))

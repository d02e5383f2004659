"""A record that stands in two areas at once: a person says where it stays, and it goes from the others.

It is deleted there, by decision, with all its branches and with all its history kept; in one transaction over the
databases, so that it is never nowhere. What is decided of its fields at the same time is written first, so that a
record that goes keeps it too. Whoever decides must be data manager of every area that it goes from, and have seen what
the record says in each: an edit that came meanwhile would go unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.conflicts.case import Case
from server.conflicts.deciding import ATTEMPTS, Decisions, Moved, Prepared, prepared_removal
from server.conflicts.page import Pages
from server.conflicts.page_schemas import NewDecision
from server.conflicts.seen import moved_since
from server.db.engine import Storage
from server.errors import Problem
from server.reconcile.tables import records
from server.revisions.journal import Journal


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a record stays, on the case that the page showed; `decided` is what was decided of its fields with it.

    `rev` is what was written last where the page was read; None where nothing was.
    """

    case: Case
    decided: Prepared | None
    rev: str | None


def stay_of(new: NewDecision) -> str | None:
    """Return the database in which a record is to stay; None of a decision about anything else."""
    stays = [each.stay for each in new.choices if each.stay is not None]
    if not stays:
        return None
    if [each.stay for each in new.choices if not each.path] != stays or len(stays) > 1:
        raise Problem("unknown_choice", path=next(each.path for each in new.choices if each.stay is not None))
    return stays[0]


@dataclass(frozen=True, slots=True)
class Moving:
    """What a record's place is settled through."""

    storage: Storage
    journal: Journal
    pages: Pages
    decisions: Decisions

    async def stay(self, principal: Principal, database: str, record: str, new: NewDecision, stays: str) -> Settled:
        """Take the record out of every area but one; with `dry_run` only say what that would write.

        Raise `unknown_choice` where it doesn't stand there, `conflict_moved` where it changed since it was read,
        anywhere.
        """
        of_fields = new.model_copy(update={"choices": [each for each in new.choices if each.stay is None]})
        for _ in range(ATTEMPTS):
            cases = await self._cases(principal, record, {database, stays})
            if database not in cases or stays not in cases or len(cases) < 2:
                raise Problem("unknown_choice", path="")
            for name in sorted(cases.keys() - {stays}):
                require(principal, "decide_conflicts", name)
            await self._refuse_moved(principal, cases, database, new)
            here, decided = cases[database], None
            if of_fields.choices or of_fields.answers is not None:
                decided = await self.decisions.prepared(principal, here, of_fields)
            gone = {
                name: prepared_removal(case, new.comment, decided if name == database else None)
                for name, case in cases.items()
                if name != stays
            }
            if new.dry_run:
                return Settled(here, decided, None)
            try:
                await self._write(principal, cases, decided, gone, stays=stays, saw=new.rev)
            except Moved:
                continue
            last = gone.get(database, decided)
            return Settled(here, decided, None if last is None else last.decision.rev)
        raise await self.decisions.moved(principal, here, {""}, ())

    async def _cases(self, principal: Principal, record: str, named: set[str]) -> dict[str, Case]:
        """Return the record where it lives, by database, of those where the person may look."""
        async with self.storage.read() as connection:
            rows = await connection.execute(select(records.c.database).where(records.c.id == record))
            databases = {row.database for row in rows} | named
        found: dict[str, Case] = {}
        for name in sorted(databases):
            case = await self.pages.find(name, record) if allowed(principal, "read_conflicts", name) else None
            if case is not None and not case.winner.deleted:
                found[name] = case
        return found

    async def _refuse_moved(
        self, principal: Principal, cases: Mapping[str, Case], database: str, new: NewDecision
    ) -> None:
        """Raise `conflict_moved` when somebody has touched the record since the person looked, be it elsewhere."""
        seen = {each.database: (each.rev, *each.leaves) for each in new.elsewhere}
        seen[database] = (new.rev, *new.leaves)
        is_moved, people = False, set[str | None]()
        for name, case in cases.items():
            # Of what the page had not shown, nobody has seen anything.
            moved, by = moved_since(case, seen[name], {""}) if name in seen else ({""}, set())
            is_moved |= bool(moved)
            people |= {case.whole.revisions[rev].person for rev in by}
        if is_moved:
            raise await self.decisions.moved(principal, cases[database], {""}, people)

    async def _write(
        self,
        principal: Principal,
        cases: Mapping[str, Case],
        decided: Prepared | None,
        gone: Mapping[str, Prepared],
        *,
        stays: str,
        saw: str,
    ) -> None:
        async with self.storage.write() as connection:
            # In the order of names, as everybody locks them who writes several; also where it stays, which must live.
            for name, case in sorted(cases.items()):
                if not await self.journal.standing_within(connection, name, {case.record: case.leaves}):
                    raise Moved
            if decided is not None:
                await self.decisions.write_within(connection, principal, [decided], "conflict.decided", saw=saw)
            for name in sorted(gone):
                await self.decisions.write_within(connection, principal, [gone[name]], "conflict.moved", stays=stays)

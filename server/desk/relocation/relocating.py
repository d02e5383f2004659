"""A record that stands in two areas at once: a person says where it stays, and it goes from the others.

It is deleted there, by decision, with all its branches and with all its history kept; in one transaction over the
databases, so that it is never nowhere. What is decided of its fields at the same time is written first, so that a
record that goes keeps it too. Whoever decides must be data manager of every area that it goes from, and have seen what
the record says in each: an edit that came meanwhile would go unseen.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.desk.conflicts.changes_since_page import moved_since
from server.desk.conflicts.deciding import ATTEMPTS, Decisions, Moved, Prepared, prepared_removal, prepared_undo
from server.desk.conflicts.page import Pages
from server.desk.conflicts.page_schemas import NewDecision, Undo
from server.desk.conflicts.record_case import Case
from server.desk.relocation.relocation_log import moves_of, remember, returning
from server.errors import Problem
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from server.read_model.record_tables import records


@dataclass(frozen=True, slots=True)
class SettledPlace:
    """Where a record stays, on the case that the page showed; `decided` is what was decided of its fields with it.

    `rev` is what was written last where the page was read, else elsewhere; None where nothing was.
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
    """Writes decisions about a record that stands in two areas."""

    storage: Storage
    journal: Journal
    pages: Pages
    decisions: Decisions
    clock: Clock

    async def stay(
        self, principal: Principal, database: str, record: str, new: NewDecision, stays: str
    ) -> SettledPlace:
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
                name: await asyncio.to_thread(
                    prepared_removal, case, new.comment, decided if name == database else None
                )
                for name, case in cases.items()
                if name != stays
            }
            if new.dry_run:
                return SettledPlace(here, decided, None)
            try:
                await self._write(principal, cases, decided, gone, stays=stays, saw=new.rev)
            except Moved:
                continue
            last = gone.get(database, decided) or gone[min(gone)]
            return SettledPlace(here, decided, last.decision.rev)
        raise await self.decisions.moved(principal, here, {""}, ())

    async def undo(self, principal: Principal, database: str, record: str, undo: Undo) -> Prepared | None:
        """Take a decision about the record's place back wherever it was written; None where it was none of those.

        Raise `undo_too_late`, or what says that the person may not decide in one of these areas. Return what was
        written to the record where the page was read, else elsewhere.
        """
        async with self.storage.read() as connection:
            moves = await moves_of(connection, record)
        move = next((each for each in moves if each.concerns(database) and each.wrote(undo.decision)), None)
        if move is None:
            return None
        for name in sorted(move.written):
            require(principal, "decide_conflicts", name)
        for _ in range(ATTEMPTS):
            found = {name: await self.pages.find(name, record) for name in sorted(move.written)}
            cases = {name: case for name, case in found.items() if case is not None}
            prepared = {
                name: await asyncio.to_thread(prepared_undo, cases[name], decisions, undo.comment)
                for name, decisions in returning(move, cases).items()
            }
            if database in prepared:
                paths = set(prepared[database].decided)
                await self.decisions.refuse_moved(principal, cases[database], (undo.rev, *undo.leaves), paths)
            try:
                await self._return(principal, prepared, undo)
            except Moved:
                continue
            return prepared.get(database) or prepared[min(prepared)]
        raise Problem("conflict_moved", rev=undo.rev, changed=[], by_names=[])

    async def _return(self, principal: Principal, prepared: Mapping[str, Prepared], undo: Undo) -> None:
        async with self.storage.write() as connection:
            for name, each in sorted(prepared.items()):
                leaves = {each.case.record: each.case.leaves}
                if not await self.journal.standing_within(connection, name, leaves):
                    raise Moved
            for _, each in sorted(prepared.items()):
                act = "conflict.undone"
                await self.decisions.write_within(connection, principal, [each], act, undoes=undo.decision)

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
            moved, by = (
                await asyncio.to_thread(moved_since, case, seen[name], {""}) if name in seen else ({""}, set[str]())
            )
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
            written = [each for each in (decided, *gone.values()) if each is not None]
            revs = [(each.case.database, each.decision.rev) for each in written]
            await remember(connection, uuid7(self.clock), written[0].case.record, stays, revs)

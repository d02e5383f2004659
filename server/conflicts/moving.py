"""A record that stands in two areas at once: a person says where it stays, and it goes from the others.

It is deleted there, by decision, with all its history kept; in one transaction over the databases, so that it is never
nowhere. Whoever decides must be data manager of every area that it goes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from server.auth.audit import note
from server.auth.authorise import allowed, require
from server.auth.principal import Principal
from server.clock import Clock
from server.conflicts.page_schemas import NewDecision
from server.db.engine import Storage
from server.errors import Problem
from server.reconcile.tables import records
from server.revisions.journal import Journal
from server.revisions.model import NewRevision, Origin, StoredRevision
from sync.canonical import Json


def stay_of(new: NewDecision) -> str | None:
    """Return the database in which a record is to stay; None of a decision about anything else."""
    stays = [each.stay for each in new.choices if each.stay is not None]
    if not stays:
        return None
    if len(new.choices) > 1 or new.answers is not None or new.choices[0].path:
        raise Problem("unknown_choice", path=new.choices[0].path)
    return stays[0]


@dataclass(frozen=True, slots=True)
class Moving:
    """What a record's place is settled through."""

    storage: Storage
    journal: Journal
    clock: Clock

    async def stay(self, principal: Principal, database: str, record: str, new: NewDecision, stays: str) -> str | None:
        """Take the record out of every area but one; return the winner where the page was read, or its deletion.

        Raise `unknown_choice` where it doesn't stand there, `conflict_moved` where it changed since it was read.
        """
        winners = await self._standing(principal, record, {database, stays})
        if database not in winners or stays not in winners or len(winners) < 2:
            raise Problem("unknown_choice", path="")
        if winners[database].rev != new.rev:
            raise Problem("conflict_moved", rev=winners[database].rev, changed=[""], by_names=[])
        going = sorted(name for name in winners if name != stays)
        for name in going:
            require(principal, "decide_conflicts", name)
        if new.dry_run:
            return None
        content: dict[str, Json] = {"type": "record", "decided": [""]}
        if new.comment.strip():
            content["comment"] = new.comment.strip()
        written = {name: NewRevision.following(record, content, winners[name].rev, deleted=True) for name in going}
        await self._write(principal, winners, written, stays)
        return written[database].rev if database in written else winners[database].rev

    async def _standing(self, principal: Principal, record: str, named: set[str]) -> dict[str, StoredRevision]:
        """Return the live winners of the record by database, of those where the person may look."""
        async with self.storage.read() as connection:
            rows = await connection.execute(select(records.c.database).where(records.c.id == record))
            databases = {row.database for row in rows} | named
        found: dict[str, StoredRevision] = {}
        for name in sorted(databases):
            stored = await self.journal.document(name, record) if allowed(principal, "read_conflicts", name) else None
            if stored is not None and not stored.deleted:
                found[name] = stored
        return found

    async def _write(
        self, principal: Principal, winners: dict[str, StoredRevision], written: dict[str, NewRevision], stays: str
    ) -> None:
        origin = Origin(principal.person, principal.enrolment)
        async with self.storage.write() as connection:
            # In the order of names, as everybody locks them who writes several.
            for name in sorted(written):
                deletion = written[name]
                leaves: dict[str, Sequence[str]] = {deletion.doc_id: [winners[name].rev]}
                standing = await self.journal.standing_within(connection, name, leaves)
                if deletion.doc_id not in standing:
                    raise Problem("conflict_moved", rev=winners[name].rev, changed=[""], by_names=[])
                [outcome] = await self.journal.write_within(connection, name, [deletion], origin)
                if outcome.outcome != "stored":
                    raise RuntimeError(f"a deletion was {outcome.outcome}: {outcome.reason}")
                subject = f"{name}/{deletion.doc_id}"[:200]
                await note(
                    connection, self.clock, principal.person, "conflict.moved", subject, rev=deletion.rev, stays=stays
                )

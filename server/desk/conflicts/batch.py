"""Deciding many alike at once: first as a dry run, then exactly what it showed.

A dry run keeps what it selected: each record with the revision that stood and the candidates that were chosen between.
Applying it decides these and no others; a record of which that has changed since is left alone and counted. Records
are written fifty at a time, each part atomic, so that a thousand decisions hold up nobody's phone for long.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import RowMapping, delete, func, select, update

from server.areas.atlas import Atlas
from server.auth.authorise import allowed
from server.auth.names import names_of
from server.auth.principal import Principal
from server.desk.conflicts import queue
from server.desk.conflicts.batch_schemas import (
    BatchDone,
    BatchSample,
    BatchShown,
    BatchSkipped,
    BatchUndone,
    NewBatch,
    Rule,
    SampleCandidate,
)
from server.desk.conflicts.deciding import DecisionRefused, Decisions, Prepared, prepared_decision, prepared_undo
from server.desk.conflicts.page import unit_name
from server.desk.conflicts.page_schemas import Choice, NewDecision
from server.desk.conflicts.record_case import Case, cases_of
from server.desk.conflicts.revision_history import row_of, shown, spotted
from server.desk.conflicts.tables import conflict_batches
from server.desk.conflicts.ways_to_decide import outcome_at
from server.errors import Problem
from server.forms.library import FormLibrary
from server.journal.journal import Journal
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from server.read_model.record_tables import open_questions, path_key
from sync.contract.scope import Scope
from sync.merging.field_diff import value_at
from sync.merging.field_schema import ABSENT

#: As many as a person can answer for at once, and as a request can take.
MOST = 1000
SAMPLES = 20
#: Records that are written in one transaction.
PART = 50
#: How long a dry run can be applied, and how long what it did is remembered as one.
LASTS = timedelta(minutes=30)
REMEMBERED = timedelta(days=30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Selected:
    """One conflict of a batch: where, what stood when it was looked at, and how it is decided."""

    database: str
    record: str
    rev: str
    path: str
    candidates: tuple[str, ...]
    choice: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as the table keeps it."""
        return {
            "database": self.database,
            "record": self.record,
            "rev": self.rev,
            "path": self.path,
            "candidates": list(self.candidates),
            # As text: PostgreSQL would order the members anew and forget which was a choice of null.
            "choice": json.dumps(self.choice),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Selected":
        """Return what was kept."""
        where = (str(kept[each]) for each in ("database", "record", "rev", "path"))
        database, record, rev, path = where
        return cls(database, record, rev, path, tuple(kept["candidates"]), json.loads(kept["choice"]))


@dataclass(slots=True)
class Found:
    """The conflicts that a dry run has gathered."""

    selected: list[Selected]
    samples: list[tuple[Prepared, str]]
    skipped: dict[str, int]
    warnings: int = 0


class Batches:
    """Decides many conflicts at once."""

    def __init__(
        self, storage: Storage, journal: Journal, library: FormLibrary, decisions: Decisions, clock: Clock
    ) -> None:
        """Keep the parts."""
        self._storage = storage
        self._journal = journal
        self._library = library
        self._decisions = decisions
        self._clock = clock

    async def look(
        self, principal: Principal, atlas: Atlas, new: NewBatch, filters: queue.ConflictFilters
    ) -> BatchShown:
        """Do a dry run; nothing of a record is written."""
        assert new.rule is not None
        async with self._storage.read() as connection:
            rows = await queue.rows_like(connection, filters, MOST)
            counted = select(func.count()).select_from(open_questions).where(queue.admits(filters))
            matching = int((await connection.execute(counted)).scalar_one())
        found = Found([], [], {"over_limit": matching - len(rows)} if matching > len(rows) else {})
        async for case, row in self._cases(rows):
            # In a thread: each is a merge of its own.
            await asyncio.to_thread(_select, found, case, row, new.rule, new.comment)
        token, now = uuid7(self._clock), self._clock()
        async with self._storage.write() as connection:
            await connection.execute(delete(conflict_batches).where(conflict_batches.c.expires_at < now))
            await connection.execute(
                conflict_batches.insert().values(
                    token=token,
                    person=principal.person,
                    made_at=now,
                    expires_at=now + LASTS,
                    applied_at=None,
                    is_undone=False,
                    rule={"form": new.form, "path": new.path, "kind": new.kind, "take": new.rule.take},
                    selection=[each.as_json() for each in found.selected],
                    decided=[],
                )
            )
        async with self._storage.read() as connection:
            revisions = [each.case.whole.revisions.values() for each, _ in found.samples]
            names = await names_of(connection, {one.person for each in revisions for one in each if one.person})
        return BatchShown(
            token=token,
            expires_at=now + LASTS,
            matching=matching,
            will_decide=len(found.selected),
            skipped=BatchSkipped(**{reason: found.skipped.get(reason, 0) for reason in BatchSkipped.model_fields}),
            warnings=found.warnings,
            samples=[_sample(each, path, atlas, names) for each, path in found.samples],
        )

    async def apply(self, principal: Principal, token: str, comment: str) -> BatchDone:
        """Decide what a dry run selected, once; raise `batch_gone`."""
        now = self._clock()
        mine = (conflict_batches.c.token == token) & (conflict_batches.c.person == principal.person)
        fresh = conflict_batches.c.applied_at.is_(None) & (conflict_batches.c.expires_at > now)
        async with self._storage.write() as connection:
            # Taken before anything is decided: two requests with one token must not both decide.
            taken = update(conflict_batches).where(mine, fresh).values(applied_at=now, expires_at=now + REMEMBERED)
            if (await connection.execute(taken)).rowcount != 1:
                raise Problem("batch_gone")
            row = (await connection.execute(select(conflict_batches).where(mine))).one()
        selection = [Selected.of(each) for each in row.selection]
        done = {"decided": 0, "moved": 0, "failed": 0}
        written: list[list[str]] = []
        for part in _parts(selection):
            if not allowed(principal, "decide_conflicts", part[0].database):
                done["failed"] += len(part)
                continue
            ready = await self._ready(part, comment, done)
            if not ready:
                continue
            kept, held = await self._write(principal, ready, "conflict.decided", token, written)
            done["moved"] += len(ready) - len(kept) - len(held)
            done["decided"] += len(kept)
            done["failed"] += len(held)
            written += _as_written(kept)
        return BatchDone(batch=token, **done)

    async def undo(self, principal: Principal, token: str, comment: str) -> BatchUndone:
        """Take back what a batch decided, where nobody has said anything new; raise `batch_gone`."""
        one = conflict_batches.c.token == token
        async with self._storage.read() as connection:
            row = (await connection.execute(select(conflict_batches).where(one))).first()
            if row is None or not row.decided or row.is_undone:
                raise Problem("batch_gone")
            if not all(allowed(principal, "decide_conflicts", database) for database, _, _ in row.decided):
                raise Problem("batch_gone")
        undone = 0
        for database, decided in groupby(sorted(row.decided), key=lambda each: str(each[0])):
            revs = {record: rev for _, record, rev in decided}
            for names in _chunks(sorted(revs)):
                cases = await cases_of(self._journal, self._library, database, names)
                tried = [await asyncio.to_thread(_taken_back, cases.get(name), revs[name], comment) for name in names]
                ready = [made for made in tried if made is not None]
                if ready:
                    kept, _ = await self._write(principal, ready, "conflict.undone", token)
                    undone += len(kept)
        # Last: what a crash leaves over can be taken back by asking once more.
        async with self._storage.write() as connection:
            await connection.execute(update(conflict_batches).where(one).values(is_undone=True))
        return BatchUndone(undone=undone, too_late=len(row.decided) - undone)

    async def _write(
        self,
        principal: Principal,
        ready: Sequence[Prepared],
        act: str,
        token: str,
        written: Sequence[list[str]] | None = None,
    ) -> tuple[list[Prepared], list[Prepared]]:
        """Write a part; return what was written, and what the journal did not take.

        With `written`, what the batch has done before, the batch remembers all of it in the same transaction: what is
        decided can always be taken back.
        """
        try:
            async with self._storage.write() as connection:
                kept = await self._decisions.write_unmoved_within(connection, principal, ready, act, batch=token)
                if written is not None and kept:
                    decided = [*written, *_as_written(kept)]
                    this = update(conflict_batches).where(conflict_batches.c.token == token)
                    await connection.execute(this.values(decided=decided))
            return kept, []
        except DecisionRefused as error:
            if len(ready) == 1:
                log.warning("batch_quarantined", batch=token, document=ready[0].case.record, reason=str(error))
                return [], list(ready)
        # One that cannot be written keeps no other: each for itself.
        kept = []
        held: list[Prepared] = []
        for each in ready:
            so_far = None if written is None else [*written, *_as_written(kept)]
            one, none = await self._write(principal, [each], act, token, so_far)
            kept += one
            held += none
        return kept, held

    async def _cases(self, rows: Sequence[RowMapping]) -> Any:
        """Give each row with its record's case, None where there is none, one database after the other."""
        ordered = sorted(rows, key=lambda each: (each["database"], each["record"], each["path"]))
        for database, of in groupby(ordered, key=lambda each: str(each["database"])):
            here = list(of)
            for names in _chunks(sorted({each["record"] for each in here})):
                cases = await cases_of(self._journal, self._library, database, names)
                for row in here:
                    if row["record"] in names:
                        yield cases.get(row["record"]), row

    async def _ready(self, part: Sequence[Selected], comment: str, done: dict[str, int]) -> list[Prepared]:
        names = sorted({each.record for each in part})
        cases = await cases_of(self._journal, self._library, part[0].database, names)
        ready: list[Prepared] = []
        for record, of in groupby(part, key=lambda each: each.record):
            wanted = list(of)
            case = cases.get(record)
            standing = [each for each in wanted if case is not None and _still_stands(case, each)]
            done["moved"] += len(wanted) - len(standing)
            if case is None or not standing:
                continue
            choices = [Choice.model_validate(each.choice) for each in standing]
            decision = NewDecision(rev=case.winner.rev, choices=choices, comment=comment)
            try:
                ready.append(await asyncio.to_thread(prepared_decision, case, decision, {}))
            except Problem:
                done["failed"] += len(standing)
        return ready


def choice_by(rule: Rule, case: Case, path: str) -> dict[str, Any] | None:
    """Return the choice that a rule makes for a question, as a `Choice` takes it; None where it makes none."""
    if rule.take == "confirm":
        return {"path": path, "confirm": True}
    if rule.take in {"keep", "delete"}:
        return None if path else {"path": path, rule.take: True}
    if not path:
        return None
    if rule.take == "value":
        return {"path": path, "value": rule.value}
    rev = _candidate_by(rule, case, path)
    return None if rev is None else {"path": path, "candidate": rev}


def _candidate_by(rule: Rule, case: Case, path: str) -> str | None:
    outcome = outcome_at(case, path)
    known = [case.whole.revisions[each.rev] for each in outcome.candidates] if outcome else []
    if rule.take == "person":
        theirs = [each for each in known if each.person == rule.person]
        # Two sides of one person: which of them is meant, nobody said.
        return theirs[0].rev if len(theirs) == 1 else None
    best = max if rule.take == "later" else min
    return best(known, key=lambda each: (each.received_at, each.rev)).rev if known else None


def _select(found: Found, case: Case | None, row: RowMapping, rule: Rule, comment: str) -> None:
    key = row["path"]
    path = next((each for each in case.open if path_key(each) == key), key) if case is not None else key
    if case is None or path not in case.open:
        reason = "waiting" if case is not None and row["cause"] == "form_version" else "nothing_to_decide"
        found.skipped[reason] = found.skipped.get(reason, 0) + 1
        return
    choice = choice_by(rule, case, path)
    if choice is None:
        found.skipped["no_such_candidate"] = found.skipped.get("no_such_candidate", 0) + 1
        return
    decision = NewDecision(rev=case.winner.rev, choices=[Choice.model_validate(choice)], comment=comment)
    try:
        prepared = prepared_decision(case, decision, {})
    except Problem as problem:
        reason = "misfit" if problem.code in {"answer_misfit", "unknown_choice"} else "waiting"
        found.skipped[reason] = found.skipped.get(reason, 0) + 1
        return
    found.selected.append(Selected(case.database, case.record, case.winner.rev, path, case.open[path], choice))
    found.warnings += bool(prepared.broken)
    if len(found.samples) < SAMPLES:
        found.samples.append((prepared, path))


def _still_stands(case: Case, selected: Selected) -> bool:
    """Whether the question is still the one that was looked at: the same candidates."""
    return case.open.get(selected.path) == selected.candidates


def _sample(prepared: Prepared, path: str, atlas: Atlas, names: Mapping[str, str]) -> BatchSample:
    case = prepared.case
    outcome = outcome_at(case, path)
    candidates = [
        SampleCandidate(
            rev=each.rev,
            value=shown(each.value),
            by_name=names.get(case.whole.revisions[each.rev].person or "", ""),
            received_at=case.whole.revisions[each.rev].received_at,
        )
        for each in (outcome.candidates if outcome else ())
    ]
    result = ABSENT if prepared.decision.deleted else value_at(prepared.content, path, case.shape)
    answers = case.content.get("answers")
    meta = answers.get("meta") if isinstance(answers, dict) else None
    title = meta.get("instanceName") if isinstance(meta, dict) else None
    return BatchSample(
        database=case.database,
        record=case.record,
        title=title if isinstance(title, str) else "",
        unit_name=unit_name(atlas, Scope.of(case.database).unit),
        path=path,
        row=row_of(case, spotted(case, path)),
        candidates=candidates,
        result=shown(result),
        warnings=list(prepared.broken),
    )


def _as_written(kept: Sequence[Prepared]) -> list[list[str]]:
    """Return decisions as the table keeps them."""
    return [[each.case.database, each.case.record, each.decision.rev] for each in kept]


def _taken_back(case: Case | None, rev: str, comment: str) -> Prepared | None:
    if case is None:
        return None
    try:
        return prepared_undo(case, [rev], comment)
    except Problem:
        return None


def _parts(selection: Sequence[Selected]) -> Iterator[list[Selected]]:
    """Give the selected by database, as many records at a time as one transaction takes."""
    ordered = sorted(selection, key=lambda each: (each.database, each.record, each.path))
    for _, of in groupby(ordered, key=lambda each: each.database):
        here = list(of)
        for names in _chunks(sorted({each.record for each in here})):
            yield [each for each in here if each.record in names]


def _chunks(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), PART):
        yield list(names[start : start + PART])

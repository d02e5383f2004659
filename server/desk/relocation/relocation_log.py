"""The log of relocations: which revisions, in several databases, one decision about a record's place has written.

A revision alone says only that the record is deleted in one area. What was written together is taken back together; of
fields that were decided with it, those stay about which somebody has decided anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.desk.conflicts.page_schemas import DecisionLine
from server.desk.conflicts.record_case import Case
from server.desk.conflicts.revision_history import decisions_of, history_of
from server.desk.conflicts.tables import conflict_moves
from server.errors import Problem
from sync.contract.scope import Scope
from sync.revisions.revision_id import RevisionId


@dataclass(frozen=True, slots=True)
class Move:
    """One decision about a record's place: the database in which it stays, and what was written, by database."""

    stays: str
    written: Mapping[str, Sequence[RevisionId]]

    def concerns(self, database: str) -> bool:
        """Whether it is told on the record's page in a database."""
        return database == self.stays or database in self.written

    def wrote(self, rev: RevisionId) -> bool:
        """Whether a revision was written with it."""
        return any(rev in revs for revs in self.written.values())


async def remember(
    connection: AsyncConnection, move: str, record: str, stays: str, written: Iterable[tuple[str, RevisionId]]
) -> None:
    """Keep which revisions, by database, were written together, in the transaction that wrote them."""
    rows = [{"database": name, "record": record, "rev": rev, "move": move, "stays": stays} for name, rev in written]
    await connection.execute(conflict_moves.insert(), rows)


async def moves_of(connection: AsyncConnection, record: str) -> list[Move]:
    """Return the decisions about a record's place, the newest first."""
    query = select(conflict_moves).where(conflict_moves.c.record == record)
    found: dict[str, tuple[str, dict[str, list[RevisionId]]]] = {}
    for row in await connection.execute(query.order_by(conflict_moves.c.move.desc(), conflict_moves.c.rev)):
        _, written = found.setdefault(row.move, (row.stays, {}))
        written.setdefault(row.database, []).append(row.rev)
    return [Move(stays, written) for stays, written in found.values()]


def returning(move: Move, cases: Mapping[str, Case]) -> dict[str, list[RevisionId]]:
    """Return what taking a decision about a place back takes back, by database; raise `undo_too_late`.

    The record comes back wherever it went from, or nowhere. `cases` has it in each database where it still is.
    """
    found: dict[str, list[RevisionId]] = {}
    for name, revs in move.written.items():
        lines = {each.rev: each for each in _decisions(cases[name])} if name in cases else {}
        may = [rev for rev in revs if rev in lines and lines[rev].may_undo]
        if any("" in lines[rev].paths if rev in lines else True for rev in revs if rev not in may):
            raise Problem("undo_too_late", decision=revs[0])
        if may:
            found[name] = may
    return found


def with_moves(
    principal: Principal,
    database: str,
    moves: Sequence[Move],
    cases: Mapping[str, Case],
    decided: Sequence[DecisionLine],
    *,
    called: Callable[[str], str],
) -> list[DecisionLine]:
    """Return the decisions of a page, the newest first, with those about the record's place among them.

    Such a decision may have written nothing in the page's own database: then it is told as it stands where it did.
    `called` gives the name of an area's unit.
    """
    lines = {each.rev: each for each in decided}
    for move in moves:
        mine = [rev for rev in move.written.get(database, ()) if rev in lines]
        if not all(allowed(principal, "read_conflicts", name) for name in (move.stays, *move.written)):
            # What lies in areas of others stays unseen, and is not for everybody to take back.
            lines |= {rev: lines[rev].model_copy(update={"may_undo": False}) for rev in mine}
            continue
        if not mine and (removal := _removal_of(move, cases)) is not None:
            lines[removal.rev] = removal
            mine = [removal.rev]
        may = all(allowed(principal, "decide_conflicts", name) for name in move.written) and _may_return(move, cases)
        told = {"stays": called(Scope.of(move.stays).unit), "may_undo": may}
        lines |= {rev: lines[rev].model_copy(update=told) for rev in mine}
    return sorted(lines.values(), key=lambda each: each.at, reverse=True)


def _may_return(move: Move, cases: Mapping[str, Case]) -> bool:
    """Whether a decision about a place can still be taken back."""
    try:
        returning(move, cases)
    except Problem:
        return False
    return True


def _removal_of(move: Move, cases: Mapping[str, Case]) -> DecisionLine | None:
    """Return a decision about a place as it stands in the history of an area that the record went from."""
    for name in sorted(move.written.keys() & cases.keys()):
        for line in _decisions(cases[name]):
            if line.rev in move.written[name] and "" in line.paths:
                return line
    return None


def _decisions(case: Case) -> list[DecisionLine]:
    return decisions_of(case, history_of(case, {}, {}), may_decide=True)

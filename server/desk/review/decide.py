"""Deciding: a document that names one exact revision, written through the journal together with its audit entry."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.auth.audit import note
from server.auth.principal import Principal
from server.desk.review.page import Reviewed, reviews_of
from server.desk.review.schemas import NewReview
from server.errors import Problem
from server.ingest.desk_writes import write_at_desk
from server.journal.authorship import authors_of_waiting
from server.journal.journal import Journal
from server.journal.model import NewRevision, Outcome
from server.journal.store.document_list import Range
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from sync.review import ReviewDecision, State, decision_of, review
from sync.revisions.canonical import Json

#: How many decisions about one record are looked at; people make a handful.
MOST_DECISIONS = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """A decision that stands in the journal, and where the record stands with it."""

    id: str
    state: State


class Desk:
    """The supervisor's desk: reads records and writes decisions."""

    def __init__(self, storage: Storage, journal: Journal, clock: Clock) -> None:
        """Keep the parts."""
        self._storage = storage
        self._journal = journal
        self._clock = clock

    async def read(self, database: str, record: str) -> Reviewed:
        """Return what is known about a record; without history it is unknown."""
        history = await self._journal.history(database, record)
        whole = (await self._journal.whole(database, [record])).get(record)
        lacking = set() if whole is None else whole.graph.parents.keys() - whole.revisions.keys()
        waiting = await self._journal.waiting_parents(database, {(record, rev) for rev in lacking})
        async with self._storage.read() as connection:
            decisions = await reviews_of(connection, database, record)
            authors = await authors_of_waiting(connection, database, waiting)
        return Reviewed(history, whole, decisions, authors)

    async def decide(self, principal: Principal, database: str, record: str, new: NewReview) -> Written:
        """Write a decision; raise `not_found`, `record_moved_on`, `decided_meanwhile` or `own_work`.

        The revision may be overtaken between this look and the commit: the decision then names what its author saw,
        and the record counts as amended.
        """
        # The winner first: who wrote it stands in what is read after it.
        winner = await self._journal.document(database, record)
        known = await self.read(database, record)
        if winner is None or not known.history or ":" in record:
            raise Problem("not_found")
        if winner.rev != new.rev:
            raise Problem("record_moved_on", rev=winner.rev)
        if new.decision == "approved" and principal.person in known.authors_of(winner.rev):
            raise Problem("own_work")
        document = f"review:{record}:{uuid7(self._clock)}"
        content = self._content(principal, record, new, known)

        decisions: list[ReviewDecision] = []

        async def leave_trace(connection: AsyncConnection) -> None:
            # Read here and not from the read model: a decision of a second ago may not have got there.
            of = Range(f"review:{record}:", f"review:{record};", is_end_included=False)
            contents = await self._journal.contents_within(connection, database, of, MOST_DECISIONS)
            told = {each: json.loads(text) for each, text in contents.items()}
            decisions.extend(each for name, text in told.items() if (each := decision_of(name, text)))
            if new.follows is not None:
                _must_be_known(decisions, told, document)
            subject = f"{database}/{record}"
            act = f"review.{new.decision}"
            await note(connection, self._clock, principal.person, act, subject, rev=new.rev, document=document)

        revision = NewRevision.following(document, content, parent=None)
        async with self._storage.write() as connection:
            [outcome] = await write_at_desk(connection, self._journal, database, [revision], principal)
            _must_be_stored(outcome)
            await leave_trace(connection)
        return Written(document, review(winner.rev, decisions).state)

    def _content(self, principal: Principal, record: str, new: NewReview, known: Reviewed) -> dict[str, Json]:
        mine = f"review:{record}:"
        seen = (
            sorted(known.contents) if new.follows is None else [each for each in new.follows if each.startswith(mine)]
        )
        return {
            "type": "review",
            "record": record,
            "rev": new.rev,
            "decision": new.decision,
            "comment": new.comment.strip(),
            "comments": {path: text.strip() for path, text in new.comments.items() if text.strip()},
            "by": principal.person,
            "by_name": principal.name,
            "at": self._clock().isoformat(),
            "follows": seen,
        }


def _must_be_known(decisions: Sequence[ReviewDecision], told: Mapping[str, Mapping[str, Any]], made: str) -> None:
    """Raise `decided_meanwhile` where somebody decided about the same revision and `made` doesn't know of it."""
    [rev] = [each.rev for each in decisions if each.id == made]
    unknown = [each for each in review(rev, decisions).standing if each.id != made]
    if unknown:
        last = max(unknown, key=lambda each: each.id)
        said = told[last.id]
        params = {"id": last.id, "decision": last.verdict, "by_name": said.get("by_name", ""), "at": said.get("at", "")}
        raise Problem("decided_meanwhile", **params)


def _must_be_stored(outcome: Outcome) -> None:
    if outcome.outcome != "stored":
        raise RuntimeError(f"a decision was {outcome.outcome}: {outcome.reason}")

"""One record as a reviewer needs it: its document, history, decisions, other branches, and who may decide."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.authorship import RecordAuthorship
from server.journal.model import StoredRevision
from server.journal.store.document_histories import DocumentHistory
from server.read_model.record_tables import decisions
from sync.review import AuthoredRevision, ReviewDecision, approved_revisions, authors, decision_of
from sync.revisions.revision_id import RevisionId


@dataclass(frozen=True)
class Reviewed:
    """A record's revisions in the order of arrival, its graph, and its review documents, as they are known now."""

    history: Sequence[StoredRevision]
    whole: DocumentHistory | None
    contents: Mapping[str, Mapping[str, Any]]
    #: Who wrote the revisions that wait in quarantine and that others follow.
    waiting: Mapping[RevisionId, str] = field(default_factory=dict)

    @cached_property
    def line(self) -> RecordAuthorship:
        """Return what kind of act each revision is, and whose the record is at it."""
        return RecordAuthorship(self.history)

    @property
    def decisions(self) -> list[ReviewDecision]:
        """Return the decisions that the review documents state."""
        return [each for name, content in self.contents.items() if (each := decision_of(name, content))]

    def authors_of(self, winner: str) -> frozenset[str]:
        """Return who may not approve `winner`.

        Over the whole graph: what a revision says that waits in quarantine stands in those that follow it as well.
        """
        return authors(winner, self._edits(), approved_revisions(self.decisions))

    def _edits(self) -> list[AuthoredRevision]:
        if self.whole is None:
            return []
        graph, here = self.whole.graph, self.whole.revisions
        return [
            AuthoredRevision(
                rev,
                graph.sources(rev),
                here[rev].person if rev in here else self.waiting.get(rev),
            )
            for rev in graph.parents
        ]

    def branches(self, winner: str) -> list[StoredRevision]:
        """Return the other leaves that still say something: live ones, and deletions by people."""
        return [each for each in self.history if each.is_leaf and each.rev != winner and not _is_resolved(each)]

    def corrected(self, winner: str) -> StoredRevision | None:
        """Return the revision that was returned last, where `winner` is another one."""
        returned = [each.rev for each in sorted(self.decisions, key=lambda each: each.id) if each.verdict == "returned"]
        by_rev = {each.rev: each for each in self.history}
        return by_rev.get(returned[-1]) if returned and returned[-1] != winner else None

    def is_standing(self, decision: str) -> bool:
        """Whether no later decision about the same revision knew this one."""
        rev = self.contents[decision].get("rev")
        return not any(decision in each.follows and each.rev == rev and each.id != decision for each in self.decisions)


async def reviews_of(connection: AsyncConnection, database: str, record: str) -> dict[str, Mapping[str, Any]]:
    """Return the contents of a record's review documents by id, in the order in which they were made."""
    here = (decisions.c.database == database) & (decisions.c.record == record)
    rows = await connection.execute(select(decisions).where(here).order_by(decisions.c.id))
    return {row.id: row.content for row in rows}


def document_of(stored: StoredRevision) -> dict[str, Any]:
    """Return a revision as the document that phones get."""
    content = json.loads(stored.content)
    flag = {"_deleted": True} if stored.deleted else {}
    return {"_id": stored.doc_id, "_rev": stored.rev, **flag, **content}


def recorded_at(stored: StoredRevision) -> str:
    """Return the device's time of a revision, empty where it has none."""
    saved = json.loads(stored.content).get("saved")
    return str(saved.get("at", "")) if isinstance(saved, dict) else ""


def _is_resolved(stored: StoredRevision) -> bool:
    return stored.deleted and json.loads(stored.content).get("resolved") is True

"""What the door itself finds about pushed revisions, before the journal decides about the graph.

    scope covered neither now nor at the last completed exchange       refused      not_allowed, unless it is kept here
    no document that a journal can hold                                refused      malformed
    covered at the last exchange only                                  quarantined  rights_lost
    no record or reply of this enrolment                               quarantined  not_a_record, foreign_save
    other members than its parent's that phones may not write          quarantined  servers_only, unknown_member
    form version unknown in the scope's project                        quarantined  unknown_form
    answers that don't type                                            quarantined  misfit_answers

A reply (`reply:<record>:<id>`) answers a question that a manager asked; whoever may capture in the scope may answer.

Read from the top. What this enrolment has brought before is not refused when it comes again: the answer may have been
lost, and the exchange that took it in was the last one with the rights. A broken constraint is no reason: the follower
flags it.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.forms.library import FormLibrary
from server.ingest.record_checks import MISFITS, is_reply, misfit
from server.journal.entitlement import Asked
from server.journal.journal import Journal
from server.journal.model import NewRevision, Outcome
from sync.contract.wire import NUMBER_PATTERN
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.canonical import MalformedJson
from sync.revisions.revision_id import is_revision_id

_NUMBER = re.compile(NUMBER_PATTERN)


class Pushed(Protocol):
    """One revision of one document as a phone pushes it."""

    @property
    def db(self) -> str:
        """Return the database that it is for."""

    @property
    def doc(self) -> Mapping[str, Any]:
        """Return the document, with `_id` and `_rev`."""

    @property
    def ancestors(self) -> Sequence[str]:
        """Return the ids of its ancestors, parent first."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Who pushes: `now` has the rights of this moment, `then` those of the last exchange.

    `waiting` are (database, document, revision) of what quarantine holds of this enrolment.
    """

    enrolment: str
    now: Principal
    then: Principal
    waiting: Collection[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A pushed document on its way: the revision for the journal, or the outcome where there is none."""

    database: str
    revision: NewRevision | None
    refused: Outcome | None = None


class Admission:
    """The rules for one caller; look-ups are kept for the length of a request."""

    def __init__(self, pusher: Pusher, library: FormLibrary, scopes: Collection[str], journal: Journal) -> None:
        """Ask what `pusher` may do; `scopes` are the databases that take records."""
        self._pusher = pusher
        self._library = library
        self._scopes = scopes
        self._journal = journal
        self._rights: dict[str, str | None] = {}

    async def admit(self, push: Sequence[Pushed], flawed: Collection[int]) -> list[Admitted]:
        """Return what becomes of each document, in order; `flawed` are positions that strict JSON refused."""
        found = [await self._admit_one(item, position in flawed) for position, item in enumerate(push)]
        return await self._entitled(push, found)

    async def _entitled(self, push: Sequence[Pushed], found: Sequence[Admitted]) -> list[Admitted]:
        """Hold back, of what may come in otherwise, the revisions with members that a phone may not write."""
        by_database: defaultdict[str, list[int]] = defaultdict(list)
        for position, item in enumerate(found):
            is_fit = item.revision is not None and item.revision.quarantine in (None, *MISFITS)
            if is_fit and push[position].doc.get("type") == "record":
                by_database[item.database].append(position)
        admitted = [*found]
        for database, positions in by_database.items():
            coming = [(position, revision) for position in positions if (revision := found[position].revision)]
            asked = [Asked.of(revision, push[position].doc, "phone") for position, revision in coming]
            for (position, revision), reason in zip(
                coming, await self._journal.oversteps(database, asked), strict=True
            ):
                admitted[position] = Admitted(database, revision.overstepping(reason, "phone"))
        return admitted

    async def _admit_one(self, item: Pushed, is_flawed: bool) -> Admitted:
        document = item.doc
        number = _number(document)
        rights = self._rights_in(item.db)
        if rights == "not_allowed":
            if is_flawed or not await self._is_kept(item):
                return _refused(item, number, "not_allowed")
            rights = "rights_lost"
        if is_flawed:
            return _refused(item, number, "malformed")
        try:
            quarantine = rights or await self._held_back(item, document)
            revision = NewRevision.from_document(document, tuple(item.ancestors), number=number, quarantine=quarantine)
        except MalformedJson:
            return _refused(item, number, "malformed")
        return Admitted(item.db, revision)

    async def _is_kept(self, item: Pushed) -> bool:
        """Whether this enrolment brought the revision before, so that the journal will find it known."""
        doc_id, rev = item.doc.get("_id"), item.doc.get("_rev")
        if item.db not in self._scopes or not isinstance(doc_id, str) or not isinstance(rev, str):
            return False
        if (item.db, doc_id, rev) in self._pusher.waiting:
            return True
        if not is_well_formed_doc_id(doc_id) or not is_revision_id(rev):
            return False
        stored = await self._journal.document(item.db, doc_id, rev)
        return stored is not None and stored.enrolment == self._pusher.enrolment

    def _rights_in(self, database: str) -> str | None:
        """Return None where records may be pushed, else the reason."""
        if database not in self._rights:
            if database not in self._scopes:
                reason: str | None = "not_allowed"
            elif allowed(self._pusher.now, "capture", database):
                reason = None
            else:
                reason = "rights_lost" if allowed(self._pusher.then, "capture", database) else "not_allowed"
            self._rights[database] = reason
        return self._rights[database]

    async def _held_back(self, item: Pushed, document: Mapping[str, Any]) -> str | None:
        """Return the reason for which a person must look at the document first."""
        reason = self._claim(document)
        if reason is not None:
            return reason
        if document.get("type") == "reply":
            return None if not item.ancestors and is_reply(document) else "not_a_record"
        return None if document.get("_deleted") is True else await misfit(self._library, item.db, document)

    def _claim(self, document: Mapping[str, Any]) -> str | None:
        """Return what is wrong with what the document says that it is."""
        saved = document.get("saved")
        if document.get("type") not in {"record", "reply"} or not isinstance(saved, dict):
            return "not_a_record"
        if saved.get("by") != self._pusher.enrolment or _number(document) is None:
            return "foreign_save"
        return None


def _refused(item: Pushed, number: str | None, reason: str) -> Admitted:
    outcome = Outcome(str(item.doc.get("_id", "")), str(item.doc.get("_rev", "")), number, "refused", reason)
    return Admitted(item.db, None, outcome)


def _number(document: Mapping[str, Any]) -> str | None:
    saved = document.get("saved")
    number = saved.get("number") if isinstance(saved, dict) else None
    return number if isinstance(number, str) and _NUMBER.fullmatch(number) else None

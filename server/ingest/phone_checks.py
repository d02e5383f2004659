"""What the phones' door tells the ingest policy: who pushes, and with which rights.

What this enrolment has brought before is not refused when it comes again: the answer may have been lost, and the
exchange that took it in was the last one with the rights. A broken constraint is no reason: the follower flags it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.forms.library import FormLibrary
from server.ingest.policy import Arrival, Coming, Right, coming_of, entitled, judged, number_of
from server.journal.journal import Journal
from server.journal.model import NewRevision, Outcome
from sync.contract.reasons import REASONS, Reason
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.canonical import MalformedJson
from sync.revisions.revision_id import is_revision_id


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
    """The policy for one caller; look-ups are kept for the length of a request."""

    def __init__(self, pusher: Pusher, library: FormLibrary, scopes: Collection[str], journal: Journal) -> None:
        """Ask what `pusher` may do; `scopes` are the databases that take records."""
        self._pusher = pusher
        self._library = library
        self._scopes = scopes
        self._journal = journal
        self._rights: dict[str, Right] = {}

    async def admit(self, push: Sequence[Pushed], flawed: Collection[int]) -> list[Admitted]:
        """Return what becomes of each document, in order; `flawed` are positions that strict JSON refused."""
        admitted: dict[int, Admitted] = {}
        by_database: defaultdict[str, dict[int, Coming]] = defaultdict(dict)
        for position, item in enumerate(push):
            found = await self._admit_one(item, position in flawed)
            if isinstance(found, Outcome):
                admitted[position] = Admitted(item.db, None, found)
            else:
                by_database[item.db][position] = found
        for database, coming in by_database.items():
            revisions = await entitled(self._journal, database, list(coming.values()))
            admitted |= {position: Admitted(database, each) for position, each in zip(coming, revisions, strict=True)}
        return [admitted[position] for position in range(len(push))]

    async def _admit_one(self, item: Pushed, is_flawed: bool) -> Coming | Outcome:
        document, number = item.doc, number_of(item.doc)
        right = self._right_in(item.db)
        if right == "never" and not is_flawed and await self._is_kept(item):
            right = "then"
        arrival = Arrival(
            "phone",
            item.db,
            str(document.get("_id", "")),
            document,
            item.ancestors,
            deleted=document.get("_deleted") is True,
            right=right,
            sender=self._pusher.enrolment,
            is_flawed=is_flawed,
        )
        try:
            reason = await judged(arrival, self._library)
            if reason is not None and REASONS[reason].is_refusal:
                return _refused(item, number, reason)
            revision = NewRevision.from_document(document, tuple(item.ancestors), number=number, quarantine=reason)
        except MalformedJson:
            return _refused(item, number, "malformed")
        return coming_of(revision, document, "phone")

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

    def _right_in(self, database: str) -> Right:
        """Return when records may be pushed there by whoever pushes."""
        if database not in self._rights:
            if database not in self._scopes:
                right: Right = "never"
            elif allowed(self._pusher.now, "capture", database):
                right = "now"
            else:
                right = "then" if allowed(self._pusher.then, "capture", database) else "never"
            self._rights[database] = right
        return self._rights[database]


def _refused(item: Pushed, number: str | None, reason: Reason) -> Outcome:
    return Outcome(str(item.doc.get("_id", "")), str(item.doc.get("_rev", "")), number, "refused", reason)

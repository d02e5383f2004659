"""The phones' way into the ingest policy: rights of the sender, and what they have brought before.

What this enrolment has brought before is not refused when it comes again: the answer may have been lost, and the
exchange that took it in was the last one with the rights. A broken constraint is no reason: the follower flags it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.auth.authorise import allowed
from server.auth.principal import Principal
from server.forms.library import FormLibrary
from server.ingest.document import IncomingDocument, PushedDocument
from server.ingest.policy import Arrival, Coming, Right, entitled, judged
from server.journal.journal import Journal
from server.journal.model import NewRevision, Outcome
from server.platform.turns import in_turns
from sync.contract.reasons import REASONS
from sync.contract.scope import Scope
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.revision_id import is_revision_id


@dataclass(frozen=True, slots=True)
class Pusher:
    """The sender of a push: `now` has the rights of this moment, `then` those of the last exchange.

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

    async def admit(self, push: Sequence[PushedDocument]) -> list[Admitted]:
        """Return what becomes of each document, in order."""
        admitted: dict[int, Admitted] = {}
        by_database: defaultdict[str, dict[int, Coming]] = defaultdict(dict)
        async for position, pushed in in_turns(enumerate(push)):
            found = await self._admit_one(pushed)
            if isinstance(found, Outcome):
                admitted[position] = Admitted(pushed.database, None, found)
            else:
                by_database[pushed.database][position] = found
        for database, coming in by_database.items():
            revisions = await entitled(self._journal, database, list(coming.values()))
            admitted |= {position: Admitted(database, each) for position, each in zip(coming, revisions, strict=True)}
        return [admitted[position] for position in range(len(push))]

    async def _admit_one(self, pushed: PushedDocument) -> Coming | Outcome:
        database, document = pushed.database, pushed.document
        right = self._right_in(database)
        if right == "never" and await self._is_saved_beside(database, document):
            right = "beside"
        elif right == "never" and await self._is_kept(database, document):
            right = "then"
        arrival = Arrival("phone", database, document, pushed.ancestors, right, sender=self._pusher.enrolment)
        reason = await judged(arrival, self._library)
        if reason is not None and REASONS[reason].is_refusal:
            return Outcome(document.doc_id, document.rev, document.number, "refused", reason)
        return arrival.revision(reason, number=document.number, verify=True)

    async def _is_kept(self, database: str, document: IncomingDocument) -> bool:
        """Whether this enrolment brought the revision before, so that the journal will find it known."""
        if database not in self._scopes or document.is_flawed:
            return False
        if (database, *document.key) in self._pusher.waiting:
            return True
        if not is_well_formed_doc_id(document.doc_id) or not is_revision_id(document.rev):
            return False
        stored = await self._journal.document(database, *document.key)
        return stored is not None and stored.enrolment == self._pusher.enrolment

    async def _is_saved_beside(self, database: str, document: IncomingDocument) -> bool:
        """Whether a form of another project saved it here, where its writer records: it is kept for a person."""
        source = document.saved_by_form
        if database not in self._scopes or source is None:
            return False
        form = await self._library.get(*source)
        project, unit = Scope.of(database)
        if form is None or self._right_in(Scope(form.project, unit).name) not in {"now", "then"}:
            return False
        saved = (document.members.get("form"), project)
        return any((entity.form, entity.project) == saved for entity in form.schema.entities)

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

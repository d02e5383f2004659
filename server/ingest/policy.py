"""The one ingest policy: what becomes of a document, by the door that it comes by and what is found about it.

`POLICY` is the table. Findings are looked for in its order, and the first one for which the door's column gives a
reason decides; where it gives none, the finding counts for nothing there. `sync.contract` says the rest: which doors
take which types of documents (`DOCUMENT_TYPES`), as whom each door writes members (`DOORS`, `MEMBERS`), and what
becomes of a document for each reason (`REASONS`). What nothing is found about goes to the journal, which looks at the
graph (`sync.revisions.admission`).

Doors: phones (`gateway.sync`), replicas (`gateway.couchdb`), other servers (`peer_ingest`), desks (`desk_writes`) and
letting in from quarantine (`desk.quarantine`). Followers and publishers write what is the server's own.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from server.forms.answers.record_answers import check
from server.forms.library import FormLibrary
from server.ingest.document import IncomingDocument
from server.journal.entitlement import IncomingRevision
from server.journal.journal import Journal
from server.journal.model import NewRevision
from sync.contract.documents import DOCUMENT_TYPES, RECORD
from sync.contract.members import Content, Door
from sync.contract.reasons import REASONS, Reason
from sync.contract.scope import Scope
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, RevisionId

#: When whoever a document is by has had the right to write it: `then` is at their last exchange, not any more; `beside`
#: they have it where a form saves to records here.
Right = Literal["now", "then", "beside", "never"]
Finding = Literal[
    "attachments",
    "no_right",
    "no_document",
    "right_lost",
    "right_beside",
    "other_type",
    "other_save",
    "servers_member",
    "unknown_member",
    "unknown_form",
    "misfit",
]

_REPLICATED: tuple[Door, ...] = ("replica", "peer", "province")
_MEMBERS: tuple[Door, ...] = ("phone", "replica", "peer", "projection")


def _all(reason: Reason, *doors: Door) -> Mapping[Door, Reason]:
    return dict.fromkeys(doors, reason)


POLICY: Mapping[Finding, Mapping[Door, Reason]] = {
    # Media travels by a door of its own.
    "attachments": _all("attachments", *_REPLICATED),
    # A replica takes a refusal as done, so what another server brings is kept. The province is believed.
    "no_right": {"phone": "not_allowed", "peer": "rights_lost", "desk": "not_allowed"},
    "no_document": _all("malformed", "phone", *_REPLICATED),
    "right_lost": {"phone": "rights_lost"},
    "right_beside": {"phone": "saved_from_elsewhere"},
    "other_type": {
        **_all("not_a_record", "phone", *_REPLICATED, "acceptance"),
        "desk": "not_allowed",
    },
    "other_save": {"phone": "foreign_save"},
    "servers_member": {**_all("servers_only", *_MEMBERS, "acceptance"), "desk": "not_allowed"},
    # It means nothing here: a person who has seen it may let it in, or choose between what two have made of it. The
    # province may be newer than its hub.
    "unknown_member": _all("unknown_member", *_MEMBERS),
    "unknown_form": _all("unknown_form", "phone", *_REPLICATED),
    "misfit": _all("misfit_answers", "phone", *_REPLICATED),
}

#: What is found about a record's form counts only where nothing worse is.
MISFITS = frozenset({"unknown_form", "misfit_answers"})
#: Characters of what a quarantined record waits for.
MOST_AWAITED = 500
#: As much as a person writes about one question.
REPLY_CHARACTERS = 4000
_OVERSTEPS: Mapping[Reason, Finding] = {"servers_only": "servers_member", "unknown_member": "unknown_member"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document at a door, and what the door knows of whoever it is by; `ancestors` parent first.

    `sender` is the enrolment that must have saved it; None where that is not known.
    """

    door: Door
    database: str
    document: IncomingDocument
    ancestors: tuple[RevisionId, ...] = ()
    right: Right = "now"
    sender: str | None = None

    def revision(self, reason: Reason | None, *, number: str | None, verify: bool) -> "Coming":
        """Return the revision that the document becomes, quarantined where there is a reason."""
        of = self.document
        revision = NewRevision(of.doc_id, of.rev, self.ancestors, of.deleted, of.content, reason, verify, number)
        return Coming.of(revision, of, self.door)


@dataclass(frozen=True, slots=True)
class Coming:
    """A revision that a document became; `members` are those of its members that not everybody may write."""

    revision: NewRevision
    members: Content
    door: Door

    @classmethod
    def of(cls, revision: NewRevision, document: IncomingDocument, door: Door) -> "Coming":
        """Return what is asked about the members of a revision that a document became."""
        return cls(revision, document.restricted, _door_of_server(revision, document.members, door))

    @property
    def is_asked(self) -> bool:
        """Whether it is asked what its bringer may say: a record about which nothing worse was found."""
        revision = self.revision
        if revision.quarantine not in (None, *MISFITS) or ":" in revision.doc_id or revision.doc_id.startswith("_"):
            return False
        return verdict("servers_member", self.door) is not None and is_well_formed_doc_id(revision.doc_id)

    def asked(self) -> IncomingRevision:
        """Return the question whether its bringer may say what it says."""
        revision = self.revision
        return IncomingRevision(
            revision.doc_id,
            revision.rev,
            revision.ancestors,
            revision.deleted,
            self.members,
            self.door,
            is_end=revision.deleted and revision.content == RESOLVED_TOMBSTONE,
            is_held_back=revision.quarantine is not None,
        )


def verdict(finding: Finding, door: Door) -> Reason | None:
    """Return the reason that the table gives for what was found about a document; None where it counts for nothing."""
    return POLICY[finding].get(door)


def refusal(arrival: Arrival) -> Reason | None:
    """Return the reason for which a document is refused, None where it may be kept; nothing is read for this."""
    reason = _first(arrival)
    return reason if reason is not None and REASONS[reason].is_refusal else None


async def judged(arrival: Arrival, library: FormLibrary) -> Reason | None:
    """Return the reason that the policy gives for a document, but for its members; None where it gives none."""
    reason = _first(arrival)
    if arrival.document.is_flawed and (reason is None or not REASONS[reason].is_refusal):
        # No revision can be made of it, so that it can't wait for a person.
        return "malformed"
    if reason is not None or arrival.document.deleted or verdict("unknown_form", arrival.door) is None:
        return reason
    if arrival.document.type != RECORD:
        return None
    finding = await _form_finding(library, arrival.database, arrival.document.members)
    return None if finding is None else verdict(finding, arrival.door)


async def entitled(journal: Journal, database: str, coming: Sequence[Coming]) -> list[NewRevision]:
    """Return the revisions, quarantined where they say what their sender may not; `coming` in any order."""
    found = [one.revision for one in coming]
    times = Counter(one.revision.doc_id for one in coming)
    places = [place for place, one in enumerate(coming) if _is_asked_about(one, times[one.revision.doc_id])]
    oversteps = await journal.oversteps(database, [coming[place].asked() for place in places])
    for place, reason in zip(places, oversteps, strict=True):
        door = coming[place].door
        if reason is not None and (said := verdict(_OVERSTEPS[reason], door)) is not None:
            found[place] = found[place].overstepping(said, door)
    return [_awaiting(each) for each in found]


def _is_asked_about(one: Coming, times: int) -> bool:
    """Whether the contract must be asked, where so many revisions of the document come along.

    One that edits nothing and says nothing restricted repeats nothing either: most of what a replica first brings.
    """
    return bool(one.members or one.revision.ancestors or times > 1) and one.is_asked


async def judged_again(library: FormLibrary, database: str, content: Content) -> Reason | None:
    """Return the reason that the policy gives for a record whose form has come: it is the same at every door."""
    finding = await _form_finding(library, database, content)
    return None if finding is None else verdict(finding, "phone")


async def oversteps_within(
    connection: AsyncConnection, journal: Journal, database: str, coming: Sequence[Coming]
) -> list[Reason | None]:
    """Return for each revision what it says that its bringer may not, in a transaction that the caller has begun."""
    asked = [one for one in coming if one.is_asked]
    found = await journal.oversteps_within(connection, database, [one.asked() for one in asked])
    return [verdict(_OVERSTEPS[reason], one.door) if reason else None for reason, one in zip(found, asked, strict=True)]


def acceptable(doc_id: str, content: Content, overstep: Reason | None, *, deleted: bool) -> Reason | None:
    """Return why no person may let a quarantined document in, None where one may; `overstep` is of `acceptance`."""
    reason = _first(Arrival("acceptance", "", IncomingDocument(doc_id, "", content, deleted=deleted)))
    return reason if reason is not None or overstep is None else verdict(_OVERSTEPS[overstep], "acceptance")


def _door_of_server(revision: NewRevision, members: Content, door: Door) -> Door:
    """Return as whom another server's revision is taken: a follower's merge or carried edit is any server's.

    Every server would write it alike: its id is its own hash.
    """
    if door != "peer" or not ("merged" in members or "forwarded" in members):
        return door
    if any(name in members for name in ("saved", "decided", "undoes")):
        return door
    return "projection" if revision.has_own_id else door


def _first(arrival: Arrival) -> Reason | None:
    for finding in _findings(arrival):
        reason = verdict(finding, arrival.door)
        if reason is not None:
            return reason
    return None


def _findings(arrival: Arrival) -> Iterator[Finding]:
    """Give what is found about a document by itself, in the order of the table."""
    document = arrival.document
    if document.has_attachments:
        yield "attachments"
    if arrival.right == "never":
        yield "no_right"
    if document.is_flawed:
        yield "no_document"
    if arrival.right == "then":
        yield "right_lost"
    if arrival.right == "beside":
        yield "right_beside"
    if not _is_taken(arrival):
        yield "other_type"
    if arrival.sender is not None and not (document.saver == arrival.sender and document.number is not None):
        yield "other_save"


def _is_taken(arrival: Arrival) -> bool:
    """Whether the contract lets a document of this type come by the door."""
    name, document = arrival.document.type, arrival.document
    if name is None or arrival.door not in DOCUMENT_TYPES[name].doors:
        return False
    # The province may be newer than its hub, and knows what it does.
    if DOCUMENT_TYPES[name].is_said_once and arrival.door != "province" and (arrival.ancestors or document.deleted):
        return False
    # A phone's reply is its person's; a server's has been looked at where it came in.
    return name != "reply" or arrival.door != "phone" or _is_reply(document)


def _is_reply(document: IncomingDocument) -> bool:
    """Whether a document is an answer to a question about a record."""
    said = document.members
    record, question, text = said.get("record"), said.get("question"), said.get("text", "")
    if not isinstance(record, str) or not isinstance(question, str):
        return False
    return (
        record != ""
        and ":" not in record
        and document.doc_id.startswith(f"reply:{record}:")
        and question.startswith(f"question:{record}:")
        and isinstance(text, str)
        and len(text) <= REPLY_CHARACTERS
    )


async def _form_finding(
    library: FormLibrary, database: str, content: Content
) -> Literal["unknown_form", "misfit"] | None:
    """Return what is the matter with a record's form version, its answers or its files; None when they fit."""
    form, version = content.get("form"), content.get("form_version")
    if content.get("erased") is True and "form" not in content:
        return None
    if not isinstance(form, str) or not isinstance(version, str):
        return "unknown_form"
    published = await library.get(form, version)
    if published is None or published.project != Scope.of(database).project:
        return "unknown_form"
    is_fit = not check(published.schema, content.get("answers")) and _is_media(content.get("media", {}))
    return None if is_fit else "misfit"


def _is_media(media: object) -> bool:
    return isinstance(media, dict) and all(
        isinstance(file, dict) and all(isinstance(file.get(member), str) for member in ("sha256", "bytes", "type"))
        for file in media.values()
    )


def _awaiting(revision: NewRevision) -> NewRevision:
    """Return a revision, with the form version that it waits for where it waits for one."""
    besides = None if revision.overstep is None else revision.overstep.besides
    if "unknown_form" not in (revision.quarantine, besides):
        return revision
    content = json.loads(revision.content)
    named = [content.get("form"), content.get("form_version")]
    awaits = awaited_name(*map(str, named)) if all(isinstance(each, str) for each in named) else ""
    # No longer than what the store's index takes: no form has such a name.
    return replace(revision, awaits=awaits) if 0 < len(awaits) <= MOST_AWAITED else revision


def awaited_name(form: str, version: str) -> str:
    """Return the words in which a record waits for a form version, in ASCII."""
    return json.dumps([form, version])

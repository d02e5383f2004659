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
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from server.forms.library import FormLibrary
from server.ingest.record_checks import form_finding, is_reply
from server.journal.entitlement import IncomingRevision
from server.journal.journal import Journal
from server.journal.model import ATTACHMENTS, NewRevision
from sync.contract.documents import DOCUMENT_TYPES, RECORD, type_of
from sync.contract.members import Content, Door, restricted
from sync.contract.reasons import REASONS, Reason
from sync.contract.wire import NUMBER_PATTERN
from sync.revisions.admission import is_well_formed_doc_id
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId, revision_id

#: When whoever a document is by has had the right to write it: `then` is at their last exchange, not any more.
Right = Literal["now", "then", "never"]
Finding = Literal[
    "attachments",
    "no_right",
    "no_document",
    "right_lost",
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
_NUMBER = re.compile(NUMBER_PATTERN)
_OVERSTEPS: Mapping[Reason, Finding] = {"servers_only": "servers_member", "unknown_member": "unknown_member"}


@dataclass(frozen=True)
class Arrival:
    """A document at a door: what it says (`content`), and what the door knows of whoever it is by.

    `sender` is the enrolment that must have saved it; None where that is not known.
    """

    door: Door
    database: str
    doc_id: str
    content: Mapping[str, Json]
    ancestors: Sequence[RevisionId] = ()
    deleted: bool = False
    right: Right = "now"
    sender: str | None = None
    is_flawed: bool = False

    @cached_property
    def type(self) -> str | None:
        """The type of document that the contract says it is; None for none."""
        return type_of(self.doc_id, self.content, deleted=self.deleted)


@dataclass(frozen=True, slots=True)
class Coming:
    """A revision that a document became; `members` are those of its members that not everybody may write."""

    revision: NewRevision
    members: Content
    door: Door


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
    if reason is not None or arrival.deleted or verdict("unknown_form", arrival.door) is None:
        return reason
    if arrival.type != RECORD:
        return None
    finding = await form_finding(library, arrival.database, arrival.content)
    return None if finding is None else verdict(finding, arrival.door)


async def entitled(journal: Journal, database: str, coming: Sequence[Coming]) -> list[NewRevision]:
    """Return the revisions, quarantined where they say what their sender may not; `coming` in any order."""
    found = [one.revision for one in coming]
    places = [place for place, one in enumerate(coming) if _is_asked(one)]
    asked = [IncomingRevision.of(found[place], coming[place].members, coming[place].door) for place in places]
    for place, reason in zip(places, await journal.oversteps(database, asked), strict=True):
        door = coming[place].door
        if reason is not None and (said := verdict(_OVERSTEPS[reason], door)) is not None:
            found[place] = found[place].overstepping(said, door)
    return [_awaiting(each) for each in found]


async def judged_again(library: FormLibrary, database: str, content: Mapping[str, Json]) -> Reason | None:
    """Return the reason that the policy gives for a record whose form has come: it is the same at every door."""
    finding = await form_finding(library, database, content)
    return None if finding is None else verdict(finding, "phone")


async def oversteps_within(
    connection: AsyncConnection, journal: Journal, database: str, coming: Sequence[Coming]
) -> list[Reason | None]:
    """Return for each revision what it says that its bringer may not, in a transaction that the caller has begun."""
    asked = [IncomingRevision.of(one.revision, one.members, one.door) for one in coming if _is_asked(one)]
    found = await journal.oversteps_within(connection, database, asked)
    return [verdict(_OVERSTEPS[reason], one.door) if reason else None for reason, one in zip(found, asked, strict=True)]


def acceptable(doc_id: str, content: Mapping[str, Json], overstep: Reason | None, *, deleted: bool) -> Reason | None:
    """Return why no person may let a quarantined document in, None where one may; `overstep` is of `acceptance`."""
    reason = _first(Arrival("acceptance", "", doc_id, content, deleted=deleted))
    return reason if reason is not None or overstep is None else verdict(_OVERSTEPS[overstep], "acceptance")


def number_of(content: Mapping[str, Json]) -> str | None:
    """Return the count of its enrolment's saves that a document says it is; None where it says no number."""
    saved = content.get("saved")
    number = saved.get("number") if isinstance(saved, Mapping) else None
    return number if isinstance(number, str) and _NUMBER.fullmatch(number) else None


def saver_of(content: Mapping[str, Json]) -> str | None:
    """Return the enrolment that a document says it was saved under."""
    saved = content.get("saved")
    by = saved.get("by") if isinstance(saved, Mapping) else None
    return by if isinstance(by, str) else None


def door_of_server(revision: NewRevision, content: Content, door: Door) -> Door:
    """Return as whom another server's revision is taken: a follower's merge or carried edit is any server's.

    Every server would write it alike: its id is its own hash.
    """
    if door != "peer" or not ("merged" in content or "forwarded" in content):
        return door
    if any(name in content for name in ("saved", "decided", "undoes")):
        return door
    parent = revision.ancestors[0] if revision.ancestors else None
    made = revision_id(revision.doc_id, deleted=revision.deleted, parent=parent, content=revision.content)
    return "projection" if made == revision.rev else door


def _first(arrival: Arrival) -> Reason | None:
    for finding in _findings(arrival):
        reason = verdict(finding, arrival.door)
        if reason is not None:
            return reason
    return None


def _findings(arrival: Arrival) -> Iterator[Finding]:
    """Give what is found about a document by itself, in the order of the table."""
    if arrival.content.get(ATTACHMENTS):
        yield "attachments"
    if arrival.right == "never":
        yield "no_right"
    if arrival.is_flawed:
        yield "no_document"
    if arrival.right == "then":
        yield "right_lost"
    if not _is_taken(arrival):
        yield "other_type"
    if arrival.sender is not None and not _is_own_save(arrival):
        yield "other_save"


def _is_taken(arrival: Arrival) -> bool:
    """Whether the contract lets a document of this type come by the door."""
    name = arrival.type
    if name is None or arrival.door not in DOCUMENT_TYPES[name].doors:
        return False
    # The province may be newer than its hub, and knows what it does.
    if DOCUMENT_TYPES[name].is_said_once and arrival.door != "province" and (arrival.ancestors or arrival.deleted):
        return False
    # A phone's reply is its person's; a server's has been looked at where it came in.
    return name != "reply" or arrival.door != "phone" or is_reply(arrival.doc_id, arrival.content)


def _is_own_save(arrival: Arrival) -> bool:
    return saver_of(arrival.content) == arrival.sender and number_of(arrival.content) is not None


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


def _is_asked(one: Coming) -> bool:
    """Whether it is asked what its bringer may say: a record about which nothing worse was found."""
    revision = one.revision
    if revision.quarantine not in (None, *MISFITS) or ":" in revision.doc_id or revision.doc_id.startswith("_"):
        return False
    return verdict("servers_member", one.door) is not None and is_well_formed_doc_id(revision.doc_id)


def coming_of(revision: NewRevision, content: Content, door: Door) -> Coming:
    """Return what is asked about the members of a revision that a document with this content became."""
    return Coming(revision, restricted(content), door_of_server(revision, content, door))

"""The values that the journal takes and gives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from server.platform.canonical_json import canonical
from sync.contract.members import Door
from sync.contract.reasons import OutcomeName
from sync.revisions.admission import Offer
from sync.revisions.canonical import Json
from sync.revisions.machine_merge import says_nothing_itself
from sync.revisions.revision_id import (
    RevisionId,
    fingerprint,
    generation_of,
    is_any_revision_id,
    merged_of,
    revision_id,
)

#: The member that attachments stand in, and the reason for which a document in a scope waits that has some.
ATTACHMENTS, WITH_ATTACHMENTS = "_attachments", "attachments"


class UnknownDatabase(LookupError):
    """No database has this name."""


class NotWaiting(LookupError):
    """No such revision waits in quarantine, or the one it edits still does."""


@dataclass(frozen=True, slots=True)
class Overstep:
    """Why `sync.contract` is asked again when more of a record comes: the door that asked first.

    `besides` is the reason for which that door would hold the revision back otherwise.
    """

    door: Door
    besides: str | None = None


@dataclass(frozen=True)
class NewRevision:
    """A revision on its way in; `ancestors` parent first, `number` the count of its enrolment's saves.

    `content` is canonical and without `_id`, `_rev`, `_deleted`; `quarantine` is the reason for which a door holds the
    revision back; `verify` is off where ids were made here, and for replicas whose ids are their own business.
    `overstep` stands beside a `quarantine` that the contract gave; `awaits` is what the door asks for again, in its own
    words: once that is here, `Journal.judge_again` takes the door's new verdict.
    """

    doc_id: str
    rev: RevisionId
    ancestors: tuple[RevisionId, ...]
    deleted: bool
    content: bytes
    quarantine: str | None = None
    verify: bool = True
    number: str | None = None
    overstep: Overstep | None = None
    awaits: str | None = None

    @property
    def parent(self) -> RevisionId | None:
        """Return the revision that this one edits, as it says itself."""
        return self.ancestors[0] if self.ancestors else None

    @property
    def weight(self) -> int:
        """Return about how much work it is to write, where 10 is an edit of what is here."""
        return 9 + len(self.ancestors) + len(self.content) // 500

    @cached_property
    def has_own_id(self) -> bool:
        """Whether its id is the hash of what it says, as every server would compute it."""
        if self.parent is not None and not is_any_revision_id(self.parent):
            return False
        made = revision_id(self.doc_id, deleted=self.deleted, parent=self.parent, content=self.content)
        return made == self.rev

    @cached_property
    def fingerprint(self) -> bytes:
        """Return what it is compared by with others of its id."""
        return fingerprint(self.content, deleted=self.deleted)

    @cached_property
    def offer(self) -> Offer:
        """Return it as a scope's admission sees it; this reads the content, once."""
        merged = merged_of(self.content)
        return Offer(
            self.doc_id,
            self.rev,
            self.ancestors,
            self.deleted,
            self.fingerprint,
            has_own_id=not self.verify or self.has_own_id,
            merged=merged,
            is_by_machine=bool(merged) and self._is_by_machine(),
            quarantine=self.quarantine,
        )

    def _is_by_machine(self) -> bool:
        content = json.loads(self.content)
        is_living_record = content.get("type") == "record" and self.parent is not None and not self.deleted
        return is_living_record and says_nothing_itself(content) and self.has_own_id

    def overstepping(self, reason: str | None, door: Door) -> "NewRevision":
        """Return the revision quarantined for what its sender may not say; itself if there is no such thing."""
        if reason is None:
            return self
        return replace(self, quarantine=reason, overstep=Overstep(door, self.quarantine))

    @classmethod
    def following(
        cls, doc_id: str, content: Mapping[str, Json], parent: RevisionId | None, *, deleted: bool = False
    ) -> "NewRevision":
        """Return the edit of `parent` (None: the first revision) to this content, with its id computed."""
        return cls.with_body(doc_id, canonical(content), parent, deleted=deleted)

    @classmethod
    def with_body(cls, doc_id: str, body: bytes, parent: RevisionId | None, *, deleted: bool = False) -> "NewRevision":
        """Return the same where the content has its canonical form already."""
        rev = revision_id(doc_id, deleted=deleted, parent=parent, content=body)
        # The id was made a moment ago; nothing is learnt by making it once more.
        return cls(doc_id, rev, () if parent is None else (parent,), deleted, body, verify=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """The sender of revisions: a person, with an enrolment if they used their phone; neither for the server itself."""

    person: str | None = None
    enrolment: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The sender and time of a batch; `moment` is the time as the checkpoint chain writes it."""

    origin: Origin
    received_at: datetime
    moment: str = field(init=False)

    def __post_init__(self) -> None:
        """Write the moment once, not for each revision of a batch."""
        object.__setattr__(self, "moment", self.received_at.isoformat())


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one revision of a batch."""

    doc_id: str
    rev: RevisionId
    number: str | None
    outcome: OutcomeName
    reason: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A document at its latest sequence; `leaves` winner first, `content` the winner's where it was asked for."""

    seq: int
    doc_id: str
    rev: RevisionId
    deleted: bool
    leaves: tuple[RevisionId, ...]
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database at one moment: how far its feed is, the token that says so, and the digest of what is live."""

    name: str
    seq: int
    since: str
    digest: str
    documents: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of the feed: `last_seq` is where to go on, `pending` how many remain, `state` the same moment's."""

    rows: tuple[Change, ...]
    last_seq: int
    pending: int
    state: DatabaseState


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A revision in the journal, with who brought it and when it was received."""

    database: str
    doc_id: str
    rev: RevisionId
    parent: RevisionId | None
    deleted: bool
    content: bytes
    person: str | None
    enrolment: str | None
    received_at: datetime
    is_leaf: bool
    number: str | None = None

    @property
    def generation(self) -> int:
        """Return how many edits led here."""
        return generation_of(self.rev)


@dataclass(frozen=True, slots=True)
class QuarantinedRevision:
    """A revision that waits for a person, and why."""

    database: str
    doc_id: str
    rev: RevisionId
    ancestors: tuple[RevisionId, ...]
    deleted: bool
    content: bytes
    reason: str
    person: str | None
    enrolment: str | None
    number: str | None
    received_at: datetime
    fingerprint: bytes = field(repr=False)
    overstep: Overstep | None = None
    awaits: str | None = None

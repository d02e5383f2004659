"""The members of a record and their writers, who may introduce, change or remove each; everybody may repeat.

`MEMBERS` is the table and `DOORS` says as whom each door takes what it is brought. A member that is not in the table is
the province's alone: from anybody else it waits in quarantine under a reason of its own, so that a member that gets a
meaning later was never let in before by somebody who may not write it.

Pure: whoever asks hands over what stands before a revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sync.contract.reasons import Reason
from sync.merging.field_schema import ABSENT
from sync.revisions.canonical import Json, same

Content: TypeAlias = Mapping[str, Json]
#: `capture`: who may record in the scope. `desk`: who may decide conflicts there, at a desk. `projection`: a follower,
#: which writes a pure function of what is here. `province`: the server that alone writes people, forms and erasures.
Writer = Literal["capture", "desk", "projection", "province"]
#: `projection`: another server's follower, known by its revision's id and shape; `acceptance`: out of quarantine.
Door = Literal["phone", "replica", "peer", "projection", "province", "desk", "acceptance"]
#: A member of the *record* stands until somebody changes it, so leaving it out removes it. One of the *revision* speaks
#: of that revision alone: leaving it out says nothing. What is *lasting* outlives even a deletion. What is *foreign*
#: means nothing here, so it may be left out.
Kind = Literal["record", "revision", "lasting", "foreign"]
#: What a member tells of people, whoever may read its record. `personal`: who did it, what somebody wrote of somebody,
#: faces and voices. `by_form`: whatever its form asks, places too; the form marks which questions go into no export
#: (`bind::sensitive`). What is not `none` stands in records alone: no log and no audit takes it.
Sensitivity = Literal["none", "personal", "by_form"]

SERVERS_ONLY: Reason = "servers_only"
UNKNOWN_MEMBER: Reason = "unknown_member"


@dataclass(frozen=True, slots=True)
class Member:
    """One row: who may introduce, change or remove a member, what leaving it out means, and what it tells of people.

    `since` is the release that brought it: an older server quarantines it as unknown.
    """

    writers: frozenset[Writer]
    kind: Kind
    sensitivity: Sensitivity = "none"
    since: str = "0.1.0"


def _row(kind: Kind, *writers: Writer, tells: Sensitivity = "none") -> Member:
    return Member(frozenset(writers), kind, tells)


MEMBERS: Mapping[str, Member] = {
    # What people record. Desks and merges write these too, as whoever captures may.
    "type": _row("record", "capture", "desk", "projection", "province"),
    "form": _row("record", "capture", "desk", "projection", "province"),
    "form_version": _row("record", "capture", "desk", "projection", "province"),
    "answers": _row("record", "capture", "desk", "projection", "province", tells="by_form"),
    "media": _row("record", "capture", "desk", "projection", "province", tells="personal"),
    "of": _row("record", "capture", "desk", "projection", "province"),
    # Whose save it is; without a seal that covers it, only a claim.
    "saved": _row("revision", "capture", "desk", "projection", "province", tells="personal"),
    # Which branches a merge brings together, what it or a decision leaves open, the end that it puts on a branch.
    "merged": _row("revision", "projection", "province"),
    "open": _row("revision", "projection", "desk", "province"),
    "resolved": _row("revision", "projection", "province"),
    # The edit of a joined record that this one carries over.
    "forwarded": _row("revision", "projection", "province"),
    # What a manager decided, took back, and why.
    "decided": _row("revision", "desk", "province"),
    "undoes": _row("revision", "desk", "province"),
    "comment": _row("revision", "desk", "province", tells="personal"),
    # Which record this one is as well, and what that one took from it (inside `same_as`).
    "same_as": _row("record", "desk", "province"),
    "took": _row("record", "desk", "province"),
    # A recorded erasure.
    "erased": _row("lasting", "province"),
}
#: The province may be newer than its hub.
UNKNOWN = _row("foreign", "province")

DOORS: Mapping[Door, frozenset[Writer]] = {
    "phone": frozenset({"capture"}),
    "replica": frozenset({"capture"}),
    "peer": frozenset({"capture"}),
    "projection": frozenset({"capture", "projection"}),
    "province": frozenset({"capture", "desk", "projection", "province"}),
    "desk": frozenset({"capture", "desk"}),
    "acceptance": frozenset({"capture"}),
}


@dataclass(frozen=True, slots=True)
class Before:
    """The bodies before a revision.

    `parent` is None where the parent's body is not here. `line` is the nearest body on its way back, first, and for a
    merge those of the revisions that it brings together; empty where nothing is here.
    """

    parent: Content | None = None
    line: Sequence[Content] = ()


#: The members that tell of people: logs blot them out, the audit refuses them.
TELLING_OF_PEOPLE = frozenset(name for name, member in MEMBERS.items() if member.sensitivity != "none")
_FREE = frozenset(name for name, member in MEMBERS.items() if "capture" in member.writers)
#: How the members stand in a canonical body that everybody must repeat: without one of these, a body need not be read.
REPEATED = tuple(
    b'"%b":' % name.encode() for name, member in MEMBERS.items() if member.kind != "revision" and name not in _FREE
)


def is_restricted(name: str) -> bool:
    """Whether a document's member is one that not everybody who captures may write."""
    return name not in _FREE and not name.startswith("_")


def restricted(content: Content) -> dict[str, Json]:
    """Return the restricted members of a body or a whole document; mostly none."""
    return {name: value for name, value in content.items() if is_restricted(name)}


def overstep(content: Content, before: Before, door: Door, *, deleted: bool) -> Reason | None:
    """Return what is wrong with whose members these are; None where the door's writer may say all this.

    `content` may be what `restricted` has left of a body.
    """
    sources = before.line or ({},)
    names = {*content, *(name for source in sources for name in source)}
    wrong = {name for name in names if not _is_free(name, door) and _moves(name, content, before, sources, deleted)}
    if not wrong:
        return None
    return SERVERS_ONLY if any(name in MEMBERS for name in wrong) else UNKNOWN_MEMBER


def _is_free(name: str, door: Door) -> bool:
    return not MEMBERS.get(name, UNKNOWN).writers.isdisjoint(DOORS[door])


def _moves(name: str, content: Content, before: Before, sources: Sequence[Content], deleted: bool) -> bool:
    """Whether a revision introduces, changes or removes a member."""
    kind = MEMBERS.get(name, UNKNOWN).kind
    if name not in content and (kind in ("revision", "foreign") or (kind == "record" and deleted)):
        return False
    said = content.get(name, ABSENT)
    # What one revision says of itself is a repetition only of its very parent's: an ancestor that comes later must not
    # make it a word of its own.
    compared = sources if kind != "revision" else () if before.parent is None else (before.parent,)
    return not any(same(source.get(name, ABSENT), said) for source in compared)

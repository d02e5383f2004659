"""Which revisions say what their bringer may not: `sync.contract`, asked over what the journal holds.

The verdict doesn't depend on what comes in the same request under an id that is here: what is held counts first, and of
what comes along only what may be said itself.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.model import NewRevision
from server.journal.store.branches import Key, branches, contents
from server.journal.store.statements import Statements
from server.platform.turns import in_turns
from sync.contract.members import REPEATED, Before, Content, Door, overstep, restricted
from sync.contract.reasons import Reason
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RESOLVED_TOMBSTONE, RevisionId, is_revision_id, order_of_any

#: Bodies that are in memory at once: a body may have megabytes.
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class IncomingRevision:
    """A revision of a record on its way in by a door; `members` are the restricted ones of its body.

    `is_held_back`: it waits for another reason, so that nothing which comes along may lean on it.
    """

    doc_id: str
    rev: RevisionId
    ancestors: tuple[RevisionId, ...]
    deleted: bool
    members: Content
    door: Door
    is_end: bool = False
    is_held_back: bool = False

    @classmethod
    def of(cls, revision: NewRevision, members: Mapping[str, Json], door: Door) -> "IncomingRevision":
        """Return what is asked about a revision; `members` are those of its body, or of them the restricted ones."""
        is_end = revision.deleted and revision.content == RESOLVED_TOMBSTONE
        return cls(
            revision.doc_id,
            revision.rev,
            revision.ancestors,
            revision.deleted,
            restricted(members),
            door,
            is_end,
            is_held_back=revision.quarantine is not None,
        )

    @property
    def key(self) -> Key:
        """Return document and revision."""
        return self.doc_id, self.rev

    @property
    def parent(self) -> Key | None:
        """Return document and revision of what this one edits."""
        return (self.doc_id, self.ancestors[0]) if self.ancestors else None

    @property
    def merged(self) -> list[Key]:
        """Return the revisions that a merge brings together besides its parent."""
        named = self.members.get("merged") if self.door in ("projection", "province") else None
        texts = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
        return [(self.doc_id, each) for each in texts if is_revision_id(each)]


async def oversteps(
    connection: AsyncConnection, sql: Statements, database: str, asked: Sequence[IncomingRevision]
) -> list[Reason | None]:
    """Return for each revision what is wrong with it, None where its bringer may say all that it says.

    The end that a machine puts on a branch is the same constant whoever brings it: admission looks whether the branch
    was taken in.
    """
    telling = {one.doc_id for one in asked if one.members}
    known = await _bodies(connection, sql, database, _sources(asked), telling)
    nearest = await _nearest_keys(connection, sql, database, asked, known)
    known |= await _bodies(connection, sql, database, nearest, telling)
    found: list[Reason | None] = [None] * len(asked)
    coming: dict[Key, Content] = {}
    async for place, one in in_turns(sorted(enumerate(asked), key=lambda each: order_of_any(each[1].rev))):
        if not one.is_end:
            found[place] = judged(one, known, coming)
        if found[place] is None and not one.is_held_back:
            coming.setdefault(one.key, one.members)
    return found


def judged(one: IncomingRevision, known: Mapping[Key, Content], coming: Mapping[Key, Content]) -> Reason | None:
    """Return what is wrong with one revision, after the restricted members of bodies that are here or come along."""
    parent = None if one.parent is None else known.get(one.parent, coming.get(one.parent))
    line = [parent] if parent is not None else _nearest(one, known, coming)
    line += [known[each] for each in one.merged if each in known]
    return overstep(one.members, Before(parent, line), one.door, deleted=one.deleted)


def _sources(asked: Sequence[IncomingRevision]) -> list[Key]:
    wanted = [one.parent for one in asked if one.parent is not None]
    return list(dict.fromkeys([*wanted, *(each for one in asked for each in one.merged)]))


async def _bodies(
    connection: AsyncConnection, sql: Statements, database: str, keys: Sequence[Key], telling: Collection[str]
) -> dict[Key, Content]:
    """Return the restricted members of these bodies, where they are here.

    Of a document whose new revisions say nothing restricted only what they leave out counts: most bodies aren't read.
    """
    found: dict[Key, Content] = {}
    sound = [key for key in keys if is_revision_id(key[1])]
    for start in range(0, len(sound), AT_ONCE):
        part = await contents(connection, sql, database, sound[start : start + AT_ONCE])
        for key, body in part.items():
            is_read = key[0] in telling or any(name in body for name in REPEATED)
            found[key] = restricted(json.loads(body)) if is_read else {}
    return found


async def _nearest_keys(
    connection: AsyncConnection,
    sql: Statements,
    database: str,
    asked: Sequence[IncomingRevision],
    known: Collection[Key],
) -> list[Key]:
    """Return the nearest revisions that are here on lines whose first is not."""
    broken = [one for one in asked if one.parent is not None and one.parent not in known and len(one.ancestors) > 1]
    if not broken:
        return []
    here = await branches(connection, sql, database, {one.doc_id for one in broken})
    found: dict[Key, None] = {}
    for one in broken:
        held = here[one.doc_id].graph.held if one.doc_id in here else {}
        nearest = next((each for each in one.ancestors if each in held), None)
        if nearest is not None:
            found[one.doc_id, nearest] = None
    return [*found]


def _nearest(one: IncomingRevision, known: Mapping[Key, Content], coming: Mapping[Key, Content]) -> list[Content]:
    for each in one.ancestors[1:]:
        body = known.get((one.doc_id, each), coming.get((one.doc_id, each)))
        if body is not None:
            return [body]
    return []

"""The author of a stored record (`sync.revisions.authorship`), from a history that is read only as far as needed."""

import json
from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal.journal import Journal
from server.journal.model import QuarantinedRevision, StoredRevision
from server.journal.store.author_tables import sealed_revisions
from server.journal.store.authors import saved_by
from sync.merging.document import Revision
from sync.revisions.authorship import Act, Authorship, act_of, authorship
from sync.revisions.canonical import member
from sync.revisions.revision_id import RevisionId

#: An edit that came over from a joined record may have come over to that one too.
MOST_JOININGS = 8


def is_saved(stored: StoredRevision) -> bool:
    """Whether a worker's phone saved exactly this revision: then nobody else's history needs reading."""
    return not stored.deleted and isinstance(member(stored.content, "saved"), dict)


class RecordAuthorship:
    """The revisions of a record that are here, with what kind of act each is."""

    def __init__(self, history: Sequence[StoredRevision]) -> None:
        """Read no body yet."""
        self.by_rev: Mapping[RevisionId, StoredRevision] = {each.rev: each for each in history}
        self._read = cache(self._revision)

    def act(self, rev: RevisionId) -> Act:
        """Return what kind of act a revision is that is here."""
        revision = self._read(rev)
        assert revision is not None
        return act_of(revision, self._read(revision.parent) if revision.parent else None)

    def authorship(self, rev: RevisionId) -> Authorship:
        """Return whose the record is that stands at `rev`."""
        return authorship(rev, self._read)

    def _revision(self, rev: RevisionId) -> Revision | None:
        stored = self.by_rev.get(rev)
        if stored is None:
            return None
        content = json.loads(stored.content)
        return Revision(rev, stored.parent, stored.deleted, content if isinstance(content, dict) else {})


async def authors_of_waiting(
    connection: AsyncConnection, database: str, waiting: Sequence[QuarantinedRevision]
) -> dict[RevisionId, str]:
    """Return who wrote revisions of one document that wait in quarantine; a seal counts over whoever brought them."""
    if not waiting:
        return {}
    found = {one.rev: one.person for one in waiting if one.person is not None}
    saved = {(one.rev, saved_by(one.content)) for one in waiting}
    table = sealed_revisions
    named = tuple_(table.c.doc_id, table.c.rev).in_({(one.doc_id, one.rev) for one in waiting})
    for row in await connection.execute(select(table).where(table.c.database == database, named)):
        if (row.rev, row.enrolment) in saved:
            found[row.rev] = row.person
    return found


async def first_said(journal: Journal, edit: StoredRevision) -> StoredRevision:
    """Return an edit as it was first written, where it came over from a record that was joined to this one.

    Its author and its device's time stand there; a peer that forwarded it names itself.
    """
    for _ in range(MOST_JOININGS):
        named = member(edit.content, "forwarded")
        if is_saved(edit) or not isinstance(named, list) or len(named) != 2:
            break
        found = await journal.document(edit.database, str(named[0]), str(named[1]))
        if found is None:
            break
        edit = found
    return edit

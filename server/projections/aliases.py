"""The follower that carries later edits of a joined record to the one that stays (`sync.merging.alias_replay`).

Looked at whenever either of the two changes, and written with the checkpoint in one transaction. What was written is
recognised by its id, so that a page which is taken again writes nothing new. Each edit keeps its author.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.journal.followers.follower import Effects
from server.journal.journal import Journal
from server.journal.model import Change, NewRevision, Origin
from server.journal.store.document_histories import DocumentHistory
from server.journal.store.engine_revisions import as_new
from server.platform.db.engine import Storage
from server.projections.branches import FormsOf
from server.read_model.household_tables import likenesses
from sync.matching.duplicates import survivor_of
from sync.merging.alias_replay import Forwarded, forward
from sync.revisions.revision_id import RevisionId

NAME = "aliases"

Leaves = tuple[RevisionId, ...]


@dataclass(frozen=True, slots=True)
class _CarriedEdits:
    """The edits that are carried from an alias to its survivor."""

    alias: str
    survivor: str
    edits: Sequence[tuple[Origin, NewRevision]]


class AliasesProjection:
    """Brings edits over; a `Projection` of the follower, after the one that files households and their pairs."""

    name = NAME
    after: tuple[str, ...] = ()
    writes_back: tuple[str, ...] = ("record",)

    def __init__(self, storage: Storage, journal: Journal, areas: Areas, *, forms_of: FormsOf) -> None:
        """Read nothing yet."""
        self._storage = storage
        self._journal = journal
        self._areas = areas
        self._forms_of = forms_of

    async def effects(self, database: str, changes: Sequence[Change]) -> Effects:
        """Return the edits to carry from the changed records and from their aliases."""
        if not (await self._areas.atlas()).has_scope(database):
            return _nothing
        aliases = {
            change.doc_id: survivor
            for change in changes
            if ":" not in change.doc_id and (survivor := survivor_of(json.loads(change.content or b"{}")))
        }
        here = (likenesses.c.database == database) & (likenesses.c.verdict == "same")
        query = select(likenesses.c.one, likenesses.c.other, likenesses.c.survivor).where(
            here, likenesses.c.survivor.in_([change.doc_id for change in changes])
        )
        async with self._storage.read() as connection:
            for one, other, survivor in await connection.execute(query):
                aliases.setdefault(other if one == survivor else one, survivor)
        if not aliases:
            return _nothing
        wholes = await self._journal.whole(database, sorted({*aliases, *aliases.values()}))
        due = await self._due(aliases, wholes)
        leaves = {doc_id: wholes[doc_id].graph.leaves() for each in due for doc_id in (each.alias, each.survivor)}
        return partial(self._apply, database=database, due=due, leaves=leaves) if due else _nothing

    async def _due(self, aliases: dict[str, str], wholes: dict[str, DocumentHistory]) -> list[_CarriedEdits]:
        documents = {doc_id: whole.as_document() for doc_id, whole in wholes.items()}
        forms = await self._forms_of([*documents.values()])
        due: list[_CarriedEdits] = []
        for alias, survivor in sorted(aliases.items()):
            if alias not in documents or survivor not in documents:
                continue
            goes = wholes[alias]
            edits = [
                (_origin(goes, each), as_new(each.revision))
                for each in forward(documents[alias], documents[survivor], forms)
                if each.revision.rev not in wholes[survivor].revisions
            ]
            if edits:
                due.append(_CarriedEdits(alias, survivor, edits))
        return due

    async def _apply(
        self, connection: AsyncConnection, *, database: str, due: Sequence[_CarriedEdits], leaves: Mapping[str, Leaves]
    ) -> None:
        # Parted meanwhile, nothing comes over any more; whatever has changed stands later in the feed.
        standing = await self._journal.standing_within(connection, database, leaves)
        for each in due:
            if not {each.alias, each.survivor} <= standing:
                continue
            # In their order, which has parents first, also across authors.
            for origin, group in groupby(each.edits, key=lambda edit: edit[0]):
                await self._journal.write_within(connection, database, [revision for _, revision in group], origin)


async def _nothing(_connection: AsyncConnection) -> None:
    """Have no effect."""


def _origin(goes: DocumentHistory, forwarded: Forwarded) -> Origin:
    edit = goes.revisions[forwarded.edit]
    return Origin(edit.person, edit.enrolment)

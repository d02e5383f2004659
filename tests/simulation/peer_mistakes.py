"""Known mistakes of replication between servers, each put back into the product's Push and Pull while a block runs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest.mock import patch

from server.peers.batch_size import BatchSize
from server.peers.local_database import LocalDatabase
from server.peers.remote_database import RemoteDatabase
from server.peers.replication import PullReplication, PushReplication
from sync.revisions.canonical import Json
from sync.revisions.revision_id import RevisionId
from tests.simulation.mistakes import Mistake


def checkpoint_before_documents() -> AbstractContextManager[Any]:
    """A push writes both checkpoints first, and what they speak of afterwards."""
    put, write_here = PushReplication._put, PushReplication._write_here
    waiting: list[tuple[PushReplication, Sequence[Mapping[str, Json]]]] = []

    async def later(self: PushReplication, documents: Sequence[Mapping[str, Json]]) -> int:
        waiting.append((self, documents))
        return len(documents)

    async def first(self: PushReplication, document: Mapping[str, Json]) -> None:
        await write_here(self, document)
        due = [documents for one, documents in waiting if one is self]
        waiting.clear()
        for documents in due:
            await put(self, documents)

    both = ExitStack()
    both.enter_context(patch.object(PushReplication, "_put", later))
    both.enter_context(patch.object(PushReplication, "_write_here", first))
    return both


def pulled_checkpoint_before_documents() -> AbstractContextManager[Any]:
    """A pull notes at both ends how far the page goes that it is about to take."""
    bring = PullReplication._bring

    async def hasty(self: PullReplication, wanted: Mapping[str, Sequence[RevisionId]]) -> int:
        page = await self._remote.changes(self._since, self._pace.size)
        checkpoint = self._session.document(page.last_seq, self._parts.clock())
        await self._write_here(checkpoint)
        await self._there.write(checkpoint)
        return await bring(self, wanted)

    return patch.object(PullReplication, "_bring", hasty)


def too_much_stays_too_much() -> AbstractContextManager[Any]:
    """A batch that was too much for the line is tried again as it was."""
    return patch.object(BatchSize, "was_too_much", lambda *_: None)


def sent_without_lines() -> AbstractContextManager[Any]:
    """Revisions go over without the path that leads to them."""
    proper = LocalDatabase.documents

    async def bare(
        self: LocalDatabase, wanted: Mapping[str, Sequence[RevisionId]], *, is_short: bool = False
    ) -> AsyncIterator[list[dict[str, Json]]]:
        async for found in proper(self, wanted, is_short=is_short):
            yield [{name: value for name, value in one.items() if name != "_revisions"} for one in found]

    return patch.object(LocalDatabase, "documents", bare)


def only_leaves_go_over() -> AbstractContextManager[Any]:
    """A Nương is treated like a CouchDB, which gives earlier revisions up."""

    async def gives_up(_: RemoteDatabase) -> bool:
        return False

    return patch.object(RemoteDatabase, "keeps_history", gives_up)


def what_waits_has_no_line() -> AbstractContextManager[Any]:
    """What a merge was made of is not asked for while the merge waits for it in quarantine."""

    async def nothing(*_: object) -> dict[str, set[RevisionId]]:
        return {}

    return patch("server.peers.local_database.lines_beside", nothing)


PEER_MISTAKES: tuple[Mistake, ...] = (
    checkpoint_before_documents,
    pulled_checkpoint_before_documents,
    too_much_stays_too_much,
    sent_without_lines,
    only_leaves_go_over,
    what_waits_has_no_line,
)

"""One database in one direction, a batch at a time: what is missing goes over, then the checkpoint moves.

    push   own feed → the peer's _revs_diff → _bulk_docs with new_edits=false → checkpoint there, then here
    pull   the peer's feed → own difference → _bulk_get → the journal → checkpoint here, then there

A checkpoint is written only after everything up to it lies durably on the target (I7), the target's before the
source's. Whatever happens in between, the batch goes again and finds itself known. A batch that was too much for the
link is halved the next time. A checkpoint at the peer that is not what was last written there (it was restored from a
backup) means from the beginning, also for a replication that has been running for days.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import structlog

from server.ingest.peer_ingest import PeerSender
from server.peers.batch_size import BatchSize
from server.peers.book import LeftOut
from server.peers.checkpoints import Session, common_seq, history_of, read_own, replication_id, write_own
from server.peers.connections import ReplicationParts
from server.peers.failures import AnswerTooLong, PeerFailed
from server.peers.local_database import LocalDatabase
from server.peers.model import Direction, Peer
from server.peers.peer_checkpoint import CheckpointMoved, PeerCheckpoint
from server.peers.remote_database import PulledRevision, RemoteDatabase
from sync.revisions.canonical import Json, canonical
from sync.revisions.revision_id import RevisionId

BATCH_BYTES = 1_000_000
#: Revisions that the peer is asked about at once; lines are long.
ASKED = 10_000
#: Under which name a checkpoint of this side holds the pace; the peer's has none.
PACE = "pace"
#: Answers of this kind can mean that a batch was too much for the link.
_TOO_MUCH = ("slow", "half", "garbage")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of a batch: where the replication is, what remains (None: not told), and whether to go on at once."""

    last_seq: str | None
    behind: int | None
    written: int
    has_more: bool


class Replication(ABC):
    """A replication of one database with one peer; `begin`, then `step` as long as one likes."""

    direction: ClassVar[Direction]

    def __init__(self, parts: ReplicationParts, peer: Peer, remote: RemoteDatabase, pace: BatchSize) -> None:
        """Ask nothing yet; `pace` is what the link was found to bear."""
        self._parts = parts
        self._peer = peer
        self._remote = remote
        self._local = LocalDatabase(parts.storage, parts.journal, parts.sql, remote.name)
        here, there = f"nuong:{parts.server_id}/{remote.name}", f"{peer.url}/{remote.name}"
        source, target = (here, there) if self.direction == "push" else (there, here)
        self._id = replication_id(source, target, {"user": peer.username or peer.auth})
        self._session = Session(None, parts.clock())
        self._there = PeerCheckpoint(remote, self._id)
        self._pace = pace
        self._is_carrying = False

    async def begin(self) -> None:
        """Find out where both sides agree to go on."""
        async with self._parts.storage.read() as connection:
            ours = await read_own(connection, self._remote.name, self._id)
        self._pace.recall((ours or {}).get(PACE))
        theirs = await self._there.read()
        since = common_seq(ours, theirs)
        earlier = history_of(theirs if self.direction == "push" else ours) if since else []
        self._session = Session(since, self._parts.clock(), earlier)
        await self._stand_at(since)

    async def confirm(self) -> None:
        """Look whether the peer's checkpoint is what was last written there; otherwise begin from the start."""
        try:
            await self._there.confirm()
        except CheckpointMoved:
            await self._start_over()

    async def step(self, *, is_waiting: bool = False) -> BatchResult:
        """Bring the next batch over; `is_waiting` blocks until there is something. Raise PeerFailed."""
        self._is_carrying = not is_waiting
        try:
            step = await self._step(is_waiting=is_waiting)
        except CheckpointMoved:
            await self._start_over()
            return BatchResult(None, None, 0, has_more=True)
        except PeerFailed as failure:
            # A feed at which one waits may break off for any reason; nothing was too much there.
            if failure.trouble.code in _TOO_MUCH and self._is_carrying:
                self._pace.was_too_much()
                await self._keep_pace()
            raise
        self._pace.went_well()
        return step

    async def _start_over(self) -> None:
        log.warning("peer_checkpoint_moved", peer=self._peer.name, database=self._remote.name, direction=self.direction)
        await self._there.read()
        self._session = Session(None, self._parts.clock())
        await self._stand_at(None)

    @abstractmethod
    async def _stand_at(self, since: str | None) -> None:
        """Go on after `since`; None: from the beginning."""

    @abstractmethod
    async def _step(self, *, is_waiting: bool) -> BatchResult:
        """Bring the next batch over."""

    async def _lacking(self, asked: Mapping[str, Sequence[RevisionId]]) -> dict[str, list[RevisionId]]:
        """Return which of these the peer does not have."""
        lacking: dict[str, list[RevisionId]] = {}
        for part in _in_parts(asked, ASKED):
            for doc_id, revs in (await self._remote.missing(part)).items():
                lacking.setdefault(doc_id, []).extend(revs)
        return lacking

    async def _write_here(self, document: Mapping[str, Json]) -> None:
        """Write this side's checkpoint, and beside it what the link was found to bear."""
        async with self._parts.storage.write() as connection:
            await write_own(connection, self._remote.name, self._id, {**document, PACE: self._pace.written()})

    async def _keep_pace(self) -> None:
        """Write down what the link was found not to bear: whoever tries next must not fail alike."""
        async with self._parts.storage.write() as connection:
            stands = await read_own(connection, self._remote.name, self._id) or {}
            await write_own(connection, self._remote.name, self._id, {**stands, PACE: self._pace.written()})

    async def _leave_out(self, left: Sequence[tuple[str, RevisionId, str]]) -> None:
        if left:
            self._session.failed += len(left)
            named = [LeftOut(self._remote.name, doc_id, rev, self.direction, reason) for doc_id, rev, reason in left]
            await self._parts.book.leave_out(self._peer.id, named)


class PushReplication(Replication):
    """From here to the peer."""

    direction = "push"
    _at = 0

    async def begin(self) -> None:
        """Make the database at the peer where it is missing, and find out where to go on."""
        await self._remote.make()
        await super().begin()

    async def _stand_at(self, since: str | None) -> None:
        self._at = await self._local.position(since)

    async def _step(self, *, is_waiting: bool) -> BatchResult:
        page = await self._local.changes(self._at, self._pace.size)
        self._session.checked += sum(map(len, page.leaves.values()))
        asked: Mapping[str, Sequence[RevisionId]] = page.leaves
        is_whole = bool(page.leaves) and await self._remote.keeps_history()
        if is_whole:
            # What an edit changed shows only beside what it was made of: a Nương gets the whole lines, also of leaves
            # that it has, since they may have come without theirs.
            asked = await self._local.with_ancestors(page.leaves)
        missing = await self._lacking(asked)
        written = 0
        for part in _in_parts(missing, self._pace.size):
            async for documents in self._local.documents(part, is_short=is_whole):
                self._session.found += len(documents)
                self._session.read += len(documents)
                for batch in _by_size(documents):
                    written += await self._put(batch)
        self._session.written += written
        reached = await self._local.checkpoint(page.last_seq)
        if page.last_seq != self._at:
            await self._remote.commit()
            checkpoint = self._session.document(reached, self._parts.clock())
            # Target before source: a crash between the two must send a batch again, never skip one (I7).
            await self._there.write(checkpoint)
            await self._write_here(checkpoint)
            self._at = page.last_seq
        return BatchResult(reached, page.pending, written, page.pending > 0)

    async def _put(self, documents: Sequence[Mapping[str, Json]]) -> int:
        try:
            refused = await self._remote.put(documents)
        except PeerFailed as failure:
            if failure.status != 413:
                raise
            if len(documents) > 1:
                middle = len(documents) // 2
                return await self._put(documents[:middle]) + await self._put(documents[middle:])
            refused = {(str(documents[0]["_id"]), str(documents[0]["_rev"])): "larger than the peer takes"}
        await self._leave_out([(doc_id, rev, reason) for (doc_id, rev), reason in refused.items()])
        return len(documents) - len(refused)


class PullReplication(Replication):
    """From the peer to here."""

    direction = "pull"
    _since: str | None = None

    async def begin(self) -> None:
        """Find out where to go on; where both directions go, either may come first to a database that is new there."""
        if self._peer.direction == "both":
            await self._remote.make()
        await super().begin()

    async def _stand_at(self, since: str | None) -> None:
        self._since = since

    async def _step(self, *, is_waiting: bool) -> BatchResult:
        page = await self._remote.changes(self._since, self._pace.size, is_waiting=is_waiting)
        self._is_carrying = True
        leaves = {doc_id: revs for doc_id, revs in page.leaves.items() if not doc_id.startswith("_design/")}
        missing = await self._local.missing(leaves) if leaves else {}
        self._session.checked += sum(map(len, leaves.values()))
        written = await self._bring(missing)
        if leaves and await self._remote.keeps_history():
            written += await self._bring_lines(leaves)
        self._session.written += written
        has_more = len(page.leaves) >= self._pace.size if page.pending is None else page.pending > 0
        if page.last_seq != (self._since or "0"):
            checkpoint = self._session.document(page.last_seq, self._parts.clock())
            await self._write_here(checkpoint)
            await self._there.write(checkpoint)
            self._since = page.last_seq
        return BatchResult(page.last_seq, page.pending, written, has_more)

    async def _bring_lines(self, leaves: Mapping[str, Sequence[RevisionId]]) -> int:
        """Bring what leads to these leaves; return how many revisions were new here.

        Of all leaves: those that were here may have come without their lines, or the link broke after them. A long line
        comes in pieces, each of which names the next.
        """
        written = 0
        while unheld := await self._local.unheld_ancestors(leaves):
            # A line that came through a CouchDB has gaps on both sides; only what is there is asked for.
            new = await self._bring(_without(unheld, await self._lacking(unheld)))
            if not new:
                break
            written += new
        return written

    async def _bring(self, wanted: Mapping[str, Sequence[RevisionId]]) -> int:
        """Bring these revisions, as many at a time as one answer holds; return how many were new here."""
        left = [(doc_id, rev) for doc_id, revs in wanted.items() for rev in revs]
        answer = self._pace.answer
        written = 0
        while left:
            some = left[: min(self._pace.size, answer.size)]
            try:
                brought = await self._given(_by_document(some))
            except AnswerTooLong:
                if len(some) == 1:
                    raise
                # A quarter: what was read of such an answer was read in vain.
                answer.was_too_much(len(some) // 2)
                continue
            if len(some) >= answer.size:
                answer.went_well()
            written += await self._take(brought)
            left = left[len(some) :]
        return written

    async def _take(self, brought: Sequence[PulledRevision]) -> int:
        self._session.found += len(brought)
        documents = [(one.document, one.ancestors) for one in brought if one.document is not None]
        self._session.read += len(documents)
        # A leaf that was followed by another one meanwhile comes with its successor, further up the feed.
        left = [(one.doc_id, one.rev, one.reason) for one in brought if one.reason and one.reason != "followed"]
        sender = PeerSender(self._peer.author, is_believed=self._peer.kind == "province")
        outcomes = await self._parts.ingest.receive(self._remote.name, documents, sender)
        left += [(one.doc_id, one.rev, one.reason or "malformed") for one in outcomes if one.outcome == "refused"]
        await self._leave_out(left)
        return sum(one.outcome in ("stored", "quarantined") for one in outcomes)

    async def _given(self, wanted: Mapping[str, Sequence[RevisionId]]) -> list[PulledRevision]:
        brought = await self._remote.get(wanted)
        unfound: dict[str, list[RevisionId]] = {}
        for one in brought:
            if one.reason == "not_found":
                unfound.setdefault(one.doc_id, []).append(one.rev)
        # Dropped, it would be behind the checkpoint for ever.
        again = [one for doc_id, revs in unfound.items() for one in await self._remote.look_again(doc_id, revs)]
        return [one for one in brought if one.reason != "not_found"] + again


REPLICATIONS: Mapping[Direction, type[Replication]] = {"push": PushReplication, "pull": PullReplication}


def _without(
    some: Mapping[str, Sequence[RevisionId]], others: Mapping[str, Sequence[RevisionId]]
) -> dict[str, list[RevisionId]]:
    return {doc_id: [rev for rev in revs if rev not in others.get(doc_id, ())] for doc_id, revs in some.items()}


def _in_parts(wanted: Mapping[str, Sequence[RevisionId]], revisions: int) -> Iterator[dict[str, list[RevisionId]]]:
    """Yield the wanted revisions in parts of so many: a document may have twenty leaves."""
    keys = [(doc_id, rev) for doc_id, revs in wanted.items() for rev in revs]
    for start in range(0, len(keys), revisions):
        yield _by_document(keys[start : start + revisions])


def _by_document(keys: Sequence[tuple[str, RevisionId]]) -> dict[str, list[RevisionId]]:
    found: dict[str, list[RevisionId]] = {}
    for doc_id, rev in keys:
        found.setdefault(doc_id, []).append(rev)
    return found


def _by_size(documents: Sequence[dict[str, Json]]) -> Iterator[list[dict[str, Json]]]:
    """Yield the documents in batches of bounded size, each with at least one."""
    batch: list[dict[str, Json]] = []
    total = 0
    for document in documents:
        size = len(canonical(document))
        if batch and total + size > BATCH_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(document)
        total += size
    if batch:
        yield batch

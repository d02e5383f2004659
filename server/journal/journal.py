"""The journal: what every stage reads, and the one write function that gateway, reconcile, conflicts and review call.

Guarantees: a write is one transaction, durable when it returns, or nothing of it is there; the same batch again changes
nothing, burns no sequence and succeeds (I3); sequences become visible in their order; what was accepted is never
changed or lost (I2). It knows nothing of forms, people's rights or merging: doors decide who may write what.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from server.journal import acceptance, awaited, quarantine, self_check
from server.journal.entitlement import IncomingRevision, oversteps
from server.journal.feed import changes
from server.journal.feed.commit_listener import Listening
from server.journal.feed.commit_notifier import CommitNotifier
from server.journal.followers.request_priority import OpenRequests
from server.journal.model import (
    Change,
    Changes,
    DatabaseState,
    NewRevision,
    Origin,
    Outcome,
    QuarantinedRevision,
    Receipt,
    StoredRevision,
)
from server.journal.parts import in_parts
from server.journal.store import authors, database_removal, document_histories, document_list, read, write
from server.journal.store.batch import Batch
from server.journal.store.document_histories import DocumentHistory
from server.journal.store.statements import statements
from server.platform.clock import Clock
from server.platform.db.engine import Storage
from server.platform.ids import uuid7
from sync.contract.reasons import Reason
from sync.revisions import checkpoint_chain
from sync.revisions.digest import EMPTY
from sync.revisions.revision_id import RevisionId, revision_id


class Journal:
    """All databases of one storage."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Stand on a migrated storage; `clock` says when something was received."""
        self._storage = storage
        self._clock = clock
        self._sql = statements(is_postgresql=storage.is_postgresql)
        self._bell = CommitNotifier()
        self._listening = Listening(storage, self._bell)
        #: Those who wait for this journal's answers; followers let them go first.
        self.open_requests = OpenRequests()

    async def ensure(self, names: Iterable[str]) -> None:
        """Make the databases that are not there yet."""
        async with self._storage.write() as connection:
            await self.ensure_within(connection, names)

    async def ensure_within(
        self, connection: AsyncConnection, names: Iterable[str], *, takes_anything: bool = False
    ) -> None:
        """Do the same in a transaction that the caller has begun; `takes_anything`: without quarantine and limits."""
        rows = [
            {
                "name": name,
                "seq": 0,
                "chain": checkpoint_chain.seed(name),
                "digest": EMPTY,
                "documents": 0,
                "deleted": 0,
                "created_at": self._clock(),
                "takes_anything": takes_anything,
            }
            for name in sorted(set(names))
        ]
        if rows:
            await connection.execute(self._sql.new_database, rows)

    async def remove_within(self, connection: AsyncConnection, database: str) -> None:
        """Take a database away with everything in it, in a transaction that the caller has begun.

        Only one that an administrator made, never a scope's. Whoever waits for it is woken when that has committed.
        Raise UnknownDatabase.
        """
        await database_removal.remove(connection, self._sql, database)
        self._storage.after_commit(connection, partial(self._listening.removed, database))

    async def databases(self, among: Collection[str] | None = None) -> list[DatabaseState]:
        """Return how far every database is, at one moment, by name; with `among`, only those of them that are here."""
        async with self._storage.read() as connection:
            return [changes.state_of(head) for head in await changes.heads(connection, among)]

    async def ends(self) -> dict[str, int]:
        """Return the sequence to which each database has come, at one moment, by name."""
        async with self._storage.read() as connection:
            return await changes.ends(connection)

    async def write(
        self,
        database: str,
        revisions: Sequence[NewRevision],
        origin: Origin,
        *,
        seal: bytes | None = None,
    ) -> list[Outcome]:
        """Write a batch that nothing else must be written with (see `write_within`).

        One with a seal is one transaction; of another one the journal makes as many as let others write in between.
        """
        outcomes: list[Outcome] = []
        for part in [revisions] if seal is not None or not revisions else in_parts(revisions, lambda each: each):
            async with self._storage.write() as connection:
                outcomes += await self.write_within(connection, database, part, origin, seal=seal)
        return outcomes

    async def write_within(
        self,
        connection: AsyncConnection,
        database: str,
        revisions: Sequence[NewRevision],
        origin: Origin,
        *,
        seal: bytes | None = None,
    ) -> list[Outcome]:
        """Write a batch, parents first, in the caller's transaction; return an outcome for each revision, in order.

        `seal` is the canonical content of a `seal:` document that covers the batch; it is kept with it unless the batch
        brought nothing new. The caller begins the transaction with `Storage.write` and writes in it whatever must not
        be without the batch. The database stays locked until it ends, and its followers are woken then; when it is
        undone, nothing of the batch was ever there. Whoever writes several databases takes them in the order of names,
        or two transactions wait for each other.
        """
        head = await write.lock(connection, self._sql, database)
        batch = await write.begin(connection, self._sql, head, revisions, Receipt(origin, self._now()))
        outcomes = await write.take_all(connection, self._sql, batch, revisions)
        if seal is not None and batch.has_kept:
            batch.take(self._seal(seal))
        await self._finish(connection, batch)
        return outcomes

    async def changes(
        self,
        database: str,
        since: int = 0,
        *,
        limit: int | None = None,
        include_docs: bool = False,
        up_to: int | None = None,
        for_phones: bool = False,
        counts_pending: bool = True,
    ) -> Changes:
        """Return a page of the feed, one row a document; `for_phones` leaves out what phones never get.

        Who asks only whether more is pending turns `counts_pending` off: then it is 0 or 1.
        """
        async with self._storage.read() as connection:
            return await changes.changes(
                connection,
                self._sql,
                database,
                since,
                limit=limit,
                include_docs=include_docs,
                up_to=up_to,
                for_phones=for_phones,
                counts_pending=counts_pending,
            )

    async def changes_of(self, database: str, ids: Collection[str]) -> list[Change]:
        """Return where these documents stand in the feed now, with their winners' contents, in its order."""
        async with self._storage.read() as connection:
            return await changes.changes_of(connection, self._sql, database, ids)

    async def position(self, database: str, since_text: str) -> int:
        """Return the sequence of a checkpoint; 0 when it is malformed or not one of this journal's chain."""
        read_token = checkpoint_chain.read_token(since_text)
        if read_token is None:
            return 0
        seq, opaque = read_token
        async with self._storage.read() as connection:
            link = await changes.link_at(connection, database, seq)
        return seq if link is not None and link.hex().startswith(opaque) else 0

    async def since_text(self, database: str, seq: int) -> str:
        """Return the checkpoint of a sequence that the feed has reached; LookupError beyond it."""
        async with self._storage.read() as connection:
            link = await changes.link_at(connection, database, seq)
        if link is None:
            raise LookupError(f"{database} has no sequence {seq}")
        return checkpoint_chain.token(seq, link)

    async def state(self, database: str) -> DatabaseState:
        """Return how far a database is."""
        async with self._storage.read() as connection:
            return changes.state_of(await changes.read_head(connection, self._sql, database))

    @property
    def heard(self) -> int:
        """Return how many commits this process has heard of: to be asked for before the feed is read, for `wait`."""
        return self._bell.rings

    async def wait(self, heard: int, timeout_s: float, among: Collection[str] | None = None) -> int:
        """Return once a database has moved, with more than `heard`; after the timeout exactly `heard`.

        `among` are the databases that matter, None for any. Whoever reads the feed after asking for `heard`, and goes
        on with what this returns, misses nothing. Commits of other processes are heard of while `listening`.
        """
        return await self._bell.wait(heard, timeout_s, among)

    @property
    def is_stopping(self) -> bool:
        """Whether the process is about to end: then feeds that wait end too."""
        return self._bell.is_stopping

    def stop_waiting(self) -> None:
        """End the feeds that wait."""
        self._bell.stop()

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Hear commits of other processes until the block ends, and tell them of this one's."""
        return self._listening.running()

    async def document(self, database: str, doc_id: str, rev: RevisionId | None = None) -> StoredRevision | None:
        """Return a revision, the winner when `rev` is None; None when it is not here."""
        async with self._storage.read() as connection:
            return await read.document(connection, database, doc_id, rev)

    async def documents(self, database: str, ids: Iterable[str]) -> dict[str, StoredRevision]:
        """Return the winners of those documents that are here, by id, tombstones included."""
        async with self._storage.read() as connection:
            return await read.winners(connection, self._sql, database, ids)

    async def history(self, database: str, doc_id: str) -> list[StoredRevision]:
        """Return every revision of a document that is here, in the order of arrival."""
        async with self._storage.read() as connection:
            return (await read.histories(connection, self._sql, database, [doc_id])).get(doc_id, [])

    async def histories(self, database: str, ids: Iterable[str]) -> dict[str, list[StoredRevision]]:
        """Return the histories of those documents that are here, by id, at one moment and in one query."""
        async with self._storage.read() as connection:
            return await read.histories(connection, self._sql, database, ids)

    async def whole(self, database: str, ids: Collection[str]) -> dict[str, DocumentHistory]:
        """Return graphs, bodies and authors of those documents that are here, by id, at one moment and in one query."""
        async with self._storage.read() as connection:
            return await document_histories.whole(connection, self._sql, database, ids)

    async def standing_within(
        self, connection: AsyncConnection, database: str, leaves: Mapping[str, Sequence[RevisionId]]
    ) -> set[str]:
        """Return which of these documents still have exactly these leaves, and hold the database as it is.

        In a transaction that the caller has begun: nobody else writes to the database until that ends.
        """
        await write.lock(connection, self._sql, database)
        found = await document_list.leaves_of(connection, self._sql, database, leaves)
        return {doc_id for doc_id, of in leaves.items() if found.get(doc_id, "").split() == list(of)}

    async def contents_within(
        self, connection: AsyncConnection, database: str, of: document_list.Range, limit: int
    ) -> dict[str, bytes]:
        """Return the contents of at most `limit` live documents of a range, by id, also of those just written.

        In a transaction that the caller has begun.
        """
        found = await document_list.page(connection, database, of, after=None, limit=limit, include_docs=True)
        return {each.doc_id: each.content or b"{}" for each in found}

    async def quarantined(self, database: str | None = None, doc_id: str | None = None) -> list[QuarantinedRevision]:
        """Return what waits for a person, in the order of arrival; of one database or document where named."""
        async with self._storage.read() as connection:
            return await quarantine.waiting(connection, database, doc_id)

    async def quarantined_in(self, database: str, ids: Iterable[str]) -> set[tuple[str, RevisionId]]:
        """Return (document, revision) of what waits for a person among these documents."""
        async with self._storage.read() as connection:
            return await quarantine.quarantined_in(connection, self._sql, database, ids)

    async def waiting_parents(self, database: str, keys: Collection[authors.Key]) -> list[QuarantinedRevision]:
        """Return what a person may have to look at before its edits: what waits under these ids."""
        async with self._storage.read() as connection:
            return await quarantine.waiting_parents(connection, database, keys)

    async def count_quarantined(self, databases: Collection[str]) -> int:
        """Return how many revisions wait for a person in these databases."""
        async with self._storage.read() as connection:
            return await quarantine.count_quarantined(connection, databases)

    async def oversteps(self, database: str, asked: Sequence[IncomingRevision]) -> list[Reason | None]:
        """Return for each revision on its way in what it says that its bringer may not, None where there is nothing."""
        if not asked:
            return []
        async with self._storage.read() as connection:
            return await self.oversteps_within(connection, database, asked)

    async def oversteps_within(
        self, connection: AsyncConnection, database: str, asked: Sequence[IncomingRevision]
    ) -> list[Reason | None]:
        """Return the same, also after what was just written, in a transaction that the caller has begun."""
        return await oversteps(connection, self._sql, database, asked) if asked else []

    async def accept(
        self,
        database: str,
        doc_id: str,
        rev: RevisionId,
        origin: Origin,
        *,
        fingerprint: bytes | None = None,
        past: Collection[RevisionId] = (),
    ) -> list[Outcome]:
        """Let a quarantined revision in, in a transaction of its own (see `accept_within`)."""
        async with self._storage.write() as connection:
            return await self.accept_within(
                connection, database, doc_id, rev, origin, fingerprint=fingerprint, past=past
            )

    async def accept_within(
        self,
        connection: AsyncConnection,
        database: str,
        doc_id: str,
        rev: RevisionId,
        origin: Origin,
        *,
        fingerprint: bytes | None = None,
        past: Collection[RevisionId] = (),
    ) -> list[Outcome]:
        """Let a quarantined revision in, and those that waited only for it, in the caller's transaction.

        Return an outcome for each that moved; raise NotWaiting. `origin` is who decided. A person accepts what they
        have seen: its parent must not wait itself, unless it is one of `past`, which nobody may let in. One whose
        generation is forged besides waits for that from now on, the only outcome then. `fingerprint` names the content
        where several wait under one id.
        """
        by = Receipt(origin, self._now())
        batch, outcomes = await acceptance.accept(
            connection, self._sql, database, doc_id, rev, by=by, fingerprint=fingerprint, past=past
        )
        await self._finish(connection, batch)
        return outcomes

    async def judge_again(self, held: Sequence[QuarantinedRevision], revisions: Sequence[NewRevision]) -> None:
        """Take a door's new verdict on what waited in one database: each comes in, or waits for another reason."""
        async with self._storage.write() as connection:
            batch = await awaited.judge_again(connection, self._sql, held, revisions, self._now())
            await self._finish(connection, batch)

    async def let_in_what_waits(self) -> int:
        """Accept what earlier releases quarantined in databases without quarantine; return how many revisions waited.

        Each is stored as whoever brought it and when; one whose id stands there with other content is passed over, as
        a CouchDB does.
        """
        async with self._storage.read() as connection:
            names = await quarantine.waiting_where_anything_is_taken(connection)
        count = 0
        for name in names:
            while waited := await self._let_in_some(name):
                count += waited
        return count

    async def _let_in_some(self, database: str) -> int:
        async with self._storage.write() as connection:
            batch, waited = await acceptance.let_some_in(connection, self._sql, database, self._now())
            await self._finish(connection, batch)
        return waited

    async def faults(self, database: str) -> list[str]:
        """Return what does not agree with itself in a database, as sentences; none when it is whole."""
        async with self._storage.read() as connection:
            return await self_check.faults(connection, self._sql, database)

    async def _finish(self, connection: AsyncConnection, batch: Batch) -> None:
        rows = batch.rows()
        await write.finish(connection, self._sql, rows)
        if batch.has_changed:
            committed = partial(self._listening.committed, rows.head.name, rows.head.seq)
            self._storage.after_commit(connection, committed)

    def _now(self) -> datetime:
        # In UTC, as it will be read again: the chain is over its text.
        return self._clock().astimezone(UTC)

    def _seal(self, content: bytes) -> NewRevision:
        doc_id = f"seal:{uuid7(self._clock)}"
        rev = revision_id(doc_id, deleted=False, parent=None, content=content)
        return NewRevision(doc_id, rev, (), False, content)

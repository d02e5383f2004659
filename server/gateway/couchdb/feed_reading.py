"""Reads the rows of a changes feed, page by page, as the JSON that every kind of feed is made of."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.couchdb.call import Call
from server.gateway.couchdb.outgoing import Stride, document, rev_list, string
from server.gateway.couchdb.selector import Matcher
from server.revisions import listing, replica_feed
from server.revisions.branches import Branches, branches
from server.revisions.replica_feed import FeedRow
from sync import chain

PAGE = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a client wants and what is to stand in them; `matches` decides by content."""

    limit: int | None
    with_all_leaves: bool
    include_docs: bool
    conflicts: bool
    descending: bool
    seq_interval: int
    ids: Collection[str] | None = None
    matches: Matcher | None = None


class Reader:
    """A client's way through a feed; `position` is the sequence behind which nothing has been looked at."""

    def __init__(self, call: Call, selection: Selection, since: int) -> None:
        """Begin behind `since`."""
        self.call = call
        self.position = since
        self._selection = selection
        self._left = selection.limit
        self._since = since
        self._count = 0
        self._last: FeedRow | None = None
        self._has_documents = selection.include_docs or selection.matches is not None
        self._stride = Stride(PAGE, has_documents=self._has_documents)

    @property
    def is_satisfied(self) -> bool:
        """Whether the limit is reached."""
        return self._left == 0

    async def pages(self) -> AsyncIterator[list[bytes]]:
        """Yield rows, never an empty page, to where the feed stands now or the limit."""
        if self._selection.descending:
            async for page in self._descending():
                yield page
            return
        end: int | None = None
        while not self.is_satisfied:
            # Where the feed ends is read with the first page, in one snapshot: a replica has few changes at a time.
            async with self.call.parts.storage.read() as connection:
                if end is None:
                    end = (await listing.info(connection, self.call.db.name)).seq
                if self.position >= end:
                    return
                found, asked = await self._found(connection, self.position, end)
            wanted = self._cut([row for row in found if self._is_wanted(row)])
            rows = await self._rows(wanted)
            self._pass(found, wanted, is_end=len(found) < asked, end=end)
            if rows:
                yield rows

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come: the limit is reached, or rows were wanted from the newest to the oldest."""
        return self.is_satisfied or self._selection.descending

    async def tail(self) -> bytes:
        """Return the end of an answer: where to go on, and how many rows stand behind that."""
        return b'"last_seq":%b,"pending":%d}\n' % (string(await self.last_seq()), await self._pending())

    async def _pending(self) -> int:
        if self._selection.descending:
            return 0
        async with self.call.parts.storage.read() as connection:
            of = await listing.info(connection, self.call.db.name)
            return await replica_feed.count(
                connection, self.call.parts.sql, of, since=self.position, ids=self._selection.ids
            )

    async def last_seq(self) -> str:
        """Return the checkpoint of the position."""
        if self._last is not None and self._last.seq == self.position:
            return chain.token(self._last.seq, self._last.link)
        return await self.call.parts.journal.since_text(self.call.db.name, self.position)

    async def _found(self, connection: AsyncConnection, since: int, up_to: int) -> tuple[list[FeedRow], int]:
        chosen = self._selection
        # A filter by content may pass over any number of rows, so a limit says nothing about how many to read.
        limit = self._stride.rows
        if self._left is not None and chosen.matches is None:
            limit = min(limit, self._left)
        rows = await replica_feed.page(
            connection,
            self.call.parts.sql,
            self.call.db.name,
            since=since,
            up_to=up_to,
            limit=limit,
            include_docs=self._has_documents,
            descending=chosen.descending,
            ids=chosen.ids,
        )
        self._stride.came(row.content for row in rows)
        return rows, limit

    async def _descending(self) -> AsyncIterator[list[bytes]]:
        async with self.call.parts.storage.read() as connection:
            end = (await listing.info(connection, self.call.db.name)).seq
        while end > self._since and not self.is_satisfied:
            async with self.call.parts.storage.read() as connection:
                found, asked = await self._found(connection, self._since, end)
            rows = await self._rows(self._cut([row for row in found if self._is_wanted(row)]))
            if found:
                self._last = found[-1]
                self.position = self._last.seq
            if rows:
                yield rows
            if len(found) < asked:
                return
            end = found[-1].seq - 1

    def _pass(self, found: Sequence[FeedRow], wanted: Sequence[FeedRow], *, is_end: bool, end: int) -> None:
        # Once the limit is reached, what was read behind the last wanted row has not been passed.
        if self.is_satisfied and wanted:
            self._last = wanted[-1]
            self.position = self._last.seq
        elif is_end:
            self.position = end
        else:
            self._last = found[-1]
            self.position = self._last.seq

    def _cut(self, rows: list[FeedRow]) -> list[FeedRow]:
        if self._left is None:
            return rows
        rows = rows[: self._left]
        self._left -= len(rows)
        return rows

    def _is_wanted(self, row: FeedRow) -> bool:
        matches = self._selection.matches
        if matches is None:
            return True
        content = json.loads(row.content or b"{}")
        flag = {"_deleted": True} if row.deleted else {}
        return matches({**content, "_id": row.doc_id, "_rev": row.rev, **flag})

    async def _rows(self, found: Sequence[FeedRow]) -> list[bytes]:
        torn: Mapping[str, Branches] = {}
        if self._selection.conflicts and self._selection.include_docs:
            ids = [row.doc_id for row in found if " " in row.leaves]
            if ids:
                async with self.call.parts.storage.read() as connection:
                    torn = await self._branches(connection, ids)
        return [self._row(row, torn.get(row.doc_id)) for row in found]

    async def _branches(self, connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, Branches]:
        return await branches(connection, self.call.parts.sql, self.call.db.name, ids)

    def _row(self, row: FeedRow, of: Branches | None) -> bytes:
        chosen = self._selection
        self._count += 1
        is_numbered = self._count % chosen.seq_interval == 0
        seq = b'"%b"' % chain.token(row.seq, row.link).encode() if is_numbered else b"null"
        shown = row.leaves.replace(" ", '"},{"rev":"') if chosen.with_all_leaves else row.rev
        flag = b',"deleted":true' if row.deleted else b""
        doc = b""
        if chosen.include_docs and row.content is not None:
            more = rev_list(b"_conflicts", of.losers(deleted=False)) if of is not None else b""
            doc = b',"doc":' + document(row.doc_id, row.rev, row.content, deleted=row.deleted, more=more)
        return b'{"seq":%b,"id":%b,"changes":[{"rev":"%b"}]%b%b}' % (
            seq,
            string(row.doc_id),
            shown.encode(),
            flag,
            doc,
        )

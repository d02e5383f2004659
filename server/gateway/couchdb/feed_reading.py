"""Reads the rows of a changes feed, page by page, as the JSON that every kind of feed is made of."""

import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.couchdb.attachments_out import PAGE_WITH_DATA, with_data
from server.gateway.couchdb.call import Call
from server.gateway.couchdb.selector import Matcher
from server.gateway.couchdb.write_documents import Stride, document, rev_list, string
from server.journal.feed import replica_changes
from server.journal.feed.replica_changes import FeedRow
from server.journal.model import UnknownDatabase
from server.journal.store import document_list
from server.journal.store.branches import Branches, branches
from server.journal.store.document_list import DatabaseInfo
from server.platform.json_reader import read
from server.platform.own_threads import OwnThreads
from sync.revisions import checkpoint_chain
from sync.revisions.canonical import Json

PAGE = 500
#: What CouchDB counts down from where no limit is set; `seq_interval` goes by what is left.
NO_LIMIT = 10**15
_selecting = OwnThreads("selectors", 1)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a client wants and what is to stand in them; `matches` decides by content."""

    limit: int | None
    with_all_leaves: bool
    include_docs: bool
    attachments: bool
    conflicts: bool
    descending: bool
    seq_interval: int
    ids: Collection[str] | None = None
    matches: Matcher | None = None


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """Where a feed is read from: a sequence, its checkpoint, and when the database was made that both are of."""

    seq: int
    token: str
    made_at: datetime


class Reader:
    """A client's way through a feed; `position` is the sequence behind which nothing has been looked at.

    It reads one database and none that was made anew under its name: another one's rows would seem to continue these,
    and those before them would never be read.
    """

    def __init__(self, call: Call, selection: Selection, since: FeedPosition) -> None:
        """Begin behind `since`."""
        self.call = call
        self.position = since.seq
        #: Whether the database has been removed, perhaps for another one of its name.
        self.is_gone = False
        self._selection = selection
        self._left = selection.limit
        self._since = since
        self._token = since.token
        self._until_limit = NO_LIMIT if selection.limit is None else selection.limit
        self._has_documents = selection.include_docs or selection.matches is not None
        most = PAGE_WITH_DATA if selection.attachments else PAGE
        self._stride = Stride(most, has_documents=self._has_documents)

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
        end: DatabaseInfo | None = None
        while not self.is_satisfied:
            # Where the feed ends is read with the first page, in one snapshot: a replica has few changes at a time.
            async with self.call.parts.storage.read() as connection:
                now = await self._head(connection)
                if now is None:
                    return
                end = end or now
                if self.position >= end.seq:
                    return
                found, asked = await self._found(connection, self.position, end.seq)
            wanted = self._cut(await self._wanted(found))
            rows = await self._rows(wanted)
            self._pass(found, wanted, is_end=len(found) < asked, end=end)
            if rows:
                yield rows

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come: the database is gone, the limit is reached, or the oldest row came last."""
        return self.is_gone or self.is_satisfied or self._selection.descending

    async def tail(self) -> bytes:
        """Return the end of an answer: where to go on, and how many rows stand behind that."""
        return b'"last_seq":%b,"pending":%d}\n' % (string(self.last_seq), await self._pending())

    async def _pending(self) -> int:
        if self._selection.descending:
            return 0
        async with self.call.parts.storage.read() as connection:
            of = await self._head(connection)
            if of is None:
                return 0
            return await replica_changes.count(
                connection, self.call.parts.sql, of, since=self.position, ids=self._selection.ids
            )

    @property
    def last_seq(self) -> str:
        """Return the checkpoint of the position."""
        return self._token

    async def _head(self, connection: AsyncConnection) -> DatabaseInfo | None:
        """Return what the database is now; None once it is not the one that this feed is of."""
        try:
            of = await document_list.info(connection, self.call.db.name)
        except UnknownDatabase:
            self.is_gone = True
            return None
        self.is_gone = of.created_at != self._since.made_at
        return None if self.is_gone else of

    async def _found(self, connection: AsyncConnection, since: int, up_to: int) -> tuple[list[FeedRow], int]:
        chosen = self._selection
        # A filter by content may pass over any number of rows, so a limit says nothing about how many to read.
        limit = self._stride.rows
        if self._left is not None and chosen.matches is None:
            limit = min(limit, self._left)
        rows = await replica_changes.page(
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
        end: int | None = None
        while not self.is_satisfied:
            async with self.call.parts.storage.read() as connection:
                now = await self._head(connection)
                if now is None:
                    return
                end = now.seq if end is None else end
                if end <= self._since.seq:
                    return
                found, asked = await self._found(connection, self._since.seq, end)
            rows = await self._rows(self._cut(await self._wanted(found)))
            if found:
                self._stand_at(found[-1])
            if rows:
                yield rows
            if len(found) < asked:
                return
            end = found[-1].seq - 1

    def _pass(self, found: Sequence[FeedRow], wanted: Sequence[FeedRow], *, is_end: bool, end: DatabaseInfo) -> None:
        # Once the limit is reached, what was read behind the last wanted row has not been passed.
        if self.is_satisfied and wanted:
            self._stand_at(wanted[-1])
        elif is_end:
            self.position, self._token = end.seq, end.update_seq
        else:
            self._stand_at(found[-1])

    def _stand_at(self, row: FeedRow) -> None:
        self.position, self._token = row.seq, checkpoint_chain.token(row.seq, row.link)

    def _cut(self, rows: list[FeedRow]) -> list[FeedRow]:
        if self._left is None:
            return rows
        rows = rows[: self._left]
        self._left -= len(rows)
        return rows

    async def _wanted(self, found: list[FeedRow]) -> list[FeedRow]:
        matches = self._selection.matches
        if matches is None:
            return found
        # Megabytes are parsed and looked through: in a thread, so that others get their turns meanwhile.
        # Where any number is taken, the standard reader may refuse one.
        parse = _exactly if self.call.db.takes_anything else json.loads
        return await _selecting.run(lambda: [row for row in found if matches(_whole(row, parse))])

    async def _rows(self, found: Sequence[FeedRow]) -> list[bytes]:
        torn: Mapping[str, Branches] = {}
        if self._selection.conflicts and self._selection.include_docs:
            ids = [row.doc_id for row in found if " " in row.leaves]
            if ids:
                async with self.call.parts.storage.read() as connection:
                    torn = await self._branches(connection, ids)
        if self._selection.attachments:
            found = [
                row if row.content is None else row._replace(content=await with_data(self.call, row.content))
                for row in found
            ]
        return [self._row(row, torn.get(row.doc_id)) for row in found]

    async def _branches(self, connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, Branches]:
        return await branches(connection, self.call.parts.sql, self.call.db.name, ids)

    def _row(self, row: FeedRow, of: Branches | None) -> bytes:
        chosen = self._selection
        is_numbered = self._until_limit % chosen.seq_interval == 0
        self._until_limit -= 1
        seq = b'"%b"' % checkpoint_chain.token(row.seq, row.link).encode() if is_numbered else b"null"
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


def _whole(row: FeedRow, parse: Callable[[bytes], Any]) -> dict[str, Json]:
    """Return the document of a row, as a selector sees it."""
    flag: dict[str, Json] = {"_deleted": True} if row.deleted else {}
    return {**parse(row.content or b"{}"), "_id": row.doc_id, "_rev": row.rev, **flag}


def _exactly(content: bytes) -> Any:
    return read(content, keeps_numbers=True).value

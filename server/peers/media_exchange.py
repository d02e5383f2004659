"""The files of records, between this server and another Nương: each side is brought what it awaits and the other has.

    pull   what is awaited here → which of it the peer has → pieces of a megabyte into an upload of the peer's own
    push   what the peer awaits → which of it is here for those scopes → tus 1.0, as a phone sends

What is awaited is known once the records are: so files follow the records that name them, and a server restored from
its backup awaits again what it has lost. An upload that broke off goes on where it stands, on either side. Nothing
counts before it is whole, has its hash and is on the disk. The small ones go first: on a link that lasts a minute, ten
photos beat one film. A file that is in trouble by itself is named, and the others go on.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

from pydantic import ValidationError

from server.areas.grants import CATALOG, Grant
from server.auth.principal import Principal
from server.errors import Problem
from server.media.availability import kept
from server.media.files import digest_of
from server.media.schemas import UploadMetadata
from server.peers.connections import ReplicationParts
from server.peers.failures import PeerFailed
from server.peers.media_book import FileLeft, FileReason, MediaBook
from server.peers.media_door import PIECE_BYTES
from server.peers.media_here import awaited
from server.peers.model import Direction, Peer
from server.peers.remote import Remote
from server.peers.remote_media import RemoteMedia
from server.peers.replication import BatchResult
from sync.contract.scope import Scope

#: What is planned at once; the rest is counted.
MOST = 1000
#: How often a peer may say that an upload stands elsewhere before it is left for the next round.
ELSEWHERE = 3


@dataclass(frozen=True, slots=True)
class FileToCarry:
    """A content that one side awaits and the other has, for a record of a scope that both exchange."""

    bytes: int
    sha256: str
    database: str
    record: str
    name: str
    type: str

    @property
    def promised(self) -> UploadMetadata:
        """Return what is said of it before it comes; raise FileUnfit when no record can hold it."""
        try:
            return UploadMetadata(
                sha256=self.sha256, type=self.type, db=self.database, record=self.record, name=self.name
            )
        except ValidationError as error:
            raise FileUnfit("not_taken", str(error.errors()[0]["loc"][0])) from None


class FileUnfit(Exception):
    """This file alone is in trouble; `reason` is a code of `server.peers.media_book`."""

    def __init__(self, reason: FileReason, told: str = "") -> None:
        """Keep what is the matter."""
        self.reason, self.told = reason, told
        super().__init__(reason)


@dataclass(slots=True)
class _CarryPlan:
    """The files of a round; how many are awaited that the other side has; those that could not be carried before.

    `still` are those of the last that are awaited as before.
    """

    left: dict[str, FileLeft]
    ready: list[FileToCarry] = field(default_factory=list)
    waiting: int = 0
    still: set[str] = field(default_factory=set)
    pages: int = 0


class MediaExchange:
    """Carries files to and from one peer."""

    def __init__(self, parts: ReplicationParts, peer: Peer, remote: Remote) -> None:
        """Ask nothing yet."""
        self._parts = parts
        self._peer = peer
        self._there = RemoteMedia(remote, peer.url)
        self._book = MediaBook(parts.storage, parts.clock)
        self._own = Principal(peer.id, peer.name, None, ())
        self.pages = 0

    async def run(self, direction: Direction, names: Collection[str]) -> AsyncIterator[BatchResult]:
        """Carry what can be carried of these databases, a step after each file; raise PeerFailed."""
        scopes = frozenset(names) - {CATALOG}
        # The peer's uploads here are nobody else's. That it names a hash, and says that it has it, gives it nothing of
        # another scope: what is here for that one alone must come from the peer before it belongs to this one too.
        self._own = Principal(self._peer.id, self._peer.name, None, tuple(map(_of_scope, sorted(scopes))))
        plan = _CarryPlan(await self._book.left(self._peer.id, direction))
        if direction == "pull":
            await self._plan_pull(plan, scopes)
        else:
            await self._plan_push(plan, scopes)
        self.pages = plan.pages
        await self._book.settle(self._peer.id, direction, plan.left.keys() - plan.still)
        yield BatchResult(None, plan.waiting, 0, False)
        carried = 0
        for one in sorted(plan.ready, key=lambda each: (each.bytes, each.sha256)):
            if await self._carried(one, direction, plan):
                carried += 1
                yield BatchResult(None, plan.waiting - carried, 1, plan.waiting > len(plan.ready))

    async def _plan_pull(self, plan: _CarryPlan, scopes: Collection[str]) -> None:
        after: str | None = None
        while True:
            async with self._parts.storage.read() as connection:
                page = await awaited(connection, scopes, after)
            rows, after = page.rows, page.next
            by_place = {(row.sha256, row.database): row for row in rows}
            asked = {row.sha256 for row in rows}
            held = await self._there.held(sorted(asked)) if asked else {}
            found = [
                FileToCarry(one.bytes, row.sha256, row.database, row.record, one.name, one.type)
                for row in by_place.values()
                if (one := held.get(row.sha256)) is not None
            ]
            self._add(plan, found, asked)
            if after is None:
                return

    async def _plan_push(self, plan: _CarryPlan, scopes: Collection[str]) -> None:
        async for page in self._there.awaited():
            rows = {(row.sha256, row.database): row for row in page if row.database in scopes}
            async with self._parts.storage.read() as connection:
                # Only what belongs to that scope here: to name a hash is not to have a right to the content.
                here = await kept(connection, {sha256 for sha256, _ in rows}, lambda database: database in scopes)
            found = [
                FileToCarry(one.bytes, row.sha256, row.database, row.record, one.name, one.type)
                for key, row in rows.items()
                if (one := here.get(key)) is not None
            ]
            self._add(plan, found, {sha256 for sha256, _ in rows})

    def _add(self, plan: _CarryPlan, found: Iterable[FileToCarry], asked: Collection[str]) -> None:
        now = self._parts.clock()
        plan.pages += 1
        plan.still |= plan.left.keys() & set(asked)
        for one in found:
            plan.waiting += 1
            before = plan.left.get(one.sha256)
            if len(plan.ready) < MOST and (before is None or before.is_due(now)):
                plan.ready.append(one)

    async def _carried(self, one: FileToCarry, direction: Direction, plan: _CarryPlan) -> bool:
        """Whether a file has arrived; what it alone fails by is kept with its name."""
        try:
            await (self._fetch(one) if direction == "pull" else self._send(one))
        except FileUnfit as unfit:
            before = plan.left.get(one.sha256)
            tries = before.tries + 1 if before else 1
            named = (direction, one.sha256, one.database, one.record, one.name)
            await self._book.leave(self._peer.id, FileLeft(*named, unfit.reason, unfit.told, tries))
            return False
        except Problem as problem:
            if problem.code == "disk_full":
                raise PeerFailed("full_here", one.name) from None
            if problem.code == "upload_busy":
                # Another process of this server is at it.
                return False
            raise
        if one.sha256 in plan.left:
            await self._book.settle(self._peer.id, direction, [one.sha256])
        return True

    async def _fetch(self, one: FileToCarry) -> None:
        uploads, promised = self._parts.uploads, one.promised
        try:
            standing = await uploads.announce(self._own, one.bytes, promised)
            while standing.offset < standing.length:
                at = standing.offset
                standing = await self._there.fetch(one.sha256, at, partial(uploads.append, self._own, one.sha256, at))
                if standing.offset == at:
                    raise FileUnfit("wrong_bytes", "it ends too early")
        except Problem as problem:
            if problem.code == "media_too_large":
                raise FileUnfit("too_large") from None
            if problem.code not in ("media_hash_mismatch", "upload_too_long"):
                raise
            if problem.code == "upload_too_long":
                # Whatever is here of it belongs to something else, and would never end right.
                await uploads.drop(self._own, one.sha256)
            raise FileUnfit("wrong_bytes", problem.code) from None
        except PeerFailed as failure:
            # The peer had it a moment ago: its list says so, its disk does not.
            if failure.status == 404:
                raise FileUnfit("damaged", failure.trouble.told) from None
            raise

    async def _send(self, one: FileToCarry) -> None:
        path = self._parts.media.content_path(one.sha256)
        try:
            # Before its first byte costs a poor link anything.
            is_whole = await asyncio.to_thread(digest_of, path) == one.sha256
        except OSError as error:
            raise FileUnfit("damaged", type(error).__name__) from None
        if not is_whole:
            raise FileUnfit("damaged")
        try:
            offset = await self._there.announce(one.bytes, one.promised)
            elsewhere = 0
            while offset < one.bytes:
                piece = await asyncio.to_thread(self._parts.media.piece, one.sha256, offset, PIECE_BYTES)
                try:
                    reached = await self._there.append(one.sha256, offset, piece, one.bytes)
                except PeerFailed as failure:
                    if failure.status != 409 or elsewhere == ELSEWHERE:
                        raise
                    # An earlier piece arrived though its answer did not.
                    elsewhere += 1
                    offset = await self._there.standing(one.sha256, one.bytes)
                    continue
                if reached <= offset:
                    raise PeerFailed("garbage", "an upload that stands still")
                offset = reached
        except PeerFailed as failure:
            reasons: dict[int | None, FileReason] = {
                413: "too_large",
                422: "wrong_bytes",
                400: "not_taken",
                403: "not_taken",
                404: "not_taken",
            }
            if failure.status == 423:
                raise Problem("upload_busy") from None
            if failure.status in reasons:
                raise FileUnfit(reasons[failure.status], failure.trouble.told) from None
            raise


def _of_scope(name: str) -> Grant:
    return Grant("peer", *Scope.of(name))

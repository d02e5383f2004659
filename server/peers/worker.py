"""The work with one peer: once through everything, or on and on, with pauses that grow while the peer fails.

Continuous work pushes what was committed here as soon as it is, and waits at the peer's feed for what is committed
there. One database that fails does not hold up the others, and its trouble is kept with the moment at which it began.
The files of records go beside them, where the peer is a Nương: they follow from what each side awaits.
"""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.peers.batch_size import Paces
from server.peers.book import CONNECTION, DIRECTORY, MEDIA, Status
from server.peers.connections import ReplicationParts, remote_of
from server.peers.directory_pull import pull_directory
from server.peers.failures import PeerFailed
from server.peers.media_exchange import MediaExchange
from server.peers.model import Direction, Peer
from server.peers.remote import Remote
from server.peers.remote_database import RemoteDatabase
from server.peers.replication import REPLICATIONS, BatchResult, Replication

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
#: Other processes' commits ring no bell here.
LOOK_S = 2.0
DIRECTORY_S = 60.0
IDLE_S = 0.2
#: Work that went on for so long was well: what comes then is a new trouble, and its pauses begin anew.
WELL = timedelta(minutes=5)
NOTE_EVERY = timedelta(seconds=60)
#: How often it is looked whether the peer still has what it confirmed, where nothing else tells. After a failure of the
#: peer it is looked at once: it may have been stopped to be restored from a backup.
CONFIRM_S = 300.0
#: Transfers at once with one peer; waiting at feeds does not count.
TRANSFERS = 4
#: How often it is looked which files are awaited; a list of several pages is asked for as much more rarely.
MEDIA_LOOK_S = 30.0

#: Troubles of a peer that may have been stopped meanwhile.
_AWAY = ("unreachable", "slow", "half", "busy", "failing")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Backoff:
    """Pauses that double with every failure, with chance in them: many databases must not all come back at once."""

    pause_s: float = FIRST_PAUSE_S

    def next_s(self, failure: PeerFailed) -> float:
        """Return how long to wait now; never less than the peer asks for."""
        pause_s = self.pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)
        return max(pause_s, min(failure.wait_s or 0.0, 3600.0))

    def reset(self) -> None:
        """Begin again with the first pause."""
        self.pause_s = FIRST_PAUSE_S


class PeerWork:
    """Replicates with one peer."""

    def __init__(self, parts: ReplicationParts, peer: Peer, paces: Paces | None = None) -> None:
        """Connect to nothing yet; `paces` is what earlier work with the peer found its link to bear."""
        self._parts = parts
        self._peer = peer
        self._paces = paces or Paces()
        self._turns = asyncio.Semaphore(TRANSFERS)
        self._statuses: dict[tuple[str, Direction], Status] = {}
        #: How often the peer itself has failed: what it confirmed before a failure is looked at again.
        self._failures = 0

    async def once(self) -> list[Status]:
        """Go through every database until nothing is left; return how each of them stands."""
        await self._remember()
        async with self._parts.open_client(self._peer) as client:
            remote = remote_of(self._parts, self._peer, client)
            if await self._opened(remote) is None:
                for direction in ("pull", "push"):
                    names = await self._names(direction)
                    await asyncio.gather(*(self._run_through(remote, name, direction) for name in names))
                await self._run_through_media(remote)
        return [self._statuses[key] for key in sorted(self._statuses)]

    async def run(self) -> None:
        """Replicate until cancelled."""
        await self._remember()
        backoff = Backoff()
        async with self._parts.open_client(self._peer) as client:
            remote = remote_of(self._parts, self._peer, client)
            while True:
                failure = await self._opened(remote)
                if failure is None:
                    opened_at = self._parts.clock()
                    try:
                        await self._go_on(remote)
                    except* PeerFailed as shut:
                        failure = next(error for error in shut.exceptions if isinstance(error, PeerFailed))
                    # Before Python 3.13 a group whose task has failed swallows a cancellation of the whole.
                    if (task := asyncio.current_task()) is not None and task.cancelling():
                        raise asyncio.CancelledError
                    # Not as soon as it lets in: one whose databases stay shut is asked ever more rarely.
                    if self._parts.clock() - opened_at >= WELL:
                        backoff.reset()
                assert failure is not None
                await asyncio.sleep(backoff.next_s(failure))

    async def _go_on(self, remote: Remote) -> None:
        """Replicate every database until the peer shuts its door; raise that in a group."""
        async with asyncio.TaskGroup() as tasks:
            if self._peer.kind == "province":
                tasks.create_task(self._keep_directory(remote))
            tasks.create_task(self._keep_pushing(remote))
            tasks.create_task(self._keep_media(remote))
            tasks.create_task(self._keep_pulling_all(remote, tasks))
            # None ends by itself. Only inside the block does Python 3.11 take back the group's own cancellation.
            await asyncio.Event().wait()

    async def _opened(self, remote: Remote) -> PeerFailed | None:
        """Return None when the peer lets this server in: asked once, or ninety databases are ninety wrong passwords."""
        if self._peer.kind == "province":
            # Forms and people first: what they allow is decided when records come. It also says which scopes there are.
            failure = await self._directory(remote)
            self._peer = await self._parts.book.find(self._peer.id)
        else:
            try:
                await remote.ask("GET", "_all_dbs", may_fail=(403, 404, 405))
            except PeerFailed as error:
                failure = await self._ill(CONNECTION, "pull", error)
            else:
                failure = None
                self._statuses.pop((CONNECTION, "pull"), None)
        names = {*await self._names("pull"), *await self._names("push"), DIRECTORY, MEDIA}
        kept = {key for key in self._statuses if key[0] in names or (failure is not None and key[0] == CONNECTION)}
        self._statuses = {key: one for key, one in self._statuses.items() if key in kept}
        await self._parts.book.keep_statuses(self._peer.id, {name for name, _ in kept})
        return failure

    async def _names(self, direction: Direction) -> tuple[str, ...]:
        atlas = await self._parts.areas.atlas()
        return self._peer.databases(direction, ["catalog", *(scope.name for scope in atlas.scopes)])

    async def _run_through(self, remote: Remote, name: str, direction: Direction) -> None:
        try:
            replication = await self._begun(remote, name, direction)
            while True:
                async with self._turns:
                    step = await replication.step()
                await self._well(name, direction, step)
                if not step.has_more:
                    return
        except Exception as error:
            await self._ill(name, direction, error)

    async def _keep_pulling_all(self, remote: Remote, tasks: asyncio.TaskGroup) -> None:
        """Pull every database that there is, in tasks of their own: scopes are made and end meanwhile."""
        pulling: dict[str, asyncio.Task[None]] = {}
        while self._peer.direction != "push":
            names = await self._names("pull")
            for name in pulling.keys() - set(names):
                pulling.pop(name).cancel()
            for name in names:
                if name not in pulling:
                    pulling[name] = tasks.create_task(self._keep_pulling(remote, name))
            await asyncio.sleep(LOOK_S)

    async def _keep_pulling(self, remote: Remote, name: str) -> None:
        backoff = Backoff()
        now = asyncio.get_running_loop().time
        while True:
            try:
                replication = await self._begun(remote, name, "pull")
                has_more = True
                confirmed_at = now()
                while True:
                    if now() >= confirmed_at + CONFIRM_S:
                        await replication.confirm()
                        confirmed_at = now()
                    if has_more:
                        async with self._turns:
                            step = await replication.step()
                    else:
                        step = await replication.step(is_waiting=True)
                    has_more = step.has_more
                    await self._well(name, "pull", step)
                    backoff.reset()
                    # A peer that does not wait when asked to must not be asked without end.
                    await asyncio.sleep(0 if step.written else IDLE_S)
            except Exception as error:
                await asyncio.sleep(backoff.next_s(_unless_shut(await self._ill(name, "pull", error))))

    async def _keep_pushing(self, remote: Remote) -> None:
        begun: dict[str, Replication] = {}
        pushed: dict[str, int] = {}
        backoff: defaultdict[str, Backoff] = defaultdict(Backoff)
        not_before: dict[str, float] = {}
        confirmed: dict[str, tuple[float, int]] = {}
        now = asyncio.get_running_loop().time
        heard = 0

        def is_doubtful(name: str) -> bool:
            at, failures = confirmed.get(name, (0.0, -1))
            return failures != self._failures or now() >= at + CONFIRM_S

        async def push(name: str, seq: int) -> None:
            failures = self._failures
            try:
                if name not in begun:
                    begun[name] = await self._begun(remote, name, "push")
                elif is_doubtful(name):
                    async with self._turns:
                        await begun[name].confirm()
                has_more = True
                while has_more:
                    async with self._turns:
                        step = await begun[name].step()
                    has_more = step.has_more
                    await self._well(name, "push", step)
                pushed[name] = seq
                confirmed[name] = (now(), failures)
                backoff[name].reset()
            except Exception as error:
                begun.pop(name, None)
                failure = _unless_shut(await self._ill(name, "push", error))
                not_before[name] = now() + backoff[name].next_s(failure)

        while self._peer.direction != "pull":
            # Scopes are made and end meanwhile.
            states = await self._parts.journal.databases(await self._names("push"))
            due = [
                state
                for state in states
                if (pushed.get(state.name) != state.seq or is_doubtful(state.name))
                and now() >= not_before.get(state.name, 0.0)
            ]
            await asyncio.gather(*(push(state.name, state.seq) for state in due))
            heard = await self._parts.journal.wait(heard, LOOK_S)

    async def _run_through_media(self, remote: Remote) -> None:
        has_more = True
        while has_more:
            try:
                has_more = (await self._media_round(remote))[0]
            except PeerFailed:
                # Its status says so.
                return

    async def _keep_media(self, remote: Remote) -> None:
        backoff = Backoff()
        while True:
            try:
                has_more, pages = await self._media_round(remote)
                backoff.reset()
                await asyncio.sleep(IDLE_S if has_more else MEDIA_LOOK_S * pages)
            except PeerFailed as failure:
                await asyncio.sleep(backoff.next_s(_unless_shut(failure)))

    async def _media_round(self, remote: Remote) -> tuple[bool, int]:
        """Carry files both ways; return whether more can be carried at once, and how long the lists were.

        Raise PeerFailed after both ways were tried: a full disk here keeps nothing from leaving.
        """
        if not await remote.keeps_history():
            return False, 1
        exchange, failed, has_more, pages = MediaExchange(self._parts, self._peer, remote), None, False, 1
        for direction in self._peer.ways:
            try:
                async for step in exchange.run(direction, await self._names(direction)):
                    await self._well(MEDIA, direction, step)
                    has_more = has_more or step.has_more
            except Exception as error:
                failed = await self._ill(MEDIA, direction, error)
            pages = max(pages, exchange.pages)
        if failed is not None:
            raise failed
        return has_more, pages

    async def _keep_directory(self, remote: Remote) -> None:
        backoff = Backoff()
        while True:
            await asyncio.sleep(DIRECTORY_S)
            failure = await self._directory(remote)
            if failure is None:
                backoff.reset()
            else:
                await asyncio.sleep(backoff.next_s(failure))

    async def _directory(self, remote: Remote) -> PeerFailed | None:
        try:
            brought = await pull_directory(self._parts, self._peer, remote)
        except Exception as error:
            return await self._ill(DIRECTORY, "pull", error)
        await self._well(DIRECTORY, "pull", BatchResult(None, 0, brought, False))
        return None

    async def _begun(self, remote: Remote, name: str, direction: Direction) -> Replication:
        pace = self._paces.of(name, direction)
        replication = REPLICATIONS[direction](self._parts, self._peer, RemoteDatabase(remote, name), pace)
        async with self._turns:
            await replication.begin()
        return replication

    async def _remember(self) -> None:
        known = await self._parts.book.statuses(self._peer.id)
        self._statuses = {(one.database, one.direction): one for one in known}

    async def _well(self, name: str, direction: Direction, step: BatchResult) -> None:
        before = self._statuses.get((name, direction))
        now = self._parts.clock()
        since = before.since if before and before.trouble is None else now
        documents = (before.documents if before else 0) + step.written
        status = Status(name, direction, step.last_seq, step.behind, documents, None, since, now)
        self._statuses[name, direction] = status
        is_news = before is None or before.trouble is not None or _place(before) != _place(status)
        if before is None or is_news or step.written or now - before.checked_at > NOTE_EVERY:
            await self._note(status)
        elif before is not None:
            self._statuses[name, direction] = before

    async def _ill(self, name: str, direction: Direction, error: Exception) -> PeerFailed:
        """Keep what is the matter; whatever this server itself fails at is logged with its traceback."""
        if isinstance(error, PeerFailed):
            failure = error
            self._failures += failure.trouble.code in _AWAY
        else:
            log.warning("peer_work_failed", peer=self._peer.name, database=name, direction=direction, exc_info=error)
            failure = PeerFailed("local", type(error).__name__)
        before = self._statuses.get((name, direction))
        now = self._parts.clock()
        is_same = before is not None and before.trouble is not None and before.trouble.code == failure.trouble.code
        status = Status(
            name,
            direction,
            before.last_seq if before else None,
            before.behind if before else None,
            before.documents if before else 0,
            failure.trouble,
            before.since if before and is_same else now,
            now,
        )
        self._statuses[name, direction] = status
        with suppress(SQLAlchemyError):
            await self._note(status)
        return failure

    async def _note(self, status: Status) -> None:
        await self._parts.book.note(self._peer.id, [status])


def _place(status: Status) -> tuple[str | None, int | None]:
    return status.last_seq, status.behind


def _unless_shut(failure: PeerFailed) -> PeerFailed:
    """Return the failure of one database; raise what shuts all of them out alike."""
    if failure.trouble.code == "sign_in":
        raise failure
    return failure

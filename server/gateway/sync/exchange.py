"""One exchange: admit and store what a phone pushed, then answer with what it lacks.

    request → caller → admission → journal (per database in name order, much in parts) → pull → answer

An acknowledgement exists only once its transaction is durable, and the enrolment's numbers move in the same
transaction: a crash at any point leaves the phone with a request that it may send again as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.areas.grants import CATALOG, Grant
from server.auth import enrolments
from server.auth.sessions import Sessions
from server.forms.library import FormLibrary
from server.gateway.compression import Meter
from server.gateway.sync.answer import AnswerHeader, write_answer
from server.gateway.sync.caller import PhoneCaller, identify
from server.gateway.sync.contributions import contributions
from server.gateway.sync.numbers import Numbers
from server.gateway.sync.outcomes import UnconfirmedOutcome, decided, forget_confirmed, note_quarantined
from server.gateway.sync.progress import Progress, lock_progress, save_progress
from server.gateway.sync.pull import ChangesPage, OwnPushes, pull
from server.gateway.sync.read_request import Envelope, PhoneRequest
from server.ingest.document import PushedDocument
from server.ingest.phone_checks import Admission
from server.journal.journal import Journal
from server.journal.model import NewRevision, Origin, Outcome
from server.journal.parts import in_parts
from server.platform.clock import Clock
from server.platform.content_coding import Coding
from server.platform.db.engine import Storage
from sync.contract.reasons import STORED

NEXT_S = 300
#: An exchange that changes nothing is written down only this often: doing nothing must cost no commit.
EXCHANGE_FRESH = timedelta(hours=1)
#: Of a forger's numbers; a phone that has lost more is told the rest once these have come.
MISSING_RANGES = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExchangeParts:
    """The services that an exchange uses."""

    storage: Storage
    journal: Journal
    sessions: Sessions
    areas: Areas
    library: FormLibrary
    clock: Clock
    server_id: str
    epoch: str


async def exchange(parts: ExchangeParts, request: PhoneRequest, access_token: str | None, coding: Coding) -> bytes:
    """Return the answer's bytes in `coding`."""
    said = request.envelope
    caller = await identify(parts.storage, parts.sessions, said, access_token)
    atlas = await parts.areas.atlas()
    final = await decided(parts.journal, caller.waiting)
    # Another server than the one it asks may be answering a phone without a token: what it was told is not from here.
    confirmed = [row for row in final if caller.is_signed_in and caller.is_news and row.number in said.verdicts]
    admission = Admission(caller.pusher, parts.library, {scope.name for scope in atlas.scopes}, parts.journal)
    stored = await _Push(parts, said, caller, confirmed).store(admission, request.push)
    told = {(item.doc_id, item.rev) for item in stored.acks}
    acks = [*stored.acks]
    acks += [
        Outcome(row.doc_id, row.rev, row.number, "stored", None)
        for row in final
        if row not in confirmed and (row.doc_id, row.rev) not in told
    ]
    pages: list[ChangesPage] = []
    carry: list[str] | None = None
    if caller.is_signed_in:
        carry = [CATALOG, *(scope.name for scope in atlas.carried(caller.principal))]
        reserved = 400 + 40 * len(acks)
        pages = await pull(parts.journal, carry, said.since, stored.pushed, Meter(said.max_bytes, coding, reserved))
    head = AnswerHeader(
        epoch=parts.epoch,
        server_time=_timestamp(parts.clock()),
        tokens=caller.tokens,
        acks=acks,
        carry=carry,
        safe=stored.progress.safe,
        highest_number=stored.progress.highest,
        missing=str(stored.progress.missing.first(MISSING_RANGES)),
        server=parts.server_id,
        next_s=NEXT_S,
    )
    for page in pages:
        page.by = await contributions(parts.storage, parts.journal, page, caller.enrolment.person)
    return await write_answer(parts.journal, head, pages, said.max_bytes, coding)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What became of a push: outcomes in its order, what came in by database, and the enrolment's numbers after it."""

    acks: tuple[Outcome, ...]
    pushed: Mapping[str, OwnPushes]
    progress: Progress


class _Push:
    """Stores one request's documents, and the enrolment's numbers beside them."""

    def __init__(
        self, parts: ExchangeParts, said: Envelope, caller: PhoneCaller, confirmed: Sequence[UnconfirmedOutcome]
    ) -> None:
        self._parts = parts
        self._said = said
        self._caller = caller
        self._confirmed = confirmed
        self._progress = caller.progress

    async def store(self, admission: Admission, push: Sequence[PushedDocument]) -> _Stored:
        """Admit documents and write every database in name order; the enrolment's own rows go with the last part.

        Much is written in parts, so that nobody else waits long to write. What a crash leaves out is sent again.
        """
        by_database: defaultdict[str, list[tuple[int, NewRevision]]] = defaultdict(list)
        acks: list[Outcome | None] = []
        for position, item in enumerate(await admission.admit(push)):
            acks.append(item.refused)
            if item.revision is not None:
                by_database[item.database].append((position, item.revision))
        refused = Numbers.of(int(ack.number) for ack in acks if ack is not None and ack.number is not None)
        origin = Origin(self._caller.enrolment.person, self._caller.enrolment.id)
        seal = self._said.seal.content() if by_database else None
        pushed: dict[str, OwnPushes] = {}
        names = sorted(by_database)
        for name in names:
            parts = list(in_parts(by_database[name], lambda each: each[1]))
            outcomes: list[Outcome] = []
            for number, part in enumerate(parts, start=1):
                is_last = name == names[-1] and number == len(parts)
                # It covers all parts, and one copy of it is enough; a part that brought nothing new kept none.
                covering = None if any(each.outcome == "stored" for each in outcomes) else seal
                outcomes += await self._write(
                    name, [each for _, each in part], origin, refused, covering, is_last=is_last
                )
            for (position, _), outcome in zip(by_database[name], outcomes, strict=True):
                acks[position] = outcome
            deletions = {(each.doc_id, each.rev) for _, each in by_database[name] if each.deleted}
            pushed[name] = _came_in(outcomes, deletions)
        if not names:
            await self._settle_without_push(refused)
        return _Stored(tuple(ack for ack in acks if ack is not None), pushed, self._progress)

    async def _write(
        self,
        name: str,
        revisions: Sequence[NewRevision],
        origin: Origin,
        refused: Numbers,
        seal: bytes | None,
        *,
        is_last: bool,
    ) -> list[Outcome]:
        """Write a part of what goes into one database, and the enrolment's numbers with it."""
        async with self._parts.storage.write() as connection:
            outcomes = await self._parts.journal.write_within(connection, name, revisions, origin, seal=seal)
            await note_quarantined(connection, self._caller.enrolment.id, name, outcomes)
            await self._settle(connection, outcomes, refused, is_last=is_last)
        return outcomes

    async def _settle(
        self, connection: AsyncConnection, outcomes: Sequence[Outcome], refused: Numbers, *, is_last: bool
    ) -> None:
        """Move the enrolment's numbers in the transaction that stores what they count."""
        caller = self._caller
        before = await lock_progress(connection, caller.enrolment.id)
        numbers = [(int(item.number), item.outcome == "refused") for item in outcomes if item.number is not None]
        received = Numbers.of(number for number, is_refused in numbers if not is_refused)
        refused = refused | Numbers.of(number for number, is_refused in numbers if is_refused)
        # What stays on the phone is measured against all that the request brought, so only with its last part.
        is_news = is_last and before.is_news(self._said.exchange)
        self._progress = before.after(received, refused, self._said if is_news else None)
        await save_progress(connection, caller.enrolment.id, self._progress)
        if is_last:
            await self._finish(connection, before, is_news=is_news)

    async def _finish(self, connection: AsyncConnection, before: Progress, *, is_news: bool) -> None:
        caller, now = self._caller, self._parts.clock()
        if is_news:
            await forget_confirmed(connection, caller.enrolment.id, self._confirmed)
        grants: tuple[Grant, ...] = caller.enrolment.exchange_grants or ()
        at, device = caller.enrolment.exchanged_at, caller.enrolment.device
        if caller.is_signed_in:
            # An exchange without a token completes nothing: its phone has not learnt what it is assigned now.
            grants, at = caller.principal.grants, now
            if is_news and self._said.device is not None:
                device = asdict(self._said.device)
        if caller.is_signed_in or at is not None:
            progress = self._progress
            await enrolments.note_exchange(
                connection,
                caller.enrolment.id,
                grants=grants,
                highest=progress.highest,
                safe=progress.safe,
                at=at or now,
                device=device,
            )
        if self._progress.gaps != before.gaps and self._progress.gaps.ranges:
            log.warning("numbers_missing", enrolment=caller.enrolment.id, numbers=str(self._progress.gaps))

    async def _settle_without_push(self, refused: Numbers) -> None:
        caller = self._caller
        self._progress = caller.progress.after(Numbers(), refused, self._said if caller.is_news else None)
        exchanged_at = caller.enrolment.exchanged_at
        is_fresh = exchanged_at is not None and self._parts.clock() - exchanged_at < EXCHANGE_FRESH
        same_rights = set(caller.enrolment.exchange_grants or ()) == set(caller.principal.grants)
        # Such a request has said nothing that was not known, so nothing is lost where its number is not kept.
        as_before = replace(self._progress, exchange=caller.progress.exchange)
        is_settled = as_before == caller.progress and not self._confirmed
        if is_settled and (not caller.is_signed_in or (is_fresh and same_rights)):
            return
        async with self._parts.storage.write() as connection:
            await self._settle(connection, (), refused, is_last=True)


def _came_in(outcomes: Sequence[Outcome], deletions: Collection[tuple[str, str]]) -> OwnPushes:
    """Return what came into one database: what was not let in is no echo, another revision may stand under its id."""
    came = {(one.doc_id, one.rev) for one in outcomes if one.outcome in STORED}
    # A deletion may let somebody else's branch win, which the phone has never seen: those pages are read.
    stored = sum(one.outcome == "stored" and (one.doc_id, one.rev) not in deletions for one in outcomes)
    # Each took a sequence, and the seal that covers them took the first.
    return OwnPushes(came, stored + 1 if stored else 0)


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""One exchange: admit and store what a phone pushed, then answer with what it lacks.

    body → strict JSON → envelope → caller → admission → journal (a transaction per database, in name order) → pull

An acknowledgement exists only once its transaction is durable, and the enrolment's numbers move in the same
transaction: a crash at any point leaves the phone with a request that it may send again as it is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.areas.areas import Areas
from server.areas.grants import CATALOG, Grant
from server.auth import enrolments
from server.auth.sessions import Sessions
from server.errors import Problem
from server.forms.library import FormLibrary
from server.gateway.compression import Meter
from server.gateway.sync.answer import AnswerHeader, write_answer
from server.gateway.sync.caller import PhoneCaller, identify
from server.gateway.sync.contributions import contributions
from server.gateway.sync.numbers import Numbers
from server.gateway.sync.outcomes import UnconfirmedOutcome, decided, forget_confirmed, note_quarantined
from server.gateway.sync.progress import Progress, lock_progress, save_progress
from server.gateway.sync.pull import ChangesPage, OwnPushes, pull
from server.gateway.sync.schemas import REQUEST
from server.gateway.sync.seal import seal_content
from server.ingest.phone_checks import Admission, Admitted
from server.journal.journal import Journal
from server.journal.model import Origin, Outcome
from server.platform.clock import Clock
from server.platform.content_coding import Coding
from server.platform.db.engine import Storage
from server.platform.json_reader import aside, place_of, read
from sync.contract.reasons import STORED
from sync.contract.wire import PROTOCOL, SyncRequest
from sync.revisions.canonical import MalformedJson

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


def read_request(body: bytes) -> tuple[SyncRequest, set[int]]:
    """Return the envelope and the positions in `push` that strict JSON refuses; raises for anything else amiss."""
    try:
        reading = read(body)
    except MalformedJson as error:
        raise Problem("malformed_json", reason=error.code, where=place_of(error, body)) from error
    flawed: set[int] = set()
    for flaw in reading.flaws:
        path = flaw.where.split("/")
        # One bad document must not keep a phone's whole queue.
        if path[1:2] != ["push"] or path[3:4] != ["doc"]:
            raise Problem("malformed_json", reason=flaw.code, where=flaw.where)
        flawed.add(int(path[2]))
    _check_protocol(reading.value)
    try:
        return REQUEST.validate_python(reading.value), flawed
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = "/" + "/".join(str(part) for part in first["loc"])
        raise Problem("envelope", reason=first["type"], where=where[:200]) from error


def _check_protocol(value: object) -> None:
    """Say which side must be brought up to date, where a phone and this server don't speak the same protocol."""
    spoken = value.get("protocol") if isinstance(value, dict) else None
    if isinstance(spoken, int) and spoken != PROTOCOL:
        raise Problem("app_too_old" if spoken < PROTOCOL else "server_too_old", spoken=spoken, expected=PROTOCOL)


async def exchange(parts: ExchangeParts, body: bytes, access_token: str | None, coding: Coding) -> bytes:
    """Return the answer's bytes in `coding`."""
    request, flawed = await aside(read_request, body)
    caller = await identify(parts.storage, parts.sessions, request, access_token)
    atlas = await parts.areas.atlas()
    admission = Admission(caller.pusher, parts.library, {scope.name for scope in atlas.scopes}, parts.journal)
    admitted = await admission.admit(request.push, flawed)
    final = await decided(parts.journal, caller.waiting)
    # Another server than the one it asks may be answering a phone without a token: what it was told is not from here.
    is_believed = caller.is_signed_in and caller.progress.is_news(request)
    confirmed = [row for row in final if is_believed and row.number in request.verdicts]
    stored = await _Push(parts, request, caller, confirmed).store(admitted)
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
        pushed = _pushed(request, stored.acks)
        reserved = 400 + 40 * len(acks)
        pages = await pull(parts.journal, carry, request.since, pushed, Meter(request.max_bytes, coding, reserved))
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
    return await write_answer(parts.journal, head, pages, request.max_bytes, coding)


def _pushed(request: SyncRequest, acks: Sequence[Outcome]) -> dict[str, OwnPushes]:
    """Return what came in by database: what was not let in is no echo, another revision may stand under its id."""
    pushed: defaultdict[str, OwnPushes] = defaultdict(OwnPushes)
    for item, ack in zip(request.push, acks, strict=True):
        if ack.outcome in STORED:
            pushed[item.db].revisions.add((ack.doc_id, ack.rev))
        # A deletion may let somebody else's branch win, which the phone has never seen: those pages are read.
        if ack.outcome == "stored" and item.doc.get("_deleted") is not True:
            # Each took a sequence, and the seal that covers them took the first.
            pushed[item.db].sequences = (pushed[item.db].sequences or 1) + 1
    return dict(pushed)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The outcomes of a push, in its order, and what is known of the enrolment's numbers after it."""

    acks: tuple[Outcome, ...]
    progress: Progress


class _Push:
    """Stores one request's push and the enrolment's numbers beside it."""

    def __init__(
        self, parts: ExchangeParts, request: SyncRequest, caller: PhoneCaller, confirmed: Sequence[UnconfirmedOutcome]
    ) -> None:
        self._parts = parts
        self._request = request
        self._caller = caller
        self._confirmed = confirmed
        self._progress = caller.progress

    async def store(self, admitted: Sequence[Admitted]) -> _Stored:
        """Write every database in name order; the enrolment's own rows go with the last one."""
        by_database: defaultdict[str, list[int]] = defaultdict(list)
        acks: list[Outcome | None] = []
        for position, item in enumerate(admitted):
            acks.append(item.refused)
            if item.revision is not None:
                by_database[item.database].append(position)
        refused = Numbers.of(int(ack.number) for ack in acks if ack is not None and ack.number is not None)
        names = sorted(by_database)
        for name in names:
            is_last = name == names[-1]

            async def also(
                connection: AsyncConnection, outcomes: Sequence[Outcome], name: str = name, is_last: bool = is_last
            ) -> None:
                await note_quarantined(connection, self._caller.enrolment.id, name, outcomes)
                await self._settle(connection, outcomes, refused, is_last=is_last)

            positions = by_database[name]
            revisions = [item.revision for item in (admitted[position] for position in positions) if item.revision]
            origin = Origin(self._caller.enrolment.person, self._caller.enrolment.id)
            outcomes = await self._parts.journal.write(
                name, revisions, origin, seal=seal_content(self._request), also=also
            )
            for position, outcome in zip(positions, outcomes, strict=True):
                acks[position] = outcome
        if not names:
            await self._settle_without_push(refused)
        return _Stored(tuple(ack for ack in acks if ack is not None), self._progress)

    async def _settle(
        self, connection: AsyncConnection, outcomes: Sequence[Outcome], refused: Numbers, *, is_last: bool
    ) -> None:
        """Move the enrolment's numbers in the transaction that stores what they count."""
        caller, request = self._caller, self._request
        before = await lock_progress(connection, caller.enrolment.id)
        numbers = [(int(item.number), item.outcome == "refused") for item in outcomes if item.number is not None]
        received = Numbers.of(number for number, is_refused in numbers if not is_refused)
        refused = refused | Numbers.of(number for number, is_refused in numbers if is_refused)
        # What stays on the phone is measured against all that the request brought, so only with its last part.
        counts = is_last and before.is_news(request)
        self._progress = before.after(received, refused, request if counts else None)
        await save_progress(connection, caller.enrolment.id, self._progress)
        if is_last:
            await self._finish(connection, before, is_news=counts)

    async def _finish(self, connection: AsyncConnection, before: Progress, *, is_news: bool) -> None:
        caller, now = self._caller, self._parts.clock()
        if is_news:
            await forget_confirmed(connection, caller.enrolment.id, self._confirmed)
        grants: tuple[Grant, ...] = caller.enrolment.exchange_grants or ()
        at, device = caller.enrolment.exchanged_at, caller.enrolment.device
        if caller.is_signed_in:
            # An exchange without a token completes nothing: its phone has not learnt what it is assigned now.
            grants, at = caller.principal.grants, now
            if is_news and self._request.device is not None:
                device = asdict(self._request.device)
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
        caller, request = self._caller, self._request
        is_news = caller.progress.is_news(request)
        self._progress = caller.progress.after(Numbers(), refused, request if is_news else None)
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


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

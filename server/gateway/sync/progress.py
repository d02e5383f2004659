"""The state of an enrolment's numbers: received, refused, discarded, still on the phone, or nowhere.

A number that is nowhere is a gap (I10). `safe` is where the phone may stop keeping its copies: up to the first number
that is not here, and where backups are made, no further than the verified ones cover.

What a phone says of itself counts once and in its order, by the number of its request (`exchange`): a repeat, or a
replay by somebody who has read the seal, moves nothing but what it pushes.
"""

from dataclasses import dataclass, replace

from sqlalchemy import bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.gateway.sync.numbers import Numbers
from server.gateway.sync.read_request import Envelope
from server.gateway.sync.tables import backups, sync_numbers
from server.platform.db.insert_missing import insert_missing

NONE = Numbers()
#: A phone counts its saves one by one, so that a set is a few ranges. Of one that says something else no more is kept:
#: the lowest, from which `safe` follows. What is cut off counts as missing, and the phone is asked for it again.
MAX_RANGES = 1_000

# Built once: every exchange runs them.
_HAS_BACKUPS = exists(select(backups.c.id)).label("has_backups")
_FIND = select(sync_numbers, _HAS_BACKUPS).where(sync_numbers.c.enrolment == bindparam("of"))
_LOCK = _FIND.with_for_update(of=sync_numbers)
_SAVE = sync_numbers.update().where(sync_numbers.c.enrolment == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Progress:
    """The numbers of one enrolment."""

    received: Numbers = NONE
    refused: Numbers = NONE
    discarded: Numbers = NONE
    unsent: Numbers = NONE
    gaps: Numbers = NONE
    #: Here, but for files that are gone or damaged.
    lacking: Numbers = NONE
    drafts: int = 0
    media: int = 0
    exchange: int = 0
    #: Up to which number a verified backup has all; None where no backup was ever made.
    covered: int | None = None

    @property
    def highest(self) -> int:
        """Return the greatest number that has reached the server, refused ones too."""
        return (self.received | self.refused).highest

    @property
    def safe(self) -> int:
        """Return the number up to which everything is in a backup, where one is made, or was given up on the phone."""
        here = min(self.highest, (self.received.minus(self.lacking) | self.discarded).unbroken)
        return here if self.covered is None else min(here, self.covered)

    @property
    def missing(self) -> Numbers:
        """Return what the phone must send again, if it still has it: numbers that are nowhere, or whose files are."""
        return self.gaps | self.lacking.minus(self.discarded)

    def is_news(self, exchange: int) -> bool:
        """Whether what this request says of its phone counts: it is later than all that did."""
        return exchange > self.exchange

    def after(self, received: Numbers, refused: Numbers, said: Envelope | None) -> "Progress":
        """Return what is known once a request has brought these numbers; without `said` its other words don't count."""
        all_received = (self.received | received).first(MAX_RANGES)
        all_refused = (self.refused | refused).minus(all_received).first(MAX_RANGES)
        if said is None:
            come = received | refused
            return replace(
                self,
                received=all_received,
                refused=all_refused,
                unsent=self.unsent.minus(come).first(MAX_RANGES),
                gaps=self.gaps.minus(come).first(MAX_RANGES),
                lacking=self.lacking.minus(received),
            )
        holding = said.holding
        unsent = Numbers.of(map(int, holding.unsent)).minus(all_received).first(MAX_RANGES)
        discarded = (self.discarded | Numbers.of(map(int, holding.discarded))).first(MAX_RANGES)
        return Progress(
            received=all_received,
            refused=all_refused,
            discarded=discarded,
            unsent=unsent,
            gaps=(all_received | all_refused | discarded | unsent).missing().first(MAX_RANGES),
            lacking=self.lacking.minus(received),
            drafts=holding.drafts,
            media=holding.media,
            exchange=said.exchange,
            covered=self.covered,
        )


async def load_progress(connection: AsyncConnection, enrolment: str, *, lock: bool = False) -> Progress | None:
    """Return what is known of `enrolment`, None for one that has never been counted.

    With `lock` it is held until the transaction ends: two requests of one phone add up.
    """
    row = (await connection.execute(_LOCK if lock else _FIND, {"of": enrolment})).one_or_none()
    if row is None:
        return None
    return Progress(
        received=Numbers.parse(row.received),
        refused=Numbers.parse(row.refused),
        discarded=Numbers.parse(row.discarded),
        unsent=Numbers.parse(row.unsent),
        gaps=Numbers.parse(row.gaps),
        lacking=Numbers.parse(row.lacking),
        drafts=row.drafts,
        media=row.media,
        exchange=row.exchange,
        covered=row.covered if row.has_backups else None,
    )


async def lock_progress(connection: AsyncConnection, enrolment: str) -> Progress:
    """Return what is known of `enrolment`, held until the transaction ends."""
    known = await load_progress(connection, enrolment, lock=True)
    if known is None:
        await insert_missing(connection, sync_numbers, [_row(enrolment, Progress())])
        known = await load_progress(connection, enrolment, lock=True)
    return known or Progress()


async def save_progress(connection: AsyncConnection, enrolment: str, progress: Progress) -> None:
    """Write what is known of `enrolment` now."""
    await connection.execute(_SAVE, {"of": enrolment, **_row(enrolment, progress)})


def _row(enrolment: str, progress: Progress) -> dict[str, object]:
    return {
        "enrolment": enrolment,
        "received": str(progress.received),
        "refused": str(progress.refused),
        "discarded": str(progress.discarded),
        "unsent": str(progress.unsent),
        "gaps": str(progress.gaps),
        "lacking": str(progress.lacking),
        "drafts": progress.drafts,
        "media": progress.media,
        "exchange": progress.exchange,
    }

"""Dates and times in expressions: texts like 2026-11-21 or 2026-11-21T08:30:00.000+07:00, as days since 1970.

What has no offset is in Vietnam's time, which phones of the field have; a setting would let two servers compute
different answers, and so would the zone files of two machines. No clock is looked at: what now is comes from callers.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Since when (UTC) Vietnam's clocks have been how many minutes ahead: Asia/Ho_Chi_Minh, as browsers know it.
_CHANGES = (
    ("1911-04-30T16:53:30", 420),
    ("1942-12-31T16:00:00", 480),
    ("1945-03-14T15:00:00", 540),
    ("1945-09-01T15:00:00", 420),
    ("1947-03-31T17:00:00", 480),
    ("1955-06-30T17:00:00", 420),
    ("1959-12-31T16:00:00", 480),
    ("1975-06-12T16:00:00", 420),
)
_SINCE = [datetime.fromisoformat(at) for at, _minutes in _CHANGES]
_AHEAD = [timedelta(minutes=426, seconds=30), *(timedelta(minutes=minutes) for _at, minutes in _CHANGES)]
#: By the clock on the wall, the later of both where a change skips or repeats an hour.
_ON_THE_WALL = [at + max(_AHEAD[place], _AHEAD[place + 1]) for place, at in enumerate(_SINCE)]


class _Vietnam(tzinfo):
    """Vietnam's time, with its changes until 1975."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        return _AHEAD[-1] if at is None else _AHEAD[bisect_right(_ON_THE_WALL, at.replace(tzinfo=None))]

    def dst(self, at: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, at: datetime | None) -> str:
        return "Asia/Ho_Chi_Minh"

    def fromutc(self, at: datetime) -> datetime:
        return at + _AHEAD[bisect_right(_SINCE, at.replace(tzinfo=None))]


ZONE = _Vietnam()

_TIME = r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_LIKE = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:T({_TIME})([-+][0-9]{{2}}:[0-9]{{2}}|Z)?)?")
_OFFSET = re.compile(r"[-+](?:0[0-9]|1[0-4]):[0-5][0-9]")
_BEGINS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[-+][0-9:]+)?)?")
_UNPADDED = re.compile(r"([0-9]{4})-([1-9]|[0-9]{2})-([1-9]|[0-9]{2})(T.*)?")
_TIME_OF_DAY = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-5][0-9])?(?:\.[0-9]+)?(?:[-+][0-9]{2}:[0-9]{2})?")
MAX_LENGTH = 64


class Moment(float):
    """A point in time: a number of days since 1970 that is written as a date."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, days: float, text: str) -> "Moment":
        """Keep how it is written beside the number."""
        made = super().__new__(cls, days)
        made.text = text
        return made


#: What is no date: no number, and blank.
NO_MOMENT = Moment(math.nan, "")


class Parsed:
    """A date or time that was read: in the zone's own time, with its milliseconds."""

    __slots__ = ("local", "milliseconds")

    def __init__(self, local: datetime) -> None:
        """Take an aware time."""
        self.local = local
        since = local - _EPOCH
        # Whole milliseconds, as JavaScript counts them; floats would lose some.
        self.milliseconds = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000

    @property
    def days(self) -> float:
        """Days since 1970."""
        return self.milliseconds / DAY_MS

    @property
    def moment(self) -> Moment:
        """The value that it is in an expression."""
        return Moment(self.days, written(self.local))


def parse(text: str) -> Parsed | None:
    """Return the moment in a text; None where it is none, as of a day that no month has."""
    return _parsed(text) if len(text) <= MAX_LENGTH else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Parsed | None:
    found = _LIKE.fullmatch(text)
    if found is None:
        return None
    day, time, offset = found.groups()
    if offset is not None and offset != "Z" and not _OFFSET.fullmatch(offset):
        return None
    hour, minute, second, fraction = _parts(time or "00")
    try:
        local = datetime.fromisoformat(day).replace(hour=hour, minute=minute, second=second, microsecond=fraction)
        return Parsed(_placed(local, offset))
    except (ValueError, OverflowError):
        return None


def from_days(days: float) -> Parsed | None:
    """Return the moment that lies so many days after 1970; None for what is no number or no year of four digits."""
    try:
        return Parsed((_EPOCH + timedelta(milliseconds=round(days * DAY_MS))).astimezone(ZONE))
    except (ValueError, OverflowError):
        return None


def of(moment: datetime) -> Moment:
    """Return a time as expressions see it."""
    return Parsed(moment.astimezone(ZONE)).moment


def day_of(moment: datetime) -> Moment:
    """Return the day that a time falls on."""
    return Parsed(moment.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)).moment


def written(local: datetime) -> str:
    """Return a time as text: only the day at midnight."""
    if local.hour == local.minute == local.second == local.microsecond == 0:
        return local.date().isoformat()
    milliseconds = f"{local.microsecond:06}"
    fraction = milliseconds.rstrip("0")[:3] if local.microsecond else "000"
    whole = local.replace(microsecond=0).isoformat()
    return f"{whole[:19]}.{fraction}{whole[19:]}"


def date_of_text(text: str) -> Moment:
    """Return what date() makes of a text that is not blank; single digits of month and day are padded."""
    if not _BEGINS.match(text):
        found = _UNPADDED.fullmatch(text)
        if found is None:
            return NO_MOMENT
        year, month, day, rest = found.groups()
        text = f"{year}-{month:0>2}-{day:0>2}{rest or ''}"
    parsed = parse(text)
    return parsed.moment if parsed else NO_MOMENT


def time_of_day(text: str) -> float:
    """Return the part of a day that a time is in; NaN where it is none, or UTC's with a Z, which the engine refuses."""
    if not _TIME_OF_DAY.fullmatch(text):
        return math.nan
    parsed = parse(f"1970-01-01T{text}")
    if parsed is None:
        return math.nan
    local = parsed.local
    return ((local.hour * 60 + local.minute) * 60_000 + local.second * 1000 + local.microsecond // 1000) / DAY_MS


_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: By the number of the day, Monday being 1: the engine has no name for Sunday, its 7.
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "")
_PLACES = re.compile("%[YymnbdeaHhMS3]")
_WRITTEN: dict[str, Callable[[datetime], str]] = {
    "%Y": lambda local: f"{local.year:04}",
    "%y": lambda local: f"{local.year:04}"[2:],
    "%m": lambda local: f"{local.month:02}",
    "%n": lambda local: str(local.month),
    "%b": lambda local: _MONTHS[local.month],
    "%d": lambda local: f"{local.day:02}",
    "%e": lambda local: str(local.day),
    "%a": lambda local: _DAYS[local.isoweekday()],
    "%H": lambda local: f"{local.hour:02}",
    "%h": lambda local: str(local.hour),
    "%M": lambda local: f"{local.minute:02}",
    "%S": lambda local: f"{local.second:02}",
    "%3": lambda local: f"{local.microsecond // 1000:03}",
}


def formatted(text: str, form: str) -> str:
    """Return a moment written by a pattern such as %d/%m/%Y; blank where the text is none."""
    parsed = parse(text)
    if parsed is None:
        return ""
    local = parsed.local
    return _PLACES.sub(lambda place: _WRITTEN[place.group()](local), form)


def _parts(time: str) -> tuple[int, int, int, int]:
    clock, _, fraction = time.partition(".")
    hour, minute, second = [*map(int, clock.split(":")), 0, 0][:3]
    return hour, minute, second, int(fraction[:6].ljust(6, "0")) if fraction else 0


def _placed(local: datetime, offset: str | None) -> datetime:
    """Return a local time of `offset` in the zone's time."""
    if offset is None:
        return local.replace(tzinfo=ZONE)
    if offset == "Z":
        return local.replace(tzinfo=UTC).astimezone(ZONE)
    shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    return local.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift)).astimezone(ZONE)

"""Answers as typed values: the text that a database casts without error, None where an answer doesn't type.

Lexical answers stay exact: an integer is its digits, a decimal its decimal text, a moment is brought to UTC.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

from server.forms.answers.number_texts import is_decimal, is_integer

#: What a moment written without a zone means: the province's clock.
LOCAL_TIME = timezone(timedelta(hours=7))


def as_text(answer: str) -> str | None:
    """Return the answer; a NUL, which PostgreSQL can't hold, makes it none."""
    return None if "\0" in answer else answer


def as_integer(answer: str) -> str | None:
    """Return the digits of a whole number of at most 18 digits."""
    return answer if is_integer(answer) else None


def as_decimal(answer: str) -> str | None:
    """Return a decimal number as it was written, one with an exponent written out."""
    if not is_decimal(answer):
        return None
    return f"{Decimal(answer):f}" if "e" in answer.lower() else answer


def as_date(answer: str) -> str | None:
    """Return a calendar day, YYYY-MM-DD; the day of a moment is the day that its writer saw."""
    try:
        return date.fromisoformat(answer[:10]).isoformat()
    except ValueError:
        return None


def as_time(answer: str) -> str | None:
    """Return a time of day as its writer saw it, without the zone that phones append."""
    try:
        return time.fromisoformat(answer).replace(tzinfo=None).isoformat()
    except ValueError:
        return None


def as_moment(answer: str) -> str | None:
    """Return a moment in UTC, `YYYY-MM-DD HH:MM:SS[.ffffff]+00:00`."""
    try:
        moment = datetime.fromisoformat(answer)
        local = moment.replace(tzinfo=LOCAL_TIME) if moment.tzinfo is None else moment
        return local.astimezone(UTC).isoformat(sep=" ")
    except (ValueError, OverflowError):
        return None


#: By the types of questions that one column holds; all others are text.
_TYPED: dict[str, Callable[[str], str | None]] = {
    "integer": as_integer,
    "decimal": as_decimal,
    "date": as_date,
    "time": as_time,
    "dateTime": as_moment,
}


def typed(question_type: str, answer: str) -> str | None:
    """Return what an answer to a question of this type is as a value; None where it is none."""
    return _TYPED.get(question_type, as_text)(answer)

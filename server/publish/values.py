"""Answers as typed values: the text that a database casts without error, None where an answer doesn't type.

Lexical answers stay exact: an integer is its digits, a decimal its decimal text, a moment is brought to UTC. Positions
are longitude before latitude from here on (RFC 7946), while forms write latitude first.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from typing import Any, Literal

ColumnType = Literal["text", "integer", "decimal", "float", "date", "time", "moment", "json"]

#: What a moment written without a zone means: the province's clock.
LOCAL_TIME = timezone(timedelta(hours=7))
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
DECIMAL = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})")

Position = list[float]


def as_text(answer: str) -> str | None:
    """Return the answer; a NUL, which PostgreSQL can't hold, makes it none."""
    return None if "\0" in answer else answer


def as_integer(answer: str) -> str | None:
    """Return the digits of a whole number of at most 18 digits."""
    return answer if INTEGER.fullmatch(answer) else None


def as_decimal(answer: str) -> str | None:
    """Return a decimal number as it was written."""
    return answer if DECIMAL.fullmatch(answer) else None


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


TYPED: dict[ColumnType, Callable[[str], str | None]] = {
    "text": as_text,
    "integer": as_integer,
    "decimal": as_decimal,
    "date": as_date,
    "time": as_time,
    "moment": as_moment,
}


def position(answer: str) -> list[float]:
    """Return longitude, latitude and, as far as the answer has them, altitude and accuracy; empty if it is no point."""
    numbers = answer.split()
    if len(numbers) not in {2, 3, 4} or not all(DECIMAL.fullmatch(number) for number in numbers):
        return []
    latitude, longitude, *rest = (float(number) for number in numbers)
    if abs(latitude) > 90 or abs(longitude) > 180:
        return []
    return [longitude, latitude, *rest]


def geometry(question_type: str, answer: str) -> dict[str, Any] | None:
    """Return a trace or an outline as a GeoJSON geometry; outlines are closed and run counter-clockwise (RFC 7946)."""
    points = [position(part)[:2] for part in answer.strip().strip(";").split(";")]
    if not all(points):
        return None
    if question_type == "geotrace":
        return {"type": "LineString", "coordinates": points} if len(points) >= 2 else None
    ring = points if points[0] == points[-1] else [*points, points[0]]
    if len(ring) < 4:
        return None
    return {"type": "Polygon", "coordinates": [ring if _signed_area(ring) >= 0 else ring[::-1]]}


def _signed_area(ring: list[Position]) -> float:
    return sum(one[0] * other[1] - other[0] * one[1] for one, other in pairwise(ring)) / 2

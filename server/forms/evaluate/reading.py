"""Answers as expressions see them: in the lexical form that the phone's engine gives each type, else blank.

A decimal is read as 12.0 whether 12 or 12.00 was stored, a date without its time, a choice only while it is offered.
What has the wrong shape, as a record from elsewhere may, is blank.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from server.forms.evaluate import moments
from server.forms.evaluate.geometry import MAX_POINTS
from server.forms.evaluate.values import number_of_text

Read = Callable[[str], str]

_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)?")
_DATE_TIME = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_TIME}(?:[-+][0-9]{{2}}:[0-9]{{2}}|Z)?")
_TIME_OF_DAY = re.compile(rf"({_TIME})([-+][0-9]{{2}}:[0-9]{{2}}|Z)?")
_OFFSET = re.compile(r"[-+](?:0[0-9]|1[0-4]):[0-5][0-9]|Z")
_PLAIN_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,14}[1-9]|-?[1-9][0-9]{0,14}\.0|0\.0")
_SMALLEST = Decimal("1e-20")


def given_text(given: Any) -> str:
    """Return a leaf of the answers as one text: choices joined by spaces, "" for blank and for another shape."""
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        return " ".join(part for part in given if isinstance(part, str))
    return ""


def read_integer(text: str) -> str:
    """Return an integer of 32 bits, cut to a whole number."""
    number = number_of_text(text)
    if not text or not math.isfinite(number):
        return ""
    whole = math.trunc(number)
    return str(whole) if -(2**31) <= whole < 2**31 else ""


def read_decimal(text: str) -> str:
    """Return a decimal with at least one digit after its point."""
    if _PLAIN_DECIMAL.fullmatch(text):
        return text
    number = number_of_text(text)
    if not text or not math.isfinite(number):
        return ""
    return decimal_text(number)


def decimal_text(number: float) -> str:
    """Return a number with one to twenty digits after its point, no exponent."""
    exact = Decimal(repr(number))
    if exact.as_tuple().exponent < -20:  # type: ignore[operator]  # finite, so the exponent is a number
        exact = exact.quantize(_SMALLEST)
    whole, _, fraction = format(exact, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def read_date(text: str) -> str:
    """Return a day."""
    found = _DATE.fullmatch(text) if len(text) <= moments.MAX_LENGTH else None
    return found.group(1) if found and _is_time(f"{found.group(1)}T00:00:00") else ""


def read_date_time(text: str) -> str:
    """Return a moment as it stands, if it is one."""
    found = _DATE_TIME.fullmatch(text) if len(text) <= moments.MAX_LENGTH else None
    return text if found and _is_time(text) else ""


def read_time(text: str) -> str:
    """Return a time of day as it stands, if it is one."""
    found = _TIME_OF_DAY.fullmatch(text) if len(text) <= moments.MAX_LENGTH else None
    if found is None or (found.group(2) and not _OFFSET.fullmatch(found.group(2))):
        return ""
    return text if _is_time(f"1970-01-01T{found.group(1)}") else ""


def _is_time(text: str) -> bool:
    return moments.parse(text) is not None


def read_point(text: str) -> str:
    """Return a point, its numbers written as decimals."""
    point = _point(text)
    return "" if point is None else " ".join(decimal_text(number) for number in point)


def read_trace(text: str) -> str:
    """Return a line of two points or more that does not end where it begins."""
    points = _points(text)
    return _line(points) if points and len(points) >= 2 and points[0][:2] != points[-1][:2] else ""


def read_shape(text: str) -> str:
    """Return an outline of three points or more that ends where it begins."""
    points = _points(text)
    return _line(points) if points and len(points) >= 3 and points[0][:2] == points[-1][:2] else ""


def _line(points: list[list[float]]) -> str:
    return ";".join(" ".join(map(decimal_text, point)) for point in points)


def _points(text: str) -> list[list[float]] | None:
    parts = text.split(";") if text.count(";") < MAX_POINTS else [""]
    if not parts[-1].strip():
        parts.pop()
    points = [_point(part) for part in parts]
    return [point for point in points if point is not None] if points and None not in points else None


def _point(text: str) -> list[float] | None:
    numbers = [number_of_text(part) for part in text.split()]
    if len(numbers) < 2 or not all(map(math.isfinite, numbers[:4])):
        return None
    latitude, longitude = numbers[:2]
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None
    return numbers[:4]


def _as_it_is(text: str) -> str:
    return text


#: By the types of `FormSchema`; other types are read as they are.
READERS: dict[str, Read] = {
    "integer": read_integer,
    "decimal": read_decimal,
    "date": read_date,
    "time": read_time,
    "dateTime": read_date_time,
    "geopoint": read_point,
    "geotrace": read_trace,
    "geoshape": read_shape,
}


def reader_of(kind: str) -> Read:
    """Return how answers of a type are read."""
    return READERS.get(kind, _as_it_is)


def within(read: Read, start: str, end: str) -> Read:
    """Return a reader of numbers that has nothing outside the bounds of a range."""
    least, most = number_of_text(start), number_of_text(end)
    if math.isnan(least) or math.isnan(most):
        return read

    def read_within(text: str) -> str:
        kept = read(text)
        return kept if kept and least <= number_of_text(kept) <= most else ""

    return read_within

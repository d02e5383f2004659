"""Places in expressions: area, distance and what lies inside an outline, on the sphere that the phone's engine takes.

The formulas are JavaRosa's, so that a phone, ODK Collect and a server say the same hectares; maps and
exports measure more exactly elsewhere.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

EARTH_RADIUS_M = 6_378_100.0
Point = tuple[float, float]

_END = re.compile(r"(?:\s*;)+\Z")
_BETWEEN = re.compile(r"\s*;\s*")
MAX_POINTS = 20_000


def points_of(texts: Sequence[str]) -> list[Point] | None:
    """Return latitudes and longitudes: of one text that holds a line, or of several that hold a point each."""
    if not texts:
        return None
    parts: Sequence[str] = texts
    if len(texts) == 1:
        whole = texts[0].strip()
        parts = _BETWEEN.split(_END.sub("", whole)) if whole.count(";") < MAX_POINTS else ()
    points = [_point(part) for part in parts]
    known = [point for point in points if point is not None]
    return known if len(known) == len(points) and len(points) >= 2 else None


def area_m2(texts: Sequence[str]) -> float:
    """Return the area of an outline in square metres, to a hundredth; 0 for what is none."""
    points = points_of(texts)
    if points is None or len(points) < 3:
        return 0.0
    lines = list(pairwise(points))
    if points[0] != points[-1]:
        lines.append((points[-1], points[0]))
    total = 0.0
    for (latitude, longitude), (next_latitude, next_longitude) in lines:
        total += math.radians(next_longitude - longitude) * (
            2 + math.sin(math.radians(next_latitude)) + math.sin(math.radians(latitude))
        )
    return abs(_to_hundredths(total * EARTH_RADIUS_M * EARTH_RADIUS_M / 2))


def length_m(texts: Sequence[str]) -> float | None:
    """Return the length of a line in metres, to a hundredth; None for what is none."""
    points = points_of(texts)
    if points is None:
        return None
    total = 0.0
    for start, end in pairwise(points):
        total += _between(start, end)
    return abs(_to_hundredths(total))


def is_inside(point: str, outline: str) -> bool:
    """Say whether a point lies in a closed outline (by crossings of a ray)."""
    at = _point(point)
    points = points_of([outline])
    if at is None or points is None or points[0] != points[-1]:
        return False
    latitude, longitude = at
    inside = False
    for (start_latitude, start_longitude), (end_latitude, end_longitude) in pairwise(points):
        if (end_latitude > latitude) != (start_latitude > latitude):
            share = (latitude - end_latitude) / (start_latitude - end_latitude)
            if longitude < (start_longitude - end_longitude) * share + end_longitude:
                inside = not inside
    return inside


def _between(start: Point, end: Point) -> float:
    if start == end:
        # The engine's arc cosine may be of a little more than 1 here, and then the whole line has no length.
        return 0.0
    along = math.radians(start[1] - end[1])
    one, other = math.radians(start[0]), math.radians(end[0])
    cosine = math.sin(one) * math.sin(other) + math.cos(one) * math.cos(other) * math.cos(along)
    return math.acos(max(-1.0, min(1.0, cosine))) * EARTH_RADIUS_M


def _to_hundredths(value: float) -> float:
    return math.floor(value * 100 + 0.5) / 100 if math.isfinite(value) else value


def _point(text: str) -> Point | None:
    numbers = text.split()
    if not 2 <= len(numbers) <= 4:
        return None
    try:
        latitude, longitude = float(numbers[0]), float(numbers[1])
    except ValueError:
        return None
    # Written so that what is no number is refused too.
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None

"""Types of columns, and places as geometry.

Positions are longitude before latitude from here on (RFC 7946), while forms write latitude first.
"""

from itertools import pairwise
from typing import Any, Literal

from server.forms.answers.number_texts import is_decimal

ColumnType = Literal["text", "integer", "decimal", "float", "date", "time", "moment", "json"]

Position = list[float]


def position(answer: str) -> list[float]:
    """Return longitude, latitude and, as far as the answer has them, altitude and accuracy; empty if it is no point."""
    numbers = answer.split()
    if len(numbers) not in {2, 3, 4} or not all(map(is_decimal, numbers)):
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

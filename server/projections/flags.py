"""Quality flags that show a reviewer a doubtful record: place, time, files, constraints; never a reason to refuse it.

Everything is computed from the record, its form, the commune's representative point and what the media store holds;
the limits are settings, because how far a commune reaches and how well phones measure is not code's business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Any

from server.forms.answers.typed_values import typed
from server.forms.library import PublishedForm
from server.forms.schema import MEDIA_TYPES, Field

EARTH_RADIUS_M = 6_371_008.8
PLACE_TYPES = frozenset({"geopoint", "geotrace", "geoshape"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Where doubt begins."""

    outside_area_m: float
    poor_gps_m: float
    clock_ahead: timedelta = timedelta(minutes=10)
    clock_behind: timedelta = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Point:
    """A point in degrees (WGS 84)."""

    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Fix:
    """A point as a phone measured it; `accuracy_m` is None where the answer carries none, or was put on a map."""

    place: Point
    accuracy_m: float | None


def asked_values(fields: tuple[Field, ...], answers: Mapping[str, Any]) -> Iterator[tuple[Field, Any]]:
    """Give every leaf that has an answer, through groups and rows of repeats; what has another shape is passed over."""
    for field in fields:
        answer = answers.get(field.name)
        if field.kind == "leaf":
            if answer is not None:
                yield field, answer
        elif field.kind == "group" and isinstance(answer, dict):
            yield from asked_values(field.children, answer)
        elif field.kind == "repeat" and isinstance(answer, list):
            for row in answer:
                if isinstance(row, dict):
                    yield from asked_values(field.children, row)


def fixes(text: object) -> list[Fix]:
    """Return the points of a geopoint, geotrace or geoshape answer, "lat lon altitude accuracy; …"."""
    found = []
    for part in str(text).split(";"):
        numbers = part.split()
        try:
            latitude, longitude = float(numbers[0]), float(numbers[1])
            accuracy = float(numbers[3]) if len(numbers) > 3 else 0.0
        except (ValueError, IndexError):
            continue
        if not all(map(isfinite, (latitude, longitude, accuracy))):
            continue
        found.append(Fix(Point(longitude, latitude), accuracy if accuracy > 0 else None))
    return found


def distance_m(one: Point, other: Point) -> float:
    """Return the great-circle distance (haversine), exact to half a percent: enough to say "not in this commune"."""
    across = radians(other.latitude - one.latitude) / 2
    along = radians(other.longitude - one.longitude) / 2
    share = sin(across) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(share)))


def place_flags(values: list[tuple[Field, Any]], centre: Point | None, limits: Limits) -> set[str]:
    """Return `outside_area` and `poor_gps` where a point is too far from the commune or too inexact."""
    flags = set()
    for field, answer in values:
        if field.type not in PLACE_TYPES:
            continue
        for fix in fixes(answer):
            if centre is not None and distance_m(fix.place, centre) > limits.outside_area_m:
                flags.add("outside_area")
            # The corners of an outline are walked or tapped one by one; only a single point stands for a place.
            if field.type == "geopoint" and fix.accuracy_m is not None and fix.accuracy_m > limits.poor_gps_m:
                flags.add("poor_gps")
    return flags


def is_clock_suspect(recorded_at: str, received_at: datetime, limits: Limits) -> bool:
    """Whether the device's time can't be right beside the server's: in the future, long past, or no time at all."""
    try:
        recorded = datetime.fromisoformat(recorded_at)
    except ValueError:
        return True
    if recorded.tzinfo is None:
        return True
    return not received_at - limits.clock_behind <= recorded <= received_at + limits.clock_ahead


def constraint_flags(published: PublishedForm, answers: Mapping[str, Any], received_at: datetime) -> set[str]:
    """Return `constraint_broken` where an answer breaks its constraint, today being the day on which it was received.

    The app lets nobody finish so; two edits together can, and what other replicas bring is asked nothing.
    """
    return {"constraint_broken"} if published.evaluator.broken(answers, at=received_at) else set()


def calculation_flags(values: list[tuple[Field, Any]]) -> set[str]:
    """Return `calculation_unfit` where a calculation gave no value of its type, as a whole number of thirty digits.

    It is published as nothing.
    """
    calculated = (
        (field.value_type, answer)
        for field, answer in values
        if (field.is_calculated or field.is_once) and isinstance(answer, str) and answer
    )
    return {"calculation_unfit"} if any(typed(kind, answer) is None for kind, answer in calculated) else set()


def named_files(values: list[tuple[Field, Any]]) -> set[str]:
    """Return the names of the files that the answers mention."""
    # Of sound in the background the answer may say why there is none: a word, where files have an ending.
    files = ((field, str(answer)) for field, answer in values if field.type in MEDIA_TYPES)
    return {name for field, name in files if field.recorded != "sound" or "." in name}

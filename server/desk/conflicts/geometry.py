"""How the places that people recorded lie to each other: area, overlap, change and distance, for the eye of a person.

Measured in a plane laid at the middle of what is compared: the azimuthal equal-area projection (Lambert 1772; Snyder,
"Map Projections: A Working Manual", USGS 1987, p. 182) of the authalic sphere of WGS 84, with authalic latitudes, so
that areas are those of the ellipsoid. Tests hold areas of plots to 0.001 % and distances up to 9 km to 0.1 % of the
ellipsoid's; beside what GPS adds, that is nothing. Nothing here decides anything.

Outlines that cross themselves are measured as what they enclose when repaired, and said to be invalid. What repairing
and overlaying cost grows with the crossings, and a phone can send an outline that is nothing but crossings: beyond what
people walk, an outline has no area, and two have nothing in common that would be worth the wait.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from shapely import Geometry, LineString, Point, Polygon, STRtree, make_valid
from shapely.geometry import mapping

ShapeKind = Literal["point", "line", "outline"]
#: What a form's types mean on a map.
KINDS: dict[str, ShapeKind] = {"geopoint": "point", "geotrace": "line", "geoshape": "outline"}

#: How often an outline may cross itself, and two outlines each other, beyond corners that they share.
MOST_CROSSINGS = 200
MOST_CROSSINGS_OF_TWO = 5_000
#: How many pairs of sides may lie so near that they have to be looked at.
_MOST_NEAR = 200_000
_AT_ONCE = 64

_SEMI_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_E2 = _FLATTENING * (2 - _FLATTENING)
_E = math.sqrt(_E2)


@dataclass(frozen=True, slots=True)
class Vertex:
    """A point as a phone records it: degrees (WGS 84), and how uncertain it says that it is, in metres."""

    latitude: float
    longitude: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A recorded place; `vertices` are empty where what was recorded is none. `accuracy_m` is its worst point's."""

    kind: ShapeKind
    vertices: tuple[Vertex, ...]

    @property
    def accuracy_m(self) -> float | None:
        """Return the accuracy of the least accurate point; None where none says."""
        return max((each.accuracy_m for each in self.vertices if each.accuracy_m is not None), default=None)

    @property
    def geojson(self) -> dict[str, Any] | None:
        """Return the place as GeoJSON (RFC 7946, longitude first), exactly as it was recorded."""
        points = [(each.longitude, each.latitude) for each in self.vertices]
        return dict(mapping(_geometry(self.kind, points))) if points else None


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures of one place; None where its kind has no such measure, or an outline is all crossings."""

    area_m2: float | None
    length_m: float | None
    is_valid: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """How two places lie to each other; areas are of outlines. `overlap_percent` is the shared part of both together.

    Areas are None where one is no outline, or they cross too often.

    `distance_m` is between the nearest points: 0 where they touch.
    """

    overlap_m2: float | None
    overlap_percent: float | None
    only_a_m2: float | None
    only_b_m2: float | None
    union_m2: float | None
    distance_m: float


def read_shape(kind: ShapeKind, value: object) -> Shape:
    """Return what an answer records (`lat lon altitude accuracy; …`); without vertices where it cannot be read."""
    if not isinstance(value, str):
        return Shape(kind, ())
    points = [_vertex(part.split()) for part in value.strip().rstrip(";").split(";")] if value.strip() else []
    read = tuple(each for each in points if each is not None)
    enough = {"point": 1, "line": 2, "outline": 4}[kind]
    return Shape(kind, read if len(read) == len(points) and len(read) >= enough else ())


def measure(shape: Shape) -> Measured | None:
    """Return what a place measures; None of one that cannot be read."""
    if not shape.vertices:
        return None
    plane = Plane.around([shape])
    drawn = plane.drawn(shape)
    if shape.kind == "outline":
        whole = _repaired(drawn)
        if whole is None:
            return Measured(None, drawn.length, is_valid=False)
        return Measured(whole.area, whole.length, drawn.is_valid)
    return Measured(None, drawn.length if shape.kind == "line" else None, drawn.is_valid)


def compare(one: Shape, other: Shape) -> Compared | None:
    """Return how two places lie to each other; None where one cannot be read."""
    if not one.vertices or not other.vertices:
        return None
    plane = Plane.around([one, other])
    as_drawn = [plane.drawn(each) for each in (one, other)]
    a, b = (_repaired(each) for each in as_drawn)
    if one.kind != "outline" or other.kind != "outline" or a is None or b is None or _cross_too_often(*as_drawn):
        return Compared(None, None, None, None, None, as_drawn[0].distance(as_drawn[1]))
    distance_m = a.distance(b)
    shared, union = a.intersection(b).area, a.union(b).area
    percent = 100 * shared / union if union else 0.0
    return Compared(shared, percent, a.area - shared, b.area - shared, union, distance_m)


@dataclass(frozen=True, slots=True)
class Plane:
    """The equal-area plane around a middle, in metres."""

    longitude: float
    latitude: float

    @classmethod
    def around(cls, shapes: Sequence[Shape]) -> "Plane":
        """Return the plane around the middle of all vertices."""
        vertices = [each for shape in shapes for each in shape.vertices]
        # Longitudes from the first one, so that places on both sides of the 180th meridian lie together.
        first = vertices[0].longitude
        east = [_turn(each.longitude - first) for each in vertices]
        north = [each.latitude for each in vertices]
        return cls(first + (min(east) + max(east)) / 2, (min(north) + max(north)) / 2)

    def drawn(self, shape: Shape) -> Geometry:
        """Return the place in the plane."""
        return _geometry(shape.kind, [self.xy(each) for each in shape.vertices])

    def xy(self, vertex: Vertex) -> tuple[float, float]:
        """Return metres east and north of the middle."""
        middle, here = _authalic(self.latitude), _authalic(vertex.latitude)
        turn = math.radians(_turn(vertex.longitude - self.longitude))
        cos_distance = math.sin(middle) * math.sin(here) + math.cos(middle) * math.cos(here) * math.cos(turn)
        scale = math.sqrt(2 / max(1 + cos_distance, 1e-12))
        # Rescaled along the parallel of the middle, so that east and north are as long as on the ellipsoid there.
        phi = math.radians(self.latitude)
        root = math.sqrt(1 - _E2 * math.sin(phi) ** 2)
        stretch = (math.cos(phi) / root * _SEMI_MAJOR_M) / (_AUTHALIC_M * math.cos(middle)) if math.cos(middle) else 1.0
        x = _AUTHALIC_M * scale * math.cos(here) * math.sin(turn) * stretch
        y = math.cos(middle) * math.sin(here) - math.sin(middle) * math.cos(here) * math.cos(turn)
        return x, _AUTHALIC_M * scale * y / stretch


def _q(sine: float) -> float:
    return (1 - _E2) * (sine / (1 - (_E * sine) ** 2) - math.log((1 - _E * sine) / (1 + _E * sine)) / (2 * _E))


_POLE_Q = _q(1.0)
#: The radius of the sphere with the ellipsoid's surface.
_AUTHALIC_M = _SEMI_MAJOR_M * math.sqrt(_POLE_Q / 2)


def _authalic(latitude: float) -> float:
    """Return the authalic latitude, in radians: on the sphere of equal surface, areas stay what they are."""
    return math.asin(max(-1.0, min(1.0, _q(math.sin(math.radians(latitude))) / _POLE_Q)))


def _turn(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def _geometry(kind: ShapeKind, points: Sequence[tuple[float, float]]) -> Geometry:
    if kind == "point":
        return Point(points[0])
    return LineString(points) if kind == "line" else Polygon(points)


def _repaired(drawn: Geometry) -> Geometry | None:
    """Return a place without crossings; None of an outline with too many of them."""
    if drawn.is_valid:
        return drawn
    if isinstance(drawn, Polygon):
        sides = _sides(drawn)
        # Every side meets itself and its two neighbours, and each crossing is found from both of its sides.
        if _meet_oftener(sides, sides, 3 * len(sides) + 2 * MOST_CROSSINGS):
            return None
    return make_valid(drawn)


def _cross_too_often(one: Geometry, other: Geometry) -> bool:
    ours, theirs = _sides(one), _sides(other)
    # Of outlines that are alike every side meets three.
    return _meet_oftener(ours, theirs, 3 * max(len(ours), len(theirs)) + MOST_CROSSINGS_OF_TWO)


def _meet_oftener(ours: Sequence[LineString], theirs: Sequence[LineString], most: int) -> bool:
    """Whether more than `most` pairs of sides meet; counted only as far as that takes."""
    tree = STRtree(theirs)
    near = meeting = 0
    for start in range(0, len(ours), _AT_ONCE):
        some = ours[start : start + _AT_ONCE]
        near += tree.query(some).shape[1]
        if near > _MOST_NEAR:
            return True
        meeting += tree.query(some, predicate="intersects").shape[1]
        if meeting > most:
            return True
    return False


def _sides(drawn: Geometry) -> list[LineString]:
    if not isinstance(drawn, Polygon):
        return []
    return [LineString(each) for each in pairwise(drawn.exterior.coords)]


def _vertex(parts: list[str]) -> Vertex | None:
    try:
        latitude, longitude, *rest = (float(each) for each in parts)
    except ValueError:
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    # ODK writes latitude, longitude, altitude, accuracy; an accuracy of 0 means that a person tapped on a map.
    accuracy = rest[1] if len(rest) > 1 and rest[1] > 0 else None
    return Vertex(latitude, longitude, accuracy)

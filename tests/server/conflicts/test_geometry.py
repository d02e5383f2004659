"""What the desk says of two recorded places, against the ellipsoid's own measures."""

import math
import random
import time
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.desk.conflicts.geometry import Compared, Shape, compare, measure, read_shape

#: WGS 84.
A_M, F = 6_378_137.0, 1 / 298.257223563
B_M, E2 = A_M * (1 - F), F * (2 - F)
LATITUDE, LONGITUDE = 22.05, 103.25


def metres_of_a_degree(latitude: float) -> tuple[float, float]:
    """Return how long a degree of latitude and one of longitude are on the ellipsoid."""
    sine, cosine = math.sin(math.radians(latitude)), math.cos(math.radians(latitude))
    root = math.sqrt(1 - E2 * sine**2)
    return math.radians(A_M * (1 - E2) / root**3), math.radians(A_M * cosine / root)


def outline(*points: tuple[float, float]) -> Shape:
    return read_shape("outline", "; ".join(f"{lat!r} {lon!r} 600 4.5" for lat, lon in (*points, points[0])))


def square(north_m: float, east_m: float, side_m: float) -> Shape:
    """Return a square by its south-western corner, in metres from a middle."""
    north, east = metres_of_a_degree(LATITUDE)
    south_west = (LATITUDE + north_m / north, LONGITUDE + east_m / east)
    return cell(*south_west, side_m / north, side_m / east)


def cell(latitude: float, longitude: float, north: float, east: float) -> Shape:
    top, right = latitude + north, longitude + east
    return outline((latitude, longitude), (latitude, right), (top, right), (top, longitude))


def area_between(latitude: float, north: float, east: float) -> float:
    """Return the ellipsoid's surface between two parallels and two meridians, integrated over thin strips."""
    strips = 400
    total = 0.0
    for number in range(strips):
        high, wide = metres_of_a_degree(latitude + north * (number + 0.5) / strips)
        total += high * north / strips * wide * east
    return total


@given(st.floats(-65, 65), st.floats(-179, 178), st.floats(0.0002, 0.02), st.floats(0.0002, 0.02))
def test_areas_are_those_of_the_ellipsoid_anywhere(
    latitude: float, longitude: float, north: float, east: float
) -> None:
    measured = measure(cell(latitude, longitude, north, east))
    assert measured is not None
    assert measured.area_m2 == pytest.approx(area_between(latitude, north, east), rel=1e-5)


@given(st.floats(-65, 65), st.floats(-179, 178), st.floats(-0.06, 0.06), st.floats(-0.06, 0.06))
def test_distances_are_those_of_the_ellipsoid_to_one_in_a_thousand(
    latitude: float, longitude: float, north: float, east: float
) -> None:
    here, there = (f"{latitude!r} {longitude!r} 0 5", f"{latitude + north!r} {longitude + east!r} 0 5")
    found = compare(read_shape("point", here), read_shape("point", there))
    assert found is not None
    high, wide = metres_of_a_degree(latitude + north / 2)
    assert found.distance_m == pytest.approx(math.hypot(north * high, east * wide), rel=1e-3, abs=1e-3)


def compared(one: Shape, other: Shape) -> Compared:
    found = compare(one, other)
    assert found is not None
    return found


def test_two_outlines_tell_what_they_share_and_what_only_one_has() -> None:
    found = compared(square(0, 0, 100), square(0, 50, 100))
    assert found.overlap_m2 == pytest.approx(5000, rel=1e-3)
    assert found.overlap_percent == pytest.approx(100 / 3, rel=1e-3)
    assert found.only_a_m2 == pytest.approx(5000, rel=1e-3)
    assert found.only_b_m2 == pytest.approx(5000, rel=1e-3)
    assert found.union_m2 == pytest.approx(15_000, rel=1e-3)
    assert found.distance_m == 0


def test_outlines_apart_share_nothing_and_say_how_far_apart() -> None:
    found = compared(square(0, 0, 100), square(0, 400, 100))
    assert (found.overlap_m2, found.overlap_percent) == (0, 0)
    assert found.distance_m == pytest.approx(300, rel=1e-3)


def test_an_outline_that_crosses_itself_is_measured_and_said_to() -> None:
    bow = outline((22, 103), (22.001, 103.001), (22.001, 103), (22, 103.001))
    measured = measure(bow)
    assert measured is not None
    assert not measured.is_valid
    # Two triangles that meet in the middle: half of the square around them.
    assert measured.area_m2 == pytest.approx(area_between(22, 0.001, 0.001) / 2, rel=1e-3)
    assert compared(bow, square(0, 0, 100)).overlap_m2 == 0


def test_a_point_tells_its_accuracy_and_a_tapped_one_none() -> None:
    assert read_shape("point", "22.05 103.25 600 4.5").accuracy_m == 4.5
    assert read_shape("point", "22.05 103.25 0 0").accuracy_m is None
    assert read_shape("line", "22.05 103.25 600 4.5; 22.06 103.25 600 12").accuracy_m == 12


def test_geojson_has_longitude_first_and_every_digit() -> None:
    assert read_shape("point", "22.0500001 103.2500002").geojson == {
        "type": "Point",
        "coordinates": (103.2500002, 22.0500001),
    }


@pytest.mark.parametrize("value", [None, "", "x y", "22", "95 103", "22 103; 22 104", ["22 103"], "nan nan"])
def test_what_is_no_outline_is_left_out_instead_of_guessed(value: object) -> None:
    shape = read_shape("outline", value)
    assert (shape.vertices, shape.geojson, measure(shape), compare(shape, square(0, 0, 9))) == ((), None, None, None)


def test_places_on_both_sides_of_the_antimeridian_lie_together() -> None:
    found = compared(read_shape("point", "0 179.9999"), read_shape("point", "0 -179.9999"))
    assert found.distance_m == pytest.approx(0.0002 * math.pi / 180 * A_M, rel=1e-3)


def tangle(corners: int, seed: int) -> Shape:
    """Return an outline that is nothing but crossings."""
    rolled = random.Random(seed)
    points = [f"{22 + rolled.random() * 0.01} {103 + rolled.random() * 0.01} 0 0" for _ in range(corners)]
    return read_shape("outline", ";".join([*points, points[0]]))


def comb(teeth: int, *, is_turned: bool) -> Shape:
    """Return a valid outline with teeth that cross those of the one that is turned, all of them."""
    points = [(0.0, 0.0)]
    for number in range(teeth):
        at = number / teeth
        points += [(at, 1.0), (at + 0.5 / teeth, 1.0), (at + 0.5 / teeth, 0.1), (at + 1 / teeth, 0.1)]
    points += [(1.0, 0.0), (0.0, 0.0)]
    degrees = [(22 + y * 0.01, 103 + x * 0.01) if is_turned else (22 + x * 0.01, 103 + y * 0.01) for x, y in points]
    return read_shape("outline", ";".join(f"{lat} {lon} 0 0" for lat, lon in degrees))


def test_an_outline_that_is_all_crossings_has_no_area_and_costs_next_to_nothing() -> None:
    sides = [tangle(150, seed) for seed in range(4)]
    began = time.process_time()
    measured = [measure(each) for each in sides]
    compared = [compare(one, other) for one, other in combinations(sides, 2)]
    # Repairing one pair of them takes seconds.
    assert time.process_time() - began < 1
    assert {(each.area_m2, each.is_valid) for each in measured if each} == {(None, False)}
    assert {(each.overlap_m2, each.distance_m) for each in compared if each} == {(None, 0.0)}


def test_valid_outlines_that_cross_each_other_everywhere_are_not_laid_over_each_other() -> None:
    one, other = comb(200, is_turned=False), comb(200, is_turned=True)
    assert [each.is_valid for each in (measure(one), measure(other)) if each] == [True, True]
    began = time.process_time()
    found = compare(one, other)
    assert time.process_time() - began < 1
    assert found is not None
    assert (found.overlap_m2, found.distance_m) == (None, 0.0)


def test_outlines_of_thousands_of_corners_as_people_walk_them_are_measured() -> None:
    def walked(seed: int) -> Shape:
        rolled = random.Random(seed)
        turns = [2 * math.pi * number / 3000 for number in range(3000)]
        far = [0.005 + rolled.random() * 0.00001 for _ in turns]
        points = [f"{22 + r * math.sin(t)} {103 + r * math.cos(t)} 0 4" for r, t in zip(far, turns, strict=True)]
        return read_shape("outline", ";".join([*points, points[0]]))

    found = compare(walked(1), walked(2))
    assert found is not None
    assert found.overlap_percent == pytest.approx(99.8, abs=0.3)

"""The places of a question, measured for its page: each candidate's, the base, and how they lie to each other."""

from collections.abc import Sequence
from itertools import combinations

from server.desk.conflicts.geometry import KINDS, Measured, Shape, compare, measure, read_shape
from server.desk.conflicts.page_schemas import DrawnShape, GeoJson, PlaceComparison, ShapePair

#: Pairs grow with the square of the candidates, and nobody looks at more.
MOST_COMPARED = 6


def compare_places(kind: str, sides: Sequence[tuple[str | None, object]]) -> PlaceComparison | None:
    """Return the places of (revision, value), the base (None) first where there is one; None of what is no place."""
    if kind not in KINDS:
        return None
    shapes = [(rev, read_shape(KINDS[kind], value)) for rev, value in sides]
    base = next((measure(shape) for rev, shape in shapes if rev is None), None)
    pairs = combinations(shapes[:MOST_COMPARED], 2)
    return PlaceComparison(
        kind=KINDS[kind],
        shapes=[_drawn_shape(rev, shape, base) for rev, shape in shapes],
        pairs=[
            pair for (a, one), (b, other) in pairs if b is not None and (pair := _pair(a, one, b, other)) is not None
        ],
    )


def more_accurate(sides: Sequence[tuple[str, object]]) -> str | None:
    """Return the revision whose point says that it is more accurate than the first one's, the best of them."""
    accuracies = [(read_shape("point", value).accuracy_m, rev) for rev, value in sides]
    known = [(accuracy, position, rev) for position, (accuracy, rev) in enumerate(accuracies) if accuracy is not None]
    if not known:
        return None
    _, position, rev = min(known)
    return rev if position > 0 else None


def _drawn_shape(rev: str | None, shape: Shape, base: Measured | None) -> DrawnShape:
    measured = measure(shape)
    area = measured.area_m2 if measured else None
    was = base.area_m2 if base and rev is not None else None
    change = None if area is None or was is None else area - was
    return DrawnShape(
        rev=rev,
        geojson=GeoJson.model_validate(shape.geojson) if shape.geojson else None,
        area_m2=area,
        length_m=measured.length_m if measured else None,
        accuracy_m=shape.accuracy_m,
        change_m2=change,
        change_percent=None if change is None or not was else 100 * change / was,
        vertices=len(shape.vertices),
        is_valid=measured is not None and measured.is_valid,
    )


def _pair(a: str | None, one: Shape, b: str, other: Shape) -> ShapePair | None:
    found = compare(one, other)
    if found is None:
        return None
    return ShapePair(
        a=a,
        b=b,
        overlap_m2=found.overlap_m2,
        overlap_percent=found.overlap_percent,
        only_a_m2=found.only_a_m2,
        only_b_m2=found.only_b_m2,
        union_m2=found.union_m2,
        distance_m=found.distance_m,
    )

"""Choice lists in GeoJSON files: one choice a feature, its values by name as the phone's engine reads them.

The engine takes points, lines and outlines of two numbers a corner, and stops at anything else. So heights and holes,
which it would not use, are left out when a form is published, and what it cannot read is told to the author.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.forms.evaluate.values import text_of_number

ENDING: Final = ".geojson"
#: By the type of a geometry: how deep its corners lie.
_DEPTHS: Final = {"Point": 0, "LineString": 1, "Polygon": 2}
#: What Python raises over a feature that is built otherwise than its type says.
_ODD: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)


class NotGeoJson(ValueError):
    """The file is no list of features; `feature` is the one that cannot be read, from 1 on, or None."""

    def __init__(self, feature: int | None = None) -> None:
        """Keep which feature it is."""
        super().__init__("not GeoJSON")
        self.feature = feature


def clean_geojson(data: bytes) -> bytes:
    """Return the list as the phone's engine takes it; raise `NotGeoJson`."""
    features = []
    for number, feature in enumerate(_features(data), start=1):
        try:
            kept = {key: feature[key] for key in ("id", "properties") if key in feature}
            geometry = _plain_geometry(feature["geometry"])
        except _ODD as failure:
            raise NotGeoJson(number) from failure
        if not isinstance(kept.get("id", ""), str | int | float) or not isinstance(kept.get("properties"), dict | None):
            raise NotGeoJson(number)
        features.append({"type": "Feature", **kept, "geometry": geometry})
    whole = {"type": "FeatureCollection", "features": features}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def geojson_entries(data: bytes) -> list[dict[str, str]]:
    """Return the values of each feature by name; raise `NotGeoJson`."""
    entries = []
    for number, feature in enumerate(_features(data), start=1):
        try:
            entries.append(_entry(feature))
        except _ODD as failure:
            raise NotGeoJson(number) from failure
    return entries


def _features(data: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as failure:
        raise NotGeoJson from failure
    features = whole.get("features") if isinstance(whole, dict) and whole.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        raise NotGeoJson
    for number, feature in enumerate(features, start=1):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise NotGeoJson(number)
    return features


def _plain_geometry(geometry: Mapping[str, Any]) -> dict[str, Any]:
    depth = _DEPTHS[geometry["type"]]
    coordinates = geometry["coordinates"]
    if depth == 2:
        return {"type": "Polygon", "coordinates": [[_corner(each) for each in ring] for ring in coordinates[:1]]}
    corners = _corner(coordinates) if depth == 0 else [_corner(each) for each in coordinates]
    return {"type": geometry["type"], "coordinates": corners}


def _corner(numbers: Sequence[Any]) -> list[float]:
    longitude, latitude = numbers[:2]
    if not all(type(each) in (int, float) for each in (longitude, latitude)):
        raise TypeError("a corner is two numbers")
    return [longitude, latitude]


def _entry(feature: Mapping[str, Any]) -> dict[str, str]:
    geometry = feature["geometry"]
    depth = _DEPTHS[geometry["type"]]
    coordinates = geometry["coordinates"]
    corners = [coordinates] if depth == 0 else coordinates if depth == 1 else (coordinates or [[]])[0]
    entry = {"geometry": "; ".join(f"{_text(latitude)} {_text(longitude)} 0 0" for longitude, latitude, *_ in corners)}
    properties = dict(feature.get("properties") or {})
    own_id = properties.pop("id", None)
    if "id" in feature:
        entry["id"] = _text(feature["id"])
    elif "id" in (feature.get("properties") or {}):
        entry["id"] = _text(own_id)
    for name, value in properties.items():
        entry.setdefault(name, _text(value))
    return entry


def _text(value: Any) -> str:
    """Return a JSON value as JavaScript writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return text_of_number(float(value))
        case list():
            return ",".join("" if each is None else _text(each) for each in value)
        case dict():
            return "[object Object]"
        case _:
            return str(value)

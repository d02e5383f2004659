"""Approved records as GeoJSON (RFC 7946, WGS 84), written piece by piece so that size costs no memory.

A feature's geometry is the first outline that the form asks for and the record has, else its first trace, else its
first point; places in rows of repeats stay with their rows. Every answer is a property with its own type, places too.
Sensitive answers are left out unless whoever asks is entitled to them, places among them.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from server.platform.db.engine import Storage
from server.publish.columns import ROW_ID, Column, Table
from server.publish.tables import published

PAGE = 500
OPENING = b'{"type":"FeatureCollection","features":['
CLOSING = b"]}\n"
POINT_PARTS = ("longitude", "latitude", "altitude")
ALL_PARTS = frozenset({*POINT_PARTS, "accuracy"})


@dataclass(frozen=True, slots=True)
class PublishedSelection:
    """The approved records of one form in the scopes that whoever asks may read."""

    form: str
    databases: tuple[str, ...]
    with_sensitive: bool


async def feature_collection(storage: Storage, table: Table, wanted: PublishedSelection) -> AsyncIterator[bytes]:
    """Give the collection's bytes, a page of records at a time: each page is one short look at the database."""
    yield OPENING
    after: tuple[str, str] | None = None
    while True:
        async with storage.read() as connection:
            rows = await _page(connection, wanted, after)
        if rows:
            texts = [_encode(feature(table, row, with_sensitive=wanted.with_sensitive)) for row in rows]
            yield (b",\n" if after else b"\n") + b",\n".join(texts)
            after = rows[-1]["database"], rows[-1]["record"]
        if len(rows) < PAGE:
            yield CLOSING
            return


def feature(table: Table, row: RowMapping, *, with_sensitive: bool) -> dict[str, Any]:
    """Return one record as a GeoJSON feature."""
    data = row["data"]
    columns = [each for each in table.columns if with_sensitive or not each.is_sensitive]
    properties: dict[str, Any] = {
        "revision": row["rev"],
        "form_version": row["form_version"],
        "project": row["project"],
        "unit": row["unit"],
        "approved_by": row["approved_by_name"],
        "approved_at": row["approved_at"].isoformat() if row["approved_at"] else None,
        **_cells(table, data, with_sensitive=with_sensitive),
    }
    return {"type": "Feature", "id": row["record"], "geometry": _geometry(columns, data), "properties": properties}


async def _page(
    connection: AsyncConnection, wanted: PublishedSelection, after: tuple[str, str] | None
) -> Sequence[RowMapping]:
    query = select(published).where(published.c.form == wanted.form, published.c.database.in_(wanted.databases))
    key = (published.c.database, published.c.record)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    return (await connection.execute(query.order_by(*key).limit(PAGE))).mappings().all()


def _cells(table: Table, data: Mapping[str, Any], *, with_sensitive: bool) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for item in table.items:
        if item.is_sensitive and not with_sensitive:
            continue
        value = data.get(item.name)
        if isinstance(item, Table):
            rows = value if isinstance(value, list) else []
            cells[item.name] = [
                {"row_id": each.get(ROW_ID), **_cells(item, each, with_sensitive=with_sensitive)} for each in rows
            ]
        # The list of codes says what the text of codes says; a place stands in the geometry, and as numbers here.
        elif not (item.part == "" and item.question_type in {"select_multiple", "rank"}):
            cells[item.name] = _number(item, value)
    return cells


def _number(column: Column, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match column.type:
        case "integer":
            return int(value)
        case "decimal":
            return float(value)
        case _:
            return value


def _geometry(columns: Sequence[Column], data: Mapping[str, Any]) -> dict[str, Any] | None:
    for kind in ("geoshape", "geotrace"):
        for column in columns:
            value = data.get(column.name) if column.question_type == kind else None
            if isinstance(value, dict):
                return value
    return _first_point(columns, data)


def _first_point(columns: Iterable[Column], data: Mapping[str, Any]) -> dict[str, Any] | None:
    points: dict[str, dict[str, float]] = {}
    for column in columns:
        value = data.get(column.name)
        if column.part in ALL_PARTS and value is not None:
            points.setdefault(column.path, {})[column.part] = value
        if column.part == "accuracy" and column.path in points:
            found = points[column.path]
            return {"type": "Point", "coordinates": [found[part] for part in POINT_PARTS if part in found]}
    return None


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

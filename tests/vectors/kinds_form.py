"""The form of `forms/kinds.xml`: kinds of questions and appearances that authors bring, once each, as a spreadsheet.

Its vector is what publishing makes of it, so that the app's tests fill what the server would have published.
"""

import json
from typing import Any

from server.forms.conversion.xlsform import Upload, convert_upload
from tests.workbooks import EN, VI, question, with_sheet, xlsform

END_GROUP = {"type": "end_group", "name": ""}
STATIONS: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": 7,
            "properties": {"title": "Trạm Mường Phăng", "kind": "rain", "height_m": 900.0, "is_open": True},
            "geometry": {"type": "Point", "coordinates": [103.15, 21.45, 900]},
        },
        {
            "type": "Feature",
            "properties": {"id": "pa_khoang", "title": "Hồ Pá Khoang", "kind": "water", "height_m": 0.5, "note": None},
            "geometry": {"type": "LineString", "coordinates": [[103.1, 21.4], [103.11, 21.41]]},
        },
        {
            "type": "Feature",
            "properties": {"id": "rung", "title": "Rừng đặc dụng", "kind": "rain", "is_open": False},
            "geometry": {"type": "Polygon", "coordinates": [[[103, 21], [103.1, 21], [103.1, 21.1], [103, 21]]]},
        },
    ],
}
LISTS = {"stations.geojson": json.dumps(STATIONS, ensure_ascii=False).encode()}
FILES = {**LISTS, "thẻ.png": b"\x89PNG\r\n", "tag.mp3": b"ID3"}
SURVEY = (
    question("barcode", "tag", constraint="regex(., '[A-Z]{2}-[0-9]{4}')", constraint_message="Hai chữ, bốn số.")
    | {"media::image::Tiếng Việt (vi)": "thẻ.png", "media::big-image": "big.png", "media::audio": "tag.mp3"},
    question("date", "planted", appearance="month-year"),
    question("date", "built", appearance="year", constraint=". <= today()"),
    question("calculate", "since", calculation="format-date(${planted}, '%m/%Y')"),
    question("calculate", "built_year", calculation="format-date(${built}, '%Y')"),
    question("begin_group", "table", appearance="table-list"),
    question("select_one level", "noise", required="yes"),
    question("select_one level", "dust"),
    END_GROUP,
    question("begin_group", "head", appearance="field-list"),
    question("select_one level", "levels", appearance="label"),
    question("select_one level", "heat", appearance="list-nolabel"),
    END_GROUP,
    question("select_one level", "kind_of", appearance="minimal"),
    question("select_one_external village", "village", choice_filter="level=${kind_of}"),
    question("select_one_from_file stations.geojson", "station", appearance="map"),
    question("select_multiple_from_file stations.geojson", "rain", choice_filter="kind='rain' and is_open != 'false'"),
    question("image", "sign", appearance="signature", required="yes"),
    question("image", "sketch", appearance="annotate"),
    question("calculate", "height", calculation="instance('stations')/root/item[id=${station}]/height_m * 2"),
    question("calculate", "where", calculation="instance('stations')/root/item[id=${station}]/geometry"),
    question("calculate", "station_title", calculation="jr:choice-name(${station}, '${station}')"),
)
LEVELS = (("level", "low", "Thấp", "Low"), ("level", "high", "Cao", "High"))
VILLAGES = (
    ("list_name", "name", VI, EN, "level"),
    ("village", "hau_chua", "Hấu Chua", "Hau Chua", "low"),
    ("village", "na_vai", "Na Vai", "Na Vai", "high"),
)


def kinds_workbook() -> bytes:
    """Return the spreadsheet."""
    data = xlsform(SURVEY, LEVELS, form_id="kinds", form_title="Các kiểu", title_vi="Các kiểu", title_en="Kinds")
    return with_sheet(data, "external_choices", VILLAGES)


def kinds_form() -> bytes:
    """Return the form as it is published; raise ValueError with what keeps it from that."""
    conversion = convert_upload(Upload(kinds_workbook(), FILES))
    if conversion.form is None:
        raise ValueError([finding.message for finding in conversion.findings])
    return conversion.form.xform

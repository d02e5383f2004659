"""Kinds of questions that authors bring from elsewhere: each goes live, is kept, and is published as what it is."""

import json
import re
from typing import Any

import pytest

from server.forms.answers.record_answers import check
from server.forms.authoring.proposals import EVERYTHING, Acceptance
from server.forms.conversion.xlsform import Conversion, Upload, convert_upload
from server.forms.schema import FormSchema
from server.forms.versions.candidates import FormCandidate
from server.forms.versions.catalog import form_document
from server.publish.columns import layout, row
from tests.vectors.kinds_form import FILES, STATIONS, kinds_form, kinds_workbook
from tests.vectors.make_evaluate import xform
from tests.workbooks import EN, GOOD, SETTINGS, VI, Cells, question, with_sheet, xlsform

KINDS = FormSchema.parse(xform("kinds"))
EXTERNAL = ("list_name", "name", VI, EN, "region")
POINT = {"type": "Point", "coordinates": [103.1, 21.4]}


def told(conversion: Conversion) -> list[tuple[str, str | None, int | None]]:
    return [(found.code, found.sheet, found.row) for found in conversion.findings]


def external(*rows: Cells, asked: str = "village") -> Conversion:
    survey = [*GOOD, question(f"select_one_external {asked}", "v", choice_filter="region=${has_land}")]
    return convert_upload(Upload(with_sheet(xlsform(survey), "external_choices", [EXTERNAL, *rows])))


def mapped(*features: dict[str, Any] | str, name: str = "a.geojson") -> Conversion:
    data = json.dumps({"type": "FeatureCollection", "features": [*features]}).encode()
    survey = [*GOOD, question(f"select_one_from_file {name}", "place")]
    return convert_upload(Upload(xlsform(survey), {name: data}))


def test_every_kind_goes_live_with_at_most_a_word() -> None:
    found = convert_upload(Upload(kinds_workbook(), FILES)).findings
    assert {each.code for each in found} == {"appearance_otherwise", "translation_missing"}
    assert kinds_form() == xform("kinds"), "make it anew: python -m tests.vectors.make_evaluate"


def test_every_kind_is_published_as_what_it_is() -> None:
    answers = {
        "tag": "AB-0001",
        "planted": "2024-03-01",
        "built": "1999-01-01",
        "table": {"noise": "low", "dust": None},
        "village": "na_vai",
        "station": "7",
        "rain": ["7", "rung"],
        "sign": "sign-1.png",
    }
    assert check(KINDS, answers) == []
    table = layout("kinds", [KINDS])
    types = {column.name: column.type for column in table.columns}
    assert {name: types[name] for name in ("tag", "planted", "built", "village", "station")} == {
        "tag": "text",
        "planted": "date",
        "built": "date",
        "village": "text",
        "station": "text",
    }
    assert row(table, KINDS.fields, answers, {"sign-1.png": {"sha256": "ab", "bytes": "3", "type": "image/png"}}) == {
        "tag": "AB-0001",
        "planted": "2024-03-01",
        "built": "1999-01-01",
        "table_noise": "low",
        "village": "na_vai",
        "station": "7",
        "rain": "7 rung",
        "rain_list": ["7", "rung"],
        "sign": "sign-1.png",
        "sign_sha256": "ab",
    }


def test_what_a_label_shows_goes_with_the_form() -> None:
    conversion = convert_upload(Upload(kinds_workbook(), FILES))
    assert conversion.form is not None
    assert set(conversion.form.lists) == {"stations.geojson", "thẻ.png", "tag.mp3"}
    assert b"big.png" not in conversion.form.xform
    candidate = FormCandidate(
        "", "agri", "kinds", "1", {}, [], "x", "y", dict.fromkeys(conversion.form.lists, "sha"), conversion.form.points
    )
    document = form_document(candidate, "live")
    assert (document["lists"], document["media"]) == (
        {"stations.geojson": "sha"},
        {"thẻ.png": "sha", "tag.mp3": "sha"},
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, [("media_missing", "survey", 7)]),
        ({"a.svg": b"<svg/>"}, [("media_missing", "survey", 7), ("list_unused", None, None)]),
        ({"a.png": b"x" * 1_000_001}, [("media_too_large", None, None)]),
        ({"a.png": b"x"}, []),
    ],
)
def test_a_file_that_a_label_shows_must_come_and_be_small(files: dict[str, bytes], expected: list[Any]) -> None:
    survey = [*GOOD, question("note", "n") | {"media::image": "a.png"}]
    assert sorted(told(convert_upload(Upload(xlsform(survey), files)))) == sorted(expected)


def test_a_label_shows_no_file_that_may_hold_scripts() -> None:
    survey = [*GOOD, question("note", "n") | {"media::image": "a.svg"}]
    assert told(convert_upload(Upload(xlsform(survey), {"a.svg": b"<svg/>"}))) == [("media_kind", None, None)]


def test_external_choices_are_a_plain_list_in_every_language() -> None:
    conversion = external(("village", "a", "Bản A", "Village A", "yes"), ("village", "b", "Bản B", "Village B", "no"))
    assert told(conversion) == []
    assert conversion.form is not None
    field = conversion.form.schema.by_path["/v"]
    assert [(each.value, each.labels) for each in field.choices] == [
        ("a", {"vi": "Bản A", "en": "Village A"}),
        ("b", {"vi": "Bản B", "en": "Village B"}),
    ]


def test_a_mistake_among_external_choices_is_told_where_it_stands() -> None:
    rows = [("yes_no", "a b", "Bản A", "Village A", "yes"), ("yes_no", "c", "Bản C", "Village C", "no")]
    conversion = external(*rows, asked="yes_no")
    assert told(conversion) == [("choice_spaces", "external_choices", 2)]
    accepted = convert_upload(Upload(with_sheet(xlsform(GOOD), "external_choices", [("list_name", "name"), *rows])))
    assert accepted.form is not None


def test_external_choices_that_are_too_many_go_beside_the_form() -> None:
    rows = [("village", f"v{number}", f"Bản {number}", f"Village {number}", "yes") for number in range(1_001)]
    conversion = external(*rows)
    assert told(conversion) == [("external_one_language", "external_choices", None)]
    assert conversion.form is not None
    assert conversion.form.schema.by_path["/v"].list_file == "village.csv"
    lines = conversion.form.lists["village.csv"].decode().splitlines()
    assert (lines[0], lines[1], len(lines)) == ("name,label,region", "v0,Bản 0,yes", 1_002)


def test_external_choices_without_their_sheet_are_told() -> None:
    survey = [*GOOD, question("select_one_external villages", "v", choice_filter="a=b")]
    assert "error" in {found.severity for found in convert_upload(Upload(xlsform(survey))).findings}


def test_a_map_is_kept_as_the_phone_reads_it() -> None:
    conversion = convert_upload(Upload(kinds_workbook(), FILES))
    assert conversion.form is not None
    features = json.loads(conversion.form.lists["stations.geojson"])["features"]
    assert [feature["properties"] for feature in features] == [each["properties"] for each in STATIONS["features"]]
    # Its engine stops at a height.
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [103.15, 21.45]}


@pytest.mark.parametrize(
    ("feature", "code"),
    [
        ("x", "feature_unreadable"),
        ({"type": "Feature", "properties": {"id": "b", "title": "B"}}, "feature_unreadable"),
        ({"type": "Feature", "id": "b", "properties": {"title": "B"}, "geometry": None}, "feature_unreadable"),
        (
            {"type": "Feature", "id": "b", "properties": {"title": "B"}, "geometry": {**POINT, "type": "MultiPoint"}},
            "feature_unreadable",
        ),
        ({"type": "Feature", "id": ["b"], "properties": {"title": "B"}, "geometry": POINT}, "feature_unreadable"),
        ({"type": "Feature", "id": "b", "properties": None, "geometry": POINT}, "feature_lacks"),
        ({"type": "Feature", "properties": {"title": "B"}, "geometry": POINT}, "feature_lacks"),
        ({"type": "Feature", "id": "b c", "properties": {"title": "B"}, "geometry": POINT}, "file_code_spaces"),
        ({"type": "Feature", "id": "a", "properties": {"title": "B"}, "geometry": POINT}, "file_code_twice"),
    ],
)
def test_a_feature_that_nobody_could_choose_is_named(feature: Any, code: str) -> None:
    good = {"type": "Feature", "id": "a", "properties": {"title": "A"}, "geometry": POINT}
    assert told(mapped(good)) == []
    assert told(mapped(good, feature)) == [(code, "a.geojson", 2)]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"type": "FeatureCollection"}', b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_map_is_refused(data: bytes) -> None:
    survey = [*GOOD, question("select_one_from_file a.geojson", "place")]
    assert told(convert_upload(Upload(xlsform(survey), {"a.geojson": data}))) == [("geojson_unreadable", None, None)]


@pytest.mark.parametrize(
    ("choice_filter", "expected"),
    [("commune=${head_name}", []), ("district=${head_name}", [("column_unknown", "survey", 7)])],
)
def test_a_filter_over_a_file_names_the_columns_of_the_file(choice_filter: str, expected: list[Any]) -> None:
    survey = [*GOOD, question("select_one_from_file villages.csv", "v", choice_filter=choice_filter)]
    lists = {"villages.csv": b"name,label,commune\na,A,x\n"}
    assert told(convert_upload(Upload(xlsform(survey), lists))) == expected


def test_the_head_of_a_table_may_not_be_required() -> None:
    survey = [*GOOD, question("select_one yes_no", "b", appearance="label", required="yes")]
    (found,) = convert_upload(Upload(xlsform(survey))).findings
    assert (found.code, found.proposal and found.proposal.changes[0].after) == ("appearance_label", "")


@pytest.mark.parametrize(
    ("appearance", "default", "after"),
    [("month-year", "2024-03", "2024-03-01"), ("year", "2024", "2024-01-01"), ("year", "2024-13", None)],
)
def test_a_month_or_a_year_by_default_is_its_first_day(appearance: str, default: str, after: str | None) -> None:
    survey = [*GOOD, question("date", "b", appearance=appearance, default=default)]
    (found,) = convert_upload(Upload(xlsform(survey))).findings
    assert found.code == "default_unfit"
    assert (found.proposal.changes[0].after if found.proposal else None) == after


def test_attributes_and_namespaces_that_the_phone_cannot_keep_are_left_out() -> None:
    survey = [*GOOD, question("text", "b") | {"compact_tag": "+b", "instance::odk:length": "9"}]
    data = xlsform(survey, settings=SETTINGS | {"instance_xmlns": "1234"})
    conversion = convert_upload(Upload(data, accepts=Acceptance.of([EVERYTHING])))
    assert told(conversion) == [("attribute_unread", "survey", 7)]
    assert [change.before for proposal in conversion.accepted for change in proposal.changes] == ["1234"]
    assert conversion.form is not None
    assert not re.search(rb":tag|:length|1234", conversion.form.xform)

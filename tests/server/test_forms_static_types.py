"""What a calculation gives is told from its expression and the questions that it reads, never from answers."""

from pathlib import Path

import pytest

from server.forms.evaluate.static_types import static_types
from server.forms.schema import FormSchema
from tests.surveys import survey

FORMS = Path(__file__).parents[1] / "vectors" / "forms"
QUESTIONS = {
    "/data/count": "integer",
    "/data/area": "decimal",
    "/data/day": "date",
    "/data/name": "text",
    "/data/kind": "select_one",
    "/data/place": "geopoint",
    "/data/row/kg": "decimal",
    "/data/row/trees": "integer",
}


def type_of(expression: str, node: str = "/data/row/made") -> str:
    return static_types({node: expression}, QUESTIONS)[node]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("/data/count + 1", "integer"),
        ("-/data/count", "integer"),
        ("/data/count * 2 - 3 mod 2", "integer"),
        ("/data/count + 0.5", "decimal"),
        ("/data/count div 2", "decimal"),
        ("/data/name + 1", "decimal"),
        ("(/data/kind = 'a') + (/data/kind = 'b')", "integer"),
        ("count(/data/row)", "integer"),
        ("sum(/data/row/trees)", "integer"),
        ("sum(/data/row/trees[. != ''])", "integer"),
        ("sum(/data/row/kg)", "decimal"),
        ("sum(../trees)", "integer"),
        ("max(/data/row/trees)", "integer"),
        ("max(/data/count, /data/area)", "decimal"),
        ("round(/data/area)", "integer"),
        ("round(/data/area, 0)", "integer"),
        ("round(/data/area, -2)", "integer"),
        ("round(/data/area, 2)", "decimal"),
        ("int(/data/area)", "integer"),
        ("number(/data/count)", "integer"),
        ("number(/data/name)", "decimal"),
        ("area(/data/place)", "decimal"),
        ("pow(2, 3)", "decimal"),
        ("string-length(/data/name)", "integer"),
        ("if(/data/area > 0, round(/data/area, 2), '')", "decimal"),
        ("if(/data/area > 0, 1, 0)", "integer"),
        ("if(/data/area > 0, 1, 0.5)", "decimal"),
        ("if(/data/area > 0, 1, 'none')", "text"),
        ("once(/data/area * 2)", "decimal"),
        ("once(today())", "date"),
        ("once(now())", "dateTime"),
        ("coalesce(/data/count, 0)", "integer"),
        ("coalesce(/data/name, 0)", "text"),
        ("date('2026-11-21')", "date"),
        ("format-date(/data/day, '%Y')", "text"),
        ("/data/day", "date"),
        ("../kg", "decimal"),
        ("current()/../kg", "decimal"),
        ("indexed-repeat(/data/row/trees, /data/row, 1)", "integer"),
        ("/data/kind", "text"),
        ("/data/place", "text"),
        ("concat(/data/count, '')", "text"),
        ("string(/data/count)", "text"),
        ("'5'", "text"),
        ("''", "text"),
        ("/data/count > 1", "text"),
        ("/data/count or /data/area", "text"),
        ("pulldata('prices', 'price', 'crop', /data/kind)", "text"),
        ("instance('prices')/root/item[name = 'a']/price", "text"),
        ("//kg", "text"),
        ("is no (XPath", "text"),
        ("nobody-has-this(1)", "text"),
    ],
)
def test_a_calculation_has_the_type_of_its_expression(expression: str, expected: str) -> None:
    assert type_of(expression) == expected


def test_calculations_read_each_other_in_any_order_and_however_many() -> None:
    chain = {f"/data/c{number}": f"/data/c{number + 1} + 1" for number in range(5000)}
    found = static_types({**chain, "/data/c5000": "/data/count"}, QUESTIONS)
    assert set(found.values()) == {"integer"}


def test_calculations_in_a_circle_are_typed_without_end_or_error() -> None:
    found = static_types({"/data/a": "/data/b", "/data/b": "/data/a", "/data/c": ". + 1"}, QUESTIONS)
    assert found == {"/data/a": "text", "/data/b": "text", "/data/c": "decimal"}


def test_a_bind_that_names_a_type_and_a_question_that_is_asked_keep_theirs() -> None:
    binds = {
        "members": 'int" calculate="/data/area * 2',
        "area": "decimal",
        "household/name": 'string" calculate="1 + 1',
        "note_text": 'string" calculate="/data/area * 2',
    }
    schema = FormSchema.parse(survey(binds=binds).replace(b"<h:body>", b'<h:body><input ref="/data/note_text"/>'))
    types = {path: schema.by_path[path].value_type for path in ("/members", "/household/name", "/note_text")}
    assert types == {"/members": "integer", "/household/name": "integer", "/note_text": "text"}


@pytest.mark.parametrize(
    ("form", "path", "expected"),
    [
        ("household_crop", "/land/plot/area_ha", "decimal"),
        ("household_crop", "/land/plot/yield_t_ha", "decimal"),
        ("forest_plot", "/stand/tree/volume_m3", "decimal"),
        ("forest_plot", "/stand/tree_count", "integer"),
        ("forest_plot", "/stand/stock_class", "text"),
        ("disease_report", "/case/days_ill", "integer"),
        ("homestay_ocop", "/homestay/met_count", "integer"),
    ],
)
def test_the_calculations_of_the_forms_that_come_along_are_typed(form: str, path: str, expected: str) -> None:
    field = FormSchema.parse((FORMS / f"{form}.xml").read_bytes()).by_path[path]
    assert (field.type, field.value_type) == ("text", expected)

"""What the phone saves the door takes, and what the door takes is published as what it is."""

import json
import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forms.answers.record_answers import check
from server.forms.answers.typed_values import typed
from server.forms.evaluate.evaluator import Evaluator
from server.forms.schema import Field, FormSchema
from server.publish.values import position
from tests.vectors.make_evaluate import FORMS, HERE, xform

VECTORS = json.loads((HERE / "evaluate.json").read_text(encoding="utf-8"))
NUMBERS = json.loads((HERE / "numbers.json").read_text(encoding="utf-8"))["cases"]
CALCULATING = [
    form for form in FORMS if any(case["form"] == form and case["expected"]["calculated"] for case in VECTORS["cases"])
]

QUESTIONS = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model>
<instance><data id="all" version="1"><int/><decimal/><date/><time/><dateTime/><geopoint/></data></instance>
<bind nodeset="/data/int" type="int"/><bind nodeset="/data/decimal" type="decimal"/>
<bind nodeset="/data/date" type="date"/><bind nodeset="/data/time" type="time"/>
<bind nodeset="/data/dateTime" type="dateTime"/><bind nodeset="/data/geopoint" type="geopoint"/>
</model></h:head><h:body><input ref="/data/int"/><input ref="/data/decimal"/><input ref="/data/date"/>
<input ref="/data/time"/><input ref="/data/dateTime"/><input ref="/data/geopoint"/></h:body></h:html>"""
SCHEMA = FormSchema.parse(QUESTIONS.encode())


def is_taken(kind: str, text: str) -> bool:
    return check(SCHEMA, {kind: text}) == []


@pytest.mark.parametrize("case", NUMBERS, ids=[case["text"][:20] or "nothing" for case in NUMBERS])
def test_a_number_is_the_same_to_the_door_to_publishing_and_to_the_phone(case: dict[str, Any]) -> None:
    text = case["text"]
    assert (is_taken("int", text), is_taken("decimal", text)) == (case["integer"], case["decimal"])
    assert typed("integer", text) == (text if case["integer"] else None)
    assert typed("decimal", text) == case["published"]
    for kind, kept in case["typed"].items():
        assert kept is None or is_taken(kind, kept)


_DAYS = r"[0-9]{3}[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIMES = r"[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
_DIGITS = r"[+-]?([0-9]{1,50}(\.[0-9]{0,50})?|\.[0-9]{1,50})([eE][+-]?[0-9]{1,3})?"
WRITTEN = {
    "int": r"[+-]?[0-9]{1,20}",
    "decimal": _DIGITS,
    "date": _DAYS,
    "time": _TIMES,
    "dateTime": rf"({_DAYS}|0001-01-01|9999-12-31)T{_TIMES}",
}
TYPES = {"int": "integer"}


@pytest.mark.parametrize("kind", WRITTEN)
@given(data=st.data())
def test_whatever_the_door_takes_is_published_with_its_type(kind: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(WRITTEN[kind], re.ASCII), fullmatch=True))
    if is_taken(kind, text):
        assert typed(TYPES.get(kind, kind), text) is not None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("time", "08:30:00+25:00"),
        ("time", "08:30:00+07:75"),
        ("dateTime", "2026-11-21T08:30:00+99:99"),
        ("dateTime", "0001-01-01T00:00:00+07:00"),
        ("dateTime", "9999-12-31T23:59:59-07:00"),
        ("decimal", "1e400"),
        ("geopoint", f"21.4 103.0 {'9' * 400} 0"),
    ],
)
def test_what_could_not_be_published_the_door_refuses(kind: str, text: str) -> None:
    assert not is_taken(kind, text)


def test_a_place_of_long_numbers_is_published() -> None:
    place = f"21.{'3' * 60} 103.{'0' * 60} 480 5"
    assert is_taken("geopoint", place)
    assert len(position(place)) == 4


@pytest.mark.parametrize("form", CALCULATING)
def test_whatever_the_phone_computes_the_door_takes_and_publishing_types(form: str) -> None:
    schema = FormSchema.parse(xform(form))
    lists = {name: text.encode() for name, text in VECTORS["lists"].items()}
    evaluator = Evaluator(schema, xform(form), lists)
    paths = {f"/answers{field.path}" for field in schema.leaves() if field.is_calculated}
    for case in VECTORS["cases"]:
        if case["form"] != form:
            continue
        computed = evaluator.evaluate(case["answers"], at=datetime.fromisoformat(VECTORS["now"])).answers
        assert not [each for each in check(schema, computed) if f"/answers{each.path}" in paths], case["name"]
        for pointer, answer in case["expected"]["calculated"].items():
            assert "Infinity" not in str(answer)
            assert "Invalid Date" not in str(answer)
            field = field_at(schema, pointer)
            # Whole numbers of more than eighteen digits are flagged.
            if isinstance(answer, str) and field.value_type != "integer":
                assert typed(field.value_type, answer) is not None, (pointer, answer)


def field_at(schema: FormSchema, pointer: str) -> Field:
    """Return the field at a JSON Pointer into a document, whose rows are named by their identity."""
    names = pointer.removeprefix("/answers/").split("/")
    found: Field | None = None
    fields = schema.fields
    while names:
        found = next(field for field in fields if field.name == names[0])
        del names[: 2 if found.kind == "repeat" else 1]
        fields = found.children
    assert found is not None
    return found


def test_several_choices_that_a_calculation_makes_are_taken_as_the_phone_sends_them() -> None:
    schema = FormSchema.parse(xform("edges"))
    assert check(schema, {"codes": "maize rice", "made_many": ["maize", "rice"], "made_rank": ["rice"]}) == []
    assert [each.path for each in check(schema, {"made_many": ["maize", ""]})] == ["/made_many"]


def test_what_once_gave_inside_a_larger_calculation_stands_as_the_phone_left_it() -> None:
    form = QUESTIONS.replace('"/data/int" type="int"', '"/data/int" type="int" calculate="once(/data/decimal) + 1"')
    evaluator = Evaluator(FormSchema.parse(form.encode()), form.encode())
    assert evaluator.evaluate({"int": "3", "decimal": "7"}).answers["int"] == "3"

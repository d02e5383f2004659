"""What the server says of a record's answers, and that the phone's engine says the same."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from server.forms.evaluate import functions
from server.forms.evaluate.analysis import calls
from server.forms.evaluate.evaluator import Evaluator
from server.forms.evaluate.syntax import parse
from server.forms.schema import Field, FormSchema
from tests.vectors.functions_form import EXPRESSIONS, functions_form
from tests.vectors.make_evaluate import HERE, xform

VECTORS = json.loads((HERE / "evaluate.json").read_text(encoding="utf-8"))
NOW = datetime.fromisoformat(VECTORS["now"])
LISTS = {name: text.encode() for name, text in VECTORS["lists"].items()}
CASES = [pytest.param(case, id=f"{case['form']}: {case['name']}") for case in VECTORS["cases"]]


@cache
def schema_of(form: str) -> FormSchema:
    return FormSchema.parse(xform(form))


@cache
def evaluator(form: str) -> Evaluator:
    return Evaluator(schema_of(form), xform(form), LISTS)


def calculated(fields: tuple[Field, ...], answers: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return every calculated field that is there, by its path."""
    found: dict[str, Any] = {}
    for field in fields:
        if field.name not in answers:
            continue
        answer, here = answers[field.name], f"{path}/{field.name}"
        if field.kind == "group":
            found |= calculated(field.children, answer, here)
        elif field.kind == "repeat":
            for row in answer:
                found |= calculated(field.children, row, f"{here}/{row['_rid']}")
        elif field.is_calculated:
            found[here] = answer
    return found


@pytest.mark.parametrize("case", CASES)
def test_answers_are_judged_as_the_phone_judges_them(case: dict[str, Any]) -> None:
    said = evaluator(case["form"]).evaluate(case["answers"], at=NOW)
    expected = case["expected"]
    assert calculated(schema_of(case["form"]).fields, said.answers, "/answers") == expected["calculated"]
    assert dict(said.broken) == expected["broken"]
    assert sorted(said.irrelevant) == expected["irrelevant"]
    assert sorted(said.missing) == expected["missing"]


@pytest.mark.parametrize("case", CASES)
def test_asking_only_what_is_broken_says_the_same(case: dict[str, Any]) -> None:
    assert dict(evaluator(case["form"]).broken(case["answers"], at=NOW)) == case["expected"]["broken"]


def test_the_form_of_functions_is_what_its_maker_makes() -> None:
    assert xform("functions").decode() == functions_form()


def test_every_function_is_compared_with_the_phones() -> None:
    # These give another value at every look; what now is, is asked by the form's constraints.
    called = set().union(*(calls(parse(expression)) for expression in EXPRESSIONS))
    assert functions.NAMES - called == {"random", "uuid", "now", "today", "once"}


def test_what_is_computed_replaces_what_stood_and_nothing_else_changes() -> None:
    given: dict[str, Any] = {
        "village": "Hấu Chua",
        "consent_part": {"consent": "yes", "consent_at": "2026-11-20T08:00:00+07:00"},
        "land": {
            "has_plots": "yes",
            "total_area_m2": "999",
            "plot": [{"_rid": "r1", "area_m2": "12000", "$extra": {"old": ["x"]}}],
        },
        "$extra": {"unknown": ["kept"]},
    }
    untouched = deepcopy(given)
    said = evaluator("household_crop").evaluate(given)
    assert said.answers["land"]["total_area_m2"] == "12000"
    assert said.answers["land"]["plot"] == [
        {"_rid": "r1", "area_m2": "12000", "$extra": {"old": ["x"]}, "area_ha": "1.2", "yield_t_ha": None}
    ]
    assert said.answers["consent_part"] == given["consent_part"]
    assert said.answers["$extra"] == given["$extra"]
    assert given == untouched


def test_a_calculation_that_is_not_relevant_is_absent() -> None:
    said = evaluator("household_crop").evaluate(
        {"consent_part": {"consent": "no"}, "land": {"total_area_m2": "12"}, "livestock": {}}
    )
    assert said.answers["land"] == {}
    assert not said.is_relevant("/answers/land/total_area_m2")
    assert not said.is_relevant("/answers/land/plot/r1/crops/maize")
    assert said.is_relevant("/answers/consent_part/consent")


def test_computing_twice_changes_nothing_more() -> None:
    for case in VECTORS["cases"]:
        once = evaluator(case["form"]).evaluate(case["answers"])
        twice = evaluator(case["form"]).evaluate(once.answers)
        assert twice == once


def test_without_a_moment_only_what_needs_none_is_judged() -> None:
    answers = {"date_a": "2030-01-01", "date_b": "2006-01-01", "text_b": "x", "moment": "2030-01-01T00:00:00Z"}
    said = evaluator("functions").evaluate(answers)
    # Nothing of date_b's constraint asks the clock; of text_b's, ". != 'x' and … now() …", the first part does not.
    assert set(said.broken) == {"/answers/date_b", "/answers/text_b"}
    assert set(evaluator("functions").evaluate(answers, at=NOW).broken) == {
        "/answers/date_a", "/answers/date_b", "/answers/moment", "/answers/text_b",
    }  # fmt: skip


def test_a_broken_constraint_has_its_authors_words_in_both_languages() -> None:
    answers = {"int_a": "5", "row": [{"_rid": "a/b", "n": "11"}], "dec_a": "7.5"}
    said = evaluator("functions").evaluate(answers)
    assert said.broken == {"/answers/dec_a": "Nhỏ hơn", "/answers/row/a~1b/n": "Từ 1 đến 10."}
    assert evaluator("functions").message("/answers/row/a~1b/n", "en") == "From 1 to 10."
    assert evaluator("functions").message("/answers/dec_a", "en") == "Nhỏ hơn"
    assert evaluator("functions").message("/answers/int_a", "en") is None
    assert evaluator("functions").message("/answers/nowhere/at/all", "en") is None


def test_a_list_that_is_not_here_refuses_no_choice() -> None:
    here = Evaluator(schema_of("functions"), xform("functions"), LISTS)
    gone = Evaluator(schema_of("functions"), xform("functions"))
    answers = {"text_a": "x", "village": "nowhere", "int_a": "5"}
    place = EXPRESSIONS.index("pulldata('villages', 'label', 'name', /data/village)") + 1
    looked_up = f"f{place:03}"
    assert here.evaluate(answers).answers[looked_up] is None
    assert gone.evaluate({**answers, looked_up: "stands"}).answers[looked_up] == "stands"


def test_what_was_seen_of_an_answer_once_is_judged_anew_where_it_counts() -> None:
    judge = Evaluator(schema_of("household_crop"), xform("household_crop"))
    losses = {"outlook": {"losses": ["none", "flood"]}}
    for consent, broken in (("no", set()), ("yes", {"/answers/outlook/losses"}), ("no", set())):
        assert set(judge.broken({"consent_part": {"consent": consent}, **losses})) == broken
    visited = {"survey_date": "2026-11-22"}
    for day, broken in ((21, {"/answers/survey_date"}), (22, set()), (21, {"/answers/survey_date"})):
        assert set(judge.broken(visited, at=NOW.replace(day=day))) == broken
    assert not judge.broken(visited)

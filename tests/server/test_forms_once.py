"""once() is a whole calculation: elsewhere it gives the question's own value, and the author is told what to write."""

import json
import re

import pytest

from server.forms.conversion.xlsform import Conversion, convert_xlsform
from tests.server.test_forms_checks import LOCALES
from tests.workbooks import GOOD, question, xlsform

BORN = question("date", "born")


def checked(*rows: dict[str, str]) -> Conversion:
    return convert_xlsform(xlsform(survey=[*GOOD, BORN, *rows]))


def calculate(name: str, calculation: str) -> dict[str, str]:
    return {"type": "calculate", "name": name, "calculation": calculation}


def told(conversion: Conversion) -> list[tuple[str, int | None]]:
    return [(found.code, found.row) for found in conversion.findings]


@pytest.mark.parametrize(
    ("calculation", "code"),
    [
        ("once(today()) - ${born}", "once_inside"),
        ("int((once( today( ) ) - ${born}) div 365.25)", "once_inside"),
        ("concat('once(', once(uuid()), ${head_name})", "once_inside"),
        ("if(${born} = '', '', once(now()))", "once_inside"),
        ("once(today()) - once(${born})", "once_inside"),
        ("today() - ${born}", "once_beside"),
        ("if(${head_name} = 'x', random(), 0)", "once_beside"),
        ("concat(${head_name}, '-', uuid(8))", "once_beside"),
        ("concat('A', today())", "once_needed"),
        (" now() ", "once_needed"),
    ],
)
def test_a_calculation_is_refused_and_goes_live_as_it_is_told_to_be_written(calculation: str, code: str) -> None:
    refused = checked(calculate("age", calculation))
    assert refused.form is None
    assert set(told(refused)) == {(code, 8)}
    for found in refused.findings:
        assert found.params["instead"] in found.message
    helpers = [each.params for each in refused.findings if "helper" in each.params]
    rows = [calculate(each["helper"], each["once"]) for each in helpers]
    written = checked(*rows, calculate("age", refused.findings[0].params["instead"]))
    assert written.form is not None, [found.message for found in written.findings]


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("constraint", ". <= once(today())"),
        ("relevant", "once(today()) > ${born}"),
        ("required", "once(${born}) != ''"),
    ],
)
def test_once_in_a_condition_is_refused(column: str, expression: str) -> None:
    assert told(checked(question("date", "seen", **{column: expression}))) == [("once_inside", 8)]


@pytest.mark.parametrize("calculation", ["once(today())", " once( concat(uuid(), ')') ) ", "once(${head_name})"])
def test_once_around_a_whole_calculation_is_right(calculation: str) -> None:
    assert told(checked(calculate("first", calculation))) == []


def test_once_in_a_default_is_computed_once_in_any_case() -> None:
    assert told(checked(question("date", "seen", default="once(today())"))) == []


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("calculation", "date('2025-02-29') + 1"),
        ("relevant", "${born} > date('2026-06-31')"),
        ("constraint", ". > '2026-13-01' "),
        ("calculation", "format-date-time('2026-04-31T08:00:00+07:00', '%d')"),
    ],
)
def test_a_day_that_no_month_has_is_refused_at_its_row(column: str, expression: str) -> None:
    row = question("text", "b") | {column: expression}
    assert ("day_impossible", 8) in told(checked(row))
    there = re.sub(r"'\d{4}-\d\d-\d\d", "'2026-03-31", expression)
    assert told(checked(question("text", "b") | {column: there})) == []


def test_a_cell_full_of_onces_is_told_of_a_few() -> None:
    cell = f"concat({', '.join(f'once({number})' for number in range(1_500))})"
    assert len(checked(calculate("many", cell)).findings) == 20


def test_the_ways_to_write_it_are_said_in_both_languages() -> None:
    for language in ("vi", "en"):
        catalogue = json.loads((LOCALES / language / "findings.json").read_text("utf-8"))["finding"]
        for code in ("once_beside", "once_inside"):
            assert {"{helper}", "{once}", "{instead}"} <= set(re.findall(r"\{\w+\}", catalogue[code]["sentence"]))

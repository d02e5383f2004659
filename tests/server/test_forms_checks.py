"""What the converter says stays as it is, with its row; what it lets through is found by checks of our own."""

import ast
import json
import re
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server import forms
from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.conversion.checks import check_xform
from server.forms.conversion.findings import SENTENCES, Finding
from server.forms.conversion.sheets import Sheets
from server.forms.conversion.xlsform import Conversion, ConvertedForm, convert_xlsform
from server.forms.schema import FormSchema
from server.forms.xml_input import parse_xml
from tests.vectors.make_forms import FOLDER, SPREADSHEETS, published
from tests.workbooks import EN, GOOD, SETTINGS, YES_NO, question, xlsform

LOCALES = Path(__file__).parents[2] / "pwa" / "src" / "locales"


def errors(conversion: Conversion) -> list[Finding]:
    return [finding for finding in conversion.findings if finding.severity == "error"]


def only_error(conversion: Conversion) -> Finding:
    assert conversion.form is None
    found = errors(conversion)
    assert len(found) == 1, [finding.message for finding in found]
    return found[0]


def warnings(conversion: Conversion) -> list[str]:
    return [finding.code for finding in conversion.findings if finding.severity == "warning"]


def converted(data: bytes) -> ConvertedForm:
    conversion = convert_xlsform(data)
    assert conversion.form is not None, [finding.message for finding in conversion.findings]
    return conversion.form


def test_a_good_form_passes_without_a_word() -> None:
    conversion = convert_xlsform(xlsform())
    assert conversion.findings == ()
    assert conversion.form is not None
    assert (conversion.form.form, conversion.form.version) == ("household", "1")
    assert conversion.form.titles == {"vi": "Hộ gia đình", "en": "Household"}


@pytest.mark.slow
@pytest.mark.parametrize("spreadsheet", sorted(SPREADSHEETS.glob("*.xlsx")), ids=lambda path: path.stem)
def test_a_demonstration_form_passes_without_a_word_and_its_vector_is_current(spreadsheet: Path) -> None:
    assert convert_xlsform(spreadsheet.read_bytes()).findings == ()
    current = (FOLDER / f"{spreadsheet.stem}.xml").read_bytes()
    assert published(spreadsheet) == current, "make it anew: python -m tests.vectors.make_forms"


@pytest.mark.parametrize("spreadsheet", sorted(SPREADSHEETS.glob("*.xlsx")), ids=lambda path: path.stem)
def test_a_demonstration_form_hides_ethnic_origin_and_never_merges_consent(spreadsheet: Path) -> None:
    schema = FormSchema.parse(published(spreadsheet))
    consent = schema.by_path["/consent_part/consent"]
    assert (consent.merge, consent.is_required) == ("ask", True)
    for field in schema.leaves():
        if "ethnic" in field.name:
            assert (field.is_sensitive, field.is_required) == (True, False)
    assert all(field.children[0].name == "_rid" for field in schema.walk() if field.kind == "repeat")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (question("text", ""), "name_missing"),
        (question("text", "1 x"), "name_unfit"),
        (question("text", "meta"), "name_reserved"),
        (question("", "b"), "type_missing"),
        (question("teleport", "b"), "type_unknown"),
        (question("select_one nowhere", "b"), "list_unknown"),
        (question("select_one_from_file x.txt", "b"), "list_file_kind"),
        (question("select_one yes_no or_other", "b", choice_filter="name=1"), "other_filtered"),
        (question("begin_group", "b"), "begin_unmatched"),
        ({"type": "end_group"}, "end_unmatched"),
        (question("text", "head_name"), "name_doubled"),
        (question("calculate", "b"), "calculation_missing"),
        (question("range", "b", parameters="start=1 end=x"), "range_unfit"),
        (question("range", "b", parameters="foo=1"), "parameter_unknown"),
        (question("range", "b", parameters="foo"), "parameters_unreadable"),
        (question("text", "b", relevant="${head_name"), "reference_unreadable"),
        (question("select_one yes_no", "b", parameters="randomize=maybe"), "parameter_truth"),
    ],
)
def test_what_the_converter_says_is_known_by_its_words_and_placed_at_its_row(row: dict[str, str], code: str) -> None:
    finding = next(finding for finding in errors(convert_xlsform(xlsform(survey=[*GOOD, row]))) if finding.code == code)
    assert finding.row == len(GOOD) + 2 or code == "parameter_truth"
    assert "{" not in finding.message


def test_what_the_converter_says_otherwise_is_passed_on_as_it_is() -> None:
    survey = [*GOOD, question("audit", "audit", parameters="location-priority=x")]
    finding = next(each for each in convert_xlsform(xlsform(survey=survey)).findings if each.code == "converter")
    assert "required parameters" in finding.message


def test_one_mistake_hides_no_other_and_none_is_told_twice() -> None:
    survey = [
        question("teleport", "a"),
        question("select_one nowhere", "b"),
        question("text", "c", relevant="${nobody} = 1"),
        question("text", "d"),
        question("text", "d"),
        question("text", "e", relevant="teleport(${d})"),
        {"type": "calculate", "name": "f", "calculation": "now()"},
        question("text", "g", relevant="/data/zz = 1"),
        question("text", "h", bind__merge="sum"),
    ]
    conversion = convert_xlsform(xlsform(survey=survey))
    assert sorted((finding.row, finding.code) for finding in errors(conversion)) == [
        (2, "type_unknown"),
        (3, "list_unknown"),
        (4, "reference_unknown"),
        (6, "name_doubled"),
        (7, "function_unknown"),
        (8, "once_needed"),
        (9, "path_unknown"),
        (10, "mark_merge"),
    ]


def test_the_row_that_the_converter_names_is_the_author_s_own() -> None:
    survey = [*GOOD, {}, question("select_one nowhere", "b")]
    finding = only_error(convert_xlsform(xlsform(survey=survey)))
    assert finding.place == "survey, row 8"


def test_a_sheet_that_breaks_the_converter_is_its_author_s_concern_and_no_failure_of_the_server() -> None:
    settings = {**SETTINGS, "form_title::English (en)": "Household"}
    finding = only_error(convert_xlsform(xlsform(settings=settings)))
    assert finding.code == "converter_failed"
    assert finding.message.startswith("The converter cannot read this form: ")


@pytest.mark.parametrize("function", ["uuid()", "now()", "today()", "random()"])
def test_what_changes_at_each_opening_needs_once(function: str) -> None:
    survey = [*GOOD, {"type": "calculate", "name": "stamp", "calculation": f"concat('now() ', {function})"}]
    finding = only_error(convert_xlsform(xlsform(survey=survey)))
    assert (finding.code, finding.place) == ("once_needed", "survey, row 7")
    assert f"once(concat('now() ', {function}))" in finding.message
    held = [*GOOD, {"type": "calculate", "name": "stamp", "calculation": f"once({function})"}]
    assert convert_xlsform(xlsform(survey=held)).findings == ()


def test_today_may_stand_in_a_constraint_and_now_in_a_text() -> None:
    survey = [
        *GOOD,
        question("date", "seen", constraint=". <= today()"),
        {"type": "calculate", "name": "said", "calculation": "'uuid() now()'"},
    ]
    assert convert_xlsform(xlsform(survey=survey)).form is not None


def test_calculations_that_depend_on_each_other_are_named_in_their_circle() -> None:
    survey = [
        *GOOD,
        {"type": "calculate", "name": "a", "calculation": "${b} + 1"},
        {"type": "calculate", "name": "b", "calculation": "${c} + 1"},
        {"type": "calculate", "name": "c", "calculation": "${a} + 1"},
    ]
    finding = only_error(convert_xlsform(xlsform(survey=survey)))
    assert (finding.code, finding.row) == ("cycle", 7)
    assert finding.message == "These depend on each other in a circle: a → b → c → a."


def test_a_group_whose_relevance_is_asked_inside_it_is_a_circle() -> None:
    survey = [
        question("begin_group", "land", relevant="${has_land}='yes'"),
        question("select_one yes_no", "has_land"),
        {"type": "end_group", "name": ""},
    ]
    finding = only_error(convert_xlsform(xlsform(survey=survey)))
    assert (finding.code, finding.row) == ("cycle_in_group", 2)


def test_a_running_total_over_earlier_rows_is_no_circle() -> None:
    survey = [
        question("begin_repeat", "plot"),
        question("decimal", "area"),
        {
            "type": "calculate",
            "name": "so_far",
            "calculation": "${area} + coalesce(indexed-repeat(${so_far}, ${plot}, position(..) - 1), 0)",
        },
        {"type": "end_repeat", "name": ""},
    ]
    assert convert_xlsform(xlsform(survey=survey)).form is not None


@pytest.mark.parametrize(
    ("column", "expression", "code"),
    [
        ("calculation", "teleport(${head_name})", "function_unknown"),
        ("relevant", "matches(${head_name}, 'x')", "function_unknown"),
        ("constraint", "count-things(.) > 1", "function_unknown"),
        ("calculation", "1 +", "expression"),
        ("relevant", "${head_name} = = 'x'", "expression"),
        ("constraint", "(. > 1", "expression"),
        ("constraint", "regex(.)", "expression"),
        ("calculation", "if(${head_name} != '')", "expression"),
        ("constraint", r"regex(., '^(?=.*[0-9]).+$')", "pattern"),
        ("relevant", r"regex(${head_name}, '(a')", "pattern"),
    ],
)
def test_an_expression_that_the_phone_cannot_read_is_refused_at_its_row(
    column: str, expression: str, code: str
) -> None:
    conversion = convert_xlsform(xlsform(survey=[*GOOD, question("text", "b", **{column: expression})]))
    assert conversion.form is None
    assert [(finding.code, finding.row) for finding in errors(conversion) if finding.code == code] == [(code, 7)]


def test_an_unknown_function_in_a_filter_of_choices_is_found() -> None:
    survey = [*GOOD, question("select_one yes_no", "b", choice_filter="teleport(name)")]
    assert only_error(convert_xlsform(xlsform(survey=survey))).code == "function_unknown"


def test_a_form_in_one_language_is_told_which_is_missing() -> None:
    survey = [{key: cell for key, cell in question("text", "a").items() if key != EN}]
    choices = [cells[:3] for cells in YES_NO]
    conversion = convert_xlsform(xlsform(survey=survey, choices=choices))
    assert conversion.form is not None
    assert "language_missing" in warnings(conversion)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"form_id": ""}, "form_id"),
        ({"form_id": "Household"}, "form_id"),
        ({"form_id": "a/b"}, "form_id"),
        ({"form_id": "x" * 41}, "form_id"),
        ({"version": ""}, "version_missing"),
        ({"version": "1 of 2"}, "version"),
        ({"version": "../1"}, "version"),
        ({"public_key": "MIIB"}, "encryption"),
        ({"submission_url": "https://example.org"}, "encryption"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings: dict[str, str], code: str) -> None:
    conversion = convert_xlsform(xlsform(settings=SETTINGS | settings))
    assert conversion.form is None
    assert code in [finding.code for finding in errors(conversion)]


def test_a_title_that_one_language_lacks_is_a_warning() -> None:
    conversion = convert_xlsform(xlsform(title_en=""))
    assert warnings(conversion) == ["title_missing"]
    assert conversion.form is not None
    assert conversion.form.titles == {"vi": "Hộ gia đình", "en": "Hộ gia đình"}


@pytest.mark.parametrize("name", ["_rid", "__proto__", "constructor"])
def test_a_name_that_the_system_uses_is_refused(name: str) -> None:
    finding = only_error(convert_xlsform(xlsform(survey=[*GOOD, question("text", name)])))
    assert (finding.code, finding.row) == ("name_reserved", 7)


def test_a_name_with_a_dollar_is_refused() -> None:
    assert only_error(convert_xlsform(xlsform(survey=[question("text", "$extra")]))).code == "name_unfit"


def test_names_that_differ_in_capitals_only_are_refused() -> None:
    conversion = convert_xlsform(xlsform(survey=[*GOOD, question("text", "Head_Name")]))
    assert "name_case" in [finding.code for finding in errors(conversion)]


def test_a_name_in_two_groups_is_a_warning() -> None:
    survey = [*GOOD, question("begin_group", "g"), question("text", "area"), {"type": "end_group", "name": ""}]
    conversion = convert_xlsform(xlsform(survey=survey))
    assert conversion.form is not None
    assert "name_twice" in warnings(conversion)


@pytest.mark.parametrize(
    ("kind", "column", "value", "code"),
    [
        ("text", "bind__merge", "sum", "mark_merge"),
        ("text", "bind__merge", "max", "mark_merge_type"),
        ("integer", "bind__merge", "append", "mark_merge_type"),
        ("text", "bind__sensitive", "maybe", "mark_sensitive"),
        ("text", "bind__was", "head_name", "mark_was"),
        ("text", "bind__was", "two words", "was_name"),
        ("text", "bind__identifies", "owner", "mark_identifies"),
        ("text", "bind__identifies", "place", "mark_identifies_type"),
    ],
)
def test_a_mark_that_means_nothing_is_refused(kind: str, column: str, value: str, code: str) -> None:
    finding = only_error(convert_xlsform(xlsform(survey=[*GOOD, question(kind, "b", **{column: value})])))
    assert (finding.code, finding.row) == (code, 7)


def test_one_question_of_a_form_identifies_by_one_particular_and_not_in_a_repeat() -> None:
    twice = [question("text", "a", bind__identifies="name"), question("text", "b", bind__identifies="name")]
    finding = only_error(convert_xlsform(xlsform(survey=[*GOOD, *twice])))
    assert (finding.code, finding.row, finding.params["other"]) == ("mark_identifies_twice", 8, "a")
    repeated = [question("begin_repeat", "r"), twice[0], {"type": "end_repeat", "name": ""}]
    assert only_error(convert_xlsform(xlsform(survey=[*GOOD, *repeated]))).code == "mark_identifies_repeat"


def test_marks_survive_into_the_published_form() -> None:
    survey = [
        *GOOD,
        question("integer", "heads", bind__merge="max", bind__was="animals"),
        question("text", "remarks", bind__merge="append", bind__sensitive="yes"),
        question("text", "phone", bind__identifies="phone"),
    ]
    schema = converted(xlsform(survey=survey)).schema
    heads, remarks = schema.by_path["/heads"], schema.by_path["/remarks"]
    assert (heads.merge, heads.was, heads.is_sensitive) == ("max", "animals", False)
    assert (remarks.merge, remarks.was, remarks.is_sensitive) == ("append", None, True)
    assert (schema.by_path["/phone"].identifies, remarks.identifies) == ("phone", None)


def test_every_repeat_gets_a_row_identity_that_its_author_did_not_write() -> None:
    survey = [
        question("begin_repeat", "plot"),
        question("begin_repeat", "tree"),
        question("decimal", "girth"),
        {"type": "end_repeat", "name": ""},
        {"type": "end_repeat", "name": ""},
    ]
    schema = converted(xlsform(survey=survey)).schema
    for path in ("/plot/_rid", "/plot/tree/_rid"):
        assert schema.by_path[path].is_once


def test_many_questions_over_a_long_list_are_refused() -> None:
    choices = [("many", f"c{number}", f"Bản {number}", f"Village {number}") for number in range(1_000)]
    survey = [question("select_one many", f"q{number}") for number in range(31)]
    assert "choices_too_many" in [finding.code for finding in convert_xlsform(xlsform(survey, choices)).findings]


def dictionaries(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Give the variables that hold a dictionary as it is written out, each with its keys."""
    for each in ast.walk(tree):
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)):
                yield name, {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def test_every_sentence_can_be_made_from_what_its_finding_is_given() -> None:
    # A parameter that is missing would fail only for the person who makes that mistake.
    told: set[str] = set()
    for source in Path(forms.__file__).parent.rglob("*.py"):
        tree = ast.parse(source.read_text("utf-8"))
        spread: dict[str, set[str]] = {}
        for name, keys in dictionaries(tree):
            spread.setdefault(name, set()).update(keys)
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            if call.func.id not in {"error", "warning", "say"} or not isinstance(call.args[0], ast.Constant):
                continue
            code = str(call.args[0].value)
            told.add(code)
            given = {keyword.arg for keyword in call.keywords if keyword.arg}
            given |= {name for each in call.keywords if each.arg is None for name in spread[ast.unparse(each.value)]}
            needed = {name for _text, name, _spec, _kind in string.Formatter().parse(SENTENCES[code]) if name}
            assert needed <= given, code
    assert told <= set(SENTENCES)


def test_every_sentence_is_said_in_both_languages_with_the_same_parameters() -> None:
    for language in ("vi", "en"):
        catalogue = json.loads((LOCALES / language / "findings.json").read_text("utf-8"))["finding"]
        for code, said in catalogue.items():
            # A reference such as ${name} cannot stand in a catalogue.
            wanted = set(re.findall(r"(?<!\$\{)\{(\w+)\}", SENTENCES[code]))
            assert set(re.findall(r"\{(\w+)\}", said["sentence"])) <= wanted, code


def test_as_many_lists_as_a_sheet_has_rows_cost_the_check_of_names_no_more_each() -> None:
    lists = "".join(f'<instance id="l{number}"><root/></instance>' for number in range(10_000))
    form = f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model>
    <instance><data id="a" version="1"><b/></data></instance>{lists}<bind nodeset="/data/b" relevant="/data/zz = 1"/>
    </model></h:head><h:body/></h:html>"""
    schema, sheets = FormSchema.parse(form), Sheets.of(AuthorWorkbook({}, ()))
    begun = time.process_time()
    found = [finding.code for finding in check_xform(parse_xml(form), schema, sheets)]
    assert "path_unknown" in found
    assert time.process_time() - begun < 2

"""What people write in forms elsewhere, by kind: each is told with its row, and mended once its author accepts."""

import io
import time
from collections.abc import Callable

import pytest
from openpyxl import load_workbook

from server.forms.authoring.proposals import EVERYTHING, Acceptance
from server.forms.authoring.spelling import spelling_edits
from server.forms.authoring.tokens import edited
from server.forms.conversion.xlsform import Conversion, ConvertedForm, Upload, convert_upload
from tests.workbooks import GOOD, YES_NO, Cells, question, saved, xlsform

END_GROUP = {"type": "end_group", "name": ""}
END_REPEAT = {"type": "end_repeat", "name": ""}
Rows = list[dict[str, str]]


def checked(survey: Rows, *accepted: str, choices: list[Cells] | None = None, **lists: str) -> Conversion:
    files = {f"{name}.csv": text.encode() for name, text in lists.items()}
    data = xlsform(survey=[*GOOD, *survey], choices=choices or YES_NO)
    return convert_upload(Upload(data, files, accepts=Acceptance.of(accepted)))


def told(conversion: Conversion) -> list[tuple[str, str, int | None]]:
    return [(found.severity, found.code, found.row) for found in conversion.findings]


def mended(survey: Rows, choices: list[Cells] | None = None, **lists: str) -> tuple[ConvertedForm, list[str]]:
    """Return the form once everything is accepted, and what its cells became."""
    conversion = checked(survey, EVERYTHING, choices=choices, **lists)
    assert conversion.form is not None, [found.message for found in conversion.findings]
    return conversion.form, [change.after for proposal in conversion.accepted for change in proposal.changes]


@pytest.mark.parametrize(
    ("written", "odk"),
    [
        ("${a} == 1", "${a} = 1"),
        ("${a}==1 AND ${b}<>'x'||${c}≥3", "${a}=1 and ${b}!='x' or ${c}>=3"),
        ("${a} = 1 && ${b} = 2", "${a} = 1 and ${b} = 2"),
        ("${a} = 1 Or ${b} DIV 2 = 1", "${a} = 1 or ${b} div 2 = 1"),
        ("instance('features’)/root/item[id=${a}]/b", "instance('features')/root/item[id=${a}]/b"),
        ("IF(${a} = “yes”, 1)", "if(${a} = 'yes', 1, '')"),
        ("if(${a}='x', if(${b}=1,2), concat('a', 'b'))", "if(${a}='x', if(${b}=1,2, ''), concat('a', 'b'))"),
        ("not(true) or False", "not(true()) or false()"),
        ("Selected(${a}, ‘x’)", "selected(${a}, 'x')"),
        ("len(${a}) > 3", "string-length(${a}) > 3"),
        ("today - ${dob}", "today() - ${dob}"),
    ],
)
def test_an_expression_as_it_is_written_elsewhere_is_rewritten(written: str, odk: str) -> None:
    assert edited(written, spelling_edits(written)) == odk


@pytest.mark.parametrize(
    "expression",
    [
        "${a} = 'x == y AND z || “q”'",
        "if(${a} = 1, 'IF(a, b)', \"x && y\")",
        "../AND = 1 and ./OR = 2",
        "instance('x')/root/item[name = ${a} and AND = 1]/label",
        "${a} != '' and . <= 3 or ${b} div 2 mod 3 >= 1",
        "once(concat(true(), today()))",
        "",
        "((((",
        "${",
    ],
)
def test_an_expression_that_odk_reads_is_left_alone(expression: str) -> None:
    assert spelling_edits(expression) == []


@pytest.mark.parametrize("piece", ["(", "if(", "a ", "${a} ", "'", "[", "AND ", "1 == "])
def test_a_cell_as_long_as_a_spreadsheet_allows_is_mended_at_once(piece: str) -> None:
    started = time.process_time()
    checked([question("text", "b", relevant=(piece * 32_767)[:32_767])], EVERYTHING)
    assert time.process_time() - started < 5


def test_what_is_written_elsewhere_is_told_at_its_row_and_accepted() -> None:
    survey = [
        question("integer", "n"),
        question("text", "b", relevant="${n} == 1 AND ${head_name} <> ''"),
        {"type": "calculate", "name": "c", "calculation": "IF(${n} > 1, 2)"},
    ]
    assert told(checked(survey)) == [("error", "expression_spelling", 8), ("error", "expression_spelling", 9)]
    _form, cells = mended(survey)
    assert cells == ["${n} = 1 and ${head_name} != ''", "if(${n} > 1, 2, '')"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("difference-in-months(${a}, ${b})", "decimal-date-time"),
        ("duration(${a}, ${b})", "decimal-date-time"),
        ("choice-label(${a})", "jr:choice-name"),
        ("Year(${a})", "format-date"),
        ("isnull(${a})", "= ''"),
        ("avg(${a})", "sum("),
    ],
)
def test_another_system_s_function_is_named_with_odk_s_way(function: str, words: str) -> None:
    survey = [question("date", "a"), question("date", "b"), {"type": "calculate", "name": "c", "calculation": function}]
    (found,) = checked(survey).findings
    assert (found.code, found.row) == ("function_foreign", 9)
    assert words in found.message


@pytest.mark.parametrize(
    ("column", "written", "code", "after"),
    [
        ("relevant", "head_name = 'x'", "name_bare", "${head_name} = 'x'"),
        ("calculation", "head_name", "name_bare", "${head_name}"),
        ("relevant", "${has_land} = yes", "code_bare", "${has_land} = 'yes'"),
        ("relevant", "selected(${has_land}, no)", "code_bare", "selected(${has_land}, 'no')"),
        ("required", "có", "yes_word", "yes"),
        ("required", "X", "yes_word", "yes"),
        ("readonly", "không", "yes_word", "no"),
        ("relevant", "${hasland} = 'yes'", "reference_unknown", "${has_land} = 'yes'"),
        ("relevant", "${Head_Name} != ''", "reference_unknown", "${head_name} != ''"),
        ("label::English (en)", "Hello ${headname}", "reference_unknown", "Hello ${head_name}"),
    ],
)
def test_a_name_that_nothing_bears_becomes_what_its_author_meant(
    column: str, written: str, code: str, after: str
) -> None:
    survey = [question("text", "b") | {column: written}]
    assert told(checked(survey)) == [("error", code, 7)]
    assert mended(survey)[1] == [after]


@pytest.mark.parametrize(
    ("column", "written", "code"),
    [
        ("relevant", "zz = 1", "name_unknown"),
        ("calculation", "${has_land} = maybe_so", "name_unknown"),
        ("relevant", "${nobody} = 1", "reference_unknown"),
        ("relevant", "/data/zz = 1", "path_unknown"),
        ("relevant", "../zz = 1", "path_unknown"),
        ("required", "cần_thiết", "name_unknown"),
    ],
)
def test_a_name_that_could_mean_anything_is_an_error(column: str, written: str, code: str) -> None:
    found = checked([question("text", "b", **{column: written})]).findings
    assert {(each.severity, each.code, each.row) for each in found} == {("error", code, 7)}


def test_a_filter_names_columns_of_the_choices() -> None:
    survey = [question("select_one yes_no", "b", choice_filter="region = ${head_name}")]
    assert told(checked(survey)) == [("error", "column_unknown", 7)]
    survey = [question("select_one yes_no", "b", choice_filter="name != head_name")]
    assert mended(survey)[1] == ["name != ${head_name}"]


@pytest.mark.parametrize(
    "written", ["${has_land} = 'maybe'", "'maybe' != ${has_land}", "selected(${has_land}, 'maybe')"]
)
def test_a_value_that_a_question_does_not_offer_is_a_warning(written: str) -> None:
    conversion = checked([question("text", "b", relevant=written)])
    assert conversion.form is not None
    assert told(conversion) == [("warning", "code_unknown", 7)]


def test_a_value_that_differs_in_capitals_only_becomes_the_one_that_is_offered() -> None:
    assert mended([question("text", "b", relevant="${has_land} = 'Yes'")])[1] == ["${has_land} = 'yes'"]


def test_a_child_that_hides_its_group_is_a_circle() -> None:
    survey = [question("begin_group", "g", relevant="./q = 'x'"), question("text", "q"), END_GROUP]
    conversion = checked(survey)
    assert told(conversion) == [("error", "cycle_in_group", 7)]
    assert conversion.findings[0].params == {"group": "g", "name": "q"}


def test_choices_that_no_answer_could_hold_are_mended_with_the_expressions_that_name_them() -> None:
    choices: list[Cells] = [
        *YES_NO,
        ("yes_no", "rice paddy", "Ruộng", "Paddy"),
        ("yes_no", "line\nbreak", "Xuống dòng", "Break"),
        ("yes_no", "yes", "Có", "Yes"),
        ("yes_no", "no", "Chưa", "Not yet"),
        ("yes_no", None, "Đất rừng", "Forest"),
        (None, "z", "Z", "Z"),
    ]
    survey = [question("text", "b", relevant="${has_land} = 'rice paddy'")]
    assert told(checked(survey, choices=choices)) == [
        ("error", "choice_spaces", 4),
        ("error", "choice_spaces", 5),
        ("error", "choice_twice", 6),
        ("error", "choice_twice", 7),
        ("error", "choice_no_name", 8),
        ("error", "choice_no_list", 9),
    ]
    form, cells = mended(survey, choices)
    assert "${has_land} = 'rice_paddy'" in cells
    codes = [choice.value for choice in form.schema.by_path["/has_land"].choices]
    assert codes == ["yes", "no", "rice_paddy", "line_break", "no_2", "dat_rung", "z"]


def test_a_choice_under_several_of_those_that_a_filter_asks_for_may_stand_twice() -> None:
    book = load_workbook(io.BytesIO(xlsform(choices=[*YES_NO, ("yes_no", "no", "Không", "No")])))
    book["choices"]["E1"] = "region"
    book["choices"]["E3"], book["choices"]["E4"] = "a", "b"
    conversion = convert_upload(Upload(saved(book), accepts=Acceptance.of([EVERYTHING])))
    assert conversion.form is not None
    (change,) = conversion.accepted[0].changes
    assert (change.sheet, change.column, change.after) == ("settings", "allow_choice_duplicates", "yes")


@pytest.mark.parametrize(
    ("kind", "default", "after"),
    [
        ("date", "2026-03-01 00:00:00", "2026-03-01"),
        ("decimal", "0,1", "0.1"),
        ("select_one yes_no", "Yes", "yes"),
    ],
)
def test_a_default_that_is_no_answer_becomes_the_one_that_was_meant(kind: str, default: str, after: str) -> None:
    survey = [question(kind, "b", default=default)]
    assert told(checked(survey)) == [("error", "default_unfit", 7)]
    assert mended(survey)[1] == [after]


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("integer", "two"),
        ("integer", "1.5"),
        ("date", "tomorrow"),
        ("date", "2026-02-30"),
        ("select_one yes_no", "maybe"),
    ],
)
def test_a_default_that_means_nothing_is_an_error(kind: str, default: str) -> None:
    assert told(checked([question(kind, "b", default=default)])) == [("error", "default_unfit", 7)]


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("integer", "1"),
        ("decimal", "0.1"),
        ("date", "2026-03-01"),
        ("date", "today()"),
        ("time", "07:30:00"),
        ("text", "anything"),
        ("select_multiple yes_no", "yes no"),
    ],
)
def test_a_default_that_is_an_answer_is_left_alone(kind: str, default: str) -> None:
    assert told(checked([question(kind, "b", default=default)])) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"type": "audit", "name": "audit", "parameters": "track-changes=true track-changes-reasons=on-form-edit"},
            ("warning", "audit_reasons"),
        ),
        (question("background-geopoint", "b", trigger="${head_name}"), ("warning", "kind_left_out")),
        (question("select_one yes_no", "b", appearance="map"), ("warning", "appearance_otherwise")),
        (question("text", "b") | {"media::image::English (en)": "x.png"}, ("warning", "media_missing")),
    ],
)
def test_what_the_phone_does_otherwise_is_told(row: dict[str, str], expected: tuple[str, str]) -> None:
    found = [each for each in checked([row]).findings if not each.code.startswith("translation")]
    assert [(each.severity, each.code) for each in found] == [expected]


@pytest.mark.parametrize("appearance", ["minimal", "columns-2", "quick", "horizontal", "label", "list-nolabel"])
def test_how_choices_are_laid_out_is_nothing_to_tell(appearance: str) -> None:
    assert told(checked([question("select_one yes_no", "b", appearance=appearance)])) == []


def test_sound_in_the_background_is_recorded_but_in_no_row() -> None:
    sound = {"type": "background-audio", "name": "talk"}
    assert told(checked([sound])) == []
    row = [question("begin_repeat", "visit"), question("text", "b"), {**sound, "name": "said"}]
    assert told(checked([*row, {"type": "end_repeat", "name": ""}])) == [("warning", "kind_left_out", 9)]


def test_a_list_in_xml_becomes_a_csv_file_of_its_name() -> None:
    survey = [
        {"type": "xml-external", "name": "wards"},
        question("select_one_from_file villages.xml", "b"),
        {"type": "calculate", "name": "c", "calculation": "once(instance('wards')/root/item[name='w1']/label)"},
    ]
    listed = b"<root><item><name>%s</name><label>\xc3\x81, b</label></item><item><name>x2</name></item></root>"
    data = xlsform(survey=[*GOOD, *survey])
    files = {"wards.xml": listed % b"w1", "villages.xml": listed % b"v1"}
    found = convert_upload(Upload(data, files))
    assert [(each.code, each.row) for each in found.findings] == [("xml_list", 7), ("xml_list", 8)]
    form = convert_upload(Upload(data, files, accepts=Acceptance.of([EVERYTHING]))).form
    assert form is not None
    assert form.lists["villages.csv"].decode() == 'name,label\nv1,"Á, b"\nx2,\n'
    assert form.lists.keys() == {"wards.csv", "villages.csv"}
    odd = convert_upload(Upload(data, files | {"wards.xml": b"<root><item><a><b/></a></item></root>"}))
    assert "xml_list_unreadable" in {each.code for each in odd.findings}


def test_a_search_becomes_a_list_in_a_file() -> None:
    survey = [question("select_one yes_no", "b", appearance="search('villages')")]
    assert ("error", "search", 7) in told(checked(survey))
    form, cells = mended(survey, villages="name,label\nna_vai,Na Vai\n")
    assert cells == ["select_one_from_file villages.csv", ""]
    assert form.schema.by_path["/b"].list_file == "villages.csv"
    filtered = [question("select_one yes_no", "b", appearance="search('villages', 'matches', 'a', ${head_name})")]
    assert told(checked(filtered, EVERYTHING)) == [("error", "search", 7)]


def test_an_answer_of_the_record_before_is_nothing_that_the_phone_keeps() -> None:
    assert told(checked([question("text", "b", default="${last-saved#head_name}")])) == [("error", "last_saved", None)]


def test_a_table_is_a_plain_group_and_asks_nothing_of_its_own() -> None:
    survey = [question("begin_group", "g", appearance="table-list"), question("select_one yes_no", "b"), END_GROUP]
    conversion = checked(survey)
    assert told(conversion) == []
    assert conversion.form is not None
    assert [field.name for field in conversion.form.schema.by_path["/g"].children] == ["b"]


def test_a_group_with_nothing_in_it_is_left_out() -> None:
    survey = [question("begin group", "g"), {}, {"type": "end group", "name": ""}, question("text", "z")]
    assert told(checked(survey)) == [("error", "group_empty", 7)]
    form, _cells = mended(survey)
    assert "/g" not in form.schema.by_path
    nested = [question("begin group", "o"), *survey[:1], END_GROUP, END_GROUP]
    assert "/o" not in mended(nested)[0].schema.by_path


@pytest.mark.parametrize(
    ("count", "constraint", "after"),
    [
        ("${n}", "", [". <= 200"]),
        ("${n}", ". > 0", ["(. > 0) and . <= 200"]),
        ("${n} + 1", "", ["min(${n} + 1, 200)"]),
        ("${n}", ". > 0 and . < 30", []),
        ("min(${n}, 20)", "", []),
        ("12", "", []),
    ],
)
def test_a_count_of_rows_that_nothing_bounds_is_bounded(count: str, constraint: str, after: list[str]) -> None:
    survey = [
        question("integer", "n", constraint=constraint),
        question("begin_repeat", "r", repeat_count=count),
        question("text", "b"),
        END_REPEAT,
    ]
    assert told(checked(survey)) == [("error", "repeat_unbounded", 8)] * len(after)
    assert mended(survey)[1] == after


def test_a_count_beyond_what_a_phone_takes_is_an_error() -> None:
    survey = [question("begin_repeat", "r", repeat_count="20000"), question("text", "b"), END_REPEAT]
    assert told(checked(survey)) == [("error", "repeat_long", 7)]


def test_a_long_form_in_which_every_row_is_wrong_is_checked_within_seconds() -> None:
    survey = [
        question("select_one many", f"q{n}", relevant=f"q{n - 1} == 'c d{n}' AND z{n} = 1") for n in range(1, 900)
    ]
    choices: list[Cells] = [("many", f"c d{n}", f"Bản {n}", None) for n in range(900)]
    started = time.process_time()
    conversion = checked(survey, EVERYTHING, choices=[*YES_NO, *choices])
    assert time.process_time() - started < 5
    assert conversion.findings


@pytest.mark.slow
@pytest.mark.parametrize(
    "row",
    [
        lambda n: question("text", f"q{n}", relevant=f"${{nobody{n}}} = 1"),
        lambda n: question("text", f"q{n}", relevant="(" * 100),
        lambda n: question("text", f"q{n}", relevant="(" * 5_000),
        lambda n: question("text", f"q{n}", relevant="a = 1 and " * 10),
    ],
    ids=["unknown", "brackets", "more brackets than can be", "names"],
)
def test_a_long_form_of_nothing_but_mistakes_is_told_of_them_within_seconds(
    row: Callable[[int], dict[str, str]],
) -> None:
    started = time.process_time()
    conversion = checked([row(n) for n in range(900)], EVERYTHING)
    assert time.process_time() - started < 10
    assert conversion.form is None
    assert conversion.findings

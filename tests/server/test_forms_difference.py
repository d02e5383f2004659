"""What a new version of a form asks otherwise is told question by question, before it is live."""

from typing import Any

import pytest

from server.forms.conversion.xlsform import convert_xlsform
from server.forms.versions.difference import QuestionDifference, difference
from tests.workbooks import EN, GOOD, VI, YES_NO, question, xlsform

Rows = list[dict[str, str]]
END = {"type": "end_repeat", "name": ""}


def published(survey: Rows, version: str = "1", choices: Any = YES_NO) -> bytes:
    conversion = convert_xlsform(xlsform(survey=survey, choices=choices, version=version))
    assert conversion.form is not None, [found.message for found in conversion.findings]
    return conversion.form.xform


def differences(before: Rows, after: Rows, choices: Any = YES_NO) -> list[QuestionDifference]:
    found = difference(published(before), published(after, "2", choices))
    assert found.version == "1"
    return list(found.questions)


BEFORE: Rows = [*GOOD, question("text", "animals", relevant="${has_land} = 'yes'")]


def test_the_same_questions_in_another_version_differ_in_nothing() -> None:
    assert differences(BEFORE, BEFORE) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            question("text", "cattle", bind__was="animals", relevant="${has_land} = 'yes'"),
            [
                ("renamed", "/cattle", "animals", "cattle"),
                ("label", "/cattle", "Câu animals", "Câu cattle"),
                ("label", "/cattle", "Question animals", "Question cattle"),
            ],
        ),
        (question("integer", "animals", relevant="${has_land} = 'yes'"), [("type", "/animals", "text", "integer")]),
        (
            question("text", "animals", relevant="${has_land} = 'yes'") | {EN: "Livestock"},
            [("label", "/animals", "Question animals", "Livestock")],
        ),
        (
            question("text", "animals", required="yes", constraint=". != 'x'"),
            [
                ("relevant", "/animals", "/data/has_land  = 'yes'", ""),
                ("constraint", "/animals", "", ". != 'x'"),
                ("required", "/animals", "", "true()"),
            ],
        ),
        (
            question("text", "trees"),
            [("added", "/trees", "", "Câu trees"), ("removed", "/animals", "Câu animals", "")],
        ),
    ],
)
def test_what_differs_in_a_question_is_told(row: dict[str, str], expected: list[tuple[str, str, str, str]]) -> None:
    found = differences(BEFORE, [*GOOD, row])
    assert [(each.kind, each.path, each.before, each.after) for each in found] == expected


def test_choices_that_come_and_go_are_told_by_their_codes() -> None:
    choices = [YES_NO[0], ("yes_no", "some", "Một phần", "Some")]
    assert differences(list(GOOD), list(GOOD), choices) == [
        QuestionDifference("choices_removed", "/has_land", before="no"),
        QuestionDifference("choices_added", "/has_land", after="some"),
    ]


def test_a_repeat_that_is_renamed_keeps_its_questions() -> None:
    before: Rows = [question("begin_repeat", "plot"), question("decimal", "area"), END]
    after: Rows = [
        question("begin_repeat", "field", bind__was="plot") | {VI: "Câu plot", EN: "Question plot"},
        *before[1:],
    ]
    assert [(each.kind, each.path) for each in differences(before, after)] == [("renamed", "/field")]

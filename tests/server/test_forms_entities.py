"""A form written for ODK Entities saves to records of the form that its sheet names, or its author is told why not."""

from collections.abc import Sequence

from server.forms.authoring.proposals import Acceptance
from server.forms.conversion.xlsform import Conversion, ConvertedForm, Upload, convert_upload
from server.forms.entity_marks import Entity
from server.forms.schema import FormSchema
from tests.vectors.entity_form import VECTOR, entity_form, saved_to
from tests.workbooks import YES_NO, Cells, question, with_sheet, xlsform

#: A form that saves to one of trees, at the top or in a repeat.
VISIT = (
    question("text", "species", save_to="species"),
    question("integer", "metres", save_to="height"),
    question("select_one yes_no", "lives", save_to="alive"),
)
ENTITY = (("list_name", "label"), ("tree", "${species}"))


def visit(
    survey: Sequence[dict[str, str]] = VISIT,
    entity: Sequence[Cells] = ENTITY,
    *,
    accept: str = "",
    project: str = "agri",
    choices: Sequence[Cells] = YES_NO,
) -> Conversion:
    data = with_sheet(xlsform(survey, choices), "entities", entity)
    return convert_upload(
        Upload(data, accepts=Acceptance.of([accept]), project=project, entity_forms={"tree": saved_to()["tree"]})
    )


def live(conversion: Conversion) -> ConvertedForm:
    assert conversion.form is not None, [finding.message for finding in conversion.findings]
    return conversion.form


def told(conversion: Conversion) -> list[tuple[str, str | None, int | None, bool]]:
    return [(found.code, found.sheet, found.row, found.proposal is not None) for found in conversion.findings]


def test_a_published_form_says_where_each_answer_is_saved() -> None:
    xform = entity_form()
    assert xform == VECTOR.read_bytes(), "make it anew: python -m tests.vectors.entity_form"
    schema = FormSchema.parse(xform)
    saves = (("/kind", "/species"), ("/metres", "/size/height"), ("/lives", "/alive"), ("/picture", "/photo"))
    assert schema.entities == (
        Entity("/seedling/meta/entity", "plant", "1", "tourism", (("/seedling/sort", "/species"),)),
        Entity("/meta/entity", "tree", "1", "agri", saves),
    )
    # Whether a record is made or changed, and under which id, is an answer that nobody is asked.
    group = schema.by_path["/meta/entity"]
    assert [field.name for field in group.children] == ["create", "update", "id", "label"]
    assert all(field.is_calculated and not field.is_asked for field in group.children)
    assert schema.by_path["/seedling/meta/entity/id"].is_once
    assert b"entities:" not in xform.partition(b"<model")[2]


def test_all_that_does_not_fit_is_told_at_once_with_its_place_and_what_to_write() -> None:
    unfit = [question("text", f"b_{name}", save_to=name) for name in ("heigth", "owner", "age", "weight")]
    survey = [*VISIT, *unfit, question("text", "c", save_to="alive")]
    conversion = visit([VISIT[0], *survey[3:], question("text", "tall", save_to="height", bind__sensitive="yes")])
    assert told(conversion) == [
        ("entity_question_missing", "survey", 3, True),
        *(("entity_question_closed", "survey", row, True) for row in (4, 5, 6)),
        ("entity_type", "survey", 7, False),
        ("entity_sensitive", "survey", 8, False),
        ("entity_type", "survey", 8, False),
    ]
    assert conversion.findings[0].params["known"] == "height"


def test_what_nothing_can_be_saved_to_is_left_out_with_a_click() -> None:
    survey = [*VISIT[:2], question("text", "b", save_to="heigth")]
    assert ("entity_form_missing", "entities", 2, True) in told(visit(survey, (ENTITY[0], ("house", "${species}"))))
    assert ("entity_sheet_missing", "survey", 2, True) in told(visit(survey, ((), ())))
    form = live(visit(survey, (ENTITY[0], ("house", "${species}")), accept="*"))
    assert form.schema.entities == ()
    assert [field.path for field in form.schema.leaves()][:3] == ["/species", "/metres", "/b"]


def test_a_code_that_the_other_form_lacks_is_told() -> None:
    more = (*YES_NO, ("yes_no", "ill", "Bệnh", "Ill"))
    (finding,) = visit(choices=more).findings
    assert (finding.code, finding.params["codes"]) == ("entity_codes", "ill")


def test_a_form_of_another_project_is_saved_to_with_a_word_of_warning() -> None:
    conversion = visit(project="forest")
    assert told(conversion) == [("entity_elsewhere", "entities", 2, False)]
    assert live(conversion).schema.entities[0].project == "agri"


def test_who_has_not_looked_is_asked_for_the_forms_and_told_nothing_else() -> None:
    data = with_sheet(xlsform(VISIT), "entities", ENTITY)
    conversion = convert_upload(Upload(data, entity_forms=None))
    assert conversion == Conversion((), asks_for=frozenset({"tree"}))

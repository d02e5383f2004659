"""What an author brings goes live, or they are told what to write instead and accept it with one click."""

from collections.abc import Sequence

import pytest
from openpyxl import Workbook

from server.forms.authoring.identity import slug
from server.forms.authoring.proposals import EVERYTHING, Acceptance, CellChange
from server.forms.conversion.findings import Finding
from server.forms.conversion.xlsform import Conversion, ConvertedForm, Upload, convert_upload
from tests.old_workbooks import xls
from tests.workbooks import EN, GOOD, SETTINGS, VI, YES_NO, question, saved, with_part, xlsform

NEW_VERSION = "202611301545"


def checked(data: bytes, *accepted: str, file_name: str = "form.xlsx") -> Conversion:
    return convert_upload(Upload(data, file_name=file_name, accepts=Acceptance.of(accepted), new_version=NEW_VERSION))


def live(data: bytes, *accepted: str, file_name: str = "form.xlsx") -> ConvertedForm:
    conversion = checked(data, *accepted, file_name=file_name)
    assert conversion.form is not None, [finding.message for finding in conversion.findings]
    return conversion.form


def finding(conversion: Conversion, code: str) -> Finding:
    (found,) = [finding for finding in conversion.findings if finding.code == code]
    return found


def changes(found: Finding) -> Sequence[CellChange]:
    assert found.proposal is not None
    return found.proposal.changes


def old_form(*more: Sequence[object]) -> bytes:
    return xls(
        {
            "survey": [["type", "name", VI, EN], ["integer", "heads", "Số đầu", "Heads"], *more],
            "settings": [["form_id", "version", "title_vi", "title_en"], ["cattle", 2, "Gia súc", "Cattle"]],
        }
    )


def test_an_old_excel_file_is_taken_once_its_author_accepts_it() -> None:
    data = old_form(["text", "tên", "Tên chủ hộ", "Head of household"])
    conversion = checked(data)
    assert conversion.form is None
    assert [(found.code, found.proposal is not None) for found in conversion.findings] == [("old_xls", True)]
    form = live(data, "old_xls")
    assert (form.form, form.version) == ("cattle", "2")
    assert form.schema.by_path["/tên"].label("vi") == "Tên chủ hộ"


def test_what_is_wrong_in_an_old_excel_file_is_told_at_once() -> None:
    conversion = checked(old_form(["text", "a", "A", "A"], ["text", "a", "A", "A"]))
    assert [found.code for found in conversion.findings] == ["old_xls", "name_doubled"]
    assert conversion.findings[1].row == 4


@pytest.mark.parametrize("cut", [40, 600, 1_500, 3_000])
def test_half_an_old_excel_file_is_refused_and_crashes_nothing(cut: int) -> None:
    conversion = checked(old_form()[:cut])
    assert conversion.form is None
    assert conversion.findings[0].code in {"not_xlsx", "damaged", "no_survey"}


@pytest.mark.parametrize(
    ("settings", "file_name", "proposed"),
    [
        ({"form_id": "Household-Survey 2026"}, "x.xlsx", "household_survey_2026"),
        ({"form_id": "Điều tra hộ nghèo"}, "x.xlsx", "dieu_tra_ho_ngheo"),
        ({"form_id": "2026_ruong_bac_thang"}, "x.xlsx", "form_2026_ruong_bac_thang"),
        ({"form_id": "", "title_vi": "Chè Shan tuyết cổ thụ"}, "x.xlsx", "che_shan_tuyet_co_thu"),
        ({"form_id": "", "title_vi": "", "form_title": "", "title_en": ""}, "Phiếu rừng (v2).xlsx", "phieu_rung_v2"),
        ({"form_id": "", "title_vi": "", "form_title": "", "title_en": ""}, "🌾.xlsx", "form"),
        ({"form_id": "x" * 60}, "x.xlsx", "x" * 40),
    ],
)
def test_an_id_that_does_not_fit_becomes_a_slug(settings: dict[str, str], file_name: str, proposed: str) -> None:
    data = xlsform(settings=SETTINGS | settings)
    (change,) = changes(finding(checked(data, file_name=file_name), "form_id"))
    assert change == CellChange("settings", 2, "form_id", settings["form_id"], proposed)
    assert live(data, EVERYTHING, file_name=file_name).form == proposed


def test_every_vietnamese_letter_has_a_latin_one() -> None:
    assert slug("Ăn quả nhớ kẻ trồng cây, ĐƯỜNG xa ướt mưa") == "an_qua_nho_ke_trong_cay_duong_xa_uot_mua"


@pytest.mark.parametrize(
    ("version", "proposed"),
    [
        ("", NEW_VERSION),
        ("2024-08-16 00:00:00", "2024-08-16"),
        ("1 (2022-07-20 14:05:11)", "1-2022-07-20-14-05-11"),
        ("Bản 3/2026", "Ban-3-2026"),
        ("../1", "1"),
        ("—", NEW_VERSION),
        ("v" * 50, "v" * 40),
    ],
)
def test_a_version_that_does_not_fit_becomes_one_that_does(version: str, proposed: str) -> None:
    data = xlsform(settings=SETTINGS | {"version": version})
    conversion = checked(data)
    assert conversion.form is None
    assert live(data, EVERYTHING).version == proposed


def test_a_version_that_is_published_gets_another() -> None:
    published = {"household": {"1", NEW_VERSION}}
    upload = Upload(xlsform(), published=published, new_version=NEW_VERSION)
    assert finding(convert_upload(upload), "version_published").message.startswith("Version 1 of household is")
    again = Upload(xlsform(), published=published, new_version=NEW_VERSION, accepts=Acceptance.of([EVERYTHING]))
    form = convert_upload(again).form
    assert form is not None
    assert form.version == f"{NEW_VERSION}.2"


def test_a_workbook_without_settings_gets_them() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    sheet.append(["type", "name", "label"])
    sheet.append(["text", "a", "Tên"])
    form = live(saved(book), EVERYTHING, file_name="Hộ khẩu.xlsx")
    assert (form.form, form.version) == ("ho_khau", NEW_VERSION)


def test_one_proposal_is_accepted_without_the_others() -> None:
    data = xlsform(settings=SETTINGS | {"form_id": "My Form", "version": "1 of 2"})
    first = finding(checked(data), "form_id").proposal
    assert first is not None
    after = checked(data, first.key)
    assert [proposal.key for proposal in after.accepted] == [first.key]
    assert [found.code for found in after.findings] == ["version"]


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/drawings/vmlDrawing1.vml", b"<xml><v:shape><br></xml>"),
        ("xl/comments1.xml", b"<comments><not closed>"),
        ("xl/threadedComments/threadedComment1.xml", b"\x00\x01"),
        ("customXml/item1.xml", b"<!DOCTYPE x><x/>"),
        ("xl/printerSettings/printerSettings1.bin", b"\x00"),
        ("xl/media/image1.png", b"\x89PNG"),
    ],
)
def test_parts_of_a_workbook_that_nobody_reads_keep_no_form_from_going_live(part: str, content: bytes) -> None:
    assert checked(with_part(xlsform(), part, content)).findings == ()


def test_a_column_without_a_language_counts_for_all() -> None:
    survey = [{"type": "text", "name": "a", "label": "Tên"}, {"type": "text", "name": "b", EN: "Village"}]
    conversion = checked(xlsform(survey=[*survey, *GOOD]))
    assert conversion.form is not None
    schema = conversion.form.schema
    assert {language.name for language in schema.languages} == {"Tiếng Việt (vi)", "English (en)"}
    assert schema.by_path["/a"].labels == {"vi": "Tên", "en": "Tên"}
    assert schema.by_path["/b"].labels == {"vi": "Village", "en": "Village"}
    missing = finding(conversion, "translation_missing")
    assert (missing.row, missing.params["fallback"]) == (3, "English (en)")


def test_what_is_not_translated_is_a_warning_that_names_what_is_shown() -> None:
    row = question("text", "b", **{"hint__Tiếng Việt (vi)": "gợi ý"})
    row[EN] = ""
    conversion = checked(xlsform(survey=[*GOOD, row], choices=[*YES_NO, ("yes_no", "maybe", "Có thể", None)]))
    assert conversion.form is not None
    assert [(found.severity, found.place, found.message) for found in conversion.findings] == [
        (
            "warning",
            "survey, row 7",
            f"“b” has no {column} in English (en); the phone shows the one in Tiếng Việt (vi).",
        )
        for column in ("label", "hint")
    ] + [
        (
            "warning",
            "choices, row 4",
            "“maybe” has no label in English (en); the phone shows the one in Tiếng Việt (vi).",
        )
    ]
    assert b"-</value>" not in conversion.form.xform


def test_a_language_that_most_rows_lack_is_told_once() -> None:
    rows = [question("text", f"q{number}") | {EN: ""} for number in range(200)]
    conversion = checked(xlsform(survey=[*rows, *GOOD]))
    assert conversion.form is not None
    told = finding(conversion, "translations_missing")
    assert (told.row, told.params["count"]) == (2, "200")
    assert len(conversion.findings) == 1


def test_rows_that_are_never_shown_need_no_translation() -> None:
    hidden = [
        {"type": "calculate", "name": "c", VI: "Tính", "calculation": "1 + 1"},
        {"type": "hidden", "name": "h", VI: "Ẩn"},
        {"type": "start", "name": "s", VI: "Bắt đầu"},
        question("begin_group", "g"),
        question("text", "t"),
        {"type": "end_group", "name": "", VI: "Hết"},
    ]
    conversion = checked(xlsform(survey=[*GOOD, *hidden]))
    assert conversion.form is not None
    assert conversion.findings == ()


def test_a_language_that_is_named_without_its_code_gets_it_in_every_column() -> None:
    survey = [
        {"type": "text", "name": "a", "label::Vietnamese": "Tên", "label::English": "Name", "hint::English": "Full"}
    ]
    settings = SETTINGS | {"default_language": "Vietnamese"}
    book = xlsform(survey=survey, choices=(), settings=settings)
    # The sheet has the usual columns besides, all empty.
    conversion = checked(book)
    assert conversion.form is not None
    assert [found.params["language"] for found in conversion.findings if found.code == "language_code"] == [
        "Vietnamese",
        "English",
    ]
    form = live(book, EVERYTHING)
    assert [language.code for language in form.schema.languages] == ["vi", "en"]


@pytest.mark.parametrize("blank", [61, 150, 2_000])
def test_rows_behind_a_gap_are_read(blank: int) -> None:
    survey = [question("text", "a"), *[{} for _ in range(blank)], question("text", "b")]
    conversion = checked(xlsform(survey=survey))
    assert conversion.form is not None
    assert set(conversion.form.schema.by_path) >= {"/a", "/b"}


def test_choices_and_columns_behind_a_gap_are_read() -> None:
    choices = [*YES_NO, *[(None,) for _ in range(70)], ("yes_no", "later", "Sau", "Later")]
    assert "later" in {choice.value for choice in live(xlsform(choices=choices)).schema.by_path["/has_land"].choices}
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    sheet.append(["type", "name", "label", *[None] * 25, "required"])
    sheet.append(["text", "a", "Tên", *[None] * 25, "yes"])
    assert live(saved(book), EVERYTHING).schema.by_path["/a"].is_required


def test_a_row_at_the_end_of_the_world_is_named_and_not_waited_for() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    sheet.append(["type", "name", "label"])
    sheet.append(["text", "a", "Tên"])
    sheet.cell(row=900_000, column=1, value="text")
    found = finding(checked(saved(book)), "row_far_away")
    assert found.place == "survey, row 900000"


def test_a_column_that_stands_twice_is_named_unless_one_is_empty() -> None:
    for second, codes in (("Name", ["header_twice"]), (None, [])):
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "survey"
        sheet.append(["type", "name", "label", "label"])
        sheet.append(["text", "a", "Tên", second])
        found = [each.code for each in checked(saved(book), EVERYTHING).findings if each.severity == "error"]
        assert found == codes

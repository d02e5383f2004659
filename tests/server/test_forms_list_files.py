"""Choice lists that come as files beside a form: which are missing, and which rows no answer could hold."""

import pytest

from server.forms.conversion.findings import Finding
from server.forms.conversion.xlsform import Conversion, convert_xlsform
from tests.workbooks import GOOD, question, xlsform


def only_error(conversion: Conversion) -> Finding:
    assert conversion.form is None
    (found,) = [finding for finding in conversion.findings if finding.severity == "error"]
    return found


def warnings(conversion: Conversion) -> list[str]:
    return [finding.code for finding in conversion.findings if finding.severity == "warning"]


def test_a_list_in_a_file_must_come_with_the_form() -> None:
    data = xlsform(survey=[*GOOD, question("select_one_from_file villages.csv", "village")])
    missing = only_error(convert_xlsform(data))
    assert missing.message == "The form needs the file “villages.csv”; upload it together with the form."
    spreadsheet_mark = "\ufeff".encode()
    good = spreadsheet_mark + "name,label\nv1,Bản Na Vai\n".encode()
    conversion = convert_xlsform(data, {"villages.csv": good})
    assert conversion.form is not None
    assert conversion.form.lists == {"villages.csv": good.removeprefix(spreadsheet_mark)}
    unused = convert_xlsform(data, {"villages.csv": good, "other.csv": good})
    assert warnings(unused) == ["list_unused"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"code;title\n1;x\n", "mã,tên\n1,x\n".encode()])
def test_a_file_that_is_no_list_is_refused(content: bytes) -> None:
    data = xlsform(survey=[*GOOD, question("select_one_from_file villages.csv", "village")])
    finding = only_error(convert_xlsform(data, {"villages.csv": content}))
    assert finding.code == "list_unreadable"
    assert "label, name" in finding.message


@pytest.mark.parametrize(
    ("rows", "code", "number"),
    [
        ("v1,Bản 1\nrice paddy,Ruộng\n", "file_code_spaces", 3),
        ('v1,Bản 1\n"v\n2",Bản 2\n', "file_code_spaces", 4),
        ("v1 ,Bản 1\n", "file_code_spaces", 2),
        (",Bản 1\n", "file_code_blank", 2),
        ("v1,Bản 1\nv2,Bản 2\nv1,Bản 3\n", "file_code_twice", 4),
        ("v1\n", "file_row_length", 2),
        ("v1,Bản 1,thừa\n", "file_row_length", 2),
    ],
)
def test_a_row_of_a_file_that_no_answer_could_hold_is_named(rows: str, code: str, number: int) -> None:
    for kind in ("select_one_from_file", "select_multiple_from_file"):
        data = xlsform(survey=[*GOOD, question(f"{kind} villages.csv", "village")])
        finding = only_error(convert_xlsform(data, {"villages.csv": f"name,label\n{rows}".encode()}))
        assert (finding.code, finding.sheet, finding.row) == (code, "villages.csv", number)


def test_only_the_codes_that_questions_read_are_looked_at_and_blank_lines_are_none() -> None:
    survey = [*GOOD, question("select_one_from_file villages.csv", "village", parameters="value=code label=title")]
    rows = "name,code,title\nBản Na Vai,v1,Bản Na Vai\n\nBản Na Vai,v2,Bản Na Vai\n"
    assert convert_xlsform(xlsform(survey=survey), {"villages.csv": rows.encode()}).form is not None


def test_a_file_in_which_every_row_is_wrong_is_told_by_its_first() -> None:
    data = xlsform(survey=[*GOOD, question("select_one_from_file villages.csv", "village")])
    rows = "name,label\n" + "a b,x\n" * 4_000
    assert len(convert_xlsform(data, {"villages.csv": rows.encode()}).findings) == 10


def test_a_list_in_a_file_is_capped_too() -> None:
    data = xlsform(survey=[*GOOD, question("select_one_from_file villages.csv", "village")])
    long = "name,label\n" + "".join(f"v{number},Bản {number}\n" for number in range(5_001))
    assert only_error(convert_xlsform(data, {"villages.csv": long.encode()})).code == "list_too_long"


def test_a_file_in_xml_of_which_no_list_can_be_made_is_refused() -> None:
    data = xlsform(survey=[*GOOD, question("select_one_from_file parcels.xml", "parcel")])
    found = [each.code for each in convert_xlsform(data, {"parcels.xml": b"{}"}).findings if each.severity == "error"]
    assert found == ["xml_list", "xml_list_unreadable", "list_missing"]

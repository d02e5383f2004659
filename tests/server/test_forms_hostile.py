"""Files that are no honest workbook: each is refused before anything interprets it, with its own sentence."""

import multiprocessing
import time
import tracemalloc
import zipfile
from io import BytesIO

import pytest

from server.forms.conversion.conversion_process import converted
from server.forms.conversion.findings import Finding
from server.forms.conversion.workbook import MAX_FILE_BYTES, MAX_ROWS
from server.forms.conversion.xlsform import Upload, convert_upload, convert_xlsform
from tests.workbooks import GOOD, part_of, question, with_part, xlsform

SHEET = "xl/worksheets/sheet1.xml"
CHOICES_SHEET = "xl/worksheets/sheet2.xml"


def refusal(data: bytes) -> Finding:
    conversion = convert_xlsform(data)
    assert conversion.form is None
    (finding,) = conversion.findings
    assert finding.severity == "error"
    return finding


@pytest.mark.parametrize(
    ("data", "code", "sentence"),
    [
        (b"", "empty_file", "The file is empty."),
        (b"type,name\ntext,a\n", "not_xlsx", "This is not an Excel workbook (.xlsx)."),
        (b"%PDF-1.7", "not_xlsx", "This is not an Excel workbook (.xlsx)."),
        (b"PK\x03\x04 and then nothing of the kind", "not_xlsx", "This is not an Excel workbook (.xlsx)."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not_xlsx", "This is not an Excel workbook (.xlsx)."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "encrypted",
            "The workbook is protected with a password.",
        ),
        (b"PK\x03\x04" + bytes(MAX_FILE_BYTES), "file_too_large", "The file is larger than 5 MB."),
    ],
)
def test_what_is_no_workbook_is_refused_with_its_sentence(data: bytes, code: str, sentence: str) -> None:
    finding = refusal(data)
    assert finding.code == code
    assert finding.message.startswith(sentence)


def test_another_archive_is_no_workbook() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    assert refusal(buffer.getvalue()).code == "not_xlsx"


def test_a_truncated_workbook_is_refused() -> None:
    data = xlsform()
    for length in (40, len(data) // 2, len(data) - 1):
        assert refusal(data[:length]).code == "not_xlsx"


@pytest.mark.slow
def test_a_zip_bomb_is_refused_without_being_unpacked() -> None:
    bomb = with_part(xlsform(), "xl/media/image1.bin", bytes(200_000_000))
    tracemalloc.start()
    begun = time.process_time()
    finding = refusal(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (finding.code, time.process_time() - begun < 1, peak < 5_000_000) == ("zip_bomb", True, True)


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(with_part(xlsform(), "xl/extra.xml", b"<a>" + b" " * 3_000_000 + b"</a>"))
    # The sizes in the central directory, which are what a reader believes.
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/extra.xml"))
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    assert refusal(bytes(data)).code in {"not_xlsx", "damaged"}


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused_wherever_it_stands(part: str, declaration: str) -> None:
    content = part_of(xlsform(), part).decode()
    head, _, rest = content.partition("?>") if content.startswith("<?xml") else ("", "", content)
    start = f"{head}?>" if head else ""
    assert refusal(with_part(xlsform(), part, f"{start}{declaration}{rest}".encode())).code == "document_type"


def test_a_document_type_in_another_encoding_is_found_too() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
    assert refusal(with_part(xlsform(), SHEET, text.encode("utf-16"))).code == "document_type"


def test_a_part_that_is_no_xml_is_named() -> None:
    finding = refusal(with_part(xlsform(), SHEET, b"<worksheet><sheetData>"))
    assert finding.message == f"The workbook is damaged: {SHEET} cannot be read."
    unknown_encoding = b'<?xml version="1.0" encoding="x-klingon"?><worksheet/>'
    assert refusal(with_part(xlsform(), SHEET, unknown_encoding)).code == "damaged"


@pytest.mark.slow
def test_a_hundred_thousand_choices_are_refused_before_the_converter_sees_them() -> None:
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    choices = "".join(
        "<row>" + "".join(map(cell.format, ("long", f"c{number}", f"Bản {number}", f"Village {number}"))) + "</row>"
        for number in range(100_000)
    )
    listed = part_of(xlsform(), CHOICES_SHEET).decode()
    data = with_part(xlsform(), CHOICES_SHEET, listed.replace("</sheetData>", f"{choices}</sheetData>").encode())
    begun = time.process_time()
    finding = refusal(data)
    assert (finding.place, finding.message) == ("choices", f"The sheet “choices” has more than {MAX_ROWS} rows.")
    assert time.process_time() - begun < 3


def test_a_list_of_a_few_thousand_choices_is_refused_at_its_first_row() -> None:
    long = [("long", f"c{number}", f"Bản {number}", f"Village {number}") for number in range(1_500)]
    finding = refusal(xlsform(choices=[("yes_no", "yes", "Có", "Yes"), ("yes_no", "no", "Không", "No"), *long]))
    assert (finding.code, finding.sheet, finding.row) == ("list_too_long", "choices", 4)
    assert finding.message == "The list “long” has 1500 choices; at most 1000 fit. Give each area its own slice."


def test_styled_empty_rows_to_the_end_of_the_sheet_are_no_rows() -> None:
    content = part_of(xlsform(), SHEET).decode()
    empty = "".join(f'<row r="{number}"><c r="A{number}" s="0"/></row>' for number in range(10, 30_000))
    styled = content.replace("</sheetData>", f"{empty}</sheetData>").encode()
    conversion = convert_xlsform(with_part(xlsform(), SHEET, styled))
    assert conversion.form is not None, [finding.message for finding in conversion.findings]


def test_groups_nested_without_end_are_refused_and_crash_nothing() -> None:
    deep = [{"type": "begin_group", "name": f"g{number}", "label": "x"} for number in range(900)]
    deep += [{"type": "end_group", "name": ""}] * 900
    conversion = convert_xlsform(xlsform(survey=deep))
    assert conversion.form is None
    assert any(finding.severity == "error" for finding in conversion.findings)


@pytest.mark.parametrize(
    "cell",
    [
        "a" * 32_000,
        "(" * 32_000,
        "a:" * 16_000,
        "once(" * 6_000,
        "../" * 10_000 + "a",
        "${" * 16_000,
        "${" + " " * 32_000,
    ],
)
@pytest.mark.parametrize("column", ["calculation", "relevant", "constraint"])
def test_a_cell_as_long_as_a_spreadsheet_allows_is_read_at_once(column: str, cell: str) -> None:
    begun = time.process_time()
    convert_xlsform(xlsform(survey=[*GOOD, question("text", "b", **{column: cell})]))
    assert time.process_time() - begun < 3


@pytest.mark.slow
async def test_a_form_that_works_too_long_is_ended_however_busy_the_machine_is() -> None:
    long = [question("calculate", f"c{number}", calculation="(" * 30_000) for number in range(6)]
    done = await converted(Upload(xlsform([*GOOD, *long])), limit_s=1)
    assert [(each.code, dict(each.params)) for each in done.findings] == [("too_much_work", {"seconds": "1"})]


@pytest.mark.slow
async def test_a_form_that_takes_too_long_is_ended_and_the_next_is_checked() -> None:
    wrong = [question("txt", f"w{number}", relevant=f"${{v{number}}} = 1") for number in range(950)]
    done = await converted(Upload(xlsform([*GOOD, *wrong])), limit_s=0.01)
    assert [(each.code, dict(each.params)) for each in done.findings] == [("too_much_work", {"seconds": "0"})]
    assert multiprocessing.active_children() == []
    again = await converted(Upload(xlsform()))
    here = convert_upload(Upload(xlsform()))
    assert again.form is not None
    assert here.form is not None
    assert (again.form.xform, again.findings) == (here.form.xform, here.findings)

"""From an author's spreadsheet to an XForm that may be published, or to what is wrong with it.

The order matters: the gate, what the sheets say, the converter on the author's original (so that its messages carry
the author's rows), our checks of what came out, and only then the row identities. Pure but for the converter's own
temporary memory; it takes a tenth of a second of CPU, so callers run it in a thread.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from server.forms.checks import check_sheets, check_xform, has_errors
from server.forms.findings import Finding, Severity
from server.forms.lists import check_lists, clean_list
from server.forms.row_ids import with_row_ids
from server.forms.schema import FormSchema, NotAForm
from server.forms.sheets import Sheets
from server.forms.workbook import refuse_workbook
from server.forms.xml_input import XmlRefused, parse_xml

#: Beyond these, converting would cost more than it could tell.
TOO_LARGE = frozenset({"survey_too_long", "list_too_long", "choices_too_many"})
_ROW = re.compile(r"\[row\s*:\s*(\d+)\]|\brow (\d+)", re.IGNORECASE)
_SHEET = re.compile(r"[Oo]n the '?(\w+)'? sheet")

# Its progress is nobody's concern; what it has to say comes back as findings.
logging.getLogger("pyxform").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class ConvertedForm:
    """A form version that passed the server's checks."""

    form: str
    version: str
    titles: Mapping[str, str]
    schema: FormSchema
    xform: bytes
    lists: Mapping[str, bytes]

    @property
    def points(self) -> list[str]:
        """Return the paths of the questions that take a GPS point."""
        return [field.path for field in self.schema.leaves() if field.type == "geopoint"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a spreadsheet: `form` is None when anything is an error."""

    findings: tuple[Finding, ...]
    form: ConvertedForm | None = None


def convert_xlsform(data: bytes, lists: Mapping[str, bytes] | None = None) -> Conversion:
    """Return the form in a workbook, with the files of its choice lists, or what keeps it from being one."""
    findings: list[Finding] = []
    try:
        sheets = _read(data)
        findings += check_sheets(sheets)
        if any(finding.code in TOO_LARGE for finding in findings):
            return Conversion(tuple(findings))
        xform, warnings = _convert(data)
        document = parse_xml(xform)
        schema = FormSchema.parse(xform)
    except _Unusable as failure:
        return Conversion((failure.finding, *findings))
    except (XmlRefused, NotAForm, RecursionError) as failure:
        return Conversion((_failure(failure), *findings))
    findings += [_said("warning", message) for message in warnings]
    findings += check_xform(document, schema, sheets)
    findings += check_lists(document, lists or {})
    form = None if has_errors(findings) else _publishable(xform, sheets, lists or {})
    return Conversion(tuple(findings), form)


class _Unusable(Exception):
    """Nothing more can be said about the file than what is in `finding`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def _read(data: bytes) -> Sheets:
    refusal = refuse_workbook(data)
    if refusal is not None:
        raise _Unusable(refusal)
    try:
        sheets = Sheets.read(data)
    except Exception as failure:
        raise _Unusable(_failure(failure)) from failure
    if not any(name.lower() == "survey" for name in sheets.names):
        raise _Unusable(Finding("error", "no_survey"))
    return sheets


def _convert(data: bytes) -> tuple[str, list[str]]:
    from pyxform.xls2xform import convert

    warnings: list[str] = []
    try:
        return convert(xlsform=data, warnings=warnings, validate=False, file_type=".xlsx").xform, warnings
    except Exception as failure:
        raise _Unusable(_failure(failure)) from failure


def _publishable(xform: str, sheets: Sheets, lists: Mapping[str, bytes]) -> ConvertedForm:
    complete = with_row_ids(xform)
    schema = FormSchema.parse(complete)
    titles = {
        language.code: sheets.settings.get(f"title_{language.code}", "").strip() or schema.title
        for language in schema.languages
    }
    return ConvertedForm(
        form=schema.form,
        version=schema.version,
        titles=titles or {"vi": schema.title},
        schema=schema,
        xform=complete,
        lists={file: clean_list(lists[file]) for file in dict.fromkeys(schema.list_files)},
    )


def _failure(failure: Exception) -> Finding:
    """Return what the converter's exception says to the author.

    Besides its own errors it raises what Python does (AttributeError, KeyError, RecursionError) on sheets that it did
    not foresee, so its callers catch everything: it is the author's file that cannot be read, and the server stands.
    """
    from pyxform.errors import PyXFormError

    if isinstance(failure, PyXFormError):
        return _said("error", str(failure))
    code = failure.code if isinstance(failure, XmlRefused) else str(failure)
    kind = "" if isinstance(failure, (XmlRefused, NotAForm)) else f"{type(failure).__name__}: "
    return Finding("error", "converter_failed", params={"message": f"{kind}{code}"})


def _said(severity: Severity, message: str) -> Finding:
    """Return the converter's own message, as it is, with the place that it names."""
    row = _ROW.search(message)
    sheet = _SHEET.search(message)
    return Finding(
        severity,
        "converter",
        sheet=sheet.group(1) if sheet else ("survey" if row else None),
        row=int(row.group(1) or row.group(2)) if row else None,
        params={"message": message},
    )

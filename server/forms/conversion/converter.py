"""The converter of the ODK project, called so that one mistake does not hide the next.

It stops at the first thing that it dislikes. So the row that it names is replaced by a plain question of the same name,
and it is asked again, until it has nothing more to say or has been asked often enough. What comes out of stand-ins is
looked at for more mistakes and never published.
"""

import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from server.forms.authoring.author_workbook import AuthorWorkbook, Row
from server.forms.conversion.converter_messages import said
from server.forms.conversion.findings import FIRST_ROW, Finding
from server.forms.conversion.sheets import column_name, type_of
from server.forms.schema import NotAForm
from server.forms.xml_input import XmlRefused

MAX_CALLS: Final = 20
MAX_SECONDS: Final = 2.0
_KEPT: Final = frozenset({"name", "label"})
_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")


@dataclass(frozen=True, slots=True)
class ConvertedSheets:
    """What came out: no XForm where a mistake had no row to stand in for; findings have what the converter said."""

    xform: str | None
    findings: tuple[Finding, ...]
    #: (sheet, row) of what was replaced; whatever is said of these rows besides is no mistake of their author's.
    stood_in: frozenset[tuple[str, int]] = frozenset()


def convert_sheets(workbook: AuthorWorkbook, broken: Collection[tuple[str, int]] = ()) -> ConvertedSheets:
    """Return the XForm of a workbook, and all that the converter has to say of it but for the rows in `broken`."""
    from pyxform.xls2xform import convert

    given = workbook.for_converter()
    found: list[Finding] = []
    stood_in = {place for place in broken if _stand_in(given, *place, is_again=False)}
    until = time.monotonic() + MAX_SECONDS
    for _ in range(MAX_CALLS):
        warnings: list[str] = []
        try:
            xform = convert(xlsform=_copy(given), warnings=warnings, validate=False).xform
        except Exception as failure:
            # Besides its own errors it raises what Python does (AttributeError, KeyError, RecursionError) on sheets
            # that it did not foresee: it is the author's file that cannot be read, and the server stands.
            mistake = _placed(failure_finding(failure), given)
            place = (mistake.sheet or "", mistake.row or 0)
            if mistake not in found:
                found.append(mistake)
            if time.monotonic() > until or not _stand_in(given, *place, is_again=place in stood_in):
                return ConvertedSheets(None, tuple(found), frozenset(stood_in))
            stood_in.add(place)
            continue
        found += filter(None, (said("warning", message) for message in warnings))
        return ConvertedSheets(xform, tuple(found), frozenset(stood_in))
    return ConvertedSheets(None, tuple(found), frozenset(stood_in))


def failure_finding(failure: Exception) -> Finding:
    """Return what an exception of the converter, or of reading what it made, says to the author."""
    from pyxform.errors import PyXFormError

    if isinstance(failure, PyXFormError) and (told := said("error", str(failure))) is not None:
        return told
    code = failure.code if isinstance(failure, XmlRefused) else str(failure)
    kind = "" if isinstance(failure, (XmlRefused, NotAForm)) else f"{type(failure).__name__}: "
    return Finding("error", "converter_failed", params={"message": f"{kind}{code}"})


def _placed(mistake: Finding, given: Mapping[str, Any]) -> Finding:
    """Return the finding with its row where the converter does not say it: of a question's type."""
    if mistake.code != "type_unknown" or mistake.row is not None:
        return mistake
    for number, row in enumerate(given.get("survey", ()), start=FIRST_ROW):
        columns = {column_name(header): cell for header, cell in row.items()}
        if columns.get("type", "").strip() == mistake.params["type"]:
            return replace(mistake, sheet="survey", row=number)
    return mistake


def _copy(given: Mapping[str, Any]) -> dict[str, Any]:
    # The converter takes its input apart as it goes.
    return {key: [dict(row) if isinstance(row, dict) else row for row in value] for key, value in given.items()}


def _stand_in(given: dict[str, Any], sheet: str, row: int, *, is_again: bool) -> bool:
    """Replace a row by a plain question of its name, or by none at all; say whether there was one that could be."""
    rows: list[Row] = given.get(sheet, [])
    at = row - FIRST_ROW
    if not 0 <= at < len(rows) or sheet not in ("survey", "choices"):
        return False
    if not rows[at]:
        return False
    if sheet == "choices" or is_again:
        rows[at] = {}
        return True
    columns = {column_name(header): cell for header, cell in rows[at].items()}
    kind = type_of(columns).partition(" ")[0]
    kept = {header: cell for header, cell in rows[at].items() if column_name(header).partition("::")[0] in _KEPT}
    if kind.startswith("end_") or not _NAME.fullmatch(columns.get("name", "")):
        rows[at] = {}
    else:
        rows[at] = {**kept, "type": kind if kind.startswith("begin_") else "text"}
    return True

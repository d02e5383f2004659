"""What the converter says, recognised by its words: so that a screen says it in its reader's language.

The converter's messages are English sentences with a row somewhere. What is not recognised is passed on as it is. A
test makes the converter say these, so that a new version of it that speaks otherwise is noticed.
"""

import re
from typing import Final

from server.forms.conversion.findings import Finding, Severity

_ROW: Final = re.compile(r"\[row\s*:\s*(\d+)\]|\brow (\d+)", re.IGNORECASE)
_SHEET: Final = re.compile(r"[Oo]n the '?(\w+)'? sheet")
#: Words of the message, and the code under which it is said; names in the pattern are the sentence's parameters.
_KNOWN: Final = tuple(
    (re.compile(pattern, re.DOTALL), code)
    for pattern, code in (
        (r"the '(?P<column>[^']*)' value is invalid\. Names must begin with a letter", "name_unfit"),
        (r"The '(?P<column>[^']*)' value is invalid\. Names must begin with a letter", "name_unfit"),
        (r"'name' value '(?P<name>[^']*)' is invalid\. Questions, groups, and repeats must be unique", "name_doubled"),
        (r"'name' value '(?P<name>[^']*)' is invalid\. Repeat names must", "name_doubled"),
        (r"The name '?(?P<name>meta)'? is reserved", "name_reserved"),
        (r"Unmatched 'end_(?P<type>\w+)'", "end_unmatched"),
        (r"Unmatched 'begin_(?P<type>\w+)'.* for the name '(?P<name>[^']*)'", "begin_unmatched"),
        (r"Question with no type", "type_missing"),
        (r"Question or group with no name", "name_missing"),
        (r"Unknown question type '(?P<type>[^']*)'", "type_unknown"),
        (r"Missing calculation", "calculation_missing"),
        (r"List name not in (?:choices|columns) sheet: (?P<list>.*)", "list_unknown"),
        (r"There should be a choices sheet", "choices_missing"),
        (r"should end with one of the supported file extensions", "list_file_kind"),
        (r"Choice filter not supported with or_other", "other_filtered"),
        (r"Please specify choices for this 'or other' question", "choices_missing"),
        (r"Choice names with spaces cannot be added .*? See \[(?P<name>[^\]]*)\]", "choice_spaces"),
        (r"the '(?P<column>[^']*)' value is invalid\. Reference variables must start with", "reference_unreadable"),
        (
            r"the '(?P<column>[^']*)' value is invalid\. Reference variable lists must have a comma",
            "reference_unreadable",
        ),
        (r"the '(?P<column>[^']*)' value is invalid\..*Could not find the name '(?P<name>[^']*)'", "reference_unknown"),
        (r"There is no survey element named '(?P<name>[^']*)'", "reference_nowhere"),
        (r"The name '(?P<name>[^']*)' appears more than once", "reference_ambiguous"),
        (r"There are multiple survey elements named '(?P<name>[^']*)'", "reference_ambiguous"),
        (r"accepted parameter keys for this question type are '(?P<known>[^']*)'", "parameter_unknown"),
        (r"Parameters must be in the form of", "parameters_unreadable"),
        (r"For the 'range' question type", "range_unfit"),
        (r"different names for the same column were found: '(?P<other>[^']*)', '(?P<column>[^']*)'", "header_doubled"),
        (r"One or more required column headers were not found: (?P<column>.*?)\. ", "header_missing"),
        (r"Invalid headers provided for sheet", "header_row_missing"),
        (
            r"On the 'choices' sheet, the '(?P<column>[^']*)' value is invalid\. Column headers must not",
            "header_spaces",
        ),
        (r"Choices should have a label", "choice_no_label"),
        (r"Audits must always be named", "audit_name"),
        (r"Row without name, text, or label is being skipped", "row_skipped"),
        (r"(?P<type>Group|Repeat|Loop) has no label", "group_no_label"),
        (r"the following sheets with similar names were found: (?P<candidates>.*?)\.", "sheet_misspelt"),
        (r"(?P<parameter>[\w-]+) must be set to true or false", "parameter_truth"),
        (r"[Pp]arameter (?P<parameter>[\w-]+) must have an integer value", "parameter_number"),
    )
)
#: Said by our own checks, or of no concern to phones that are ours.
_SAID_ALREADY: Final = re.compile(
    r"case-insensitive match to another name|is missing the |Use the max-pixels parameter"
    r"|is no longer supported on most devices|both specified in the settings|This question has translations"
)


def said(severity: Severity, message: str) -> Finding | None:
    """Return what the converter said, with the place that it names; None for what our own checks say better."""
    if severity == "warning" and _SAID_ALREADY.search(message):
        return None
    row = _ROW.search(message)
    sheet = _SHEET.search(message)
    place = (
        sheet.group(1) if sheet else ("survey" if row else None),
        int(row.group(1) or row.group(2)) if row else None,
    )
    for pattern, code in _KNOWN:
        found = pattern.search(message)
        if found is not None:
            return Finding(severity, code, *place, {name: text or "" for name, text in found.groupdict().items()})
    return Finding(severity, "converter", *place, {"message": message})

"""Findings about a form, placed where its author can find them: sheet and row as the spreadsheet shows them.

The converter's own messages are passed on as they are; ours have a code besides, so that the screen can say them in
its reader's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from server.forms.authoring.proposals import CellChange, FormProposal

Severity = Literal["error", "warning"]

#: The first row below the header, as the spreadsheet counts.
FIRST_ROW: Final = 2

SENTENCES: dict[str, str] = {
    "empty_file": "The file is empty.",
    "file_too_large": "The file is larger than {limit_mb} MB.",
    "not_xlsx": "This is not an Excel workbook (.xlsx). Save the form as .xlsx and try again.",
    "old_xls": "This is an old Excel file (.xls). It can be read as it is; what is published is the same form.",
    "encrypted": "The workbook is protected with a password. Remove the password and try again.",
    "zip_bomb": "The workbook unpacks to far more than its size, so it was not opened.",
    "document_type": "The workbook declares a document type, which no spreadsheet needs, so it was not opened.",
    "damaged": "The workbook is damaged: {part} cannot be read.",
    "too_many_rows": "The sheet “{sheet}” has more than {limit} rows.",
    "too_much_work": "Checking this form takes over {seconds} seconds. Make it smaller, or its expressions shorter.",
    "too_many_cells": "The workbook has more than {limit} cells.",
    "row_far_away": "The last row with a value is row {row}; at most {limit} are read. Move it up to the others.",
    "header_twice": "The column “{column}” stands twice. Delete one, or give it another name.",
    "converter": "{message}",
    "converter_failed": "The converter cannot read this form: {message}",
    "no_survey": "There is no sheet named “survey”.",
    "form_id": "“form_id” must be lower-case letters, digits and _, beginning with a letter (at most 40).",
    "version_missing": "The settings have no “version”. Give each version its own, for example 2026112101.",
    "version": "“version” may hold only letters, digits, dots, - and _ (at most 40).",
    "version_published": "Version {version} of {form} is published already and never changes. Give this a new version.",
    "other_project": "{form} is a form of the project {project}.",
    "title_missing": "There is no title in {language}: add a column “title_{language}” to the settings.",
    "language_missing": "No label is in {language}. Name the columns as in “label::Tiếng Việt (vi)”.",
    "language_code": "The language “{language}” has no code. Write it as in “label::Tiếng Việt (vi)”.",
    "translation_missing": "“{name}” has no {column} in {language}; the phone shows the one in {fallback}.",
    "translations_missing": "{count} rows have no {column} in {language} ({rows}); the phone shows {fallback} there.",
    "once_needed": "{function}() gives another value each time the form is opened. Write {instead}.",
    "once_beside": (
        "{function}() gives another value each time the form is opened. Add a row calculate “{helper}” with {once}, "
        "and write here {instead}."
    ),
    "once_inside": (
        "once(…) inside a larger expression gives the question’s own value. Add a row calculate “{helper}” with "
        "{once}, and write here {instead}."
    ),
    "day_impossible": "There is no day {day}: what the form computes from it would stay blank.",
    "cycle": "These depend on each other in a circle: {names}.",
    "cycle_in_group": (
        "The group “{group}” is shown by the answer to “{name}”, which stands in it: hidden, it could never be "
        "answered. Move “{name}” before the group."
    ),
    "attribute_unread": "“{name}” has {attributes}, which no phone reads; it is left out.",
    "instance_xmlns": "The phone cannot open a form whose settings have “instance_xmlns” ({value}): leave it empty.",
    "function_unknown": "The phone has no function {function}().",
    "expression": "This expression cannot be read: {expression}",
    "pattern": "The pattern {pattern} cannot be matched: leave out \\b, \\1, (?=…) and the like.",
    "list_too_long": "The list “{list}” has {count} choices; at most {limit} fit. Give each area its own slice.",
    "choices_too_many": "All questions together offer {count} choices; more than {limit} make the phone slow.",
    "survey_too_long": "The form has {count} questions; at most {limit} fit.",
    "name_reserved": "The name “{name}” is used by the system. Choose another.",
    "name_too_long": "The name “{name}” is longer than {limit} characters.",
    "name_case": "“{name}” and “{other}” differ only in capitals.",
    "name_twice": "The name “{name}” stands in several places; ${{{name}}} cannot tell them apart.",
    "mark_merge": "bind::merge is “{value}”; it can be max, min, append or ask.",
    "mark_merge_type": "bind::merge “{value}” does not suit a question of type {type}.",
    "mark_merge_calculated": "bind::merge has no meaning for a calculated value.",
    "mark_sensitive": "bind::sensitive is “{value}”; write yes or leave it empty.",
    "mark_identifies": "bind::identifies is “{value}”; it can be {known}.",
    "mark_identifies_type": "bind::identifies “{value}” does not suit a question of type {type}.",
    "mark_identifies_repeat": "bind::identifies “{value}” stands in a repeat; a record is about one household.",
    "mark_identifies_twice": "bind::identifies “{value}” stands at {other} already.",
    "mark_was": "bind::was names “{value}”, which still stands in this form.",
    "was_name": "bind::was is “{value}”, which is not the name of a question.",
    "entity_form_missing": (
        "No form “{form}” is published, so that nothing can be saved to its records. Publish it first, or leave this "
        "row and its save_to out: the record itself stays whole."
    ),
    "entity_elsewhere": (
        "{form} is a form of the project {project}: what people save who have no right there waits in quarantine."
    ),
    "entity_sheet_missing": "save_to needs a row in the sheet “entities”. Without it the record itself stays whole.",
    "entity_question_missing": (
        "The form {form} has no question “{property}”, so that {name} cannot be saved there. It has: {known}."
    ),
    "entity_question_twice": (
        "The form {form} has several questions “{property}”, so that nobody knows where {name} goes. Give them other "
        "names there."
    ),
    "entity_question_closed": (
        "“{property}” of the form {form} is computed, marked sensitive, never asked or in a repeat: {name} cannot be "
        "saved there."
    ),
    "entity_type": (
        "{name} is {type} and “{property}” of the form {form} is {wanted}: it could not hold the answer. Save to a "
        "question of the same type."
    ),
    "entity_sensitive": (
        "{name} is marked sensitive, and “{property}” of the form {form} is shown in lists and exports: it cannot be "
        "saved there."
    ),
    "entity_codes": (
        "“{property}” of the form {form} does not offer {codes}, which {name} does. Use the same list in both forms."
    ),
    "encryption": "Encrypted submissions are not supported: leave out “{setting}”.",
    "external_one_language": (
        "The list “{list}” is too long for the form, so that it goes beside it as {file}, in one language only: "
        "Vietnamese, or the first."
    ),
    "list_missing": "The form needs the file “{file}”; upload it together with the form.",
    "xml_list": (
        "The phone does not read “{file}”, a list in XML. Write {instead}; the file becomes a .csv if you give it."
    ),
    "xml_list_unreadable": (
        "No list can be made of “{file}”. Each entry has to be an element with one element a column in it."
    ),
    "list_kind": "The file “{file}” is neither a .csv nor a .geojson file; lists can be no other.",
    "geojson_unreadable": "The file “{file}” is no GeoJSON: it must be a FeatureCollection in UTF-8.",
    "feature_unreadable": (
        "This feature cannot be read: it needs a geometry that is a Point, a LineString or a Polygon, in longitude and "
        "latitude. Split Multi… geometries."
    ),
    "feature_lacks": "This feature lacks one of {columns} among its properties, so that it could not be chosen.",
    "list_unused": "The file “{file}” is not used by the form.",
    "list_unreadable": "The file “{file}” is not a list: it must be comma-separated UTF-8 with the columns {columns}.",
    "expression_spelling": "ODK writes this expression another way, so the phone could not read it: {expression}",
    "function_foreign": "The phone has no function {function}(). In ODK write: {instead}",
    "code_unknown": "{name} does not offer “{value}”, so that this is never true. Its list has: {codes}.",
    "reference_unknown": "{column} names the question “{name}”, which the form does not have.",
    "yes_word": "{column} is “{value}”, which the phone takes for nothing. Write yes or no.",
    "name_bare": (
        "{column} names {name} without the marks of a question: the phone would never find it. Write {instead}."
    ),
    "code_bare": (
        "{column} has the value {name} without quotes: the phone takes it for a question, and it is "
        "never true. Write {instead}."
    ),
    "name_unknown": (
        "{column} names {name}, which nothing bears, so that the phone takes it for blank. Write {instead}."
    ),
    "column_unknown": (
        "{column} uses the column {name}, which the choices do not have: the phone would offer no "
        "choice. Write {instead}."
    ),
    "choice_no_list": "The choice “{name}” is in no list (list_name is empty), so that nobody is offered it.",
    "choice_no_name": "The choice “{label}” of the list {list} has no code (name), so that it cannot be kept.",
    "choice_spaces": (
        "The code “{name}” has a space or a line break: the phone would read several codes. Write it as one word."
    ),
    "choice_twice": "The code “{name}” stands twice in its list: nobody could tell which was chosen.",
    "kind_left_out": "The phone does not do {type} yet: {name} stays blank, all else works.",
    "audit_reasons": "The phone logs what is changed and when, and asks nobody why (track-changes-reasons).",
    "kind_unknown": "The phone has no questions of the type {type}. For {name} use {instead}.",
    "appearance_label": (
        "{name} is there for the labels of a table only and cannot be answered, so that it must not be required."
    ),
    "appearance_otherwise": "The phone ignores the appearance “{appearance}”: {name} is shown as usual.",
    "search": (
        "The phone has no search(): {name} would offer a false choice only. Write select_one_from_file "
        "with a .csv file."
    ),
    "default_unfit": (
        "The default “{value}” is no {type} that {name} can hold: the phone would leave it blank or refuse it."
    ),
    "repeat_long": "The repeat {name} has {count} rows; beyond {limit} a phone gets slow or stops.",
    "repeat_unbounded": (
        "Nothing bounds how many rows {name} has ({count}): one mistyped number would stop the phone. "
        "Bound it at {limit}."
    ),
    "group_empty": "The group {name} has no question: the phone could not open the form. Leave the group out.",
    "media_missing": (
        "The file “{file}” that a label shows did not come along ({count} are missing): the phone shows "
        "the words only. Upload it together with the form."
    ),
    "media_kind": "The phone cannot show “{file}” in a label; it shows {known}.",
    "media_too_large": "“{file}” has {count} KB, and every phone fetches it; at most {limit} KB.",
    "file_row_length": "This row has {count} cells and the header {wanted}: the choice would be shifted or blank.",
    "file_code_blank": "{column} is blank: nobody could choose this row.",
    "file_code_spaces": (
        "The code “{value}” has a space or a line break: the phone would read several codes. Write it as one word."
    ),
    "file_code_twice": "The code “{value}” stands in row {other} already: nobody could tell which was chosen.",
    "name_unfit": (
        "{column} cannot be used: a name begins with a letter or _, and has only letters, digits, _ - "
        "and dots, no spaces."
    ),
    "name_doubled": "The name “{name}” stands twice in one group: the phone could keep one answer only. Rename one.",
    "end_unmatched": "This end_{type} closes nothing: there is no begin_{type} before it.",
    "begin_unmatched": "“{name}” opens with begin_{type}, and no end_{type} closes it.",
    "type_missing": "This row has no type, so that the phone would not show it.",
    "name_missing": "This row has no name, so that its answer could not be kept.",
    "type_unknown": "There is no question type “{type}”. The types are listed at xlsform.org.",
    "calculation_missing": "This calculate has no calculation.",
    "list_unknown": "The choices have no list “{list}”, so that there would be nothing to choose.",
    "choices_missing": "A question with choices needs the sheet choices with the columns list_name, name, label.",
    "list_file_kind": "The file of a list must be a .csv or a .geojson file.",
    "other_filtered": "choice_filter does not go with or_other. Add a choice “other” and a text question.",
    "reference_unreadable": (
        "{column} has an unfinished reference: a dollar sign and a brace, the name of a question, and a closing brace."
    ),
    "reference_nowhere": "Something names the question “{name}”, which the form does not have.",
    "reference_ambiguous": (
        "Several questions are called “{name}”, so that nobody knows which is meant. Give them different names."
    ),
    "parameter_unknown": "parameters has a key that this type does not know. It knows: {known}.",
    "parameters_unreadable": "parameters must be written key1=value1 key2=value2.",
    "parameter_truth": "{parameter} must be true or false.",
    "parameter_number": "{parameter} must be a whole number.",
    "range_unfit": (
        "The parameters of this range do not fit: start, end and step are numbers, step is not 0 and no "
        "larger than the range."
    ),
    "header_doubled": "The columns “{other}” and “{column}” are the same. Delete one.",
    "header_missing": "This sheet lacks the column {column}.",
    "header_row_missing": "The first row of a sheet must hold the names of its columns.",
    "header_spaces": (
        "The column “{column}” of the choices has a space in its name, so that nothing can be filtered by it."
    ),
    "choice_no_label": "This choice has no label: the phone shows its code.",
    "audit_name": "An audit must be called audit, or have no name.",
    "row_skipped": "This row has neither type nor name nor label, so that it is left out.",
    "group_no_label": "This group has no label: the phone shows no heading.",
    "sheet_misspelt": "There are sheets with a similar name: {candidates}. Rename it if that is the one.",
    "path_unknown": "The path {path} leads to no question, so that the phone takes it for blank.",
    "last_saved": "The phone does not keep the answers of the record before (last-saved). Leave this default out.",
    "expressions_too_long": (
        "The expressions are longer than {limit} characters together (at this row), so that the form "
        "was not checked. Split it."
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or may be; `row` counts as the spreadsheet does, the header being row 1."""

    severity: Severity
    code: str
    sheet: str | None = None
    row: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    #: What its author may accept with one click.
    proposal: FormProposal | None = None

    def proposing(self, *changes: CellChange) -> "Finding":
        """Return the finding with what would be written instead."""
        place = [str(part) for part in (self.sheet, self.row, changes[0].column if changes else None) if part]
        return replace(self, proposal=FormProposal(":".join([self.code, *place]), changes))

    @property
    def message(self) -> str:
        """Return the sentence in English."""
        return SENTENCES[self.code].format_map(self.params)

    @property
    def place(self) -> str:
        """Return where it is, for a terminal: “survey, row 12”."""
        row = f"row {self.row}" if self.row else ""
        return ", ".join(part for part in (self.sheet or "", row) if part)


def error(code: str, sheet: str | None = None, row: int | None = None, **params: object) -> Finding:
    """Return a finding that keeps the form from being published."""
    return Finding("error", code, sheet, row, {name: str(value) for name, value in params.items()})


def warning(code: str, sheet: str | None = None, row: int | None = None, **params: object) -> Finding:
    """Return a finding that its author should know."""
    return Finding("warning", code, sheet, row, {name: str(value) for name, value in params.items()})

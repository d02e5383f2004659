"""What is wrong with a form, said where its author can find it: sheet and row as the spreadsheet shows them.

The converter's own messages are passed on as they are; ours have a code besides, so that the screen can say them in
its reader's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]

SENTENCES: dict[str, str] = {
    "empty_file": "The file is empty.",
    "file_too_large": "The file is larger than {limit_mb} MB.",
    "not_xlsx": "This is not an Excel workbook (.xlsx). Save the form as .xlsx and try again.",
    "old_xls": "This is an old Excel file (.xls). Open it and save it as .xlsx, then try again.",
    "encrypted": "The workbook is protected with a password. Remove the password and try again.",
    "zip_bomb": "The workbook unpacks to far more than its size, so it was not opened.",
    "document_type": "The workbook declares a document type, which no spreadsheet needs, so it was not opened.",
    "damaged": "The workbook is damaged: {part} cannot be read.",
    "too_many_rows": "The sheet “{sheet}” has more than {limit} rows.",
    "too_many_cells": "The workbook has more than {limit} cells.",
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
    "translation_missing": "“{name}” has no {column} in {language}.",
    "once_needed": "{function}() gives another value each time the form is opened. Write once({function}()).",
    "cycle": "These depend on each other in a circle: {names}.",
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
    "entities": "Entities are not supported: leave out the sheet “entities” and “save_to”.",
    "encryption": "Encrypted submissions are not supported: leave out “{setting}”.",
    "external_choices": "select_one_external is not supported: use select_one_from_file with a .csv file.",
    "list_missing": "The form needs the file “{file}”; upload it together with the form.",
    "list_kind": "The file “{file}” is not a .csv file; lists can be .csv only.",
    "list_unused": "The file “{file}” is not used by the form.",
    "list_unreadable": "The file “{file}” is not a list: it must be comma-separated UTF-8 with the columns {columns}.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or may be; `row` counts as the spreadsheet does, the header being row 1."""

    severity: Severity
    code: str
    sheet: str | None = None
    row: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)

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

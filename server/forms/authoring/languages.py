"""Texts in several languages: a column without a language counts for all, and what one lacks another lends.

The converter puts a dash where a translation is missing, which a phone would show. So before the converter sees the
rows, each missing text is filled from another language, named in a warning: a form in which half is translated goes
live, and nobody reads a dash.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from server.forms.authoring.author_workbook import AuthorSheet, AuthorWorkbook, Row
from server.forms.authoring.proposals import HEADER_ROW, CellChange
from server.forms.conversion.findings import FIRST_ROW, Finding, warning
from server.forms.conversion.sheets import UNTRANSLATED, column_name, text_column, translations, type_of
from server.forms.schema import language_code

#: More rows than these that lack the same are one finding.
TOLD_ONE_BY_ONE: Final = 10
SHEETS: Final = ("survey", "choices")
CODES: Final = frozenset({"vi", "en"})
KNOWN_NAMES: Final = {
    "vietnamese": "Tiếng Việt (vi)",
    "tiếng việt": "Tiếng Việt (vi)",
    "tieng viet": "Tiếng Việt (vi)",
    "english": "English (en)",
    "tiếng anh": "English (en)",
    "french": "Français (fr)",
    "français": "Français (fr)",
    "spanish": "Español (es)",
    "español": "Español (es)",
    "lao": "ລາວ (lo)",
    "khmer": "ខ្មែរ (km)",
    "thai": "ไทย (th)",
    "chinese": "中文 (zh)",
}
#: Rows whose texts no phone shows.
NEVER_SHOWN: Final = frozenset(
    {"calculate", "hidden", "start", "end", "today", "deviceid", "username", "email", "phonenumber", "subscriberid"}
    | {
        "simserial",
        "audit",
        "background-audio",
        "background-geopoint",
        "start-geopoint",
        "xml-external",
        "csv-external",
    }
)


def used_languages(workbook: AuthorWorkbook) -> list[str]:
    """Return the languages in which some label stands, as the author names them, in the order of the columns."""
    used: dict[str, None] = {}
    for name in SHEETS:
        for row in workbook.sheet(name).rows:
            used |= dict.fromkeys(translations(row).get("label", ()))
    return [language for language in used if language != UNTRANSLATED]


def check_language_names(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give the languages whose names have no code, each with its usual name where we know it."""
    for language in used_languages(workbook):
        if language_code(language) != language or language in CODES:
            continue
        found = warning("language_code", "survey", HEADER_ROW, language=language)
        known = KNOWN_NAMES.get(language.strip().lower())
        yield found if known is None else found.proposing(*_renaming(workbook, language, known))


def _renaming(workbook: AuthorWorkbook, before: str, after: str) -> Iterator[CellChange]:
    for name in SHEETS:
        for header in workbook.sheet(name).headers:
            column, separator, language = header.rpartition("::")
            if language.strip() == before and text_column(header) is not None:
                yield CellChange(name, HEADER_ROW, header, header, f"{column}{separator}{after}")
    for header, cell in workbook.settings.items():
        if column_name(header) == "default_language" and cell == before:
            yield CellChange("settings", FIRST_ROW, header, cell, after)


def check_translations(workbook: AuthorWorkbook) -> Iterator[Finding]:
    """Give what is missing in a language, with the language whose text is shown instead."""
    used = used_languages(workbook)
    order = _order(workbook, used)
    missing: dict[tuple[str, str, str, str], list[tuple[int, str]]] = {}
    for sheet in SHEETS:
        for number, row in enumerate(_plain_rows(workbook.sheet(sheet)), start=FIRST_ROW):
            kind = type_of(row).partition(" ")[0]
            if sheet == "survey" and (kind in NEVER_SHOWN or kind.startswith("end_")):
                continue
            for column, texts in translations(row).items():
                for language in used:
                    if language not in texts and UNTRANSLATED not in texts:
                        lender = next(other for other in order if other in texts)
                        rows = missing.setdefault((sheet, column, language, lender), [])
                        rows.append((number, row.get("name") or row.get("type", "")))
    for (sheet, column, language, lender), found in missing.items():
        if len(found) > TOLD_ONE_BY_ONE:
            rows_told = ", ".join(str(number) for number, _ in found[:TOLD_ONE_BY_ONE])
            told = {"column": column, "language": language, "fallback": lender, "rows": f"{rows_told}, …"}
            yield warning("translations_missing", sheet, found[0][0], count=len(found), **told)
            continue
        for number, name in found:
            told = {"name": name, "column": column, "language": language, "fallback": lender}
            yield warning("translation_missing", sheet, number, **told)


def filled(workbook: AuthorWorkbook) -> AuthorWorkbook:
    """Return the workbook with every text in every language; one without languages as it is."""
    used = used_languages(workbook)
    if not used:
        return workbook
    order = _order(workbook, used)
    sheets = dict(workbook.sheets)
    for name in SHEETS:
        if name in sheets:
            sheets[name] = _filled_sheet(sheets[name], used, order)
    return AuthorWorkbook(sheets, workbook.names)


def _filled_sheet(sheet: AuthorSheet, used: Sequence[str], order: Sequence[str]) -> AuthorSheet:
    if all(set(texts) == set(used) for row in sheet.rows for texts in translations(row).values()):
        return sheet
    headers = {header for header in sheet.headers if text_column(header) is not None}
    rows = tuple(_filled_row(row, headers, used, order) for row in sheet.rows)
    others = [header for header in sheet.headers if header not in headers]
    return AuthorSheet(tuple(dict.fromkeys([*others, *(column for row in rows for column in row)])), rows)


def _filled_row(row: Row, headers: Collection[str], used: Sequence[str], order: Sequence[str]) -> Row:
    changed = {header: cell for header, cell in row.items() if header not in headers}
    for column, texts in translations(row).items():
        for language in used:
            lender = next(other for other in (language, *order) if other in texts)
            changed[f"{column}::{language}"] = texts[lender]
    return changed


def _order(workbook: AuthorWorkbook, used: Sequence[str]) -> list[str]:
    """Return who lends first: the column without a language, the form's default, Vietnamese, then as they stand."""
    settings = {column_name(header): cell for header, cell in workbook.settings.items()}
    default = settings.get("default_language", "")
    vietnamese = [language for language in used if language_code(language) == "vi"]
    # A hint may stand in a language that no label is in.
    others = [
        language
        for name in SHEETS
        for row in workbook.sheet(name).rows
        for texts in translations(row).values()
        for language in texts
    ]
    return list(dict.fromkeys([UNTRANSLATED, *([default] if default in used else []), *vietnamese, *used, *others]))


def _plain_rows(sheet: AuthorSheet) -> list[Row]:
    return [{column_name(header): cell for header, cell in row.items()} for row in sheet.rows]

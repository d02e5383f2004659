"""What a form and its version are called: a slug and a short word, proposed where the author's own do not fit.

Kobo, ODK and spreadsheets give versions that are dates or sentences, and ids with capitals and hyphens; most public
forms have one of these. What is proposed keeps as much of the author's own as fits.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.authoring.proposals import CellChange
from server.forms.conversion.findings import FIRST_ROW, Finding, error
from server.forms.conversion.sheets import column_name

MAX_LENGTH: Final = 40
FORM_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
ID_COLUMNS: Final = ("form_id", "id_string", "set_form_id")
TITLE_COLUMNS: Final = ("title_vi", "form_title", "title", "set_form_title", "title_en")
_MIDNIGHT: Final = re.compile(r"[ T]00:00(:00(\.0+)?)?$")


def slug(text: str) -> str:
    """Return a text as a form id, Vietnamese letters by their Latin ones; empty where it has no letter or digit."""
    plain = text.replace("đ", "d").replace("Đ", "D")
    letters = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    words = re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")
    if words and words[0].isdigit():
        words = f"form_{words}"
    return words[:MAX_LENGTH].strip("_")


def version_word(text: str) -> str:
    """Return a version as one word: `2024-08-16 00:00:00` becomes `2024-08-16`, and of `1 (2022-07-20)` both stay."""
    letters = unicodedata.normalize("NFKD", _MIDNIGHT.sub("", text.strip()))
    words = re.sub(r"[^A-Za-z0-9._]+", "-", "".join(c for c in letters if not unicodedata.combining(c)))
    return words.strip("-._")[:MAX_LENGTH].strip("-._")


def check_identity(
    workbook: AuthorWorkbook, *, file_name: str, new_version: str, published: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Give what is wrong with the id and the version, each with one that would do."""
    columns = {column_name(header): header for header in workbook.sheet("settings").headers}
    settings = {column_name(header): cell for header, cell in workbook.settings.items()}
    id_column = next((columns[name] for name in ID_COLUMNS if settings.get(name)), columns.get("form_id", "form_id"))
    form = workbook.settings.get(id_column, "")
    if not FORM_ID.fullmatch(form):
        titles = (settings.get(name, "") for name in TITLE_COLUMNS)
        proposed = next(filter(None, map(slug, (form, *titles, PurePath(file_name).stem))), "form")
        change = CellChange("settings", FIRST_ROW, id_column, form, proposed)
        yield error("form_id", "settings", FIRST_ROW).proposing(change)
    if namespace := settings.get("instance_xmlns"):
        change = CellChange("settings", FIRST_ROW, columns["instance_xmlns"], namespace, "")
        yield error("instance_xmlns", "settings", FIRST_ROW, value=namespace).proposing(change)
    version_column = columns.get("version", "version")
    version = workbook.settings.get(version_column, "")
    taken = published.get(form, ())
    wanted = CellChange("settings", FIRST_ROW, version_column, version, _free(new_version, taken))
    if not version:
        yield error("version_missing", "settings", FIRST_ROW).proposing(wanted)
    elif not VERSION.fullmatch(version):
        fit = version_word(version)
        change = CellChange("settings", FIRST_ROW, version_column, version, fit) if fit and fit not in taken else wanted
        yield error("version", "settings", FIRST_ROW).proposing(change)
    elif version in taken:
        yield error("version_published", "settings", FIRST_ROW, form=form, version=version).proposing(wanted)


def _free(version: str, taken: Collection[str]) -> str:
    return next(word for word in (version, *(f"{version}.{n}" for n in range(2, 1_000))) if word not in taken)

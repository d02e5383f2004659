"""The author's sheets as the converter reads them, and the way back from a question's path to its row."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from server.forms.authoring.author_workbook import AuthorWorkbook, Row
from server.forms.conversion.findings import FIRST_ROW

#: What authors call the columns that may stand in several languages.
TRANSLATABLE = {
    "label": "label",
    "caption": "label",
    "hint": "hint",
    "guidance_hint": "guidance_hint",
    "constraint_message": "constraint_message",
    "constraining_message": "constraint_message",
    "required_message": "required_message",
    "requiredmsg": "required_message",
    "image": "image",
    "big-image": "big-image",
    "audio": "audio",
    "video": "video",
}
UNTRANSLATED = "default"


@dataclass(frozen=True, slots=True)
class Sheets:
    """The rows of the three sheets that make a form; an empty row stands where the author left one."""

    survey: Sequence[Row]
    choices: Sequence[Row]
    settings: Row
    names: Sequence[str]
    row_of_path: Mapping[str, int]
    list_lengths: Mapping[str, int]

    @classmethod
    def of(cls, workbook: AuthorWorkbook) -> "Sheets":
        """Return the sheets of a workbook, their columns in one spelling."""
        survey = _lower(workbook.sheet("survey").rows)
        choices = _lower(workbook.sheet("choices").rows)
        settings = _lower(workbook.sheet("settings").rows)
        return cls(
            survey=survey,
            choices=choices,
            settings=settings[0] if settings else {},
            names=workbook.names,
            row_of_path=_rows_by_path(survey),
            list_lengths=Counter(list_name for row in choices if (list_name := list_of(row))),
        )

    def row(self, path: str) -> int | None:
        """Return the row of the question at a path like /data/group/name; None for what the author did not write."""
        return self.row_of_path.get(path.partition("/")[2].partition("/")[2])


def list_of(choice: Row) -> str:
    """Return the name of the list that a choice is in."""
    return choice.get("list_name", "").strip()


def type_of(row: Row) -> str:
    """Return a question's type in one spelling: `begin repeat` and `begin_repeat` are the same."""
    words = (row.get("type") or "").split()
    if len(words) > 1 and words[0].lower() in {"begin", "end"}:
        words = [f"{words[0]}_{words[1]}", *words[2:]]
    return " ".join([words[0].lower(), *words[1:]]) if words else ""


def chosen_list(row: Row) -> str | None:
    """Return the list that a question offers; None for other questions, and for lists in files."""
    found = re.match(r"(?:select_one|select_multiple|select one|select multiple|rank)\s+(\S+)", type_of(row))
    return found.group(1) if found else None


@lru_cache(maxsize=4096)
def text_column(header: str) -> tuple[str, str] | None:
    """Return the column and the language of a header such as "label::English (en)"; None for other columns."""
    parts = [part.strip() for part in header.split("::")]
    if parts[0].lower() == "media" and len(parts) > 1:
        del parts[0]
    column = TRANSLATABLE.get("_".join(parts[0].lower().split()))
    return None if column is None else (column, "::".join(parts[1:]) or UNTRANSLATED)


def translations(row: Row) -> dict[str, dict[str, str]]:
    """Return the texts of a row by column and language: {"label": {"Tiếng Việt (vi)": "Tên"}}."""
    texts: dict[str, dict[str, str]] = {}
    for header, cell in row.items():
        text = text_column(header)
        if text is not None and cell.strip():
            texts.setdefault(text[0], {})[text[1]] = cell
    return texts


@lru_cache(maxsize=4096)
def column_name(header: str) -> str:
    """Return a header as we call it: only what stands before :: is the converter's, whatever its capitals."""
    column, separator, rest = header.strip().partition("::")
    return "_".join(column.lower().split()) + separator + rest.strip()


def _lower(rows: Sequence[Row]) -> list[Row]:
    return [{column_name(key): value for key, value in row.items()} for row in rows]


def _rows_by_path(survey: Sequence[Row]) -> dict[str, int]:
    rows: dict[str, int] = {}
    trail: list[str] = []
    for number, row in enumerate(survey, start=FIRST_ROW):
        kind = type_of(row)
        name = (row.get("name") or "").strip()
        if kind.startswith("end_"):
            if trail:
                trail.pop()
        elif name:
            rows["/".join([*trail, name])] = number
            if kind.startswith("begin_"):
                trail.append(name)
    return rows

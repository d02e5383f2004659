"""The author's sheets as the converter reads them, and the way back from a question's path to its row."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

FIRST_ROW = 2
TRANSLATABLE = {
    "label": "label",
    "hint": "hint",
    "guidance_hint": "guidance_hint",
    "constraint_message": "constraint_message",
    "constraint message": "constraint_message",
    "required_message": "required_message",
    "required message": "required_message",
}
UNTRANSLATED = "default"

Row = Mapping[str, str]


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
    def read(cls, data: bytes) -> "Sheets":
        """Return what stands in a workbook that passed the gate; raise what the converter raises."""
        # Here and not above: the converter takes a third as long to load as all the rest, and few processes convert.
        from pyxform.xls2json_backends import get_xlsform

        book: Any = get_xlsform(BytesIO(data), file_type=".xlsx")
        survey = _lower(book.survey)
        choices = _lower(book.choices)
        settings = _lower(book.settings)
        return cls(
            survey=survey,
            choices=choices,
            settings=settings[0] if settings else {},
            names=tuple(book.sheet_names or ()),
            row_of_path=_rows_by_path(survey),
            list_lengths=Counter(list_name for row in choices if (list_name := list_of(row))),
        )

    def row(self, path: str) -> int | None:
        """Return the row of the question at a path like /data/group/name; None for what the author did not write."""
        return self.row_of_path.get(path.partition("/")[2].partition("/")[2])


def list_of(choice: Row) -> str:
    """Return the name of the list that a choice is in."""
    return (choice.get("list_name") or choice.get("list name") or "").strip()


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


def translations(row: Row) -> dict[str, dict[str, str]]:
    """Return the texts of a row by column and language: {"label": {"Tiếng Việt (vi)": "Tên"}}."""
    texts: dict[str, dict[str, str]] = {}
    for header, cell in row.items():
        column, _, language = header.partition("::")
        base = TRANSLATABLE.get(column.strip().lower())
        if base and str(cell).strip():
            texts.setdefault(base, {})[language.strip() or UNTRANSLATED] = str(cell)
    return texts


def _lower(rows: Sequence[Mapping[str, Any]] | None) -> list[Row]:
    # The header's name is the author's; only the part before :: is the converter's, whatever its capitals.
    return [{_header(str(key)): str(value) for key, value in row.items() if value is not None} for row in rows or ()]


def _header(text: str) -> str:
    column, separator, rest = text.strip().partition("::")
    return column.strip().lower() + separator + rest.strip()


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

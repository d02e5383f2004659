"""The sheet `entities` and the column `save_to`: which published form is meant, and which of its questions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from server.forms.authoring.author_workbook import AuthorWorkbook
from server.forms.authoring.proposals import CellChange
from server.forms.conversion.entities import EntityForm
from server.forms.conversion.findings import FIRST_ROW, Finding, error, warning
from server.forms.conversion.sheets import column_name

#: Names of questions that a finding shows.
MOST_NAMES: Final = 8


@dataclass(frozen=True, slots=True)
class _SavedCell:
    """A cell of `save_to`: `list#question`, or the question alone where the form has one entity."""

    row: int
    header: str
    text: str
    name: str

    @property
    def entity(self) -> str | None:
        """Return the list that the cell names."""
        return self.text.partition("#")[0].strip() if "#" in self.text else None

    @property
    def question(self) -> str:
        """Return the question that the answer goes to."""
        return self.text.rpartition("#")[2].strip()

    @property
    def emptied(self) -> CellChange:
        """Return the change that leaves it out."""
        return CellChange("survey", self.row, self.header, self.text, "")


def entity_lists(workbook: AuthorWorkbook) -> dict[int, str]:
    """Return the names of the forms that a form saves to, by the rows of its sheet."""
    named: dict[int, str] = {}
    for number, row in enumerate(workbook.sheet("entities").rows, start=FIRST_ROW):
        columns = {column_name(header): cell for header, cell in row.items()}
        if any(cell.strip() for cell in columns.values()):
            named[number] = (columns.get("list_name") or columns.get("dataset") or "").strip()
    return named


def check_entity_rows(workbook: AuthorWorkbook, forms: Mapping[str, EntityForm], project: str) -> Iterator[Finding]:
    """Give what cannot be saved as written; without it the record itself is whole. `forms` are those that are live."""
    lists, cells = entity_lists(workbook), list(_saved_cells(workbook))
    for number, name in lists.items():
        form = forms.get(name)
        if form is None:
            yield _form_missing(workbook, number, name, [cell for cell in cells if cell.entity in (None, name)])
        elif form.project != project:
            yield warning("entity_elsewhere", "entities", number, form=name, project=form.project)
    only = next(iter(lists.values())) if len(lists) == 1 else None
    for cell in cells:
        form = forms.get(cell.entity or only or "")
        if not lists:
            yield error("entity_sheet_missing", "survey", cell.row).proposing(cell.emptied)
        elif form is not None:
            yield from _question(cell, form)


def _form_missing(workbook: AuthorWorkbook, number: int, name: str, cells: list[_SavedCell]) -> Finding:
    row = workbook.sheet("entities").rows[number - FIRST_ROW]
    emptied = [CellChange("entities", number, header, cell, "") for header, cell in row.items() if cell]
    found = error("entity_form_missing", "entities", number, form=name)
    return found.proposing(*emptied, *(cell.emptied for cell in cells))


def _question(cell: _SavedCell, form: EntityForm) -> Iterator[Finding]:
    names = {"name": cell.name, "property": cell.question, "form": form.schema.form}
    found = form.called(cell.question)
    if not found:
        known = [field.name for field in form.schema.leaves() if form.is_open(field)]
        near = get_close_matches(cell.question, known, MOST_NAMES) or known[:MOST_NAMES]
        unknown = error("entity_question_missing", "survey", cell.row, **names, known=", ".join(near))
        yield unknown.proposing(cell.emptied)
    elif len(found) > 1:
        yield error("entity_question_twice", "survey", cell.row, **names).proposing(cell.emptied)
    elif not form.is_open(found[0]):
        yield error("entity_question_closed", "survey", cell.row, **names).proposing(cell.emptied)


def _saved_cells(workbook: AuthorWorkbook) -> Iterator[_SavedCell]:
    for number, row in enumerate(workbook.sheet("survey").rows, start=FIRST_ROW):
        for header, cell in row.items():
            if column_name(header) in {"save_to", "bind::entities:saveto"} and cell.strip():
                name = next((text for other, text in row.items() if column_name(other) == "name"), "")
                yield _SavedCell(number, header, cell, name.strip())

"""The form of `forms/tree_visit.xml`, which saves to records of trees and of seedlings, as a spreadsheet.

`python -m tests.vectors.entity_form` writes what publishing makes of it, for the app's tests.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from server.forms.conversion.xlsform import Upload, convert_upload
from tests.workbooks import SETTINGS, Cells, question, with_sheet, xlsform

VECTOR = Path(__file__).parent / "forms" / "tree_visit.xml"
TREE = (
    question("text", "species"),
    question("begin_group", "size"),
    question("decimal", "height"),
    {"type": "end_group", "name": ""},
    question("select_one yes_no", "alive"),
    question("image", "photo"),
    question("text", "owner", bind__sensitive="yes"),
    question("calculate", "age", calculation="1 + 1"),
    question("begin_repeat", "fruit"),
    question("integer", "weight"),
    {"type": "end_repeat", "name": ""},
)
VISIT = (
    question("text", "which"),
    question("calculate", "new_tree", calculation="once(uuid())"),
    question("text", "kind", save_to="tree#species"),
    question("integer", "metres", save_to="tree#height"),
    question("select_one yes_no", "lives", save_to="tree#alive", relevant="${metres} > 1"),
    question("image", "picture", save_to="tree#photo"),
    question("begin_repeat", "seedling"),
    question("text", "sort", save_to="plant#species"),
    {"type": "end_repeat", "name": ""},
)
ENTITIES: Sequence[Cells] = (
    ("list_name", "label", "entity_id", "create_if", "update_if"),
    ("tree", "${kind}", "coalesce(${which}, ${new_tree})", "${which} = ''", "${which} != ''"),
    ("plant", "${sort}", "", "", ""),
)


def settings_of(form: str) -> dict[str, str]:
    """Return the settings of a form whose records are called by their species."""
    return SETTINGS | {"form_id": form} | ({} if form == "tree_visit" else {"instance_name": "${species}"})


@cache
def saved_to() -> dict[str, tuple[str, bytes]]:
    """Return the forms that are saved to: the project and the XForm of each."""
    form = convert_upload(Upload(xlsform(TREE, settings=settings_of("tree")))).form
    if form is None:
        raise ValueError("the form of trees is not published")
    return {"tree": ("agri", form.xform), "plant": ("tourism", form.xform.replace(b'id="tree"', b'id="plant"'))}


def entity_workbook() -> bytes:
    """Return the spreadsheet."""
    return with_sheet(xlsform(VISIT, settings=settings_of("tree_visit")), "entities", ENTITIES)


def entity_form() -> bytes:
    """Return the form as it is published; raise ValueError with what keeps it from that."""
    conversion = convert_upload(Upload(entity_workbook(), project="agri", entity_forms=saved_to()))
    if conversion.form is None:
        raise ValueError([finding.message for finding in conversion.findings])
    return conversion.form.xform


if __name__ == "__main__":
    VECTOR.write_bytes(entity_form())

"""What a form saves to records of other forms: ODK's entities, each a record of a published form.

The converter writes attributes that only ODK's server reads. What is published has questions instead that nobody is
asked (`create`, `update`, `id`, `label`), which are answers like any other, and marks at the binds that say where each
answer goes. The phone makes the records (`pwa/src/domain/entities.ts`): the form holds all that it needs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from server.forms.conversion.findings import Finding, error
from server.forms.conversion.sheets import Sheets
from server.forms.entity_marks import FORM_MARKS, SAVES_MARK, holder_of
from server.forms.schema import XFORMS, Field, FormSchema
from server.forms.xml_input import local_name, parse_xml

SAVE_TO: Final = "{http://www.opendatakit.org/xforms/entities}saveto"
#: Of ODK's attributes, those that a record answers; the others are versions of ODK's own.
ANSWERED: Final = ("create", "update", "id")
NEW_ID: Final = "once(uuid())"
#: Codes that a finding names.
MOST_CODES: Final = 10

_NUMBERS = frozenset({"integer", "decimal"})
_WORDS = frozenset({"text", "select_one", "integer", "decimal", "date", "time", "dateTime"})


@dataclass(frozen=True, slots=True)
class EntityForm:
    """A published form that records may be saved to."""

    project: str
    schema: FormSchema

    @classmethod
    def all_of(cls, live: Mapping[str, tuple[str, bytes]] | None) -> dict[str, "EntityForm"]:
        """Return the forms by their names; `live` has the project and the XForm of each."""
        return {name: cls(project, FormSchema.parse(xform)) for name, (project, xform) in (live or {}).items()}

    def called(self, name: str) -> list[Field]:
        """Return the questions of this name, all of which are asked somewhere."""
        return [field for field in self.schema.leaves() if field.name == name and not field.path.startswith("/meta/")]

    def is_open(self, question: Field) -> bool:
        """Whether another form may write there: what one person is asked once, and every list may show."""
        return (
            question.is_asked
            and question.type not in {"note", "trigger"}
            and not question.is_calculated
            and not any(field.is_sensitive or field.kind == "repeat" for field in _around(self.schema, question))
        )

    @property
    def label(self) -> str | None:
        """Return the pointer of what its records are called by, None where they have no name."""
        return "/meta/instanceName" if "/meta/instanceName" in self.schema.by_path else None


def with_entities(xform: str, forms: Mapping[str, EntityForm]) -> str:
    """Return the XForm with questions and marks in place of ODK's attributes."""
    document = parse_xml(xform)
    model = document.find(f".//{XFORMS}model")
    instance = model.find(f"{XFORMS}instance") if model is not None else None
    if model is None or instance is None or not len(instance):
        return xform
    declared = _declared(instance[0])
    if not declared:
        return xform
    binds = {str(bind.get("nodeset")): bind for bind in model.iterfind(f"{XFORMS}bind")}
    for path, elements in declared.items():
        _answer(model, binds, path, elements, forms.get(elements[0].get("dataset") or ""))
    for setting in list(document.iter(f"{XFORMS}setvalue")):
        around, (holder, _, attribute) = setting.getparent(), str(setting.get("ref")).rpartition("/@")
        if attribute and holder in declared and around is not None:
            around.remove(setting)
    _mark(binds, {path: forms.get(elements[0].get("dataset") or "") for path, elements in declared.items()})
    for elements in declared.values():
        for element in elements:
            element.attrib.clear()
    for name in [each for each in model.attrib if str(each).endswith("}entities-version")]:
        del model.attrib[name]
    return etree.tostring(document, encoding="unicode")


def check_entities(schema: FormSchema, forms: Mapping[str, EntityForm], sheets: Sheets) -> Iterator[Finding]:
    """Give the answers that the question cannot hold that they are saved to."""
    for entity in schema.entities:
        target = forms[entity.form]
        for source, pointer in entity.saves:
            field, wanted = schema.by_path[source], target.schema.by_path[pointer]
            row = sheets.row(f"/{schema.root_name}{source}")
            names = {"name": field.name, "property": wanted.name, "form": entity.form}
            if any(each.is_sensitive for each in _around(schema, field)):
                yield error("entity_sensitive", "survey", row, **names)
            if not _fits(field, wanted):
                kind, other = field.value_type or field.type or "text", wanted.type or "text"
                yield error("entity_type", "survey", row, **names, type=kind, wanted=other)
                continue
            offered = {choice.value for choice in wanted.choices}
            missing = [choice.value for choice in field.choices if choice.value not in offered]
            if wanted.choices and missing:
                yield error("entity_codes", "survey", row, **names, codes=", ".join(missing[:MOST_CODES]))


def _around(schema: FormSchema, question: Field) -> list[Field]:
    """Return a question with the groups and repeats that it stands in."""
    return [field for field in schema.walk() if f"{question.path}/".startswith(f"{field.path}/")]


def _fits(field: Field, wanted: Field) -> bool:
    """Whether a question can hold whatever another is answered with."""
    kind, into = field.value_type or "text", wanted.type or "text"
    if kind == into or (field.is_calculated and not field.is_asked and kind == "text" and into == "select_one"):
        return True
    return (into == "text" and kind in _WORDS) or (into == "decimal" and kind == "integer")


def _declared(root: etree._Element) -> dict[str, list[etree._Element]]:
    """Return the entities by their path; one in a repeat stands twice, in its template and in its first row."""
    found: dict[str, list[etree._Element]] = {}
    for element in root.iter(f"{XFORMS}entity"):
        if element.get("dataset") is None:
            continue
        names = [local_name(element)]
        for around in element.iterancestors():
            names.append(local_name(around))
            if around is root:
                break
        found.setdefault("/".join(["", *reversed(names)]), []).append(element)
    return found


def _answer(
    model: etree._Element,
    binds: dict[str, etree._Element],
    path: str,
    elements: list[etree._Element],
    form: EntityForm | None,
) -> None:
    """Put questions in the place of an entity's attributes, and say at its own bind which form its records are of."""
    said = [name for name in ANSWERED if elements[0].get(name) is not None]
    for element in elements:
        for place, name in enumerate(said):
            element.insert(place, etree.Element(f"{XFORMS}{name}"))
    for attribute in map(str, elements[0].attrib):
        bind = binds.pop(f"{path}/@{attribute}", None)
        if attribute not in said:
            if bind is not None:
                model.remove(bind)
            continue
        if bind is None:
            bind = _bind(model, f"{path}/{attribute}", type="string")
        bind.set("nodeset", f"{path}/{attribute}")
        if bind.get("calculate") is None:
            bind.set("calculate", NEW_ID if attribute == "id" else "'1'")
        binds[f"{path}/{attribute}"] = bind
    if form is not None:
        schema = form.schema
        marks = dict(zip(FORM_MARKS, (schema.form, schema.version, form.project), strict=True))
        binds[path] = _bind(model, path, **marks, **({"entity_label": form.label} if form.label else {}))


def _mark(binds: Mapping[str, etree._Element], declared: Mapping[str, EntityForm | None]) -> None:
    """Say at each bind where its answer goes: to the entity of the nearest group, repeat or form around it."""
    for path, bind in binds.items():
        name = str(bind.attrib.pop(SAVE_TO, ""))
        form = declared.get(holder_of(path, declared) or "")
        fields = form.called(name) if form is not None else []
        if fields:
            bind.set(SAVES_MARK, fields[0].path)


def _bind(model: etree._Element, nodeset: str, **attributes: str) -> etree._Element:
    bind = etree.Element(f"{XFORMS}bind", {"nodeset": nodeset, **attributes})
    model.findall(f"{XFORMS}bind")[-1].addnext(bind)
    return bind

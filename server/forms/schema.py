"""A form as the server understands it: the tree of its questions, read from the published XForm.

The tree follows the primary instance, because that is what a record's answers follow. Binds give the data type and
our own marks (`merge`, `sensitive`, `was`, `identifies`); the body gives what a data type leaves open (one choice or
several, photo or sound); the itext gives labels in every language.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from server.forms.conversion.expressions import is_once
from server.forms.entity_marks import Entity, read_entities
from server.forms.evaluate.static_types import static_types
from server.forms.xml_input import local_name, parse_xml

XFORMS = "{http://www.w3.org/2002/xforms}"
JAVAROSA = "{http://openrosa.org/javarosa}"

ODK = "{http://www.opendatakit.org/xforms}"

Kind = Literal["group", "repeat", "leaf"]
#: What a phone records by itself while a form is filled: a log of what was done when (`audit`), or sound.
Recorded = Literal["", "log", "sound"]

#: What a bind's type means where the body adds nothing.
BIND_TYPES = {
    "string": "text",
    "int": "integer",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "time": "time",
    "dateTime": "dateTime",
    "geopoint": "geopoint",
    "geotrace": "geotrace",
    "geoshape": "geoshape",
    "barcode": "text",
    "binary": "file",
    "odk:rank": "rank",
}
CONTROL_TYPES = {"select1": "select_one", "select": "select_multiple", "rank": "rank", "trigger": "trigger"}
LIST_TYPES = frozenset({"select_multiple", "rank"})
MEDIA_TYPES = frozenset({"image", "audio", "video", "file"})
#: How authors say that "none" stands alone, in either order; the phone's engine enforces the same words.
_CHOSEN = r"selected\(\s*\.\s*,\s*['\"]([^'\"]+)['\"]\s*\)"
_MORE = r"count-selected\(\s*\.\s*\)\s*(?:>\s*1|>=\s*2)"
_EXCLUSIVE = re.compile(rf"not\(\s*(?:{_CHOSEN}\s+and\s+{_MORE}|{_MORE}\s+and\s+{_CHOSEN})\s*\)")
TRUE_MARKS = frozenset({"yes", "true", "true()", "1"})


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the form: its code ("vi") and the name the author gave it ("Tiếng Việt (vi)")."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ChoiceItem:
    """One entry of a choice list that stands in the form itself."""

    value: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One node of the form; `path` is a JSON Pointer from the answers' root, rows of repeats left out."""

    name: str
    path: str
    kind: Kind
    type: str = ""
    children: tuple["Field", ...] = ()
    labels: Mapping[str, str] | None = None
    choices: tuple[ChoiceItem, ...] = ()
    list_file: str | None = None
    is_calculated: bool = False
    is_once: bool = False
    is_required: bool = False
    is_sensitive: bool = False
    is_asked: bool = False
    merge: str | None = None
    was: str | None = None
    exclusive: tuple[str, ...] = ()
    identifies: str | None = None
    #: Its value is the name of a file that the phone made by itself: nobody is asked for it, or about it.
    recorded: Recorded = ""
    #: What a hidden calculation without a type of its own gives, told from its expression; empty for all others.
    static_type: str = ""

    @property
    def value_type(self) -> str:
        """Return the type of its values: the calculation's, else the question's."""
        return self.static_type or self.type

    def label(self, language: str) -> str:
        """Return the label in `language`, in any other where it has none, else the name."""
        labels = self.labels or {}
        return labels.get(language) or next(iter(labels.values()), self.name)

    def choice_label(self, value: str, language: str) -> str:
        """Return the label of the choice `value`, else the value itself."""
        for choice in self.choices:
            if choice.value == value:
                return choice.labels.get(language) or next(iter(choice.labels.values()), value)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class FormSchema:
    """One version of a form. Compared by identity: a version is parsed once and kept."""

    form: str
    version: str
    title: str
    root_name: str
    languages: tuple[Language, ...]
    fields: tuple[Field, ...]
    by_path: Mapping[str, Field]
    list_files: tuple[str, ...]
    #: The questions that say by which particulars whom the record describes is known again.
    identifying: tuple[Field, ...] = ()
    entities: tuple[Entity, ...] = ()

    @classmethod
    def parse(cls, xform: bytes | str) -> "FormSchema":
        """Return the schema of `xform`; raise `XmlRefused` or `NotAForm`."""
        return _XFormReader(parse_xml(xform)).schema()

    def walk(self) -> Iterator[Field]:
        """Give every node, parents before their children."""
        yield from self.by_path.values()

    def leaves(self) -> Iterator[Field]:
        """Give every question and hidden value in the form's order."""
        return (field for field in self.by_path.values() if field.kind == "leaf")


class NotAForm(ValueError):
    """The XML is well-formed and no XForm."""


def language_code(name: str) -> str:
    """Return the code in a language's name, "vi" of "Tiếng Việt (vi)"; the name itself where it carries none."""
    found = re.search(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*$", name)
    return found.group(1) if found else name


def exclusive_choices(constraint: str) -> tuple[str, ...]:
    """Return the choices that a constraint allows only alone: not(selected(., 'none') and count-selected(.) > 1)."""
    return tuple(sorted({code for found in _EXCLUSIVE.findall(constraint) for code in found if code}))


class _XFormReader:
    """Reads one XForm; holds the look-ups that the walk over the instance needs."""

    def __init__(self, document: etree._Element) -> None:
        self.model = _one(document, f".//{XFORMS}model")
        instance = _one(self.model, f"{XFORMS}instance")
        roots = list(instance)
        if len(roots) != 1:
            raise NotAForm("the primary instance has no single root")
        self.root = roots[0]
        self.root_name = local_name(self.root)
        title = document.find(".//{http://www.w3.org/1999/xhtml}title")
        self.title = _plain(title) if title is not None else ""
        self.languages, self.itext = self._read_itext()
        self.binds = {str(bind.get("nodeset")): bind for bind in self.model.iterfind(f"{XFORMS}bind")}
        self.secondary = {
            str(element.get("id")): element
            for element in self.model.iterfind(f"{XFORMS}instance")
            if element.get("id") is not None and element is not instance
        }
        self.controls: dict[str, etree._Element] = {}
        self.repeats: set[str] = set()
        self._read_body(document)
        self.static_types = self._read_calculations()
        self.sounds = {str(action.get("ref")) for action in self.model.iterfind(f"{ODK}recordaudio")}

    def schema(self) -> FormSchema:
        prefix = f"/{self.root_name}"
        fields = self._children(self.root, prefix, "")
        files = (str(element.get("src")) for element in self.secondary.values() if element.get("src"))
        ordered: dict[str, Field] = {}
        _index(fields, ordered)
        return FormSchema(
            form=self.root.get("id") or "",
            version=self.root.get("version") or "",
            title=self.title,
            root_name=self.root_name,
            languages=self.languages,
            fields=fields,
            by_path=ordered,
            list_files=tuple(file.rpartition("/")[2] for file in files if file.startswith("jr://")),
            identifying=tuple(field for field in ordered.values() if field.identifies),
            entities=tuple(read_entities(self.binds, prefix)),
        )

    def _read_calculations(self) -> dict[str, str]:
        """Return what the calculations give that nothing else types: hidden, and with the type that all have."""
        calculations: dict[str, str] = {}
        questions: dict[str, str] = {}
        for path, bind in self.binds.items():
            calculate, control = bind.get("calculate"), self.controls.get(path)
            kind = _type(bind, control)
            if calculate is not None and control is None and kind == "text":
                calculations[path] = calculate
            else:
                questions[path] = kind
        return static_types(calculations, questions)

    def _read_itext(self) -> tuple[tuple[Language, ...], dict[str, dict[str, str]]]:
        languages: list[Language] = []
        texts: dict[str, dict[str, str]] = {}
        translations = self.model.findall(f"{XFORMS}itext/{XFORMS}translation")
        # The default language leads, whatever the order of the author's columns.
        for translation in sorted(translations, key=lambda item: item.get("default") is None):
            language = Language(language_code(str(translation.get("lang"))), str(translation.get("lang")))
            languages.append(language)
            for text in translation.iterfind(f"{XFORMS}text"):
                for value in text.iterfind(f"{XFORMS}value"):
                    if value.get("form") is None:
                        texts.setdefault(str(text.get("id")), {})[language.code] = _plain(value)
        return tuple(languages), texts

    def _read_body(self, document: etree._Element) -> None:
        body = document.find(".//{http://www.w3.org/1999/xhtml}body")
        if body is None:
            raise NotAForm("there is no body")
        for element in body.iterdescendants():
            name = local_name(element)
            path = element.get("ref") or element.get("nodeset")
            if path is None or not path.startswith(f"/{self.root_name}"):
                continue
            if name == "repeat":
                self.repeats.add(path)
            elif name not in {"label", "hint", "value", "itemset", "output", "copy", "setvalue"}:
                self.controls[path] = element

    def _children(self, parent: etree._Element, xpath: str, pointer: str) -> tuple[Field, ...]:
        fields: dict[str, Field] = {}
        for element in parent:
            name = local_name(element)
            # A repeat stands twice in the instance, as template and as first row; both have the same shape.
            if name not in fields:
                fields[name] = self._field(element, name, f"{xpath}/{name}", f"{pointer}/{name}")
        return tuple(fields.values())

    def _field(self, element: etree._Element, name: str, xpath: str, pointer: str) -> Field:
        bind = self.binds.get(xpath)
        control = self.controls.get(xpath)
        labels = self._labels(control)
        kind = self._kind(element, xpath, control)
        if kind != "leaf":
            return Field(
                name,
                pointer,
                kind,
                children=self._children(element, xpath, pointer),
                labels=labels,
                is_asked=kind == "repeat" or control is not None,
                is_sensitive=_is_sensitive(bind),
                was=_mark(bind, "was"),
            )
        calculate = bind.get("calculate") if bind is not None else None
        choices, list_file = self._choices(control)
        recorded = self._recorded(xpath, bind, control)
        return Field(
            name,
            pointer,
            "leaf",
            type=_type(bind, control),
            labels=labels,
            choices=choices,
            list_file=list_file,
            is_calculated=calculate is not None and not is_once(calculate),
            is_once=calculate is not None and is_once(calculate),
            is_required=bind is not None and bind.get("required") not in {None, "false()"},
            is_asked=control is not None,
            is_sensitive=_is_sensitive(bind) or recorded == "sound" or (recorded == "log" and _tells_more(bind)),
            merge=_mark(bind, "merge"),
            was=_mark(bind, "was"),
            exclusive=exclusive_choices((bind.get("constraint") or "") if bind is not None else ""),
            identifies=_mark(bind, "identifies"),
            recorded=recorded,
            static_type=self.static_types.get(xpath, ""),
        )

    def _recorded(self, xpath: str, bind: etree._Element | None, control: etree._Element | None) -> Recorded:
        if bind is None or control is not None or bind.get("type") != "binary":
            return ""
        if xpath == f"/{self.root_name}/meta/audit":
            return "log"
        # A row has no beginning and no end that a phone could record from and to.
        is_in_row = any(xpath.startswith(f"{repeat}/") for repeat in self.repeats)
        return "sound" if xpath in self.sounds and not is_in_row else ""

    def _kind(self, element: etree._Element, xpath: str, control: etree._Element | None) -> Kind:
        if xpath in self.repeats:
            return "repeat"
        return "group" if len(element) or (control is not None and local_name(control) == "group") else "leaf"

    def _labels(self, owner: etree._Element | None) -> dict[str, str]:
        label = owner.find(f"{XFORMS}label") if owner is not None else None
        if label is None:
            return {}
        reference = re.fullmatch(r"jr:itext\('(.+)'\)", label.get("ref") or "")
        if reference:
            return self.itext.get(reference.group(1), {})
        return self._untranslated(_plain(label))

    def _choices(self, control: etree._Element | None) -> tuple[tuple[ChoiceItem, ...], str | None]:
        if control is None:
            return (), None
        inline = control.findall(f"{XFORMS}item")
        if inline:
            return tuple(ChoiceItem(_plain(_one(item, f"{XFORMS}value")), self._labels(item)) for item in inline), None
        itemset = control.find(f"{XFORMS}itemset")
        source = re.match(r"instance\('([^']+)'\)", itemset.get("nodeset") or "") if itemset is not None else None
        secondary = self.secondary.get(source.group(1)) if source else None
        if itemset is None or secondary is None:
            return (), None
        if secondary.get("src"):
            return (), str(secondary.get("src")).rpartition("/")[2]
        value_name = _one(itemset, f"{XFORMS}value").get("ref") or "name"
        return tuple(self._choice(item, value_name) for item in secondary.iterfind(f"{XFORMS}root/{XFORMS}item")), None

    def _choice(self, item: etree._Element, value_name: str) -> ChoiceItem:
        cells = {local_name(cell): cell.text or "" for cell in item}
        if "itextId" in cells:
            return ChoiceItem(cells.get(value_name, ""), self.itext.get(cells["itextId"], {}))
        return ChoiceItem(cells.get(value_name, ""), self._untranslated(cells.get("label", "")))

    def _untranslated(self, text: str) -> dict[str, str]:
        if not text:
            return {}
        return dict.fromkeys((language.code for language in self.languages), text) or {"": text}


def _index(fields: tuple[Field, ...], into: dict[str, Field]) -> None:
    for field in fields:
        into[field.path] = field
        _index(field.children, into)


def _one(parent: etree._Element, path: str) -> etree._Element:
    found = parent.find(path)
    if found is None:
        raise NotAForm(f"there is no {path.rpartition('}')[2]}")
    return found


def _plain(element: etree._Element) -> str:
    # An <output/> shows another answer inside a label; in a list of questions an ellipsis stands for it.
    pieces = [element.text or ""]
    for child in element:
        pieces += ["…", child.tail or ""]
    return "".join(pieces).strip()


def _mark(bind: etree._Element | None, name: str) -> str | None:
    return (bind.get(name) or "").strip() or None if bind is not None else None


def _is_sensitive(bind: etree._Element | None) -> bool:
    return (_mark(bind, "sensitive") or "").lower() in TRUE_MARKS


def _tells_more(bind: etree._Element | None) -> bool:
    """Whether a log tells more than when what was done: places, answers."""
    more = (f"{ODK}location-priority", f"{ODK}track-changes")
    return bind is not None and any((bind.get(name) or "false") != "false" for name in more)


def _type(bind: etree._Element | None, control: etree._Element | None) -> str:
    data_type = BIND_TYPES.get((bind.get("type") or "string") if bind is not None else "string", "text")
    if control is None:
        return data_type
    name = local_name(control)
    if name in CONTROL_TYPES:
        return CONTROL_TYPES[name]
    if name == "upload":
        media = (control.get("mediatype") or "").partition("/")[0]
        return media if media in MEDIA_TYPES else "file"
    if name == "input" and bind is not None and data_type == "text" and _is_note(bind):
        return "note"
    return data_type


def _is_note(bind: etree._Element) -> bool:
    return bind.get("readonly") == "true()" and bind.get("calculate") is None

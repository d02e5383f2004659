"""A published form, compiled: what each of its questions computes, needs and allows.

Built once a version from the XForm and its lists. An expression that cannot be compiled, as in a version that was
published by an older server, is left out: nothing is judged by it and what it computed stands.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree

from server.forms.conversion import expressions
from server.forms.evaluate import functions
from server.forms.evaluate.analysis import calls as calls_of
from server.forms.evaluate.analysis import conjuncts, gives, is_of_itself
from server.forms.evaluate.compiling import Compiled, Select, Truth, compile_select, compile_tree
from server.forms.evaluate.lists import ChoiceList, list_in_file, list_in_form
from server.forms.evaluate.reading import Read, reader_of, within
from server.forms.evaluate.syntax import Binary, Expression, FunctionCall, Literal, NotXPath, Path, Step, parse
from server.forms.evaluate.words import Words
from server.forms.schema import JAVAROSA, XFORMS, Field, FormSchema, language_code
from server.forms.xml_input import local_name, parse_xml

_ITEXT = re.compile(r"jr:itext\(\s*'([^']*)'\s*\)")
_NEVER = frozenset({"", "false()"})
_ALWAYS = frozenset({"", "true()"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in its parts that all must hold; `asks` says that a part needs to know what now is."""

    parts: tuple[Compiled, ...]

    @property
    def asks(self) -> bool:
        """Whether any part asks the clock or chance."""
        return any(part.asks for part in self.parts)


@dataclass(frozen=True, slots=True)
class Options:
    """The choices that a question offers: those of `listed` that `filters` let through, or the result of `select`."""

    value: str
    label: str | None = None
    is_label_itext: bool = False
    listed: ChoiceList | None = None
    filters: tuple[Truth, ...] = ()
    select: Select | None = None
    fixed: Mapping[str, Words] | None = None

    @property
    def is_standing(self) -> bool:
        """Whether the same is offered whatever was answered."""
        return self.fixed is not None or (self.listed is not None and not self.filters)


@dataclass(slots=True)
class Question:
    """One node of the form: what it reads like, and what the form says of it."""

    shape: Field | None
    name: str
    kind: str
    read: Read
    names: tuple[str, ...]
    children: dict[str, "Question"] = field(default_factory=dict)
    default: str = ""
    calculate: Compiled | None = None
    is_recomputed: bool = False
    relevant: Condition | None = None
    constraint: Condition | None = None
    required: Condition | None = None
    options: Options | None = None
    messages: Mapping[str, Words] = field(default_factory=dict)
    #: Whether the constraint looks at nothing but the answer, and of which answers (and days) it was seen to hold.
    is_of_itself: bool = False
    verdicts: dict[object, bool] = field(default_factory=dict)
    #: What of all this stands anywhere below.
    has_recomputed: bool = False
    has_relevance: bool = False
    #: Children that bear a constraint or need an answer, or hold such.
    checked: list["Question"] = field(default_factory=list)
    needed: list["Question"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FormModel:
    """A compiled form."""

    root: Question
    lists: Mapping[str, ChoiceList | None]
    itext: Mapping[str, Mapping[str, Words]]
    language: str
    #: Calculated questions, each after those that it looks at.
    order: tuple[Question, ...]

    @classmethod
    def build(cls, schema: FormSchema, xform: bytes, files: Mapping[str, bytes]) -> "FormModel":
        """Compile a form; `files` are its lists by file name."""
        return _Builder(schema, parse_xml(xform), files).model()

    def select_of(self, path: str) -> Select:
        """Return what gives the nodes of a path that stands in a text, as jr:choice-name has it."""
        return _select_of(path.strip())


@lru_cache(maxsize=1024)
def _select_of(path: str) -> Select:
    return compile_select(parse(path))


class _Builder:
    def __init__(self, schema: FormSchema, document: etree._Element, files: Mapping[str, bytes]) -> None:
        self._schema = schema
        model = next(document.iter(f"{XFORMS}model"))
        instances = model.findall(f"{XFORMS}instance")
        self._blank = instances[0][0]
        self._binds = {str(bind.get("nodeset")): bind for bind in model.iter(f"{XFORMS}bind")}
        self._lists = {str(each.get("id")): _list(each, files) for each in instances[1:] if each.get("id")}
        self._itext = _itext(model)
        self._language = schema.languages[0].code if schema.languages else ""
        self._controls = {
            str(element.get("ref")): element
            for element in document.iter()
            if element.get("ref") and local_name(element) in {"select1", "select", "rank", "range"}
        }
        self._calculated: dict[str, Question] = {}

    def model(self) -> FormModel:
        root = self._question(None, self._schema.root_name, (self._schema.root_name,), self._blank)
        return FormModel(root, self._lists, self._itext, self._language, tuple(self._ordered()))

    def _question(
        self, shape: Field | None, name: str, names: tuple[str, ...], blank: etree._Element | None
    ) -> Question:
        path = "/" + "/".join(names)
        bind = self._binds.get(path)
        kind = shape.kind if shape is not None else "group"
        question = Question(shape, name, kind, reader_of(shape.type if shape is not None else ""), names)
        if kind == "leaf" and blank is not None:
            question.default = blank.text or ""
        if bind is not None:
            self._say(question, bind, path)
        if path in self._controls:
            self._ask(question, self._controls[path])
        question.is_of_itself &= question.options is None or question.options.is_standing
        for child in shape.children if shape is not None else self._schema.fields:
            inner = None if blank is None else next((each for each in blank if local_name(each) == child.name), None)
            made = self._question(child, child.name, (*names, child.name), inner)
            question.children[child.name] = made
            question.has_recomputed |= made.has_recomputed or made.is_recomputed
            if made.checked or made.constraint is not None:
                question.checked.append(made)
            if made.needed or (made.required is not None and made.kind == "leaf"):
                question.needed.append(made)
            question.has_relevance |= made.has_relevance or made.relevant is not None
        return question

    def _say(self, question: Question, bind: etree._Element, path: str) -> None:
        relevant, constraint = (bind.get("relevant") or "").strip(), (bind.get("constraint") or "").strip()
        required = (bind.get("required") or "").strip()
        question.relevant = None if relevant in _ALWAYS else _condition(relevant)
        question.constraint = None if constraint in _ALWAYS else _condition(constraint)
        tree = _parsed(constraint) if question.constraint is not None else None
        is_asked = question.shape is not None and not question.shape.is_calculated
        question.is_of_itself = is_asked and question.kind == "leaf" and tree is not None and is_of_itself(tree)
        question.required = None if required in _NEVER else _condition(required)
        question.messages = self._texts(bind.get(f"{JAVAROSA}constraintMsg") or "")
        calculate = bind.get("calculate")
        if calculate is not None and question.kind == "leaf":
            tree = _parsed(calculate)
            question.calculate = None if tree is None else compile_tree(tree)
            # What the clock, chance or once() gave stands as it is: it can't be had again.
            is_calculated = question.shape is not None and question.shape.is_calculated
            is_held = tree is None or "once" in calls_of(tree) or compile_tree(tree).asks
            question.is_recomputed = is_calculated and not is_held
            if question.is_recomputed:
                self._calculated[path] = question

    def _ask(self, question: Question, control: etree._Element) -> None:
        if local_name(control) == "range":
            question.read = within(question.read, control.get("start") or "", control.get("end") or "")
        else:
            question.options = self._options(control)

    def _texts(self, message: str) -> Mapping[str, Words]:
        found = _ITEXT.fullmatch(message.strip())
        if found:
            return self._itext.get(found.group(1), {})
        return {self._language: Words((message,))} if message else {}

    def _options(self, control: etree._Element) -> Options | None:
        itemset = control.find(f"{XFORMS}itemset")
        if itemset is None:
            items = control.findall(f"{XFORMS}item")
            return Options("", fixed={_value(item): self._label(item) for item in items})
        value = itemset.find(f"{XFORMS}value")
        column = (value.get("ref") or "") if value is not None else ""
        label = itemset.find(f"{XFORMS}label")
        shown = (label.get("ref") or "") if label is not None else ""
        itext = re.fullmatch(r"jr:itext\((\w+)\)", shown)
        tree = _parsed(itemset.get("nodeset") or "")
        if tree is None or not column:
            return None
        named = Options(column, itext.group(1) if itext else shown or None, itext is not None)
        return self._listed(tree, named) or _selected(tree, named)

    def _listed(self, tree: Expression, named: Options) -> Options | None:
        """Return the options of the usual shape, instance('…')/root/item[…]: one entry tells whether it is offered."""
        if isinstance(tree, FunctionCall) and tree.name == "randomize":
            tree = tree.arguments[0]
        match tree:
            case Path(
                FunctionCall("instance", (Literal(name),)),
                (),
                (Step("child", "root", ()), Step("child", "item", filters)),
            ):
                listed = self._lists.get(name)
                if listed is None or any(_is_positional(each) for each in filters):
                    return None
                truths = tuple(compile_tree(each).truth for each in filters)
                return Options(named.value, named.label, named.is_label_itext, listed, truths)
        return None

    def _label(self, item: etree._Element) -> Words:
        label = item.find(f"{XFORMS}label")
        if label is None:
            return Words((_value(item),))
        if label.get("ref"):
            return self._texts(label.get("ref") or "").get(self._language, Words(()))
        return Words.of(label, _compiled)

    def _ordered(self) -> Iterator[Question]:
        """Give calculated questions after those that they look at; circles are refused by publishing."""
        done: set[str] = set()
        for first in self._calculated:
            trail = [(first, True)]
            while trail:
                path, is_entering = trail.pop()
                if not is_entering:
                    yield self._calculated[path]
                elif path not in done:
                    done.add(path)
                    trail.append((path, False))
                    bind = self._binds[path]
                    needed = expressions.references(bind.get("calculate") or "", path)
                    needed |= expressions.references(bind.get("relevant") or "", path)
                    trail.extend((each, True) for each in sorted(needed) if each in self._calculated)


def _list(instance: etree._Element, files: Mapping[str, bytes]) -> ChoiceList | None:
    source = instance.get("src")
    if source is None:
        return list_in_form(instance)
    file = source.rpartition("/")[2]
    return list_in_file(file, files[file]) if file in files else None


def _itext(model: etree._Element) -> dict[str, dict[str, Words]]:
    texts: dict[str, dict[str, Words]] = {}
    for translation in model.iterfind(f"{XFORMS}itext/{XFORMS}translation"):
        code = language_code(str(translation.get("lang")))
        for text in translation.iterfind(f"{XFORMS}text"):
            for value in text.iterfind(f"{XFORMS}value"):
                if value.get("form") is None:
                    texts.setdefault(str(text.get("id")), {})[code] = Words.of(value, _compiled)
    return texts


def _parsed(expression: str) -> Expression | None:
    try:
        tree = parse(expression)
        compile_tree(tree)
    except NotXPath:
        return None
    return None if calls_of(tree) - functions.NAMES else tree


def _compiled(expression: str) -> Compiled | None:
    tree = _parsed(expression)
    return None if tree is None else compile_tree(tree)


def _condition(expression: str) -> Condition | None:
    tree = _parsed(expression)
    return None if tree is None else Condition(tuple(compile_tree(part) for part in conjuncts(tree)))


def _selected(tree: Expression, named: Options) -> Options | None:
    if gives(tree) != "nodes":
        return None
    return Options(named.value, named.label, named.is_label_itext, select=compile_select(tree))


def _is_positional(predicate: Expression) -> bool:
    is_condition = isinstance(predicate, Binary) and predicate.operator in {"and", "or"}
    if calls_of(predicate) & {"position", "last"}:
        return True
    return not is_condition and gives(predicate) not in {"truth", "nodes", "text"}


def _value(item: etree._Element) -> str:
    value = item.find(f"{XFORMS}value")
    return (value.text or "").strip() if value is not None else ""

"""A record's answers: the same facts as XML for the form engine and as JSON for documents, converted without loss.

JSON keeps lexical strings exactly as they were entered. An absent key means *not relevant*, null means *blank*;
choices of several and ranks are arrays, repeats are arrays of objects whatever their number. What the form does not
know is carried under `$extra` of the object it stood in, as `{name: [node, …]}`, where a node is null, a string, or an
object of the same kind with `@attribute` and `$text` beside its children.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from lxml import etree

from server.forms.answers.number_texts import is_decimal, is_integer
from server.forms.answers.typed_values import as_moment
from server.forms.schema import LIST_TYPES, Field, FormSchema
from server.forms.xml_input import XmlRefused, parse_xml
from sync.revisions.json_pointer import escape

Answers = dict[str, Any]
Accepts = Callable[[Any], bool]

EXTRA = "$extra"
ROW_ID = "_rid"
TEXT = "$text"
XFORMS = "{http://www.w3.org/2002/xforms}"

_NAME_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
#: Names that an unknown node may bear: `local` or `{namespace}local`, by XML 1.0 (fifth edition) without colons.
NODE_NAME = re.compile(rf"(\{{[^{{}}\s]*\}})?[{_NAME_START}][{_NAME_START}0-9.\u00b7\u0300-\u036f\u203f\u2040-]*")
#: What XML 1.0 cannot carry.
UNCARRIED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MAX_EXTRA_DEPTH = 32
#: Four numbers as long as any phone writes them.
MAX_POINT_LENGTH = 200

_SPACE = re.compile("[ \t\n\r]").search
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TIME = re.compile(
    r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?"
).fullmatch
_NUMBER = r"-?[0-9]+(?:\.[0-9]*)?"
_POINT = re.compile(rf"({_NUMBER}) ({_NUMBER})(?: {_NUMBER}){{0,2}}").fullmatch


class AnswersUnreadable(ValueError):
    """These answers cannot be converted without losing something; `path` points at the place."""

    def __init__(self, code: str, path: str) -> None:
        """Keep what is wrong and where apart."""
        super().__init__(f"{code} at {path or '/'}")
        self.code = code
        self.path = path


@dataclass(frozen=True, slots=True)
class Misfit:
    """One answer that the form cannot hold: where (JSON Pointer from the answers' root) and why (a code)."""

    path: str
    reason: str


def check(schema: FormSchema, answers: object) -> list[Misfit]:
    """Return every answer whose lexical form does not type; constraints and choices are for people to judge."""
    misfits: list[Misfit] = []
    _compiled(schema)(answers, "", misfits)
    return misfits


def to_json(schema: FormSchema, xml: bytes | str) -> Answers:
    """Return the answers of an instance; raise `AnswersUnreadable` where XML holds what JSON cannot carry."""
    try:
        root = parse_xml(xml)
    except XmlRefused as error:
        raise AnswersUnreadable(error.code, "") from error
    return _read_object(schema.fields, root, "")


def to_xml(schema: FormSchema, answers: Mapping[str, Any]) -> str:
    """Return the instance that the form engine restores; raise `AnswersUnreadable` where answers don't fit."""
    root = etree.Element(schema.root_name)
    if schema.form:
        root.set("id", schema.form)
    if schema.version:
        root.set("version", schema.version)
    _write_object(schema.fields, answers, root, "")
    return etree.tostring(root, encoding="unicode")


def _read_object(fields: tuple[Field, ...], element: etree._Element, path: str) -> Answers:
    by_name = {field.name: field for field in fields}
    answers: Answers = {}
    extra: dict[str, list[Any]] = {}
    if _is_said(element.text) or any(_is_said(child.tail) for child in element):
        raise AnswersUnreadable("text_in_group", path)
    for child in element:
        name = _name(child, path)
        field = by_name.get(name)
        if field is None or (name in answers and field.kind != "repeat"):
            extra.setdefault(name, []).append(_read_extra(child, path))
        elif field.kind == "repeat":
            answers.setdefault(name, []).append(_read_object(field.children, child, f"{path}/{name}"))
        elif field.kind == "group":
            answers[name] = _read_object(field.children, child, f"{path}/{name}")
        else:
            answers[name] = _read_leaf(field, child, f"{path}/{name}")
    if extra:
        answers[EXTRA] = extra
    return answers


def _read_leaf(field: Field, element: etree._Element, path: str) -> str | list[str] | None:
    if len(element):
        raise AnswersUnreadable("nodes_in_answer", path)
    text = element.text
    if not text:
        return None
    # Split at single spaces only, so that odd spacing is kept (as empty entries, which `check` names) and not repaired.
    return text.split(" ") if field.type in LIST_TYPES else text


def _read_extra(element: etree._Element, path: str) -> Any:
    if not len(element) and not element.attrib:
        return element.text or None
    node: dict[str, Any] = {"@" + str(name): str(value) for name, value in element.attrib.items()}
    for child in element:
        node.setdefault(_name(child, path), []).append(_read_extra(child, path))
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    if _is_said(text) or (text and not len(element)):
        node[TEXT] = text
    return node


def _name(element: etree._Element, path: str) -> str:
    # The form's own namespace and none mean the same: the engine writes instances without one.
    name = str(element.tag).removeprefix(XFORMS)
    if name.endswith("__proto__"):
        # JavaScript would set an object's prototype; strict JSON refuses the key as well.
        raise AnswersUnreadable("name", path)
    return name


def _is_said(text: str | None) -> bool:
    # XML's white space only: a no-break space between questions would be lost without a word.
    return bool(text and text.strip(" \t\n\r"))


def _write_object(fields: tuple[Field, ...], answers: Mapping[str, Any], element: etree._Element, path: str) -> None:
    known = 0
    for field in fields:
        if field.name not in answers:
            continue
        known += 1
        answer = answers[field.name]
        where = f"{path}/{field.name}"
        if field.kind == "repeat":
            for row in _expect(answer, list, where):
                _write_object(field.children, _expect(row, dict, where), etree.SubElement(element, field.name), where)
        elif field.kind == "group":
            _write_object(field.children, _expect(answer, dict, where), etree.SubElement(element, field.name), where)
        else:
            _write_text(etree.SubElement(element, field.name), _leaf_text(answer, where), where)
    extra = answers.get(EXTRA)
    if extra is not None:
        known += 1
        _write_extras(_expect(extra, dict, path).items(), element, f"{path}/{EXTRA}")
    if known < len(answers):
        unknown = next(key for key in answers if key != EXTRA and all(field.name != key for field in fields))
        raise AnswersUnreadable("unknown", f"{path}/{escape(unknown)}")


def _leaf_text(answer: Any, path: str) -> str | None:
    if answer is None or isinstance(answer, str):
        return answer or None
    return " ".join(_expect(entry, str, path) for entry in _expect(answer, list, path)) or None


def _write_extras(extras: Iterable[tuple[str, Any]], element: etree._Element, path: str) -> None:
    for name, nodes in extras:
        for node in _expect(nodes, list, path):
            try:
                child = etree.SubElement(element, name)
                parts = node if isinstance(node, dict) else {TEXT: node}
                for key, value in parts.items():
                    if key.startswith("@"):
                        child.set(key[1:], _expect(value, str, path))
            except ValueError as error:
                raise AnswersUnreadable("name", path) from error
            _write_text(child, parts.get(TEXT), path)
            _write_extras(((key, value) for key, value in parts.items() if key[:1] not in {"@", "$"}), child, path)


def _write_text(element: etree._Element, text: Any, path: str) -> None:
    if text is None:
        return
    try:
        element.text = _expect(text, str, path)
    except ValueError as error:
        raise AnswersUnreadable("characters", path) from error


def _expect(value: Any, kind: type, path: str) -> Any:
    if not isinstance(value, kind):
        raise AnswersUnreadable("shape", path)
    return value


Inspect = Callable[[Any, str, list[Misfit]], None]


@lru_cache(maxsize=512)
def _compiled(schema: FormSchema) -> Inspect:
    """Return the check of one version: its questions looked up and typed once, not once a record."""
    return _inspect_object(schema.fields)


def _inspect_object(fields: tuple[Field, ...]) -> Inspect:
    accepts: dict[str, Accepts] = {}
    reasons: dict[str, str] = {}
    inner: dict[str, Inspect] = {EXTRA: _inspect_extra}
    for field in fields:
        if field.kind == "repeat":
            inner[field.name] = _inspect_rows(field)
        elif field.kind == "group":
            inner[field.name] = _inspect_object(field.children)
        else:
            # What the form computes is text here: an empty sum may read NaN, and is computed again anyway.
            kind = "computed" if field.is_calculated or field.is_once else field.type
            accepts[field.name], reasons[field.name] = LEAVES.get(kind, LEAVES["text"])
    accepts_get, inner_get = accepts.get, inner.get

    def inspect(answers: Any, path: str, misfits: list[Misfit]) -> None:
        if type(answers) is not dict:
            misfits.append(Misfit(path, "not_a_group"))
            return
        for key, answer in answers.items():
            accept = accepts_get(key)
            if accept is not None:
                if answer is not None and not accept(answer):
                    misfits.append(Misfit(f"{path}/{key}", reasons[key]))
            elif (inspect_inner := inner_get(key)) is not None:
                inspect_inner(answer, f"{path}/{key}", misfits)
            else:
                misfits.append(Misfit(f"{path}/{escape(key)}", "unknown"))

    return inspect


def _inspect_rows(field: Field) -> Inspect:
    inspect_row = _inspect_object(field.children)
    has_ids = any(child.name == ROW_ID for child in field.children)

    def inspect(rows: Any, path: str, misfits: list[Misfit]) -> None:
        if type(rows) is not list:
            misfits.append(Misfit(path, "not_rows"))
            return
        seen: set[str] = set()
        for position, row in enumerate(rows):
            where = f"{path}/{position}"
            inspect_row(row, where, misfits)
            if has_ids and type(row) is dict:
                row_id = row.get(ROW_ID)
                if type(row_id) is not str or not row_id:
                    misfits.append(Misfit(where, "row_without_id"))
                elif row_id in seen:
                    misfits.append(Misfit(where, "row_id_twice"))
                else:
                    seen.add(row_id)

    return inspect


def _inspect_extra(extra: Any, path: str, misfits: list[Misfit]) -> None:
    if not _is_extra(extra, 0):
        misfits.append(Misfit(path, "not_extra"))


def _is_extra(extra: Any, depth: int) -> bool:
    if type(extra) is not dict or depth > MAX_EXTRA_DEPTH:
        return False
    for name, nodes in extra.items():
        if depth and (name == TEXT or name[:1] == "@"):
            if not _is_text(nodes):
                return False
        elif not (NODE_NAME.fullmatch(name) and type(nodes) is list and all(_is_node(node, depth) for node in nodes)):
            return False
    return True


def _is_node(node: Any, depth: int) -> bool:
    return node is None or _is_text(node) or _is_extra(node, depth + 1)


def _is_text(answer: Any) -> bool:
    # `isprintable` answers for almost every string, ten times faster than the search.
    return type(answer) is str and answer != "" and (answer.isprintable() or UNCARRIED.search(answer) is None)


def _is_integer(answer: Any) -> bool:
    return type(answer) is str and is_integer(answer)


def _is_decimal(answer: Any) -> bool:
    return type(answer) is str and is_decimal(answer)


def _is_date(answer: Any) -> bool:
    if type(answer) is not str or _DATE(answer) is None:
        return False
    try:
        date.fromisoformat(answer)
    except ValueError:
        return False
    return True


def _is_time(answer: Any) -> bool:
    return type(answer) is str and _TIME(answer) is not None


def _is_date_time(answer: Any) -> bool:
    if type(answer) is not str or answer[10:11] != "T" or not _is_date(answer[:10]) or _TIME(answer[11:]) is None:
        return False
    # The first and the last day of all time are none in UTC.
    return as_moment(answer) is not None


def _is_point(answer: Any) -> bool:
    found = _POINT(answer) if type(answer) is str and len(answer) <= MAX_POINT_LENGTH else None
    return found is not None and abs(float(found.group(1))) <= 90 and abs(float(found.group(2))) <= 180


def _points(answer: Any) -> list[str] | None:
    if type(answer) is not str:
        return None
    points = [point.strip() for point in answer.rstrip("; ").split(";")]
    return points if all(_is_point(point) for point in points) else None


def _is_trace(answer: Any) -> bool:
    points = _points(answer)
    return points is not None and len(points) >= 2


def _is_shape(answer: Any) -> bool:
    points = _points(answer)
    return points is not None and len(points) >= 4 and points[0].split()[:2] == points[-1].split()[:2]


def _is_choice(answer: Any) -> bool:
    return _is_text(answer) and _SPACE(answer) is None


def _is_choices(answer: Any) -> bool:
    return (
        type(answer) is list
        and answer != []
        and len(set(map(str, answer))) == len(answer)
        and all(map(_is_choice, answer))
    )


def _is_file_name(answer: Any) -> bool:
    return _is_text(answer) and "/" not in answer and "\\" not in answer


def _is_computed(answer: Any) -> bool:
    # A calculation may stand behind a question of several choices.
    return all(map(_is_text, answer)) if type(answer) is list and answer else _is_text(answer)


LEAVES: dict[str, tuple[Accepts, str]] = {
    "text": (_is_text, "not_text"),
    "computed": (_is_computed, "not_text"),
    "note": (_is_text, "not_text"),
    "trigger": (_is_text, "not_text"),
    "integer": (_is_integer, "not_integer"),
    "decimal": (_is_decimal, "not_decimal"),
    "date": (_is_date, "not_date"),
    "time": (_is_time, "not_time"),
    "dateTime": (_is_date_time, "not_datetime"),
    "geopoint": (_is_point, "not_point"),
    "geotrace": (_is_trace, "not_trace"),
    "geoshape": (_is_shape, "not_shape"),
    "select_one": (_is_choice, "not_choice"),
    "select_multiple": (_is_choices, "not_choices"),
    "rank": (_is_choices, "not_choices"),
    "image": (_is_file_name, "not_file_name"),
    "audio": (_is_file_name, "not_file_name"),
    "video": (_is_file_name, "not_file_name"),
    "file": (_is_file_name, "not_file_name"),
}

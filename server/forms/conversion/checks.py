"""Our own checks of a form, for what the converter lets through and the phone would suffer from.

`check_sheets` looks at what the author wrote, before anything is converted; `check_xform` at what became of it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lxml import etree

from server.forms.answers.record_answers import ROW_ID
from server.forms.authoring.spelling import FOREIGN
from server.forms.conversion import expressions
from server.forms.conversion.findings import FIRST_ROW, Finding, error, warning
from server.forms.conversion.sheets import Sheets, chosen_list, list_of, translations, type_of
from server.forms.conversion.unread_attributes import path_in_instance, unread_attributes
from server.forms.schema import XFORMS, Field, FormSchema, language_code
from server.forms.xml_input import local_name

MAX_QUESTIONS = 1_000
MAX_LIST = 1_000
#: Selects cost the phone questions times choices: 60 lists of 1,000 took it 5 s.
MAX_CHOICES_OFFERED = 30_000
MAX_NAME = 60
#: Of how many calls of once() in one expression its author is told.
MAX_ONCES = 20
RESERVED = frozenset({ROW_ID, "__proto__", "constructor", "prototype", "toString", "valueOf"})
LANGUAGES = ("vi", "en")
NAME = re.compile(r"[^\W\d][\w.\-]*")
MERGES: Mapping[str, frozenset[str] | None] = {
    "max": frozenset({"integer", "decimal", "date", "dateTime", "time"}),
    "min": frozenset({"integer", "decimal", "date", "dateTime", "time"}),
    "append": frozenset({"text"}),
    "ask": None,
}
#: What a question that identifies may be.
IDENTIFYING: Mapping[str, frozenset[str]] = {
    "name": frozenset({"text"}),
    "birth_year": frozenset({"integer", "text", "date"}),
    "phone": frozenset({"text"}),
    "dwelling": frozenset({"text"}),
    "place": frozenset({"geopoint"}),
}


def check_sheets(sheets: Sheets) -> list[Finding]:
    """Return what can be said from the sheets alone."""
    return [
        *_sizes(sheets),
        *_settings(sheets),
        *_names(sheets),
        *_languages(sheets),
        *_unsupported(sheets),
    ]


def check_xform(document: etree._Element, schema: FormSchema, sheets: Sheets) -> list[Finding]:
    """Return what is wrong with expressions and marks."""
    return [
        *_expressions(document, sheets),
        *_circles(document, sheets),
        *_attributes(document, sheets),
        *_marks(schema, document, sheets),
    ]


def _sizes(sheets: Sheets) -> Iterator[Finding]:
    questions = sum(1 for row in sheets.survey if type_of(row) and not type_of(row).startswith("end_"))
    if questions > MAX_QUESTIONS:
        yield error("survey_too_long", "survey", count=questions, limit=MAX_QUESTIONS)
    first_rows: dict[str, int] = {}
    for number, row in enumerate(sheets.choices, start=FIRST_ROW):
        first_rows.setdefault(list_of(row), number)
    for name, length in sheets.list_lengths.items():
        if length > MAX_LIST:
            yield error("list_too_long", "choices", first_rows[name], list=name, count=length, limit=MAX_LIST)
    offered = sum(sheets.list_lengths.get(chosen_list(row) or "", 0) for row in sheets.survey)
    if offered > MAX_CHOICES_OFFERED:
        yield error("choices_too_many", "survey", count=offered, limit=MAX_CHOICES_OFFERED)


def _settings(sheets: Sheets) -> Iterator[Finding]:
    settings = sheets.settings
    for language in LANGUAGES:
        if not settings.get(f"title_{language}", "").strip():
            yield warning("title_missing", "settings", FIRST_ROW, language=language)


def _names(sheets: Sheets) -> Iterator[Finding]:
    named = [(path, number) for path, number in sheets.row_of_path.items()]
    beside: dict[tuple[str, str], str] = {}
    places = Counter(path.rpartition("/")[2] for path, _row in named)
    told: set[str] = set()
    for path, number in named:
        parent, _, name = path.rpartition("/")
        if name in RESERVED:
            yield error("name_reserved", "survey", number, name=name)
        if len(name) > MAX_NAME:
            yield error("name_too_long", "survey", number, name=name, limit=MAX_NAME)
        other = beside.setdefault((parent, name.lower()), name)
        if other != name:
            yield error("name_case", "survey", number, name=name, other=other)
        if places[name] > 1 and name in told:
            yield warning("name_twice", "survey", number, name=name)
        told.add(name)


def _languages(sheets: Sheets) -> Iterator[Finding]:
    texts = [translations(row).get("label", {}) for rows in (sheets.survey, sheets.choices) for row in rows]
    # A language counts as soon as one label is in it, in whichever order the columns stand.
    used = dict.fromkeys(language for labels in texts for language in labels)
    codes = {language_code(language) for language in used}
    for wanted in LANGUAGES:
        if wanted not in codes:
            yield warning("language_missing", "survey", 1, language=wanted)


def _unsupported(sheets: Sheets) -> Iterator[Finding]:
    for setting in ("public_key", "submission_url"):
        if sheets.settings.get(setting):
            yield error("encryption", "settings", FIRST_ROW, setting=setting)


def _expressions(document: etree._Element, sheets: Sheets) -> Iterator[Finding]:
    known = _paths(document)
    for path, expression, kind in _all_expressions(document):
        row = sheets.row(path)
        if not expressions.is_readable(expression):
            yield error("expression", "survey", row, expression=expression.strip())
            continue
        for named in sorted(expressions.named_paths(expression, path) - known):
            yield error("path_unknown", "survey", row, path=named)
        for function in expressions.unknown_functions(expression):
            instead = FOREIGN.get(function.lower())
            if instead is None:
                yield error("function_unknown", "survey", row, function=function)
            else:
                yield error("function_foreign", "survey", row, function=function, instead=instead)
        for pattern in expressions.unmatched_patterns(expression):
            yield error("pattern", "survey", row, pattern=pattern)
        for day in dict.fromkeys(expressions.impossible_days(expression)):
            yield error("day_impossible", "survey", row, day=day)
        # A default is computed once in any case.
        if kind != "setvalue":
            yield from _held(path, expression, row, is_calculation=kind == "calculate")


def _held(path: str, expression: str, row: int | None, *, is_calculation: bool) -> Iterator[Finding]:
    """Give what is wrong with values that are to be held, and how to write it: once() is a whole calculation."""
    question = path.rpartition("/")[2]
    written = expressions.as_written(expression)
    told = [*dict.fromkeys(expressions.inner_onces(written))][:MAX_ONCES]
    onces = {once: f"{question}_once{number or ''}" for number, once in enumerate(told)}
    instead = written
    for once, name in onces.items():
        instead = instead.replace(once, f"${{{name}}}")
    for once, name in onces.items():
        yield error("once_inside", "survey", row, helper=name, once=once, instead=instead)
    for function in expressions.unstable_calls(expression) if is_calculation else []:
        if written == expression.strip():
            yield error("once_needed", "survey", row, function=function, instead=f"once({written})")
            continue
        # Held as a whole it would not follow the answers that it looks at.
        call = re.compile(rf"(?<![\w.\-:]){function}\s*\([^()]*\)")
        found = call.search(written)
        once = f"once({found.group() if found else f'{function}()'})"
        helper = f"{question}_{function}"
        instead = call.sub(f"${{{helper}}}", written)
        yield error("once_beside", "survey", row, function=function, helper=helper, once=once, instead=instead)


def _paths(document: etree._Element) -> frozenset[str]:
    """Return the paths of everything that a record of the form holds."""
    paths: set[str] = set()
    # Not `instance[1]`: lxml counts the siblings of each instance, and every list is one.
    first = document.find(f".//{XFORMS}model/{XFORMS}instance")
    for root in () if first is None else first:
        nodes = [(root, f"/{local_name(root)}")]
        while nodes:
            node, path = nodes.pop()
            paths.add(path)
            nodes += [(child, f"{path}/{local_name(child)}") for child in node]
    return frozenset(paths)


def _all_expressions(document: etree._Element) -> Iterator[tuple[str, str, str]]:
    """Give (path of the question, expression, the attribute or the element that holds it)."""
    for bind in _binds(document):
        path = bind.get("nodeset") or ""
        for attribute in ("calculate", "relevant", "constraint", "required", "readonly"):
            expression = bind.get(attribute)
            if expression is not None:
                yield path, expression, attribute
    for element in document.iter():
        name = local_name(element)
        if name == "itemset":
            parent = element.getparent()
            yield (parent.get("ref") or "" if parent is not None else ""), element.get("nodeset") or "", name
        elif name == "repeat" and element.get("{http://openrosa.org/javarosa}count") is not None:
            yield element.get("nodeset") or "", element.get("{http://openrosa.org/javarosa}count") or "", name
        elif name == "output":
            yield _text_owner(element), element.get("value") or "", name
        elif name == "setvalue":
            yield element.get("ref") or "", element.get("value") or "''", name


def _text_owner(output: etree._Element) -> str:
    """Return the path of the question whose label or hint shows another answer."""
    for around in output.iterancestors(f"{XFORMS}text"):
        return (around.get("id") or "").partition(":")[0]
    for around in output.iterancestors():
        if around.get("ref"):
            return around.get("ref") or ""
    return ""


def _circles(document: etree._Element, sheets: Sheets) -> Iterator[Finding]:
    relevance: dict[str, set[str]] = {}
    dependencies: dict[str, set[str]] = defaultdict(set)
    for bind in _binds(document):
        path = bind.get("nodeset") or ""
        dependencies[path] |= expressions.references(bind.get("calculate") or "", path)
        relevance[path] = expressions.references(bind.get("relevant") or "", path)
    for path in list(dependencies):
        # What hides a group hides what is in it.
        for around, needed in relevance.items():
            if path == around or path.startswith(f"{around}/"):
                dependencies[path] |= needed
    for circle in expressions.circles(dependencies):
        path, *others = circle
        group = next((to for to, needed in relevance.items() if path in needed and path.startswith(f"{to}/")), None)
        if group is not None and not others:
            outer, name = (one.rpartition("/")[2] for one in (group, path))
            yield error("cycle_in_group", "survey", sheets.row(group), group=outer, name=name)
            continue
        names = " → ".join(path.rpartition("/")[2] for path in [*circle, path])
        yield error("cycle", "survey", sheets.row(path), names=names)


def _attributes(document: etree._Element, sheets: Sheets) -> Iterator[Finding]:
    """Give what `drop_unread` takes away: `odk:tag` of a compact_tag, and the like."""
    for element, names in unread_attributes(document):
        row, told = sheets.row(path_in_instance(element)), ", ".join(name.rpartition("}")[2] for name in names)
        yield warning("attribute_unread", "survey", row, name=local_name(element), attributes=told)


def _marks(schema: FormSchema, document: etree._Element, sheets: Sheets) -> Iterator[Finding]:
    sensitive = {bind.get("nodeset") or "": bind.get("sensitive") or "" for bind in _binds(document)}
    for field in schema.walk():
        path = f"/{schema.root_name}{field.path}"
        row = sheets.row(path)
        if field.merge is not None:
            yield from _merge_mark(field, row)
        if field.identifies is not None:
            yield from _identifies_mark(schema, field, row)
        if sensitive.get(path, "").strip().lower() not in {"", "yes", "no"}:
            yield error("mark_sensitive", "survey", row, value=sensitive[path])
        if field.was is not None:
            if not NAME.fullmatch(field.was):
                yield error("was_name", "survey", row, value=field.was)
            elif f"{field.path.rpartition('/')[0]}/{field.was}" in schema.by_path:
                yield error("mark_was", "survey", row, value=field.was)


def _merge_mark(field: Field, row: int | None) -> Iterator[Finding]:
    merge = field.merge or ""
    if merge not in MERGES:
        yield error("mark_merge", "survey", row, value=merge)
    elif field.is_calculated:
        yield warning("mark_merge_calculated", "survey", row)
    else:
        suits = MERGES[merge]
        if suits is not None and field.type not in suits:
            yield error("mark_merge_type", "survey", row, value=merge, type=field.type or field.kind)


def _identifies_mark(schema: FormSchema, field: Field, row: int | None) -> Iterator[Finding]:
    mark = field.identifies or ""
    if mark not in IDENTIFYING:
        yield error("mark_identifies", "survey", row, value=mark, known=", ".join(IDENTIFYING))
        return
    if field.type not in IDENTIFYING[mark]:
        yield error("mark_identifies_type", "survey", row, value=mark, type=field.type or field.kind)
    if any(other.kind == "repeat" and field.path.startswith(f"{other.path}/") for other in schema.walk()):
        yield error("mark_identifies_repeat", "survey", row, value=mark)
    first = next(other for other in schema.leaves() if other.identifies == mark)
    if first is not field:
        yield error("mark_identifies_twice", "survey", row, value=mark, other=first.name)


def _binds(document: etree._Element) -> Sequence[etree._Element]:
    return document.findall(f".//{XFORMS}bind")


def has_errors(findings: Iterable[Finding]) -> bool:
    """Say whether anything keeps the form from being published."""
    return any(finding.severity == "error" for finding in findings)

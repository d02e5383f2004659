"""What a new version of a form asks otherwise than the one before it, question by question.

Questions are matched as records are lifted: by their names, and by `bind::was` where one was renamed. Labels, kinds,
choices and rules are compared; what is only laid out otherwise is not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from server.forms.answers.lifting import renamed_path
from server.forms.answers.record_answers import ROW_ID
from server.forms.schema import XFORMS, Field, FormSchema
from server.forms.xml_input import parse_xml

Rule = Literal["relevant", "constraint", "required", "calculate", "readonly"]
DifferenceKind = (
    Literal["added", "removed", "renamed", "type", "label", "choices_added", "choices_removed", "list_file"] | Rule
)
RULES: tuple[Rule, ...] = ("relevant", "constraint", "required", "calculate", "readonly")


@dataclass(frozen=True, slots=True)
class QuestionDifference:
    """One thing that differs; `path` is the question's in the new version, in the old one where it is gone."""

    kind: DifferenceKind
    path: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """What differs from `version`, in the order of the new version's questions, and last what is gone."""

    version: str
    questions: Sequence[QuestionDifference]


def difference(before: bytes, after: bytes) -> VersionDifference:
    """Return what the XForm `after` asks otherwise than `before`, both published or ready to be."""
    old, new = FormSchema.parse(before), FormSchema.parse(after)
    return VersionDifference(old.version, list(_questions(old, new, _rules(before, old), _rules(after, new))))


def _questions(
    old: FormSchema,
    new: FormSchema,
    old_rules: Mapping[str, Mapping[str, str]],
    new_rules: Mapping[str, Mapping[str, str]],
) -> Iterator[QuestionDifference]:
    earlier = {renamed_path(path, old, new): path for path in old.by_path}
    language = new.languages[0].code if new.languages else "vi"
    for path, field in new.by_path.items():
        if field.name == ROW_ID:
            continue
        was = old.by_path.get(earlier.get(path, ""))
        if was is None:
            yield QuestionDifference("added", path, after=field.label(language))
            continue
        if was.name != field.name:
            yield QuestionDifference("renamed", path, was.name, field.name)
        yield from _field(path, was, field)
        before, after = old_rules.get(was.path, {}), new_rules.get(path, {})
        for rule in RULES:
            if before.get(rule, "") != after.get(rule, ""):
                yield QuestionDifference(rule, path, before.get(rule, ""), after.get(rule, ""))
    for path, field in old.by_path.items():
        if field.name != ROW_ID and renamed_path(path, old, new) not in new.by_path:
            yield QuestionDifference("removed", path, before=field.label(language))


def _field(path: str, was: Field, field: Field) -> Iterator[QuestionDifference]:
    kinds = was.type or was.kind, field.type or field.kind
    if kinds[0] != kinds[1]:
        yield QuestionDifference("type", path, *kinds)
    labels = was.labels or {}, field.labels or {}
    for language in dict.fromkeys([*labels[0], *labels[1]]):
        if labels[0].get(language, "") != labels[1].get(language, ""):
            yield QuestionDifference("label", path, labels[0].get(language, ""), labels[1].get(language, ""))
    if was.list_file != field.list_file:
        yield QuestionDifference("list_file", path, was.list_file or "", field.list_file or "")
    codes = [choice.value for choice in was.choices], [choice.value for choice in field.choices]
    gone, come = set(codes[0]) - set(codes[1]), set(codes[1]) - set(codes[0])
    if gone:
        yield QuestionDifference("choices_removed", path, before=", ".join(filter(gone.__contains__, codes[0])))
    if come:
        yield QuestionDifference("choices_added", path, after=", ".join(filter(come.__contains__, codes[1])))


def _rules(xform: bytes, schema: FormSchema) -> dict[str, dict[str, str]]:
    """Return the rules of each question, by its path, with paths as authors know them: without the form's own name."""
    found: dict[str, dict[str, str]] = {}
    root = f"/{schema.root_name}"
    document: etree._Element = parse_xml(xform)
    for bind in document.iterfind(f".//{XFORMS}bind"):
        path = (bind.get("nodeset") or "").removeprefix(root)
        found[path] = {rule: (bind.get(rule) or "").strip() for rule in RULES}
    return found

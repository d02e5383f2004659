"""A form's rules over a record's answers, by one compiled version.

A pure function of form, lists and answers: no clock, no chance. Conditions that ask what now is are judged only where a
caller says it; without, their other parts are, and what is relevant by them is what the answers hold. Calculated fields
are recomputed, but for those that hold on to the first value (`once`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from server.forms.evaluate.model import FormModel, Question
from server.forms.evaluate.nodes import AnswerNode, AnswerRecord
from server.forms.evaluate.words import Words
from server.forms.schema import LIST_TYPES, FormSchema
from sync.revisions.json_pointer import tokens_of

Answers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluation of a record's answers. Paths are JSON Pointers from the document's root, rows by their `_rid`.

    `irrelevant` names the outermost nodes that are not relevant, all below them included; `broken` maps constrained
    paths whose constraint does not hold to the author's message in the form's first language, None where there is none.
    """

    answers: Answers
    irrelevant: frozenset[str]
    broken: Mapping[str, str | None]
    missing: frozenset[str]

    def is_relevant(self, path: str) -> bool:
        """Say whether the form asks what stands at `path`."""
        steps = path.split("/")
        return not any("/".join(steps[:end]) in self.irrelevant for end in range(2, len(steps) + 1))


class Evaluator:
    """Evaluates records of one form version. Compiling waits for the first record."""

    def __init__(self, schema: FormSchema, xform: bytes, lists: Mapping[str, bytes] | None = None) -> None:
        """Take a published form with the files of its choice lists."""
        self._schema = schema
        self._xform = xform
        self._files = lists or {}

    @cached_property
    def _model(self) -> FormModel:
        return FormModel.build(self._schema, self._xform, self._files)

    @property
    def has_constraints(self) -> bool:
        """Whether any question has a constraint."""
        return bool(self._model.root.checked)

    def evaluate(self, answers: Mapping[str, Any], *, at: datetime | None = None) -> Evaluated:
        """Return all that the form says; `at` is what now is, None where nothing may depend on it."""
        model = self._model
        record = AnswerRecord(model, answers, at)
        for question in model.order:
            for node in record.answers_at(question.names):
                node.text()
        recomputed = _recomputed(record.root) if model.root.has_recomputed else dict(answers)
        said = Evaluated(
            answers=recomputed,
            irrelevant=frozenset(_irrelevant(record.root)),
            broken=_broken(record.root),
            missing=frozenset(_missing(record.root)),
        )
        record.release()
        return said

    def broken(self, answers: Mapping[str, Any], *, at: datetime | None = None) -> Mapping[str, str | None]:
        """Return only what breaks its constraint, computing no more than that needs."""
        record = AnswerRecord(self._model, answers, at)
        broken = _broken(record.root)
        record.release()
        return broken

    def message(self, path: str, language: str) -> str | None:
        """Return the author's message for a broken constraint at `path`, in any language where it lacks this one."""
        question: Question | None = self._model.root
        names = iter(tokens_of(path)[1:])
        for name in names:
            question = question.children.get(name) if question else None
            if question is not None and question.kind == "repeat":
                next(names, None)
        words = None if question is None else _message(question, language)
        return None if words is None else words.plain


def _message(question: Question, language: str) -> Words | None:
    return question.messages.get(language) or next(iter(question.messages.values()), None)


def _told(node: AnswerNode) -> str | None:
    words = _message(node.question, node.record.language)
    return None if words is None else node.record.said(words, node)


def _recomputed(node: AnswerNode) -> Answers:
    """Return the answers of a group or row with calculated fields as they come out; absent where not relevant."""
    answers: Answers = dict(node.given) if isinstance(node.given, dict) else {}
    for name, question in node.question.children.items():
        if question.is_recomputed:
            only = node.named(name)[0]
            if only.is_relevant():
                text = only.text()
                is_list = question.shape is not None and question.shape.type in LIST_TYPES
                answers[name] = (text.split(" ") if is_list else text) if text else None
            else:
                answers.pop(name, None)
        elif question.has_recomputed:
            _recompute_inner(node, name, question, answers)
    return answers


def _recompute_inner(node: AnswerNode, name: str, question: Question, answers: Answers) -> None:
    given = answers.get(name)
    if question.kind == "repeat":
        if isinstance(given, list):
            rows = node.named(name)
            answers[name] = [_recomputed(row) if isinstance(row.given, dict) else row.given for row in rows]
        return
    if name in answers and not isinstance(given, dict):
        # Another shape than the form's: nothing of it is lost for a calculation.
        return
    inner = _recomputed(node.named(name)[0])
    if inner or name in answers:
        answers[name] = inner


def _broken(root: AnswerNode) -> dict[str, str | None]:
    broken: dict[str, str | None] = {}
    open_nodes = [root]
    while open_nodes:
        node = open_nodes.pop()
        inner: list[AnswerNode] = []
        for question in node.question.checked:
            if question.is_of_itself and node.surely_keeps(question):
                continue
            constraint = question.constraint
            for each in node.answered(question):
                if constraint is not None and each.breaks(constraint):
                    broken[each.pointer] = _told(each)
                if question.checked:
                    inner.append(each)
        open_nodes.extend(reversed(inner))
    return broken


def _missing(root: AnswerNode) -> Iterator[str]:
    open_nodes = [root]
    while open_nodes:
        node = open_nodes.pop()
        for question in node.question.needed:
            required = question.required
            for each in node.named(question.name):
                if required is not None and each.is_missing(required):
                    yield each.pointer
                if question.needed and each.is_relevant():
                    open_nodes.append(each)


def _irrelevant(root: AnswerNode) -> Iterator[str]:
    open_nodes = [root]
    while open_nodes:
        node = open_nodes.pop()
        for name, question in node.question.children.items():
            if not question.has_relevance and question.relevant is None:
                continue
            nodes = node.named(name)
            if question.kind == "repeat" and question.relevant is not None and not node.asks_for(question):
                yield node.pointer_to(question)
                continue
            for each in nodes:
                if not each.is_relevant():
                    yield each.pointer
                elif question.has_relevance:
                    open_nodes.append(each)

"""One record's answers as the tree that expressions walk: values computed when something looks at them, and once.

Asking for a value asks for what it depends on, so that calculations come out as the phone's engine leaves them at rest,
whatever order the form writes them in. Nodes that are not relevant stay in the tree and are blank.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from server.forms.answers.record_answers import ROW_ID
from server.forms.evaluate.compiling import Compiled
from server.forms.evaluate.context import Context, Unevaluable
from server.forms.evaluate.model import Condition, FormModel, Options, Question
from server.forms.evaluate.moments import Moment, day_of, of
from server.forms.evaluate.reading import given_text
from server.forms.evaluate.syntax import NotXPath
from server.forms.evaluate.values import DocumentNode, Node, as_text
from server.forms.evaluate.words import Words
from sync.revisions.json_pointer import escape

#: How many nodes one record's expressions may look at together: a hundred times what a large record needs.
MAX_LOOKS = 500_000

#: How many answers are known to keep or break a constraint, and how long they may be.
MAX_VERDICTS = 4_000
MAX_KNOWN_LENGTH = 64

_BETWEEN_CHOICES = re.compile(r"[ \t\r\n]+")

#: What an expression may raise on answers that nobody foresaw; none of it is a judgement.
GIVES_UP = (Unevaluable, NotXPath, ArithmeticError, ValueError, RecursionError)


class AbsentKey:
    """The mark of a key that is not there."""


ABSENT = AbsentKey()


class AnswerNode:
    """A group, a row or an answer."""

    __slots__ = ("_kids", "_relevant", "_text", "given", "index", "parent", "question", "record")

    def __init__(
        self, record: "AnswerRecord", question: Question, parent: "AnswerNode | None", given: Any, index: int = 1
    ) -> None:
        """Take what was answered; nothing is computed yet."""
        self.record = record
        self.question = question
        self.parent = parent
        self.given = given
        self.index = index
        self._kids: dict[str, list[AnswerNode]] | None = None
        self._text: str | None = None
        self._relevant: bool | None = None

    @property
    def name(self) -> str:
        """The element's name."""
        return self.question.name

    @property
    def pointer(self) -> str:
        """The JSON Pointer from the document's root; a row is named by its identity, or its place where it has none."""
        if self.parent is None:
            return "/answers"
        path = f"{self.parent.pointer}/{escape(self.question.name)}"
        return f"{path}/{escape(self.row_id)}" if self.question.kind == "repeat" else path

    @property
    def row_id(self) -> str:
        """The identity of a row."""
        row_id = self.given.get(ROW_ID) if isinstance(self.given, dict) else None
        return row_id if isinstance(row_id, str) and row_id else str(self.index - 1)

    def named(self, name: str) -> Sequence["AnswerNode"]:
        """Return the children of a name: the rows of a repeat, or one."""
        made = self._kids
        if made is None:
            made = self._kids = {}
        kids = made.get(name)
        if kids is None:
            kids = made[name] = self._make(name)
        return kids

    def let_go(self) -> Iterator["AnswerNode"]:
        """Give the children that were made, and know them no more."""
        made, self._kids = self._kids, None
        return (each for kids in (made or {}).values() for each in kids)

    def _make(self, name: str) -> list["AnswerNode"]:
        question = self.question.children.get(name)
        if question is None:
            return []
        given = self.given.get(name, ABSENT) if isinstance(self.given, dict) else ABSENT
        if question.kind == "repeat":
            rows = given if isinstance(given, list) else ()
            return [AnswerNode(self.record, question, self, row, index) for index, row in enumerate(rows, start=1)]
        return [AnswerNode(self.record, question, self, given)]

    def children(self) -> Sequence["AnswerNode"]:
        """Return all children in the form's order."""
        return [child for name in self.question.children for child in self.named(name)]

    def text(self) -> str:
        """Return the value, "" for what is blank, not relevant, or holds other nodes."""
        text = self._text
        if text is None:
            # What stands, while it is being computed: a circle, or once() asking what it was.
            self._text = self._stands()
            self._text = text = self._read()
        return text

    def _stands(self) -> str:
        question = self.question
        if question.kind != "leaf":
            return ""
        return question.read(question.default if self.given is ABSENT else given_text(self.given))

    def _read(self) -> str:
        question = self.question
        text = self._text or ""
        if question.is_recomputed and self.is_relevant():
            calculate = question.calculate
            if calculate is not None:
                value = self.record.attempt(calculate, self)
                text = text if value is None else question.read(value)
        if not text or not self.is_relevant():
            return ""
        return text if question.options is None else self.record.offered(self, question.options, text)

    def is_relevant(self) -> bool:
        """Say whether the form asks this, here and all around it."""
        relevant = self._relevant
        if relevant is None:
            self._relevant = True
            around = self.parent is None or self.parent.is_relevant()
            condition = self.question.relevant
            relevant = around and (condition is None or self._holds(condition, otherwise=self.given is not ABSENT))
            self._relevant = relevant
        return relevant

    def asks_for(self, question: Question) -> bool:
        """Say whether rows of a repeat are asked for here at all."""
        given = self.given.get(question.name, ABSENT) if isinstance(self.given, dict) else ABSENT
        return AnswerNode(self.record, question, self, given).is_relevant()

    def pointer_to(self, question: Question) -> str:
        """Return the JSON Pointer of a child, rows or none."""
        return f"{self.pointer}/{escape(question.name)}"

    def surely_keeps(self, question: Question) -> bool:
        """Say whether an answer keeps a constraint that looks at nothing else, asked for or not; most answers recur."""
        given = self.given.get(question.name, ABSENT) if isinstance(self.given, dict) else ABSENT
        constraint = question.constraint
        if given is None or constraint is None:
            return True
        known: object = given
        if isinstance(given, list) and all(isinstance(choice, str) for choice in given):
            known = tuple(given)
        elif not isinstance(given, str):
            return given is ABSENT and not question.default
        if constraint.asks:
            known = (self.record.day, known)
        verdict = question.verdicts.get(known)
        if verdict is None:
            alone = AnswerNode(self.record, question, self, given)
            alone._relevant = True
            verdict = not alone.breaks(constraint)
            if len(question.verdicts) < MAX_VERDICTS and len(given) < MAX_KNOWN_LENGTH:
                question.verdicts[known] = verdict
        return verdict

    def answered(self, question: Question) -> "Sequence[AnswerNode]":
        """Return the children for a question, without those that are plainly blank."""
        if question.kind == "leaf" and not question.is_recomputed and isinstance(self.given, dict):
            given = self.given.get(question.name, ABSENT)
            if given is None or (given is ABSENT and not question.default):
                return ()
        return self.named(question.name)

    def breaks(self, constraint: Condition) -> bool:
        """Say whether what stands breaks the constraint; blank breaks none, as all is that is not relevant."""
        return bool(self.text()) and not self._holds(constraint, otherwise=True)

    def is_missing(self, required: Condition) -> bool:
        """Say whether an answer is needed and blank."""
        return not self.text() and self.is_relevant() and self._holds(required, otherwise=False)

    def _holds(self, condition: Condition, *, otherwise: bool) -> bool:
        """Return whether every part holds; `otherwise` stands for a part that cannot be evaluated."""
        record = self.record
        context = Context(record, self, self)
        for part in condition.parts:
            if part.asks and record.moment is None:
                holds = otherwise
            else:
                try:
                    holds = record.settled(part, context) if part.is_settled else part.truth(context)
                except GIVES_UP:
                    holds = otherwise
            if not holds:
                return False
        return True


class AnswerRecord:
    """A record's answers, for one evaluation."""

    def __init__(self, model: FormModel, answers: Mapping[str, Any], moment: datetime | None) -> None:
        """Build nothing yet but the root."""
        self.moment = moment
        self._now: dict[str, Moment] = {}
        self._held: dict[Compiled, bool] = {}
        self._remembered: dict[Callable[[Context], float], float] = {}
        self.language = model.language
        self._model = model
        self.root = AnswerNode(self, model.root, None, answers)
        self.document: Node = DocumentNode(self.root)
        self._at: dict[tuple[str, ...], list[Node]] = {}
        self._looks = 0

    @property
    def day(self) -> float | None:
        """Return the current day as a number; None where no clock was given."""
        return None if self.moment is None else self.clock("today")

    def release(self) -> None:
        """Let go of everything at once: nodes know each other both ways, and a collector would find them much later."""
        open_nodes = [self.root]
        while open_nodes:
            open_nodes.extend(open_nodes.pop().let_go())
        self._at.clear()
        del self.root, self.document

    def clock(self, what: str) -> Moment:
        """Return what "now" or "today" is; raise `Unevaluable` where nobody says."""
        if self.moment is None:
            raise Unevaluable("nobody says what time it is")
        told = self._now.get(what)
        if told is None:
            told = self._now[what] = of(self.moment) if what == "now" else day_of(self.moment)
        return told

    def remembered(self, expression: Callable[[Context], float], context: Context) -> float:
        """Return what an expression gives that is the same at every node, computed once."""
        number = self._remembered.get(expression)
        if number is None:
            number = self._remembered[expression] = expression(context)
        return number

    def nodes_at(self, names: tuple[str, ...]) -> list[Node]:
        """Return the nodes of an absolute path, of all rows."""
        found = self._at.get(names)
        if found is None:
            found = self._at[names] = list(self.answers_at(names))
        self.spend(len(found))
        return found

    def answers_at(self, names: tuple[str, ...]) -> list[AnswerNode]:
        """Return the same to who evaluates, uncounted."""
        found = [] if names[0] != self.root.name else [self.root]
        for name in names[1:]:
            found = [child for node in found for child in node.named(name)]
        return found

    def spend(self, nodes: int) -> None:
        """Count nodes that were looked at."""
        self._looks += nodes
        if self._looks > MAX_LOOKS:
            raise Unevaluable("this record takes too long")

    def settled(self, part: Compiled, context: Context) -> bool:
        """Return a condition that is the same wherever it stands in the record, looked at once."""
        held = self._held.get(part)
        if held is None:
            held = self._held[part] = part.truth(context)
        return held

    def instance(self, name: str) -> list[Node]:
        """Return a choice list's document."""
        listed = self._model.lists.get(name)
        if listed is None:
            raise Unevaluable(f"no list {name}")
        return [listed.document]

    def attempt(self, expression: Compiled, node: AnswerNode) -> str | None:
        """Return an expression's text at a node, None where it has none."""
        try:
            self.spend(1)
            return as_text(expression.run(Context(self, node, node)))
        except GIVES_UP:
            return None

    def offered(self, node: AnswerNode, options: Options, text: str) -> str:
        """Return of the choices in `text` those that are offered, each once."""
        try:
            question = node.question.shape
            if question is not None and question.type == "select_one":
                return text if self._is_offered(node, options, text) else ""
            given = dict.fromkeys(each for each in _BETWEEN_CHOICES.split(text) if each)
            chosen = [choice for choice in given if self._is_offered(node, options, choice)]
            if given and question is not None and question.type == "rank":
                # A rank holds every choice: those that came later follow.
                chosen += [choice for choice in self._all(node, options) if choice not in chosen]
        except GIVES_UP:
            return text
        return " ".join(chosen)

    def _is_offered(self, node: AnswerNode, options: Options, choice: str) -> bool:
        if options.fixed is not None:
            return choice in options.fixed
        if options.listed is not None and not options.filters:
            return bool(options.listed.having(options.value, choice))
        return any(True for _item in self._items(node, options, choice))

    def _label(self, node: AnswerNode, options: Options, choice: str) -> str | None:
        """Return the label of a choice that is offered, None for another."""
        if options.fixed is not None:
            words = options.fixed.get(choice)
            return None if words is None else words.said(Context(self, node, node))
        for item in self._items(node, options, choice):
            return self._label_of(item, options)
        return None

    def _items(self, node: AnswerNode, options: Options, choice: str | None) -> Iterator[Node]:
        if options.listed is not None:
            listed = options.listed
            items = listed.items if choice is None else listed.having(options.value, choice)
            for item in items:
                self.spend(1)
                if all(holds(Context(self, item, node)) for holds in options.filters):
                    yield item
            return
        if options.select is None:
            raise Unevaluable("nobody knows what is offered")
        for each in options.select(Context(self, node, node)):
            if choice is None or as_text(list(each.named(options.value))) == choice:
                yield each

    def _all(self, node: AnswerNode, options: Options) -> list[str]:
        if options.fixed is not None:
            return list(options.fixed)
        return [as_text(list(item.named(options.value))) for item in self._items(node, options, None)]

    def _label_of(self, item: Node, options: Options) -> str:
        if options.label is None:
            return as_text(list(item.named(options.value)))
        label = as_text(list(item.named(options.label)))
        if not options.is_label_itext:
            return label
        words = self._words(label)
        return "" if words is None else words.said(Context(self, item, item))

    def choice_name(self, context: Context, value: str, path: str) -> str:
        """Return the label of a choice of the question at `path`, in the form's default language."""
        for node in self._model.select_of(path)(context):
            if isinstance(node, AnswerNode) and node.question.options is not None:
                return self._label(node, node.question.options, value) or ""
        raise Unevaluable(f"{path} has no choices")

    def itext(self, name: str) -> str:
        """Return a text of the form in its default language, without the answers that are shown in it."""
        words = self._words(name)
        return "" if words is None else words.literal

    def said(self, words: Words, node: AnswerNode) -> str:
        """Return a text as the phone shows it at a node."""
        try:
            return words.said(Context(self, node, node))
        except GIVES_UP:
            return words.plain

    def _words(self, name: str) -> Words | None:
        return self._model.itext.get(name, {}).get(self._model.language)

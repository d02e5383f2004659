"""The server's own evaluator over an instance that is being filled in: an XML tree that loses what is not relevant.

Elsewhere it looks at a record's answers; here at elements, so that made-up records obey the forms that they claim to be
answers to.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from lxml import etree

from server.forms.evaluate import moments
from server.forms.evaluate.compiling import Compiled, compile_expression, compile_select
from server.forms.evaluate.context import Context, Unevaluable
from server.forms.evaluate.lists import ChoiceList
from server.forms.evaluate.syntax import parse
from server.forms.evaluate.values import DocumentNode, Node, as_text
from server.forms.xml_input import local_name


class Expressions:
    """Evaluates expressions of one form over one instance, at one moment."""

    def __init__(
        self,
        root: etree._Element,
        lists: Mapping[str, ChoiceList],
        now: datetime,
        choice_name: Callable[[str, str], str],
    ) -> None:
        """Let `now` be what `now()` and `today()` give; `choice_name` looks labels of choices up by path and value."""
        self._lists = lists
        self._now = now
        self._choice_name = choice_name
        self._nodes: dict[etree._Element, _Element] = {}
        self._root = root

    def holds(self, expression: str, element: etree._Element) -> bool:
        """Tell whether `expression` is true at an element."""
        return _compiled(expression).truth(self._at(element))

    def text(self, expression: str, element: etree._Element) -> str:
        """Return what `expression` gives as the text of an answer."""
        return as_text(_compiled(expression).run(self._at(element)))

    def items(self, nodeset: str, column: str, element: etree._Element) -> list[str]:
        """Return the values of a list's entries that are offered at an element."""
        found = compile_select(parse(nodeset))(self._at(element))
        return [as_text(list(item.named(column))) for item in found]

    @property
    def document(self) -> Node:
        """Return the node above the root."""
        return DocumentNode(self.node(self._root))

    def node(self, element: etree._Element) -> "_Element":
        """Return an element as expressions see it."""
        known = self._nodes.get(element)
        if known is None:
            known = self._nodes[element] = _Element(self, element)
        return known

    def nodes_at(self, names: tuple[str, ...]) -> list[Node]:
        """Return the elements of an absolute path."""
        found: list[Node] = [self.document]
        for name in names:
            found = [child for node in found for child in node.named(name)]
        return found

    def spend(self, nodes: int) -> None:
        """Count nothing: made-up records are small."""

    def remembered(self, expression: Callable[[Context], float], context: Context) -> float:
        """Compute it: answers change while they are filled in."""
        return expression(context)

    def clock(self, what: str) -> moments.Moment:
        """Return what "now" or "today" is."""
        return moments.of(self._now) if what == "now" else moments.day_of(self._now)

    def instance(self, name: str) -> list[Node]:
        """Return a choice list's document."""
        return [self._lists[name].document] if name in self._lists else []

    def choice_name(self, _context: Context, value: str, path: str) -> str:
        """Return the label of a choice of the question at `path`."""
        return self._choice_name(path.strip(), value)

    def itext(self, name: str) -> str:
        """Raise: no demonstration form asks for a text of its own."""
        raise Unevaluable(name)

    def _at(self, element: etree._Element) -> Context:
        node = self.node(element)
        return Context(self, node, node)


class _Element:
    """An element of the instance."""

    __slots__ = ("_element", "_expressions")

    def __init__(self, expressions: Expressions, element: etree._Element) -> None:
        self._expressions = expressions
        self._element = element

    @property
    def name(self) -> str:
        return local_name(self._element)

    @property
    def index(self) -> int:
        return sum(1 for _ in self._element.itersiblings(self._element.tag, preceding=True)) + 1

    @property
    def parent(self) -> Node | None:
        around = self._element.getparent()
        return self._expressions.document if around is None else self._expressions.node(around)

    def named(self, name: str) -> Sequence[Node]:
        return [self._expressions.node(child) for child in self._element if local_name(child) == name]

    def children(self) -> Sequence[Node]:
        return [self._expressions.node(child) for child in self._element]

    def text(self) -> str:
        return self._element.text or ""


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Compiled:
    return compile_expression(expression)

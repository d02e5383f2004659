"""Where an expression is evaluated: at which node, in which record, and what can be known there."""

from collections.abc import Callable, Sequence
from typing import Protocol

from server.forms.evaluate.moments import Moment
from server.forms.evaluate.values import Node


class Unevaluable(ValueError):
    """An expression has no value here: it asks what nobody says, or the phone's engine would give it up as well."""


class Record(Protocol):
    """One record's answers, as expressions read them."""

    def clock(self, what: str) -> Moment:
        """Return what "now" or "today" is for this evaluation; raise `Unevaluable` where nothing may depend on it."""

    @property
    def document(self) -> Node:
        """Return the node above the root."""

    def remembered(self, expression: Callable[["Context"], float], context: "Context") -> float:
        """Return what an expression gives that is the same at every node of the record, computed once."""

    def nodes_at(self, names: tuple[str, ...]) -> list[Node]:
        """Return the nodes of an absolute path, of all rows."""

    def spend(self, nodes: int) -> None:
        """Count nodes that were looked at; raise `Unevaluable` when there were too many."""

    def instance(self, name: str) -> list[Node]:
        """Return a choice list's document; raise `Unevaluable` where the list is not here."""

    def choice_name(self, context: "Context", value: str, path: str) -> str:
        """Return the label of a choice of the question at `path`."""

    def itext(self, name: str) -> str:
        """Return a text of the form in its default language."""


class Context:
    """The node in hand, its place among those beside it, and the node that the expression is about."""

    __slots__ = ("current", "node", "position", "record", "size")

    def __init__(self, record: Record, node: Node, current: Node, position: int = 1, size: int = 1) -> None:
        """Keep what is given."""
        self.record = record
        self.node = node
        self.current = current
        self.position = position
        self.size = size


Nodes = Sequence[Node]

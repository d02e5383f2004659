"""The axes of XPath's steps, over nodes that know their parent and their children."""

from collections.abc import Callable

from server.forms.evaluate.syntax import Step
from server.forms.evaluate.values import Node


def local(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


def axis(step: Step) -> Callable[[Node], list[Node]]:
    """Return what gives the nodes of one step from a node, in document order."""
    name = local(step.name)
    if step.axis == "child" and not name.endswith(")") and name != "*":
        return lambda node: list(node.named(name))
    if step.axis == "parent" and name == "node()":
        return lambda node: [node.parent] if node.parent is not None else []
    walk = _AXES[step.axis]
    if name == "node()":
        return walk
    if name.endswith(")"):
        # Text, comments and instructions are no nodes of their own here.
        return lambda _node: []
    if name == "*":
        return lambda node: [each for each in walk(node) if each.name]
    return lambda node: [each for each in walk(node) if each.name == name]


def _descendants(node: Node) -> list[Node]:
    found: list[Node] = []
    open_nodes = list(reversed(node.children()))
    while open_nodes:
        at = open_nodes.pop()
        found.append(at)
        open_nodes.extend(reversed(at.children()))
    return found


def _ancestors(node: Node) -> list[Node]:
    found: list[Node] = []
    around = node.parent
    while around is not None:
        found.append(around)
        around = around.parent
    return found[::-1]


def _siblings(node: Node) -> tuple[list[Node], list[Node]]:
    """Return the nodes before and after a node under the same parent."""
    beside = list(node.parent.children()) if node.parent is not None else [node]
    at = next((place for place, each in enumerate(beside) if each is node), 0)
    return beside[:at], beside[at + 1 :]


def _following(node: Node) -> list[Node]:
    found: list[Node] = []
    for at in [node, *reversed(_ancestors(node))]:
        for after in _siblings(at)[1]:
            found += [after, *_descendants(after)]
    return found


def _preceding(node: Node) -> list[Node]:
    found: list[Node] = []
    for at in [*_ancestors(node), node]:
        for before in _siblings(at)[0]:
            found += [before, *_descendants(before)]
    return found


_AXES: dict[str, Callable[[Node], list[Node]]] = {
    "ancestor": _ancestors,
    "ancestor-or-self": lambda node: [*_ancestors(node), node],
    # Answers carry no attributes.
    "attribute": lambda _node: [],
    "child": lambda node: list(node.children()),
    "descendant": _descendants,
    "descendant-or-self": lambda node: [node, *_descendants(node)],
    "following": _following,
    "following-sibling": lambda node: _siblings(node)[1],
    "parent": lambda node: [node.parent] if node.parent is not None else [],
    "preceding": _preceding,
    "preceding-sibling": lambda node: _siblings(node)[0],
    "self": lambda node: [node],
}

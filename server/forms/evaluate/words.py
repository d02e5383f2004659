"""Texts of a form as the phone shows them: what its author wrote, with answers between."""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from server.forms.evaluate.compiling import Compiled
from server.forms.evaluate.context import Context, Unevaluable
from server.forms.evaluate.values import as_text
from server.forms.xml_input import local_name

Compile = Callable[[str], Compiled | None]


@dataclass(frozen=True, slots=True)
class Words:
    """A text in its parts; an expression stands where an answer is shown, None where it cannot be read."""

    parts: tuple[str | Compiled | None, ...]

    @classmethod
    def of(cls, element: etree._Element, compiled: Compile) -> "Words":
        """Return the text of an element, its white space as the phone keeps it."""
        parts: list[str | Compiled | None] = [element.text or ""]
        for child in element:
            if local_name(child) == "output":
                parts.append(compiled(child.get("value") or ""))
            parts.append(child.tail or "")
        return cls(tuple(parts))

    @property
    def literal(self) -> str:
        """What its author wrote."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def plain(self) -> str:
        """The text for where nobody's answers are known: … stands for each."""
        return "".join(part if isinstance(part, str) else "…" for part in self.parts).strip()

    def said(self, context: Context) -> str:
        """Return the text with the answers in it; raise `Unevaluable` where one cannot be had."""
        return "".join(part if isinstance(part, str) else _shown(part, context) for part in self.parts)


def _shown(answer: Compiled | None, context: Context) -> str:
    if answer is None:
        raise Unevaluable("an answer in a text cannot be read")
    return as_text(answer.run(context))

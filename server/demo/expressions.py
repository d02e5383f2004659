"""The part of ODK's XPath that made-up answers need, over lxml: relevance, constraints and calculations of a form.

It exists so that demo records obey the forms that they claim to be answers to; it judges no real record.
"""

import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from lxml import etree

JAVAROSA = "http://openrosa.org/javarosa"
_EPOCH = date(1970, 1, 1)


def text_of(value: Any) -> str:
    """Return an XPath value as XPath's `string()` would."""
    if isinstance(value, list):
        if not value:
            return ""
        first = value[0]
        return first if isinstance(first, str) else "".join(first.itertext())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def number_of(value: Any) -> float:
    """Return an XPath value as XPath's `number()` would."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(text_of(value).strip())
    except ValueError:
        return math.nan


class Expressions:
    """Evaluates expressions of one form at one moment; `choice_name` looks labels of choices up by path and value."""

    def __init__(self, now: datetime, choice_name: Callable[[str, str], str]) -> None:
        """Let `now` be what `now()` and `today()` give."""
        self._now = now
        self._choice_name = choice_name
        plain: dict[str, Callable[..., Any]] = {
            "selected": lambda _, chosen, one: text_of(one) in text_of(chosen).split(),
            "count-selected": lambda _, chosen: float(len(text_of(chosen).split())),
            "today": lambda _: now.date().isoformat(),
            "now": lambda _: now.isoformat(timespec="milliseconds"),
            "uuid": lambda _: str(uuid.uuid4()),
            "once": lambda context, value: text_of([context.context_node]) or text_of(value),
            "if": lambda _, condition, yes, no: yes if _truth(condition) else no,
            "coalesce": lambda _, first, second: text_of(first) or text_of(second),
            "regex": lambda _, text, pattern: re.search(text_of(pattern), text_of(text)) is not None,
            "round-to": lambda _, value, digits=0.0: _rounded(number_of(value), int(number_of(digits))),
            "pow": lambda _, base, power: number_of(base) ** number_of(power),
            "pi": lambda _: math.pi,
            "int": lambda _, value: float(math.trunc(number_of(value))),
            "date": lambda _, value: text_of(value)[:10],
            "format-date": lambda _, value, form: _formatted(text_of(value), text_of(form)),
            "decimal-date-time": lambda _, value: _days(text_of(value)),
        }
        self._functions: dict[tuple[str | None, str], Callable[..., Any]] = {
            (None, name): function for name, function in plain.items()
        }
        self._functions[JAVAROSA, "choice-name"] = lambda _, value, path: self._choice_name(
            text_of(path).strip(), text_of(value)
        )

    def value(self, expression: str, node: etree._Element) -> Any:
        """Return what `expression` gives with `node` as its context."""
        evaluate = etree.XPathElementEvaluator(
            node, namespaces={"jr": JAVAROSA}, extensions=self._functions, smart_strings=False
        )
        # libxml2 keeps its own `round`, which knows no digits; `current()` is the context node outside a filter.
        return evaluate(re.sub(r"\bround\(", "round-to(", expression).replace("current()", "."))

    def holds(self, expression: str, node: etree._Element) -> bool:
        """Tell whether `expression` is true at `node`."""
        return _truth(self.value(expression, node))

    def text(self, expression: str, node: etree._Element) -> str:
        """Return what `expression` gives as the text of an answer; blank for what is not a number."""
        text = text_of(self.value(expression, node))
        return "" if text == "NaN" else text


def _truth(value: Any) -> bool:
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return bool(value)


def _rounded(value: float, digits: int) -> float:
    return value if math.isnan(value) else float(round(value, digits))


def _formatted(text: str, form: str) -> str:
    try:
        return datetime.fromisoformat(text).strftime(form)
    except ValueError:
        return ""


def _days(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment.date() - _EPOCH).days + (aware.hour * 60 + aware.minute) / 1440

"""Made-up answers to any form, from its own types, choices, constraints and relevance.

The form's instance is filled in document order, as a person would go through it: what is not relevant disappears,
constrained values are drawn until the constraint holds, calculations are computed. The result is an instance in XML,
which the forms' own converter turns into answers.
"""

import copy
import random
import re
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lxml import etree

from server.demo import names
from server.demo.expressions import Expressions
from server.forms.evaluate.lists import list_in_form
from server.forms.schema import JAVAROSA
from server.forms.xml_input import local_name, parse_xml

XF = "{http://www.w3.org/2002/xforms}"
TRIES = 60
#: The phone's engine keeps no larger whole number.
MAX_INTEGER = 2**31 - 1
FIRST_VALUE = re.compile(r"once\(\s*(uuid|now)\(\)\s*\)")


@dataclass(frozen=True, slots=True)
class SurveySite:
    """Where a made-up record is taken: a unit's code and a point inside it."""

    code: str
    latitude: float
    longitude: float


@dataclass(slots=True)
class Filled:
    """An instance with answers, and the files that it names: (name, kind), kind being image, audio or file."""

    xml: bytes
    files: list[tuple[str, str]] = field(default_factory=list)


class Filler:
    """Fills one version of a form."""

    def __init__(self, xform: bytes) -> None:
        """Read the form's instance, binds, controls and choices."""
        document = parse_xml(xform)
        model = next(document.iter(f"{XF}model"))
        instances = model.findall(f"{XF}instance")
        self._blank = instances[0][0]
        self._binds = {str(bind.get("nodeset")): bind for bind in model.iterfind(f"{XF}bind")}
        self._labels = {
            str(text.get("id")): "".join(map(str, next(text.iter(f"{XF}value")).itertext()))
            for text in reversed(list(model.iter(f"{XF}text")))
        }
        self.lists = {str(instance.get("id")): list_in_form(instance) for instance in instances[1:]}
        body = next(document.iter("{http://www.w3.org/1999/xhtml}body"))
        self._repeats = {str(element.get("nodeset")) for element in body.iter(f"{XF}repeat")}
        self._controls = {
            str(element.get("ref")): element
            for element in body.iter()
            if element.get("ref") and local_name(element) != "label"
        }

    def fill(self, chance: random.Random, place: SurveySite, now: datetime) -> Filled:
        """Return one made-up instance."""
        return _Filling(self, chance, place, now).run()

    def choices(self, path: str, expressions: Expressions, node: etree._Element) -> list[str]:
        """Return the values that may be chosen at `path` now (a cascade looks at the answers before)."""
        control = self._controls[path]
        inline = [item.findtext(f"{XF}value") or "" for item in control.findall(f"{XF}item")]
        itemset = control.find(f"{XF}itemset")
        if itemset is None:
            return inline
        return expressions.items(itemset.get("nodeset") or "", "name", node)

    def choice_label(self, path: str, value: str) -> str:
        """Return the label of a choice in the form's first language."""
        itemset = self._controls[path].find(f"{XF}itemset") if path in self._controls else None
        found = re.match(r"instance\('([^']+)'\)", itemset.get("nodeset") or "") if itemset is not None else None
        for item in self.lists[found.group(1)].having("name", value) if found else ():
            return self._labels.get(item.cells.get("itextId", ""), item.cells.get("label", value))
        return value

    def blank(self) -> etree._Element:
        """Return the empty instance: no namespaces, no templates."""
        root = copy.deepcopy(self._blank)
        for element in list(root.iter()):
            parent = element.getparent()
            if parent is not None and element.get(f"{JAVAROSA}template") is not None:
                parent.remove(element)
            else:
                element.tag = local_name(element)
        etree.cleanup_namespaces(root)
        return root

    def bind(self, path: str) -> etree._Element | None:
        """Return the bind of a node."""
        return self._binds.get(path)

    def control(self, path: str) -> etree._Element | None:
        """Return the control of a node, None for what nobody is asked."""
        return self._controls.get(path)

    def is_repeat(self, path: str) -> bool:
        """Tell whether the node is a row of a repeat."""
        return path in self._repeats


class _Filling:
    """One pass through a form; answers are drawn from `chance` alone, so that a seed repeats them."""

    def __init__(self, form: Filler, chance: random.Random, place: SurveySite, now: datetime) -> None:
        self._form = form
        self._chance = chance
        self._place = place
        self._now = now
        self._files: list[tuple[str, str]] = []

    def run(self) -> Filled:
        root = self._form.blank()
        self._expressions = Expressions(root, self._form.lists, self._now, self._form.choice_label)
        self._visit(root, f"/{root.tag}")
        # Calculations may look at answers that come later, so they are done once more at the end.
        for element in list(root.iter()):
            bind = self._form.bind(_path(element))
            if bind is not None and bind.get("calculate"):
                self._calculate(element, bind)
        return Filled(etree.tostring(root, encoding="utf-8"), self._files)

    def _visit(self, element: etree._Element, path: str) -> None:
        for child in list(element):
            child_path = f"{path}/{child.tag}"
            bind = self._form.bind(child_path)
            relevant = bind.get("relevant") if bind is not None else None
            if relevant and not self._expressions.holds(relevant, child):
                element.remove(child)
            elif self._form.is_repeat(child_path):
                self._rows(element, child, child_path)
            elif len(child):
                self._visit(child, child_path)
            elif bind is not None:
                self._answer(child, child_path, bind)

    def _rows(self, parent: etree._Element, first: etree._Element, path: str) -> None:
        rows = [first, *(copy.deepcopy(first) for _ in range(self._chance.choice((0, 1, 1, 2))))]
        position = parent.index(first)
        for offset, row in enumerate(rows[1:], start=1):
            parent.insert(position + offset, row)
        for row in rows:
            self._visit(row, path)

    def _answer(self, element: etree._Element, path: str, bind: etree._Element) -> None:
        preload = bind.get(f"{JAVAROSA}preload")
        control = self._form.control(path)
        if bind.get("calculate"):
            self._calculate(element, bind)
        elif preload:
            element.text = self._preloaded(preload, bind)
        elif control is not None and bind.get("readonly") != "true()":
            if bind.get("required") != "true()" and self._chance.random() < 0.25:
                return
            constraint = bind.get("constraint")
            for _ in range(TRIES):
                element.text = self._draw(element, path, bind, control) or None
                if not constraint or not element.text or self._expressions.holds(constraint, element):
                    return
            element.text = None

    def _calculate(self, element: etree._Element, bind: etree._Element) -> None:
        calculate = bind.get("calculate") or "''"
        first = FIRST_VALUE.fullmatch(calculate.strip())
        if first is None:
            element.text = self._expressions.text(calculate, element) or None
        elif not element.text:
            # What a phone takes from its clock, or from chance, and keeps.
            now = self._now.isoformat(timespec="milliseconds")
            element.text = self._chance_id() if first.group(1) == "uuid" else now

    def _chance_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _preloaded(self, preload: str, bind: etree._Element) -> str:
        if preload == "uid":
            return f"uuid:{self._chance_id()}"
        if preload in ("timestamp", "date"):
            return (
                self._now.date().isoformat()
                if bind.get("type") == "date"
                else self._now.isoformat(timespec="milliseconds")
            )
        return ""

    def _draw(self, element: etree._Element, path: str, bind: etree._Element, control: etree._Element) -> str:
        kind = local_name(control)
        if kind in ("select1", "select", "rank"):
            return self._choose(kind, path, element)
        if kind == "upload":
            return self._file(element.tag, (control.get("mediatype") or "").partition("/")[0])
        if kind == "trigger":
            return "OK"
        drawn = {
            "int": lambda: str(min(round(self._number(bind, control)), MAX_INTEGER)),
            "decimal": lambda: f"{self._number(bind, control):.2f}",
            "date": lambda: self._day(bind, element).isoformat(),
            "dateTime": lambda: self._moment(bind, element),
            "time": lambda: (
                f"{self._chance.randrange(6, 18):02}:{self._chance.choice((0, 15, 30, 45)):02}:00.000+07:00"
            ),
            "geopoint": lambda: self._point(*self._near(0.008)),
            "geoshape": lambda: self._outline(is_closed=True),
            "geotrace": lambda: self._outline(is_closed=False),
        }.get(bind.get("type") or "")
        return drawn() if drawn else self._text(str(element.tag), bind.get("constraint") or "")

    def _choose(self, kind: str, path: str, element: etree._Element) -> str:
        choices = self._form.choices(path, self._expressions, element)
        if not choices:
            return ""
        if kind == "select1":
            code = self._place.code
            here = [choice for choice in choices if code and choice.startswith(code)]
            if here:
                return here[0]
            # People agree and have things more often than not, or nearly every demo record would be a refusal.
            often = 0.95 if element.tag == "consent" else 0.7
            return "yes" if "yes" in choices and self._chance.random() < often else self._chance.choice(choices)
        if kind == "rank":
            return " ".join(self._chance.sample(choices, len(choices)))
        some = [choice for choice in choices if choice not in ("none", "no")] or choices
        count = min(len(some), self._chance.choice((1, 1, 2, 3)))
        kept = set(self._chance.sample(some, count))
        return " ".join(choice for choice in choices if choice in kept)

    def _file(self, name: str, kind: str) -> str:
        endings = {"image": "jpg", "audio": "wav"}
        file = f"{name}-{self._chance.getrandbits(40):010x}.{endings.get(kind, 'txt')}"
        self._files.append((file, kind if kind in endings else "file"))
        return file

    def _number(self, bind: etree._Element, control: etree._Element) -> float:
        constraint = bind.get("constraint") or ""
        low = _bound(constraint, ">", control.get("start"), 0.0)
        high = _bound(constraint, "<", control.get("end"), max(low * 3, low + 20))
        # Wide ranges are there to catch slips; real values crowd near their lower end.
        span = high - low
        return low + span * (self._chance.random() ** (4 if span > 1000 else 2 if span > 50 else 1))

    def _day(self, bind: etree._Element, element: etree._Element) -> date:
        constraint = bind.get("constraint") or ""
        latest = self._now.date()
        for reference in re.findall(r"/[\w/.-]+", constraint):
            stands = self._expressions.text(reference, element)
            latest = min(latest, date.fromisoformat(stands)) if re.fullmatch(r"\d{4}-\d\d-\d\d", stands) else latest
        literal = re.search(r"date\('(\d{4}-\d\d-\d\d)'\)", constraint)
        earliest = date.fromisoformat(literal.group(1)) if literal else latest - timedelta(days=60)
        return earliest + timedelta(days=self._chance.randint(0, max(0, (latest - earliest).days)))

    def _moment(self, bind: etree._Element, element: etree._Element) -> str:
        return datetime.combine(self._day(bind, element), self._now.timetz()).isoformat(timespec="milliseconds")

    def _near(self, degrees: float) -> tuple[float, float]:
        chance = self._chance
        return (
            self._place.latitude + chance.uniform(-degrees, degrees),
            self._place.longitude + chance.uniform(-degrees, degrees),
        )

    def _point(self, latitude: float, longitude: float) -> str:
        return f"{latitude:.7f} {longitude:.7f} {self._chance.uniform(450, 1500):.1f} {self._chance.uniform(3, 11):.1f}"

    def _outline(self, *, is_closed: bool) -> str:
        latitude, longitude = self._near(0.008)
        corners = ((0, 0), (0, 1), (0.6, 1.3), (1, 0.9), (0.9, 0))
        size = self._chance.uniform(0.0003, 0.0009)
        points = [self._point(latitude + up * size, longitude + right * size) for up, right in corners]
        return ";".join([*points, points[0]] if is_closed else points)

    def _text(self, name: str, constraint: str) -> str:
        pattern = re.search(r"regex\(\.,\s*'\^(.+)\$'\)", constraint)
        if pattern:
            return _matching(pattern.group(1), self._chance)
        if name == "village":
            return names.village(self._chance)
        if name in ("name", "business_name", "site_name", "product_name"):
            return names.place(self._chance)
        if name.endswith(("number", "code")):
            return f"DEMO-{self._chance.randrange(1000, 9999)}"
        is_person = name.endswith("name") or name in ("owner", "holder", "head", "keeper", "contact", "representative")
        return names.person(self._chance) if is_person else names.remark(self._chance)


def _path(element: etree._Element) -> str:
    steps = [str(step.tag) for step in element.iterancestors()]
    return "/" + "/".join([*reversed(steps), str(element.tag)])


def _bound(constraint: str, sign: str, attribute: str | None, otherwise: float) -> float:
    if attribute is not None:
        return float(attribute)
    found = re.search(rf"\.\s*{sign}=?\s*(-?\d+(?:\.\d+)?)", constraint)
    return float(found.group(1)) if found else otherwise


def _matching(pattern: str, chance: random.Random) -> str:
    """Return a text for the simple patterns of codes: classes, counts, one group of alternatives, literals."""
    text = ""
    for group, letters, least, most, literal in re.findall(
        r"\(([^)]*)\)|\[([^\]]*)\](?:\{(\d+)(?:,(\d+))?\})?|\\?(.)", pattern
    ):
        if group:
            text += chance.choice(group.split("|")).replace("\\", "")
        elif letters:
            alphabet = "0123456789" if letters == "0-9" else "ABCDEGHKLMNPQRSTVX"
            text += "".join(
                chance.choice(alphabet) for _ in range(chance.randint(int(least or 1), int(most or least or 1)))
            )
        else:
            text += literal
    return text

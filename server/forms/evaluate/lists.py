"""Choice lists as expressions see them: documents of items, from the form itself or from a file beside it."""

import csv
import io
from collections.abc import Mapping, Sequence

from lxml import etree

from server.forms.conversion.geojson_list import ENDING, NotGeoJson, geojson_entries
from server.forms.evaluate.values import Node
from server.forms.xml_input import local_name


class Cell:
    """One value of an item, or an element of a list that the form wrote in another shape."""

    __slots__ = ("_children", "_text", "index", "name", "parent")

    def __init__(self, name: str, text: str, parent: Node | None) -> None:
        """Make an element without children."""
        self.index = 1
        self.name = name
        self.parent = parent
        self._text = text
        self._children: list[Node] = []

    def named(self, name: str) -> Sequence[Node]:
        """Return the child elements of that name."""
        return [child for child in self._children if child.name == name]

    def children(self) -> Sequence[Node]:
        """Return all child elements."""
        return self._children

    def text(self) -> str:
        """Return the element's text."""
        return self._text

    def add(self, child: Node) -> None:
        """Put a child element last."""
        self._children.append(child)


class Item:
    """One entry of a list: its values by column. Elements for them are made when they are looked at."""

    __slots__ = ("cells", "index", "name", "parent")

    def __init__(self, cells: Mapping[str, str], parent: Node, index: int) -> None:
        """Take the values of the entry and its place in the list."""
        self.index = index
        self.name = "item"
        self.parent: Node | None = parent
        self.cells = cells

    def named(self, name: str) -> Sequence[Node]:
        """Return the value of a column."""
        text = self.cells.get(name)
        return [] if text is None else [Cell(name, text, self)]

    def children(self) -> Sequence[Node]:
        """Return all values."""
        return [Cell(name, text, self) for name, text in self.cells.items()]

    def text(self) -> str:
        """Return all values as one text, as XPath has it for an element that holds others."""
        return "".join(self.cells.values())


class ChoiceList:
    """A list's document, its root and its items; entries are found by a column's value without looking through all."""

    __slots__ = ("_by_value", "document", "items")

    def __init__(self, entries: Sequence[Mapping[str, str]]) -> None:
        """Build the document of these entries."""
        self.document = Cell("", "", None)
        root = Cell("root", "", self.document)
        self.document.add(root)
        self.items = [Item(entry, root, index) for index, entry in enumerate(entries, start=1)]
        for item in self.items:
            root.add(item)
        self._by_value: dict[str, dict[str, list[Item]]] = {}

    def having(self, column: str, value: str) -> Sequence[Item]:
        """Return the items whose `column` is `value`."""
        by_value = self._by_value.get(column)
        if by_value is None:
            by_value = {}
            for item in self.items:
                by_value.setdefault(item.cells.get(column, ""), []).append(item)
            self._by_value[column] = by_value
        return by_value.get(value, ())


def list_in_form(instance: etree._Element) -> ChoiceList:
    """Return a secondary instance of the form."""
    entries = [
        {local_name(cell): cell.text or "" for cell in item} for item in instance.iter() if local_name(item) == "item"
    ]
    return ChoiceList(entries)


def list_in_file(file: str, data: bytes) -> ChoiceList:
    """Return a list that came as a file; without entries where it cannot be read, as on the phone."""
    if file.endswith(ENDING):
        try:
            return ChoiceList(geojson_entries(data))
        except NotGeoJson:
            return ChoiceList([])
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), restkey="", restval="")
        entries = [{name: value for name, value in row.items() if name} for row in reader]
    except (UnicodeDecodeError, csv.Error):
        entries = []
    return ChoiceList(entries)

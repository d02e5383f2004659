"""Attributes of other namespaces on a form's questions: `odk:tag` of a compact_tag, and the like.

The phone's engine writes them into its records without saying what the prefix stands for, which nobody can read again;
nothing on the phone or here reads them.
"""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from server.forms.schema import XFORMS
from server.forms.xml_input import local_name

#: jr:template says which row of a repeat the others are made from.
READ: Final = "{http://openrosa.org/javarosa}template"


def unread_attributes(document: etree._Element) -> Iterator[tuple[etree._Element, list[str]]]:
    """Give the questions that have some, each with their names."""
    root = document.find(f".//{XFORMS}model/{XFORMS}instance/*")
    for element in root.iterdescendants() if root is not None else ():
        names = [str(name) for name in element.attrib if str(name).startswith("{") and name != READ]
        if names:
            yield element, names


def drop_unread(document: etree._Element) -> None:
    """Take them away."""
    for element, names in unread_attributes(document):
        for name in names:
            del element.attrib[name]


def path_in_instance(element: etree._Element) -> str:
    """Return the path of a question in the instance: /data/group/name."""
    path = [local_name(element)]
    for around in element.iterancestors():
        if around.tag == f"{XFORMS}instance":
            break
        path.append(local_name(around))
    return "/" + "/".join(reversed(path))

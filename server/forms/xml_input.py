"""Read XML that somebody else wrote: no document type, no entities, no network, no unbounded trees."""

from typing import Any

from lxml import etree


class XmlRefused(ValueError):
    """The XML is malformed, or uses what no form and no record needs; `where` is a line, or empty."""

    def __init__(self, code: str, where: str = "") -> None:
        """Keep the code ("malformed" or "document_type") apart from the place."""
        super().__init__(f"{code}: {where}" if where else code)
        self.code = code
        self.where = where


def parse_xml(source: bytes | str) -> etree._Element:
    """Return the root of `source` without comments and processing instructions."""
    data = source.encode() if isinstance(source, str) else source
    # A parser of its own per call: lxml parsers must not be shared between threads that parse at once.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise XmlRefused("malformed", str(error.lineno or "")) from error
    document: Any = root.getroottree()
    if document.docinfo.doctype:
        raise XmlRefused("document_type")
    return root


def local_name(element: etree._Element) -> str:
    """Return the element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]

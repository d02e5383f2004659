"""Give every row of a repeat an identity of its own: a hidden `_rid` = once(uuid()), first among its questions.

Done on the converted XForm, so that the converter's messages keep the author's row numbers. `once` keeps the first
value when a draft or a record is opened again.
"""

from lxml import etree

from server.forms.answers.record_answers import ROW_ID
from server.forms.conversion.label_media import drop_unshown
from server.forms.conversion.unread_attributes import drop_unread
from server.forms.schema import XFORMS, FormSchema
from server.forms.xml_input import parse_xml

CALCULATION = "once(uuid())"


def with_row_ids(xform: str) -> bytes:
    """Return the XForm as it is published."""
    document = parse_xml(xform)
    drop_unshown(document)
    drop_unread(document)
    schema = FormSchema.parse(xform)
    model = document.find(f".//{XFORMS}model")
    instance = model.find(f"{XFORMS}instance") if model is not None else None
    if model is None or instance is None:
        raise ValueError("an XForm without a model")
    last_bind = model.findall(f"{XFORMS}bind")[-1]
    for repeat in (field for field in schema.walk() if field.kind == "repeat"):
        path = f"{schema.root_name}{repeat.path}"
        # The template and the first row: a repeat stands more than once in the instance.
        for row in instance.iterfind("/".join(f"{XFORMS}{name}" for name in path.split("/"))):
            row.insert(0, etree.Element(f"{XFORMS}{ROW_ID}"))
        bind = etree.Element(f"{XFORMS}bind", nodeset=f"/{path}/{ROW_ID}", type="string", calculate=CALCULATION)
        last_bind.addnext(bind)
    return etree.tostring(document, encoding="utf-8", xml_declaration=True)

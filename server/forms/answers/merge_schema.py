"""A form version as the merge engine knows it: what its questions are, and what their marks say of merging."""

from functools import lru_cache
from typing import Final

from server.forms.answers.record_answers import ROW_ID
from server.forms.schema import Field, FormSchema
from sync.merging.field_schema import FieldSchema, FieldShape, Kind, Merge

KINDS: Final[dict[str, Kind]] = {"group": "group", "repeat": "repeat"}


@lru_cache(maxsize=512)
def shape_of(schema: FormSchema) -> FieldSchema:
    """Return the shape of a version; the same object each time, since shapes are compared by identity.

    Row ids are identity and no field. What `once(…)` computed is an ordinary answer. The choices of a list in a file
    are not named here: they stand in the order of their codes.
    """
    fields = {field.path: _shape(field) for field in schema.walk() if field.name != ROW_ID}
    return FieldSchema(schema.form, schema.version, fields)


def _shape(field: Field) -> FieldShape:
    return FieldShape(
        kind=KINDS.get(field.kind, "choices" if field.type == "select_multiple" else "atom"),
        type=field.type,
        # What the phone records by itself nobody is asked about either: the latest stands.
        is_calculated=field.is_calculated or field.recorded != "",
        merge=_merge(field.merge),
        choices=tuple(choice.value for choice in field.choices) if field.type == "select_multiple" else (),
        exclusive=frozenset(field.exclusive),
        was=field.was,
    )


def _merge(mark: str | None) -> Merge | None:
    match mark:
        case "max" | "min" | "append" | "ask":
            return mark
        case _:
            return None

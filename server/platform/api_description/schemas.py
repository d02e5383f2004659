"""JSON Schemas of bodies, by pydantic itself: the framework's own leave out patterns, ranges and forbidden members."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

PLACE = "#/components/schemas/"


class _WithoutFieldTitles(GenerateJsonSchema):
    """A member's title only where its author gave one: the app's types are named by them."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        """Close a mapping whose keys have a form: pydantic leaves it open to keys of any other."""
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found


def schemas_of(models: Iterable[type]) -> dict[str, Any]:
    """Return the schemas of models, and of all that they name, by name."""
    wanted: list[tuple[Any, JsonSchemaMode]] = [(model, "validation") for model in models]
    _, found = models_json_schema(wanted, ref_template=PLACE + "{model}", schema_generator=_WithoutFieldTitles)
    schemas: dict[str, Any] = found.get("$defs", {})
    return schemas


def models_in(annotation: object) -> set[type]:
    """Return the models and checked dataclasses that a type names, alone or in a union."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_pydantic_dataclass(annotation)):
        return {annotation}
    return {model for part in getattr(annotation, "__args__", ()) for model in models_in(part)}


def holds_files(model: type) -> bool:
    """Whether uploaded files stand in a model, of which pydantic knows no schema."""
    return issubclass(model, BaseModel) and bool(model.model_config.get("arbitrary_types_allowed"))

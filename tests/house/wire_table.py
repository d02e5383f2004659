"""The models of the wire as tables in Markdown, from the schemas of what the door reads: part of `make reference`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def models(model: TypeAdapter[Any]) -> Iterator[str]:
    """Give a section for a model, then one for each that it holds."""
    schema = model.json_schema(mode="serialization")
    for name, each in [(schema["title"], schema), *schema.get("$defs", {}).items()]:
        yield f"\n## `{name}`\n"
        yield f"{each.get('description', '')}\n"
        yield from table(
            ["member", "is", "left out", "means"],
            [
                [f"`{member}`", _kind(of), _left_out(of), of.get("description", "")]
                for member, of in each["properties"].items()
            ],
        )


def _left_out(schema: Mapping[str, Any]) -> str:
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else "never"


def _kind(schema: Mapping[str, Any]) -> str:
    """Return in few words what a member holds."""
    if "$ref" in schema:
        told = f"`{schema['$ref'].rpartition('/')[2]}`"
    elif "anyOf" in schema:
        told = " or ".join(_kind(each) for each in schema["anyOf"])
    elif "const" in schema or "enum" in schema:
        told = ", ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    elif schema.get("type") == "array":
        told = f"list of {_kind(schema['items'])}{_limit(schema, 'maxItems')}"
    elif schema.get("type") == "object":
        values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        told = next((f"object of {_kind(of)}" for of in values if isinstance(of, dict)), "object")
    elif schema.get("type") == "string":
        pattern = f" `{schema['pattern']}`".replace("|", "\\|") if "pattern" in schema else ""
        told = f"text{pattern}{_limit(schema, 'maxLength')}"
    else:
        told = f"{schema.get('type')}{_limit(schema, 'maximum')}"
    return told


def _limit(schema: Mapping[str, Any], name: str) -> str:
    return f", at most {schema[name]:,}" if name in schema else ""

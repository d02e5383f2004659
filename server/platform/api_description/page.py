"""The API's description as a page: the OpenAPI document rendered on the server, without scripts and without a CDN."""

from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-inline-size: 60rem; padding: 1rem; }
h2 { border-block-end: 1px solid; margin-block-start: 2.5rem; padding-block-end: .25rem; }
details { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem;
  margin-block: .5rem; padding: .5rem .75rem; }
summary { cursor: pointer; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.method { display: inline-block; font-weight: 700; inline-size: 4.5rem; }
table { border-collapse: collapse; inline-size: 100%; }
td, th { border-block-end: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .25rem .5rem;
  text-align: start; vertical-align: top; }
"""


def render_page(schema: dict[str, Any]) -> str:
    """Return an HTML page for an OpenAPI document."""
    info = schema["info"]
    schemas = schema.get("components", {}).get("schemas", {})
    operations = "".join(
        _operation(path, method, operation)
        for path, item in sorted(schema["paths"].items())
        for method, operation in item.items()
        if isinstance(operation, dict)
    )
    bodies = "".join(_body(name, body) for name, body in sorted(schemas.items()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title>"
        '<link rel="stylesheet" href="/api/docs/style.css"><link rel="icon" href="data:,"></head><body>'
        f"<h1>{escape(info['title'])} API</h1><p>{escape(info.get('description') or '')}</p>"
        '<p>The same for machines: <a href="/api/openapi.json">/api/openapi.json</a></p>'
        f"<h2>Addresses</h2>{operations}<h2>Bodies</h2>{bodies}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td>"
        f"<td>{_type(p.get('schema', {}))}{'' if p.get('required') else ', optional'}</td></tr>"
        for p in operation.get("parameters", [])
    )
    body = _content(operation.get("requestBody", {}))
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{_content(answer)}</td></tr>"
        for status, answer in operation.get("responses", {}).items()
    )
    text = operation.get("description") or operation.get("summary") or ""
    return (
        f'<details><summary><span class="method">{escape(method.upper())}</span><code>{escape(path)}</code></summary>'
        f"<p>{escape(text)}</p>"
        + (f"<table><tr><th>Parameter</th><th>In</th><th>Type</th></tr>{parameters}</table>" if parameters else "")
        + (f"<p>Body: {body}</p>" if body else "")
        + f"<table><tr><th>Answer</th><th>Body</th></tr>{answers}</table></details>"
    )


def _content(holder: dict[str, Any]) -> str:
    return ", ".join(
        f"{escape(media_type)} {_type(content.get('schema', {}))}"
        for media_type, content in holder.get("content", {}).items()
    )


def _body(name: str, body: dict[str, Any]) -> str:
    required = set(body.get("required", []))
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td>{_type(value)}{'' if key in required else ', optional'}</td></tr>"
        for key, value in body.get("properties", {}).items()
    )
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{escape(body.get('description') or '')}</p><table>{rows}</table></details>"
    )


def _type(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = escape(str(reference).rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    for joined in ("oneOf", "anyOf", "allOf"):
        if joined in schema:
            return " or ".join(_type(part) for part in schema[joined])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "anything")
    return escape(" or ".join(kind) if isinstance(kind, list) else str(kind))

"""The OpenAPI document: the framework's, completed by what guards, dependencies and handlers declare.

The framework knows addresses, parameters and models. Added are every problem that can be answered, with its status; the
ways of signing in; bodies and headers that handlers read themselves; and the exact schemas of models.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json, get_serializer

from server.errors import KINDS
from server.platform.api_description.declarations import Described, problems_of, schemes_of
from server.platform.api_description.schemas import PLACE, holds_files, models_in, schemas_of
from server.platform.problems import MEDIA_TYPE

Document = dict[str, Any]
#: What any request may be answered, whoever handles it.
ALWAYS = ("internal", "database_away", "disk_full", "too_large")
#: What reading a body may end in (`server.platform.request`).
OF_BODIES = frozenset({"invalid_request", "malformed_json", "body_truncated"})
SCHEMES: Document = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of `POST /api/auth/login`.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "Name and password: another server's account."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "AuthSession",
        "description": "A session of `POST /db/_session`. It opens `/db` alone, whose addresses are CouchDB's own.",
    },
}
PROBLEM: Document = {
    "title": "Problem",
    "description": "An error (RFC 9457); `params` is what the sentence about it needs.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:nuong:problem:[a-z_]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "params": {"type": "object", "additionalProperties": {}},
    },
    "required": ["type", "title", "status", "detail", "code", "params"],
    "additionalProperties": False,
}
#: The header that comes with problems of a status.
PROBLEM_HEADERS: Mapping[int, str] = {
    401: "WWW-Authenticate",
    429: "Retry-After",
    503: "Retry-After",
    507: "Retry-After",
}


# A process has one app, and so have most tests; its routes stay what they are.
@lru_cache(maxsize=1)
def describe(app: Litestar) -> Document:
    """Return the OpenAPI document of `app`; the first time takes some tenths of a second, mostly the framework's."""
    document: Document = json.loads(encode_json(app.openapi_schema.to_schema(), get_serializer(app.type_encoders)))
    models: set[type] = set()
    for path, method, handler in handlers(app):
        models |= _models(handler)
        _complete(document["paths"][path][method.lower()], method, path, handler)
    with_files = {model for model in models if holds_files(model)}
    schemas: Document = document["components"]["schemas"] | schemas_of(models - with_files) | {"Problem": PROBLEM}
    for model in with_files:
        schemas[model.__name__]["additionalProperties"] = False
    document["components"] = {"schemas": dict(sorted(schemas.items())), "securitySchemes": SCHEMES}
    return document


def handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Yield path, method and handler of everything that is described."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.resolve_include_in_schema():
                    yield route.path_format, str(method), handler


def _complete(operation: Document, method: str, path: str, handler: HTTPRouteHandler) -> None:
    said = _said(handler)
    for name, schema in said.headers.items():
        parameter = {"name": name, "in": "header", "required": True, "schema": schema}
        operation.setdefault("parameters", []).append(parameter)
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _in_an_address(parameter["schema"])
    if said.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(said.body)}
    status = str(handler.status_code)
    success = operation["responses"][status]
    if said.answers is not None:
        success["content"] = _content(said.answers)
    elif method == "HEAD" or _is_empty(success):
        success.pop("content", None)
    success["headers"] = {
        name: {"description": means, "schema": {"type": "string"}} for name, means in said.gives.items()
    }
    codes = {code for source in _sources(handler) for code in problems_of(source, method, path)}
    if "data" in handler.parsed_fn_signature.parameters:
        is_json = "application/json" in operation["requestBody"]["content"]
        codes |= OF_BODIES if is_json else OF_BODIES - {"malformed_json"}
    elif operation.get("parameters"):
        codes.add("invalid_request")
    operation["responses"] = {status: success, **_problems({*codes, *ALWAYS}, has_body=method != "HEAD")}
    operation["security"] = [{scheme: []} for source in _sources(handler) for scheme in schemes_of(source)]


def _in_an_address(schema: Document) -> Document:
    """Return a parameter's schema without null, which no address can say, so that its limits stand beside its type."""
    kinds = [kind for kind in schema.get("oneOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{name: value for name, value in schema.items() if name != "oneOf"}}


def _is_empty(answer: Document) -> bool:
    return [each["schema"] for each in answer.get("content", {}).values()] == [{"type": "null"}]


def _said(handler: HTTPRouteHandler) -> Described:
    found = handler.opt.get("described", Described())
    assert isinstance(found, Described)
    return found


def _sources(handler: HTTPRouteHandler) -> Iterator[Callable[..., Any]]:
    """Yield what can refuse a request to a handler: its guards, what provides its dependencies, and itself."""
    yield from handler.resolve_guards()
    provided = handler.resolve_dependencies()
    names = list(handler.parsed_fn_signature.parameters)
    for name in names:
        if name in provided:
            yield provided[name].dependency
            names += [each for each in provided[name].parsed_fn_signature.parameters if each not in names]
    yield handler.fn


def _models(handler: HTTPRouteHandler) -> set[type]:
    said, signature = _said(handler), handler.parsed_fn_signature
    data = signature.parameters.get("data")
    named = (said.body, said.answers, signature.return_type.annotation, data and data.annotation)
    return {model for annotation in named for model in models_in(annotation)}


def _content(what: type | str) -> Document:
    if isinstance(what, str):
        return {what: {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": {"$ref": PLACE + what.__name__}}}


def _problems(codes: set[str], *, has_body: bool) -> Document:
    """Return the answers that are problems, by status: the one schema, narrowed to the codes that can occur there."""
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in sorted(codes):
        by_status[KINDS[code].status].append(code)
    found: Document = {}
    for status, here in sorted(by_status.items()):
        answer: Document = {"description": " · ".join(f"`{code}`: {KINDS[code].title}" for code in here)}
        if has_body:
            narrowed = {"properties": {"code": {"enum": here}, "status": {"const": status}}}
            answer["content"] = {MEDIA_TYPE: {"schema": {"allOf": [{"$ref": PLACE + "Problem"}, narrowed]}}}
        if status in PROBLEM_HEADERS:
            answer["headers"] = {PROBLEM_HEADERS[status]: {"schema": {"type": "string"}}}
        found[str(status)] = answer
    return found

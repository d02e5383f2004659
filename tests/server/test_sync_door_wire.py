"""The wire of `POST /api/sync` is frozen: phones in the valleys are older than the server."""

import hashlib
import json

from server.gateway.schemas import PROTOCOL, SyncAnswer, SyncRequest

#: A change of the wire changes `PROTOCOL`, this hash and the changelog in one commit.
FROZEN = {1: "c9632496283d3a15e4230939a03a616d8a4dab0144ea93140b40db7af7bd00fe"}


def test_the_wire_schema_is_what_its_protocol_number_says() -> None:
    schemas = [SyncRequest.model_json_schema(), SyncAnswer.model_json_schema(mode="serialization")]
    told = json.dumps(_without_prose(schemas), sort_keys=True, ensure_ascii=False)
    assert hashlib.sha256(told.encode()).hexdigest() == FROZEN[PROTOCOL]


def _without_prose(schema: object) -> object:
    """Return the schema without titles and descriptions, which may be put better at any time."""
    if isinstance(schema, dict):
        return {
            name: _without_prose(part)
            for name, part in schema.items()
            if name not in ("title", "description") or not isinstance(part, str)
        }
    return [_without_prose(part) for part in schema] if isinstance(schema, list) else schema
